import type { Actor, AuditEvent, EventType, NewEvent } from '../audit/event.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import { Fault } from '../fault/fault.ts'
import { type DeliveryId, newId, type OrganizationId, type WebhookId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, DAY, type Entropy, type Instant } from '../time.ts'
import { type Delivery, type DeliveryState, type DeliveryTry, KEEP_TRYING_MS, ONCE_MS } from './delivery.ts'
import { CLAIM_MS, type DeliveryWork, secretContext } from './delivery-work.ts'
import { DEFAULT_TYPES, type WebhookEndpoint } from './endpoint.ts'
import { wantedTypeProblem } from './wanted-types.ts'
import type { Webhooks } from './webhooks.ts'

interface WebhookServicePorts {
  readonly webhooks: Webhooks
  readonly work: Pick<DeliveryWork, 'deliver'>
  /** Whether something may be sent there at all; the reason when not. Addresses are checked again at every try. */
  readonly refusal: (url: string) => string | null
  /** Standard base64 (RFC 4648 section 4). */
  readonly base64: (bytes: Uint8Array) => string
  readonly seal: Seal
  readonly clock: Clock
  readonly entropy: Entropy
}

interface NewWebhook {
  readonly name: string
  readonly url: string
  readonly types: readonly string[] | undefined
}

type WebhookChange = { readonly [Field in keyof NewWebhook]?: NewWebhook[Field] | undefined } & { readonly enabled?: boolean | undefined }

/** An endpoint with its secret, which is never shown again. */
interface IssuedWebhook {
  readonly endpoint: WebhookEndpoint
  readonly secret: string
}

const SECRET_BYTES = 32
const MAX_ENDPOINTS = 50
const MAX_OVERLAP_MS = 30 * DAY
const TRIES = 5

/** What people do to endpoints and deliveries. */
export class WebhookService {
  readonly #ports: WebhookServicePorts

  constructor(ports: WebhookServicePorts) {
    this.#ports = ports
  }

  list(organization: OrganizationId): Promise<readonly WebhookEndpoint[]> {
    return this.#ports.webhooks.list(organization)
  }

  /** @throws Fault `not_found` */
  async get(organization: OrganizationId, id: WebhookId): Promise<WebhookEndpoint> {
    const endpoint = await this.#ports.webhooks.get(organization, id)
    if (endpoint === undefined)
      throw new Fault('not_found', { field: 'id', detail: `There is no webhook ${id} in this organization. GET webhooks lists them.` })
    return endpoint
  }

