import type { NewEvent } from '../../core/audit/event.ts'
import type { DeliveryId, EventId, OrganizationId, WebhookId } from '../../core/ids.ts'
import { idFrom } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { type Delivery, type DeliveryState, type DeliveryTry, longestWait } from '../../core/webhook/delivery.ts'
import { longestOpen, type WebhookEndpoint } from '../../core/webhook/endpoint.ts'
import type { ClaimDeliveries, ClaimedDelivery, Settlement, Webhooks } from '../../core/webhook/webhooks.ts'
import { append, toEvent } from './event-rows.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { changed, type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { bytes, bytesOrNull, integer, integerOrNull, json, text, textOrNull } from './rows.ts'

const ENDPOINT =
  'w.id, w.organization_id, w.name, w.url, w.types, w.secret, w.previous_secret, w.previous_until, w.enabled, w.failures, w.failing_since, w.open_until, w.last_delivered_at, w.created_at, w.updated_at, w.version'
const DELIVERY = 'd.id, d.organization_id, d.webhook_id, d.event_id, d.type, d.state, d.attempts, d.next_at, d.created_at, d.expires_at, d.finished_at'
const EVENT = 'id, organization_id, type, at, actor_kind, actor_id, connection_id, subject, data'
const TRIES_SHOWN = 50

function toEndpoint(found: Row): WebhookEndpoint {
  return {
    id: text(found, 'id') as WebhookId,
    organization: text(found, 'organization_id') as OrganizationId,
    name: text(found, 'name'),
    url: text(found, 'url'),
    types: json<readonly string[]>(found, 'types'),
    secret: bytes(found, 'secret'),
    previousSecret: bytesOrNull(found, 'previous_secret'),
    previousUntil: integerOrNull(found, 'previous_until'),
    enabled: integer(found, 'enabled') === 1,
    failures: integer(found, 'failures'),
    failingSince: integerOrNull(found, 'failing_since'),
    openUntil: integerOrNull(found, 'open_until'),
    lastDeliveredAt: integerOrNull(found, 'last_delivered_at'),
    createdAt: integer(found, 'created_at'),
    updatedAt: integer(found, 'updated_at'),
    version: integer(found, 'version'),
  }
}

function toDelivery(found: Row): Delivery {
  return {
    id: text(found, 'id') as DeliveryId,
    organization: text(found, 'organization_id') as OrganizationId,
    endpoint: text(found, 'webhook_id') as WebhookId,
    event: text(found, 'event_id') as EventId,
    type: text(found, 'type'),
    state: text(found, 'state') as DeliveryState,
    attempts: integer(found, 'attempts'),
    nextAt: integerOrNull(found, 'next_at'),
    createdAt: integer(found, 'created_at'),
    expiresAt: integer(found, 'expires_at'),
    finishedAt: integerOrNull(found, 'finished_at'),
  }
}

function toTry(found: Row): DeliveryTry {
  return {
    at: integer(found, 'at'),
    status: integerOrNull(found, 'status'),
    durationMs: integer(found, 'duration_ms'),
    error: textOrNull(found, 'error'),
    excerpt: textOrNull(found, 'excerpt'),
  }
}

