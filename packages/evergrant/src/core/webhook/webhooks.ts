import type { AuditEvent, NewEvent } from '../audit/event.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import type { DeliveryId, EventId, OrganizationId, WebhookId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { Delivery, DeliveryState, DeliveryTry } from './delivery.ts'
import type { WebhookEndpoint } from './endpoint.ts'

/** A delivery that this caller alone sends, until `claimedUntil`. */
export interface ClaimedDelivery {
  readonly delivery: Delivery
  readonly endpoint: WebhookEndpoint
  readonly event: AuditEvent
}

export interface ClaimDeliveries {
  readonly now: Instant
  readonly until: Instant
  /** At most so many endpoints. */
  readonly endpoints: number
  readonly perEndpoint: number
  /** Not from these: this node is sending to them. */
  readonly busy: readonly WebhookId[]
}

export interface Settlement {
  readonly delivery: DeliveryId
  /** As claimed: who lost the claim changes only the log of tries. */
  readonly claimedUntil: Instant
  readonly attempt: DeliveryTry
  readonly state: DeliveryState
  readonly nextAt: Instant | null
  /** Null when the endpoint took it. Without an `openUntil` the circuit stays as it is: another node may have opened it. */
  readonly trouble: { readonly openUntil: Instant | null } | null
  /** The receiver said 410: it wants nothing any more. */
  readonly gone: NewEvent | null
}

export interface Webhooks {
  insert(endpoint: WebhookEndpoint, event: NewEvent): Promise<void>
  /** Writes what a person may change when the stored version is one below. The circuit stays as it is, except that `closed` closes it. */
  update(endpoint: WebhookEndpoint, closed: boolean, event: NewEvent): Promise<'updated' | 'moved'>
  /** With its deliveries. */
  remove(organization: OrganizationId, id: WebhookId, event: NewEvent): Promise<'removed' | 'gone'>
  get(organization: OrganizationId, id: WebhookId): Promise<WebhookEndpoint | undefined>
  list(organization: OrganizationId): Promise<readonly WebhookEndpoint[]>
  /** Endpoints that take nothing since `before`, of one organization. */
  failing(organization: OrganizationId, before: Instant): Promise<readonly WebhookEndpoint[]>
  /** Newest first. */
  deliveries(organization: OrganizationId, endpoint: WebhookId, state: DeliveryState | null, page: PageRequest): Promise<Page<Delivery>>
  delivery(organization: OrganizationId, id: DeliveryId): Promise<{ readonly delivery: Delivery; readonly tries: readonly DeliveryTry[] } | undefined>
  /** Of whatever organization: for what is told to those who may see it. */
  find(id: DeliveryId): Promise<Delivery | undefined>
  /** The latest 50 tries of each, oldest first. */
  tries(deliveries: readonly DeliveryId[]): Promise<ReadonlyMap<DeliveryId, readonly DeliveryTry[]>>
  /** A delivery that is claimed already, with the event that it carries, in one transaction: a test. */
  insertClaimed(delivery: Delivery, event: NewEvent): Promise<void>
  /**
   * Takes what is due: `perEndpoint` of each endpoint that is switched on and whose circuit lets something through, one where
   * it is half open. Endpoints that waited longest come first. Taken rows are due again at `until`, should their holder be lost.
   */
  claim(request: ClaimDeliveries): Promise<readonly ClaimedDelivery[]>
  settle(settlement: Settlement): Promise<void>
  /** Sends one again, with a life of its own. */
  replay(
    organization: OrganizationId,
    id: DeliveryId,
    times: { readonly now: Instant; readonly expiresAt: Instant },
    event: NewEvent,
  ): Promise<'replayed' | 'waiting' | 'gone'>
  /** Sends again what was made at `from` or later and is not waiting; `failedOnly`: what was never taken. Returns how many. */
  replaySince(
    organization: OrganizationId,
    endpoint: WebhookId,
    what: { readonly from: Instant; readonly failedOnly: boolean; readonly now: Instant; readonly expiresAt: Instant },
    event: NewEvent,
  ): Promise<number>
  /** Gives up what is past its time behind an open circuit or at an endpoint that is off. Returns how many, at most `limit`. */
  expire(now: Instant, limit: number): Promise<number>
  /** Removes deliveries, with their tries, that were finished before `before`. Returns how many, at most `limit`. */
  purge(before: Instant, limit: number): Promise<number>
  /** The event of a delivery. */
  event(organization: OrganizationId, id: EventId): Promise<AuditEvent | undefined>
}