  /** @throws Fault `invalid_request`, `conflict` */
  async create(organization: OrganizationId, wanted: NewWebhook, actor: Actor): Promise<IssuedWebhook> {
    this.#checkUrl(wanted.url)
    checkTypes(wanted.types)
    if ((await this.list(organization)).length >= MAX_ENDPOINTS)
      throw new Fault('conflict', { detail: `There are ${MAX_ENDPOINTS} webhooks already, and no more are allowed. Delete one that is not needed.` })
    const { entropy, clock, webhooks } = this.#ports
    const now = clock.wall()
    const id = newId('whk', entropy)
    const { secret, sealed } = this.#newSecret({ organization, id })
    const endpoint: WebhookEndpoint = {
      ...{ id, organization, name: wanted.name, url: wanted.url, types: wanted.types ?? DEFAULT_TYPES, secret: sealed },
      ...{ previousSecret: null, previousUntil: null, enabled: true, failures: 0, failingSince: null, openUntil: null, lastDeliveredAt: null },
      ...{ createdAt: now, updatedAt: now, version: 1 },
    }
    await webhooks.insert(endpoint, this.#event('webhook.created', endpoint, actor, { name: endpoint.name, types: [...endpoint.types] }))
    return { endpoint, secret }
  }

  /** @throws Fault `not_found`, `invalid_request` */
  async change(organization: OrganizationId, id: WebhookId, change: WebhookChange, actor: Actor): Promise<WebhookEndpoint> {
    if (change.url !== undefined) this.#checkUrl(change.url)
    checkTypes(change.types)
    const fields = Object.keys(change).filter((name) => change[name as keyof WebhookChange] !== undefined)
    return this.#write(organization, id, change.url !== undefined || change.enabled === true, (old) => ({
      next: {
        name: change.name ?? old.name,
        url: change.url ?? old.url,
        types: change.types ?? old.types,
        enabled: change.enabled ?? old.enabled,
      },
      event: (next) => this.#event('webhook.updated', next, actor, { fields }),
    }))
  }

  /** Switches it on, closes its circuit, and sends what waits at once. @throws Fault `not_found` */
  enable(organization: OrganizationId, id: WebhookId, actor: Actor): Promise<WebhookEndpoint> {
    return this.#write(organization, id, true, () => ({ next: { enabled: true }, event: (next) => this.#event('webhook.enabled', next, actor, {}) }))
  }

  /** A new secret; the old one signs beside it for `overlapMs`, so that a receiver changes over without losing anything. @throws Fault `not_found` */
  async rotateSecret(organization: OrganizationId, id: WebhookId, overlapMs: number, actor: Actor): Promise<IssuedWebhook> {
    const { secret, sealed } = this.#newSecret({ organization, id })
    const until = this.#ports.clock.wall() + Math.min(overlapMs, MAX_OVERLAP_MS)
    const endpoint = await this.#write(organization, id, false, (old) => ({
      next: { secret: sealed, previousSecret: overlapMs === 0 ? null : old.secret, previousUntil: overlapMs === 0 ? null : until },
      event: (next) => this.#event('webhook.secret_rotated', next, actor, { overlap_until: next.previousUntil }),
    }))
    return { endpoint, secret }
  }

  /** @throws Fault `not_found` */
  async remove(organization: OrganizationId, id: WebhookId, actor: Actor): Promise<void> {
    const endpoint = await this.get(organization, id)
    await this.#ports.webhooks.remove(organization, id, this.#event('webhook.deleted', endpoint, actor, { name: endpoint.name }))
  }

  /** Sends `webhook.tested` at once, one time, whatever the circuit says. @throws Fault `not_found` */
  async test(organization: OrganizationId, id: WebhookId, actor: Actor): Promise<{ readonly delivery: Delivery; readonly attempt: DeliveryTry }> {
    const endpoint = await this.get(organization, id)
    const now = this.#ports.clock.wall()
    const event: AuditEvent = this.#event('webhook.tested', endpoint, actor, { name: endpoint.name })
    const what = { id: newId('dlv', this.#ports.entropy), organization, endpoint: id, event: event.id, type: event.type }
    const delivery: Delivery = { ...what, state: 'waiting', attempts: 0, nextAt: now + CLAIM_MS, createdAt: now, expiresAt: now + ONCE_MS, finishedAt: null }
    await this.#ports.webhooks.insertClaimed(delivery, event)
    const attempt = await this.#ports.work.deliver({ delivery, endpoint, event })
    return { delivery: (await this.#ports.webhooks.delivery(organization, delivery.id))?.delivery ?? delivery, attempt }
  }

  /** @throws Fault `not_found` */
  async deliveries(organization: OrganizationId, id: WebhookId, state: DeliveryState | null, page: PageRequest) {
    await this.get(organization, id)
    const found: Page<Delivery> = await this.#ports.webhooks.deliveries(organization, id, state, page)
    return { page: found, tries: await this.#ports.webhooks.tries(found.items.map((delivery) => delivery.id)) }
  }

  /** With its tries and its event. @throws Fault `not_found` */
  async delivery(organization: OrganizationId, id: DeliveryId) {
    const found = await this.#ports.webhooks.delivery(organization, id)
    if (found === undefined) throw deliveryNotFound(id)
    return { ...found, event: await this.#ports.webhooks.event(organization, found.delivery.event) }
  }

  /** @throws Fault `not_found`. One that waits is on its way anyway: it is sent now. */
  async replay(organization: OrganizationId, id: DeliveryId, actor: Actor): Promise<void> {
    const { delivery } = await this.delivery(organization, id)
    const endpoint = await this.get(organization, delivery.endpoint)
    const event = this.#event('webhook.replayed', endpoint, actor, { delivery: id, event: delivery.event })
    if ((await this.#ports.webhooks.replay(organization, id, this.#fresh(), event)) === 'gone') throw deliveryNotFound(id)
  }

  /** Sends again everything since; returns how many. @throws Fault `not_found`, `invalid_request` */
  async replaySince(organization: OrganizationId, id: WebhookId, from: Instant, failedOnly: boolean, actor: Actor): Promise<number> {
    const endpoint = await this.get(organization, id)
    const times = this.#fresh()
    if (from > times.now) throw new Fault('invalid_request', { field: '/since', detail: '`since` lies in the future.' })
    const event = this.#event('webhook.replayed', endpoint, actor, { since: from, failed_only: failedOnly })
    return this.#ports.webhooks.replaySince(organization, id, { ...times, from, failedOnly }, event)
  }

  #fresh(): { readonly now: Instant; readonly expiresAt: Instant } {
    const now = this.#ports.clock.wall()
    return { now, expiresAt: now + KEEP_TRYING_MS }
  }

  async #write(
    organization: OrganizationId,
    id: WebhookId,
    closed: boolean,
    to: (old: WebhookEndpoint) => { readonly next: Partial<WebhookEndpoint>; readonly event: (next: WebhookEndpoint) => NewEvent },
  ): Promise<WebhookEndpoint> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const old = await this.get(organization, id)
      const { next: changes, event } = to(old)
      const next: WebhookEndpoint = { ...old, ...changes, updatedAt: this.#ports.clock.wall(), version: old.version + 1 }
      if ((await this.#ports.webhooks.update(next, closed, event(next))) === 'updated') return this.get(organization, id)
    }
    throw new Fault('conflict', { detail: 'This webhook is being changed by somebody else. Try again.' })
  }

  /** 256 bits, in the spelling of Standard Webhooks. */
  #newSecret(of: Pick<WebhookEndpoint, 'organization' | 'id'>): { readonly secret: string; readonly sealed: Uint8Array } {
    const secret = `whsec_${this.#ports.base64(this.#ports.entropy.bytes(SECRET_BYTES))}`
    return { secret, sealed: this.#ports.seal.seal(secret, secretContext(of)) }
  }

  #checkUrl(url: string): void {
    const refusal = this.#ports.refusal(url)
    if (refusal !== null) throw new Fault('invalid_request', { field: '/url', detail: refusal })
  }

  #event(type: EventType, endpoint: Pick<WebhookEndpoint, 'organization' | 'id'>, actor: Actor, data: JsonObject): NewEvent {
    const { entropy, clock } = this.#ports
    return { id: newId('evt', entropy), organization: endpoint.organization, type, at: clock.wall(), actor, connection: null, subject: endpoint.id, data }
  }
}

function checkTypes(types: readonly string[] = []): void {
  for (const [index, type] of types.entries()) {
    const problem = wantedTypeProblem(type)
    if (problem !== null) throw new Fault('invalid_request', { field: `/types/${index}`, detail: problem })
  }
}

function deliveryNotFound(id: DeliveryId): Fault {
  return new Fault('not_found', { field: 'id', detail: `There is no delivery ${id} in this organization; finished ones are kept for 30 days.` })
}