function* insert(endpoint: WebhookEndpoint, event: NewEvent): Program<void> {
  yield* run(
    `insert into webhook (id, organization_id, name, url, types, secret, previous_secret, previous_until, enabled, failures, failing_since, open_until,
       last_delivered_at, created_at, updated_at, version) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    endpoint.id,
    endpoint.organization,
    endpoint.name,
    endpoint.url,
    JSON.stringify(endpoint.types),
    endpoint.secret,
    endpoint.previousSecret,
    endpoint.previousUntil,
    endpoint.enabled ? 1 : 0,
    endpoint.failures,
    endpoint.failingSince,
    endpoint.openUntil,
    endpoint.lastDeliveredAt,
    endpoint.createdAt,
    endpoint.updatedAt,
    endpoint.version,
  )
  yield* append(event)
}

function* update(endpoint: WebhookEndpoint, closed: boolean, event: NewEvent): Program<'updated' | 'moved'> {
  const { id, name, url, types, secret, previousSecret, previousUntil, enabled, updatedAt, version } = endpoint
  const written = yield* run(
    `update webhook set name = ?, url = ?, types = ?, secret = ?, previous_secret = ?, previous_until = ?, enabled = ?, updated_at = ?, version = ?
       ${closed ? ', failures = 0, failing_since = null, open_until = null' : ''}
     where id = ? and organization_id = ? and version = ?`,
    name,
    url,
    JSON.stringify(types),
    secret,
    previousSecret,
    previousUntil,
    enabled ? 1 : 0,
    updatedAt,
    version,
    id,
    endpoint.organization,
    version - 1,
  )
  if (written === 0) return 'moved'
  if (closed) yield* run('update delivery set next_at = ? where webhook_id = ? and next_at > ?', updatedAt, id, updatedAt)
  yield* append(event)
  return 'updated'
}

function* remove(organization: OrganizationId, id: WebhookId, event: NewEvent): Program<'removed' | 'gone'> {
  if ((yield* run('delete from webhook where id = ? and organization_id = ?', id, organization)) === 0) return 'gone'
  yield* append(event)
  return 'removed'
}

export function* insertDelivery(dialect: Dialect, delivery: Delivery): Program<void> {
  yield* run(
    `insert into delivery (id, organization_id, webhook_id, event_id, type, state, attempts, next_at, created_at, expires_at, finished_at)
     select ?, ?, w.id, ?, ?, ?, ?, ?, ?, ?, ? from webhook w where w.id = ? ${dialect.forKeeping('w')} on conflict do nothing`,
    delivery.id,
    delivery.organization,
    delivery.event,
    delivery.type,
    delivery.state,
    delivery.attempts,
    delivery.nextAt,
    delivery.createdAt,
    delivery.expiresAt,
    delivery.finishedAt,
    delivery.endpoint,
  )
}

function* insertClaimed(dialect: Dialect, delivery: Delivery, event: NewEvent): Program<void> {
  yield* append(event)
  // Nobody else is told of a test.
  yield* run('delete from event_outbox where organization_id = ? and event_id = ?', event.organization, event.id)
  yield* insertDelivery(dialect, delivery)
}

/** The row of an endpoint is its lock: two nodes that look at the same time never take the same delivery, and a half-open circuit lets exactly one through. */
function* claim(dialect: Dialect, request: ClaimDeliveries): Program<readonly ClaimedDelivery[]> {
  const { now, until, endpoints, perEndpoint, busy } = request
  if (endpoints <= 0) return []
  const ready = yield* rows(
    `select ${ENDPOINT} from webhook w
     where w.enabled = 1 and (w.open_until is null or w.open_until <= ? or w.open_until > ?) and not (${dialect.among('w.id')})
       and ((select 1 from delivery d where d.webhook_id = w.id and d.next_at <= ? limit 1) is not null
         or (select 1 from delivery d where d.webhook_id = w.id and d.next_at > ? limit 1) is not null)
     order by w.claimed_at limit ? ${dialect.skipLocked('w')}`,
    now,
    longestOpen(now),
    JSON.stringify(busy),
    now,
    longestWait(now),
    endpoints,
  )
  const claimed: ClaimedDelivery[] = []
  for (const endpoint of ready.map(toEndpoint)) {
    const halfOpen = endpoint.openUntil !== null
    claimed.push(...(yield* claimOf(endpoint, now, until, halfOpen ? 1 : perEndpoint)))
    yield* run('update webhook set claimed_at = ?, open_until = ? where id = ?', now, halfOpen ? until : null, endpoint.id)
  }
  return claimed
}

function* claimOf(endpoint: WebhookEndpoint, now: Instant, until: Instant, limit: number): Program<readonly ClaimedDelivery[]> {
  const next = (when: string, than: Instant, count: number) =>
    rows(`select ${DELIVERY} from delivery d where d.webhook_id = ? and d.next_at ${when} ? order by d.next_at, d.id limit ?`, endpoint.id, than, count)
  const due = yield* next('<=', now, limit)
  const ahead = due.length < limit ? yield* next('>', longestWait(now), limit - due.length) : []
  const claimed: ClaimedDelivery[] = []
  for (const delivery of [...due, ...ahead].map(toDelivery)) {
    const found = yield* row(`select ${EVENT} from event where organization_id = ? and id = ?`, delivery.organization, delivery.event)
    if (found === undefined) yield* run("update delivery set state = 'failed', next_at = null, finished_at = ? where id = ?", now, delivery.id)
    else {
      yield* run('update delivery set next_at = ? where id = ?', until, delivery.id)
      claimed.push({ delivery: { ...delivery, nextAt: until }, endpoint, event: toEvent(found) })
    }
  }
  return claimed
}

/** Locks the endpoint before its delivery, as its removal does. */
function* settle(dialect: Dialect, { delivery, claimedUntil, attempt, state, nextAt, trouble, gone }: Settlement): Program<void> {
  const known = yield* row(`select d.webhook_id from webhook w join delivery d on d.webhook_id = w.id where d.id = ? ${dialect.forUpdate('w, d')}`, delivery)
  if (known === undefined) return
  yield* run(
    'insert into delivery_try (delivery_id, at, status, duration_ms, error, excerpt) values (?, ?, ?, ?, ?, ?)',
    delivery,
    attempt.at,
    attempt.status,
    attempt.durationMs,
    attempt.error,
    attempt.excerpt,
  )
  const endpoint = text(known, 'webhook_id')
  // What was taken is taken, whoever holds the claim by now.
  const mine = state === 'delivered' ? '' : 'and next_at = ?'
  yield* run(
    `update delivery set state = ?, attempts = attempts + 1, next_at = ?, finished_at = ? where id = ? and state = 'waiting' ${mine}`,
    state,
    nextAt,
    state === 'waiting' ? null : attempt.at + attempt.durationMs,
    delivery,
    ...(state === 'delivered' ? [] : [claimedUntil]),
  )
  if (trouble === null)
    yield* run('update webhook set failures = 0, failing_since = null, open_until = null, last_delivered_at = ? where id = ?', attempt.at, endpoint)
  else
    yield* run(
      'update webhook set failures = failures + 1, failing_since = coalesce(failing_since, ?), open_until = coalesce(?, open_until) where id = ?',
      attempt.at,
      trouble.openUntil,
      endpoint,
    )
  if (
    gone !== null &&
    (yield* run('update webhook set enabled = 0, version = version + 1, updated_at = ? where id = ? and enabled = 1', gone.at, endpoint)) === 1
  )
    yield* append(gone)
  yield* changed({ kind: 'delivery', delivery })
}

function* replay(
  organization: OrganizationId,
  id: DeliveryId,
  { now, expiresAt }: { readonly now: Instant; readonly expiresAt: Instant },
  event: NewEvent,
): Program<'replayed' | 'waiting' | 'gone'> {
  const found = yield* row('select d.state from delivery d where d.id = ? and d.organization_id = ?', id, organization)
  if (found === undefined) return 'gone'
  yield* run(
    "update delivery set state = 'waiting', attempts = 0, next_at = ?, expires_at = ?, finished_at = null where id = ? and (state <> 'waiting' or attempts > 0)",
    now,
    expiresAt,
    id,
  )
  yield* append(event)
  yield* changed({ kind: 'delivery', delivery: id })
  return text(found, 'state') === 'waiting' ? 'waiting' : 'replayed'
}

function* replaySince(organization: OrganizationId, endpoint: WebhookId, what: Parameters<Webhooks['replaySince']>[2], event: NewEvent): Program<number> {
  const { from, failedOnly, now, expiresAt } = what
  const count = yield* run(
    `update delivery set state = 'waiting', attempts = 0, next_at = ?, expires_at = ?, finished_at = null
     where webhook_id = ? and id >= ? and organization_id = ? and state <> 'waiting' ${failedOnly ? "and state = 'failed'" : ''}`,
    now,
    expiresAt,
    endpoint,
    idFrom('dlv', from),
    organization,
  )
  if (count === 0 && (yield* row('select id from webhook where id = ? and organization_id = ?', endpoint, organization)) === undefined) return 0
  yield* append({ ...event, data: { ...event.data, deliveries: count } })
  return count
}

/** Behind a circuit that lets something through the next try decides; it comes within the hour. */
function* expire(dialect: Dialect, now: Instant, limit: number): Program<number> {
  const over = yield* rows(
    `select d.id from delivery d join webhook w on w.id = d.webhook_id
     where d.next_at is not null and d.expires_at < ? and (w.enabled = 0 or (w.open_until > ? and w.open_until <= ?)) order by d.expires_at limit ?`,
    now,
    now,
    longestOpen(now),
    limit,
  )
  if (over.length === 0) return 0
  const ids = JSON.stringify(over.map((found) => found.id))
  return yield* run(`update delivery set state = 'failed', next_at = null, finished_at = ? where ${dialect.among('id')} and state = 'waiting'`, now, ids)
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select d.id from delivery d where d.finished_at < ? order by d.finished_at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from delivery where ${dialect.among('id')}`, JSON.stringify(old.map((found) => found.id)))
}

