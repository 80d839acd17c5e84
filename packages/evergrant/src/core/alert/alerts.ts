import type { AuditEvent, NewEvent } from '../audit/event.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import type { AlertId, ChannelId, ConnectionId, EventId, NoticeId, OrganizationId, OwnerLetterId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { Delivery } from '../webhook/delivery.ts'
import type { Alert, AlertItem, Notice } from './alert.ts'
import type { Channel } from './channel.ts'
import type { OwnerLetter } from './owner-letter.ts'
import type { AlertRule } from './rule.ts'

/** Everything that follows from some events or a look, in one transaction. */
export interface AlertCommit {
  /** Events whose note in the outbox is settled with this; one that is settled already makes the whole commit `raced`. */
  readonly done: readonly EventId[]
  /** `before`: the stored version that it follows from; null for a new one. */
  readonly alerts: readonly { readonly alert: Alert; readonly before: number | null }[]
  readonly items: readonly AlertItem[]
  readonly notices: readonly Notice[]
  /** One that exists for the pair (endpoint, event) is kept. */
  readonly deliveries: readonly Delivery[]
  /** One that exists for the pair (connection, cause) is kept. */
  readonly letters: readonly OwnerLetter[]
  readonly events: readonly NewEvent[]
}

/** A connection that fails for a while. */
export interface FailingConnection {
  readonly connection: ConnectionId
  readonly firstFailedAt: Instant
}

export interface Alerts {
  /** Takes or keeps the right to do `name` until `until`: one holder at a time, by the database. A lease that ends later than twice as long from now is no lease: the clock that took it was wrong. */
  lease(name: string, holder: string, now: Instant, until: Instant): Promise<boolean>
  /** Events that nobody has looked at, oldest first, but those of `without`. Routine refreshes never come here. */
  pending(limit: number, without?: readonly OrganizationId[]): Promise<readonly AuditEvent[]>
  /** `raced`: nothing was written, because something it follows from has changed. */
  commit(commit: AlertCommit): Promise<'committed' | 'raced'>
  rules(organization: OrganizationId): Promise<readonly AlertRule[]>
  putRules(organization: OrganizationId, rules: readonly AlertRule[], event: NewEvent): Promise<void>
  get(organization: OrganizationId, id: AlertId): Promise<Alert | undefined>
  /** Of whatever organization: for what is told to those who may see it. */
  find(id: AlertId): Promise<Alert | undefined>
  /** All that are open, at most 500, oldest first. */
  open(organization: OrganizationId): Promise<readonly Alert[]>
  /** Newest first. */
  list(organization: OrganizationId, resolved: boolean | null, page: PageRequest): Promise<Page<Alert>>
  /** Unresolved items of these subjects. */
  itemsOf(organization: OrganizationId, subjects: readonly string[]): Promise<readonly AlertItem[]>
  /** Items of one alert, oldest first. */
  items(alert: AlertId, limit: number): Promise<readonly AlertItem[]>
  /** Unresolved items whose connection is not any more what the alert says: it was healed elsewhere, or ended. */
  healed(organization: OrganizationId, limit: number): Promise<readonly AlertItem[]>
  /** Active connections that fail since `before` and are in no open item of `refresh_failing`. */
  failing(organization: OrganizationId, before: Instant, limit: number): Promise<readonly FailingConnection[]>
  /** Refreshes that went well among the newest `limit` events since `from`, and connections that fail now (counted to `limit`). */
  outcomes(organization: OrganizationId, from: Instant, limit: number): Promise<{ readonly refreshed: number; readonly failing: number }>
  /** Takes waiting notices that are due, of one organization's channels at a time; they are due again at `until`. */
  takeNotices(now: Instant, until: Instant, limit: number): Promise<readonly Notice[]>
  settleNotices(notices: readonly { readonly id: NoticeId; readonly state: Notice['state']; readonly nextAt: Instant | null }[]): Promise<void>
  /** Takes waiting letters that are due; they are `sending` from then on. */
  takeLetters(now: Instant, limit: number): Promise<readonly OwnerLetter[]>
  settleLetter(id: OwnerLetterId, state: OwnerLetter['state'], nextAt: Instant | null, event: NewEvent | null): Promise<void>
  /** Resolved alerts with their items and notices, and letters, older than `before`. Returns how many alerts and letters, each at most `limit`. */
  purge(before: Instant, limit: number): Promise<number>
}

export interface Channels {
  insert(channel: Channel, event: NewEvent): Promise<void>
  /** When the stored version is one below. */
  update(channel: Channel, event: NewEvent): Promise<'updated' | 'moved'>
  remove(organization: OrganizationId, id: ChannelId, event: NewEvent): Promise<'removed' | 'gone'>
  get(organization: OrganizationId, id: ChannelId): Promise<Channel | undefined>
  list(organization: OrganizationId): Promise<readonly Channel[]>
  /** Of every organization: those that are on and get a letter every day. */
  everyDay(): Promise<readonly Channel[]>
  /** Sets when the channel was told last, if that is still `known`: of several nodes one gets true, and tells it. */
  claimDay(id: ChannelId, known: Instant | null, at: Instant): Promise<boolean>
  /** What became of the latest word. `off`: its address is gone for good. */
  note(id: ChannelId, at: Instant, error: string | null, off: boolean): Promise<void>
}
