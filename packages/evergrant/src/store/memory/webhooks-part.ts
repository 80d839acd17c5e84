import type { AuditEvent } from '../../core/audit/event.ts'
import { type DeliveryId, idFrom, type OrganizationId, type WebhookId } from '../../core/ids.ts'
import { type Delivery, longestWait } from '../../core/webhook/delivery.ts'
import { longestOpen, type WebhookEndpoint } from '../../core/webhook/endpoint.ts'
import type { ClaimDeliveries, ClaimedDelivery, Settlement, Webhooks } from '../../core/webhook/webhooks.ts'
import { afterOf, limitOf, toPage } from '../sql/paging.ts'
import type { Tables } from './tables.ts'

const TRIES_SHOWN = 50

type Kept = WebhookEndpoint & { readonly claimedAt: number }

const endpointOf = ({ claimedAt: _claimedAt, ...endpoint }: Kept): WebhookEndpoint => endpoint
const isAhead = ({ nextAt }: Delivery, now: number): boolean => (nextAt ?? 0) > longestWait(now)
const isDue = (one: Delivery, now: number): boolean => one.nextAt !== null && (one.nextAt <= now || isAhead(one, now))
const isOpen = ({ openUntil }: WebhookEndpoint, now: number): boolean => openUntil !== null && openUntil > now && openUntil <= longestOpen(now)

function eventOf(tables: Tables, { organization, event }: Pick<Delivery, 'organization' | 'event'>): AuditEvent | undefined {
  return tables.events.get(`${organization} ${event}`)
}

/** One that exists for the pair is kept; one for an endpoint that is gone is not made. */
export function insertDelivery(tables: Tables, delivery: Delivery): void {
  const { deliveries, webhooks } = tables.alerting
  if (!webhooks.has(delivery.endpoint)) return
  for (const known of deliveries.values()) if (known.endpoint === delivery.endpoint && known.event === delivery.event) return
  deliveries.set(delivery.id, delivery)
}

function update(tables: Tables, endpoint: WebhookEndpoint, closed: boolean): 'updated' | 'moved' {
  const { webhooks, deliveries } = tables.alerting
  const old = webhooks.get(endpoint.id)
  if (old === undefined || old.organization !== endpoint.organization || old.version !== endpoint.version - 1) return 'moved'
  const { name, url, types, secret, previousSecret, previousUntil, enabled, updatedAt, version } = endpoint
  const circuit = closed ? { failures: 0, failingSince: null, openUntil: null } : {}
  webhooks.set(endpoint.id, { ...old, name, url, types, secret, previousSecret, previousUntil, enabled, updatedAt, version, ...circuit })
  if (closed)
    for (const one of deliveries.values())
      if (one.endpoint === endpoint.id && one.nextAt !== null && one.nextAt > updatedAt) deliveries.set(one.id, { ...one, nextAt: updatedAt })
  return 'updated'
}

function remove(tables: Tables, id: WebhookId): void {
  const { webhooks, deliveries } = tables.alerting
  webhooks.delete(id)
  for (const one of [...deliveries.values()]) if (one.endpoint === id) drop(tables, one.id)
}

function drop(tables: Tables, id: DeliveryId): void {
  tables.alerting.deliveries.delete(id)
  tables.alerting.tries.delete(id)
}

function claim(tables: Tables, { now, until, endpoints, perEndpoint, busy }: ClaimDeliveries): readonly ClaimedDelivery[] {
  const { webhooks, deliveries } = tables.alerting
  const dueOf = (id: WebhookId) =>
    [...deliveries.values()]
      .filter((one) => one.endpoint === id && isDue(one, now))
      .sort((left, right) => (left.nextAt ?? 0) - (right.nextAt ?? 0) || (left.id < right.id ? -1 : 1))
  const ready = [...webhooks.values()]
    .filter((one) => one.enabled && !isOpen(one, now) && !busy.includes(one.id) && dueOf(one.id).length > 0)
    .sort((left, right) => left.claimedAt - right.claimedAt)
    .slice(0, Math.max(0, endpoints))
  const claimed: ClaimedDelivery[] = []
  for (const kept of ready) {
    const halfOpen = kept.openUntil !== null
    for (const delivery of dueOf(kept.id).slice(0, halfOpen ? 1 : perEndpoint)) {
      const event = eventOf(tables, delivery)
      const next: Delivery = event === undefined ? { ...delivery, state: 'failed', nextAt: null, finishedAt: now } : { ...delivery, nextAt: until }
      deliveries.set(delivery.id, next)
      if (event !== undefined) claimed.push({ delivery: next, endpoint: endpointOf(kept), event })
    }
    webhooks.set(kept.id, { ...kept, claimedAt: now, openUntil: halfOpen ? until : null })
  }
  return claimed
}

function settle(tables: Tables, { delivery: id, claimedUntil, attempt, state, nextAt, trouble, gone }: Settlement): void {
  const { deliveries, tries, webhooks } = tables.alerting
  const delivery = deliveries.get(id)
  if (delivery === undefined) return
  tries.set(id, [...(tries.get(id) ?? []), attempt])
  const mine = state === 'delivered' || delivery.nextAt === claimedUntil
  const finishedAt = state === 'waiting' ? null : attempt.at + attempt.durationMs
  if (delivery.state === 'waiting' && mine) deliveries.set(id, { ...delivery, state, attempts: delivery.attempts + 1, nextAt, finishedAt })
  const endpoint = webhooks.get(delivery.endpoint)
  if (endpoint === undefined) return
  const { at } = attempt
  const next: Kept =
    trouble === null
      ? { ...endpoint, failures: 0, failingSince: null, openUntil: null, lastDeliveredAt: at }
      : { ...endpoint, failures: endpoint.failures + 1, failingSince: endpoint.failingSince ?? at, openUntil: trouble.openUntil ?? endpoint.openUntil }
  const off = gone !== null && next.enabled
  webhooks.set(endpoint.id, off ? { ...next, enabled: false, version: next.version + 1, updatedAt: gone.at } : next)
  if (off) tables.append(gone)
  tables.changed({ kind: 'delivery', delivery: id })
}