function* triesOf(id: string): Program<readonly DeliveryTry[]> {
  const found = yield* rows('select at, status, duration_ms, error, excerpt from delivery_try where delivery_id = ? order by at desc limit ?', id, TRIES_SHOWN)
  return found.map(toTry).reverse()
}

function* triesOfAll(ids: readonly DeliveryId[]): Program<ReadonlyMap<DeliveryId, readonly DeliveryTry[]>> {
  const all = new Map<DeliveryId, readonly DeliveryTry[]>()
  for (const id of ids) all.set(id, yield* triesOf(id))
  return all
}

function* list(condition: string, ...params: readonly (string | number)[]): Program<readonly WebhookEndpoint[]> {
  return (yield* rows(`select ${ENDPOINT} from webhook w where ${condition} order by w.id`, ...params)).map(toEndpoint)
}

function* deliveries(...[organization, endpoint, state, page]: Parameters<Webhooks['deliveries']>): Program<Awaited<ReturnType<Webhooks['deliveries']>>> {
  const limit = limitOf(page)
  const after = afterOf(page)
  const found = yield* rows(
    `select ${DELIVERY} from delivery d where d.webhook_id = ? and d.organization_id = ? ${state === null ? '' : 'and d.state = ?'} ${after === null ? '' : 'and d.id < ?'}
     order by d.id desc limit ?`,
    endpoint,
    organization,
    ...(state === null ? [] : [state]),
    ...(after === null ? [] : [after]),
    limit + 1,
  )
  return toPage(found.map(toDelivery), limit, ({ id }) => id)
}

function* delivery(organization: OrganizationId, id: DeliveryId): Program<Awaited<ReturnType<Webhooks['delivery']>>> {
  const found = yield* row(`select ${DELIVERY} from delivery d where d.id = ? and d.organization_id = ?`, id, organization)
  return found === undefined ? undefined : { delivery: toDelivery(found), tries: yield* triesOf(id) }
}

export function webhooksStore(database: Database): Webhooks {
  const { dialect } = database
  return {
    insert: (endpoint, event) => database.write(() => insert(endpoint, event)),
    update: (endpoint, closed, event) => database.write(() => update(endpoint, closed, event)),
    remove: (organization, id, event) => database.write(() => remove(organization, id, event)),
    get: async (organization, id) => (await database.read(() => list('w.id = ? and w.organization_id = ?', id, organization)))[0],
    list: (organization) => database.read(() => list('w.organization_id = ?', organization)),
    failing: (organization, before) => database.read(() => list('w.organization_id = ? and w.enabled = 1 and w.failing_since <= ?', organization, before)),
    deliveries: (...asked) => database.read(() => deliveries(...asked)),
    delivery: (organization, id) => database.read(() => delivery(organization, id)),
    find: (id) =>
      database.read(function* () {
        const found = yield* row(`select ${DELIVERY} from delivery d where d.id = ?`, id)
        return found === undefined ? undefined : toDelivery(found)
      }),
    tries: (ids) => database.read(() => triesOfAll(ids)),
    insertClaimed: (claimed, event) => database.write(() => insertClaimed(dialect, claimed, event)),
    claim: (request) => database.write(() => claim(dialect, request)),
    settle: (settlement) => database.write(() => settle(dialect, settlement)),
    replay: (organization, id, times, event) => database.write(() => replay(organization, id, times, event)),
    replaySince: (organization, endpoint, what, event) => database.write(() => replaySince(organization, endpoint, what, event)),
    expire: (now, limit) => database.write(() => expire(dialect, now, limit)),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
    event: async (organization, id) => {
      const found = await database.read(() => row(`select ${EVENT} from event where organization_id = ? and id = ?`, organization, id))
      return found === undefined ? undefined : toEvent(found)
    },
  }
}