function again(tables: Tables, { id }: Delivery, now: number, expiresAt: number): void {
  const delivery = tables.alerting.deliveries.get(id)
  if (delivery !== undefined) tables.alerting.deliveries.set(id, { ...delivery, state: 'waiting', attempts: 0, nextAt: now, expiresAt, finishedAt: null })
}

function replay(tables: Tables, ...[organization, id, { now, expiresAt }, event]: Parameters<Webhooks['replay']>): 'replayed' | 'waiting' | 'gone' {
  const delivery = tables.alerting.deliveries.get(id)
  if (delivery === undefined || delivery.organization !== organization) return 'gone'
  if (delivery.state !== 'waiting' || delivery.attempts > 0) again(tables, delivery, now, expiresAt)
  tables.append(event)
  tables.changed({ kind: 'delivery', delivery: id })
  return delivery.state === 'waiting' ? 'waiting' : 'replayed'
}

function replaySince(tables: Tables, ...[organization, endpoint, { from, failedOnly, now, expiresAt }, event]: Parameters<Webhooks['replaySince']>): number {
  const first = idFrom('dlv', from)
  if (tables.alerting.webhooks.get(endpoint)?.organization !== organization) return 0
  const found = [...tables.alerting.deliveries.values()].filter(
    (one) => one.endpoint === endpoint && one.id >= first && one.state !== 'waiting' && (!failedOnly || one.state === 'failed'),
  )
  for (const one of found) again(tables, one, now, expiresAt)
  tables.append({ ...event, data: { ...event.data, deliveries: found.length } })
  return found.length
}

function expire(tables: Tables, now: number, limit: number): number {
  const { deliveries, webhooks } = tables.alerting
  const over = [...deliveries.values()].filter((one) => {
    const endpoint = webhooks.get(one.endpoint)
    return one.nextAt !== null && one.expiresAt < now && endpoint !== undefined && (!endpoint.enabled || isOpen(endpoint, now))
  })
  for (const one of over.slice(0, limit)) deliveries.set(one.id, { ...one, state: 'failed', nextAt: null, finishedAt: now })
  return Math.min(over.length, limit)
}

function purge(tables: Tables, before: number, limit: number): number {
  const old = [...tables.alerting.deliveries.values()].filter(({ finishedAt }) => finishedAt !== null && finishedAt < before).slice(0, limit)
  for (const { id } of old) drop(tables, id)
  return old.length
}

function listDeliveries(tables: Tables, ...[organization, endpoint, state, page]: Parameters<Webhooks['deliveries']>) {
  const after = afterOf(page)
  const found = [...tables.alerting.deliveries.values()]
    .filter(
      (one) => one.endpoint === endpoint && one.organization === organization && (state === null || one.state === state) && (after === null || one.id < after),
    )
    .sort((left, right) => (left.id < right.id ? 1 : -1))
  return toPage(found.slice(0, limitOf(page) + 1), limitOf(page), ({ id }) => id)
}

export function webhooksPart(tables: Tables): Webhooks {
  const { webhooks, deliveries, tries } = tables.alerting
  const own = (organization: OrganizationId) => [...webhooks.values()].filter((one) => one.organization === organization).sort((a, b) => (a.id < b.id ? -1 : 1))
  const triesOf = (id: DeliveryId) => (tries.get(id) ?? []).slice(-TRIES_SHOWN)
  return {
    insert: async (endpoint, event) => {
      webhooks.set(endpoint.id, { ...endpoint, claimedAt: 0 })
      tables.append(event)
    },
    update: async (endpoint, closed, event) => {
      const outcome = update(tables, endpoint, closed)
      if (outcome === 'updated') tables.append(event)
      return outcome
    },
    remove: async (organization, id, event) => {
      if (webhooks.get(id)?.organization !== organization) return 'gone'
      remove(tables, id)
      tables.append(event)
      return 'removed'
    },
    get: async (organization, id) =>
      own(organization)
        .map(endpointOf)
        .find((one) => one.id === id),
    list: async (organization) => own(organization).map(endpointOf),
    failing: async (organization, before) =>
      own(organization)
        .map(endpointOf)
        .filter(({ enabled, failingSince }) => enabled && failingSince !== null && failingSince <= before),
    deliveries: async (...asked) => listDeliveries(tables, ...asked),
    delivery: async (organization, id) => {
      const delivery = deliveries.get(id)
      return delivery === undefined || delivery.organization !== organization ? undefined : { delivery, tries: triesOf(id) }
    },
    find: async (id) => deliveries.get(id),
    tries: async (ids) => new Map(ids.map((id) => [id, triesOf(id)])),
    insertClaimed: async (delivery, event) => {
      tables.append(event)
      tables.alerting.outbox.delete(event.id)
      insertDelivery(tables, delivery)
    },
    claim: async (request) => claim(tables, request),
    settle: async (settlement) => settle(tables, settlement),
    replay: async (...asked) => replay(tables, ...asked),
    replaySince: async (...asked) => replaySince(tables, ...asked),
    expire: async (now, limit) => expire(tables, now, limit),
    purge: async (before, limit) => purge(tables, before, limit),
    event: async (organization, event) => eventOf(tables, { organization, event }),
  }
}
