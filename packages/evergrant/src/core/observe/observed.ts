import type { AuditEvent } from '../audit/event.ts'
import type { ConnectionStatus } from '../connection/connection.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import type { BulkId, ConnectionId, IntegrationId, OrganizationId } from '../ids.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import type { Instant } from '../time.ts'
import type { ClosedSpan, ConnectionSearch, ConnectionSort } from './connection-search.ts'
import type { EventQuery } from './event-query.ts'

/** How many connections of one integration are in one status for one reason. */
export interface TallyCell {
  readonly integration: IntegrationId
  readonly status: ConnectionStatus
  /** Of the fault that is shown; null: none. */
  readonly code: string | null
  readonly connections: number
  /** When the oldest of these faults happened. */
  readonly since: Instant | null
}

/** Connections whose instant lies in one bucket. */
export interface ExpiryCell {
  /** Buckets are counted from the beginning of the span. */
  readonly bucket: number
  readonly integration: IntegrationId
  readonly connections: number
}

/** What was done here already, for the guide of a new installation. */
export interface Setup {
  readonly hasIntegration: boolean
  readonly hasConnection: boolean
  readonly hasRefresh: boolean
  readonly hasReconnect: boolean
}

export interface ProgramCounts {
  readonly agents: number
  readonly installations: number
  readonly locked: number
  /** Recovered by themselves since. */
  readonly healed: number
}

/** One hour of one provider (empty: of none), as one writer counted it. Values are absolute, so that writing them again changes nothing. */
export interface HistoryRow {
  readonly organization: OrganizationId
  /** Start of the hour. */
  readonly hour: Instant
  readonly provider: string
  /** Who counted: a node's start, or a name of something that is computed anew from the database. */
  readonly node: string
  readonly counts: Readonly<Record<string, number>>
}

/** Time from a connection's end to its repair. */
export interface Reconnect {
  readonly connection: ConnectionId
  readonly at: Instant
  /** Null: its end is not in the events any more. */
  readonly brokenAt: Instant | null
  /** It works now. */
  readonly works: boolean
}

export interface BulkAction {
  readonly id: BulkId
  readonly organization: OrganizationId
  readonly action: string
  readonly tag: string | null
  /** Those that were really changed. */
  readonly connections: readonly ConnectionId[]
  readonly at: Instant
  readonly undoUntil: Instant
  readonly undoneAt: Instant | null
}

/** Everything that is read to be looked at. Every read names the organization. */
export interface Observed {
  /** At most 200. @throws Fault `invalid_request` for a cursor of another sort */
  connections(organization: OrganizationId, search: ConnectionSearch, sort: ConnectionSort, page: PageRequest): Promise<Page<GrantRow>>
  /** Costs an index entry for each connection that matches, and a row for each that has a fault. */
  tally(organization: OrganizationId, search: ConnectionSearch): Promise<readonly TallyCell[]>
  /** Active and paused connections that end before each of these instants, and not before `from`. */
  endingBefore(organization: OrganizationId, from: Instant, instants: readonly Instant[]): Promise<readonly number[]>
  /** Active and paused connections by when they end, or by when they are renewed. */
  expiries(organization: OrganizationId, what: 'ends' | 'renews', span: ClosedSpan, bucketMs: number): Promise<readonly ExpiryCell[]>
  /**
   * Newest first. Looks at no more than a fixed number of events for one page, so a page may hold fewer than asked, or none, and
   * still have a cursor.
   */
  events(organization: OrganizationId, query: EventQuery, page: PageRequest): Promise<Page<AuditEvent>>
  /** Oldest first, after this event; the newest `limit` of them. */
  eventsSince(organization: OrganizationId, after: string, limit: number): Promise<readonly AuditEvent[]>
  /** Newest first, of these types alone; none of them may be `connection.refreshed`. */
  eventsOfTypes(organization: OrganizationId, types: readonly string[], limit: number): Promise<readonly AuditEvent[]>
  /** By type; none of them may be `connection.refreshed`. */
  countEvents(organization: OrganizationId, types: readonly string[], from: Instant, to: Instant): Promise<Readonly<Record<string, number>>>
  /** Connections that ended and of which somebody was told in this time: an endpoint of the application took the event, or a letter went to the owner. */
  notified(organization: OrganizationId, from: Instant, to: Instant): Promise<number>
  reconnects(organization: OrganizationId, from: Instant, to: Instant, limit: number): Promise<readonly Reconnect[]>
  setup(organization: OrganizationId): Promise<Setup>
  programs(organization: OrganizationId, healedSince: Instant): Promise<ProgramCounts>
  /** Replaces what the same writer said of the same hour. Hours that were folded are refused: `notBefore` is the oldest that is still open. */
  writeHistory(rows: readonly HistoryRow[], notBefore: Instant): Promise<void>
  /** Adds up what the starts of nodes counted in the oldest hour before `before`. True when there may be more. */
  foldHistory(before: Instant): Promise<boolean>
  history(organization: OrganizationId, from: Instant, to: Instant): Promise<readonly HistoryRow[]>
  forgetHistory(before: Instant, limit: number): Promise<number>
  keepBulk(action: BulkAction): Promise<void>
  bulk(organization: OrganizationId, id: BulkId): Promise<BulkAction | undefined>
  /** One undo of many wins. */
  markUndone(organization: OrganizationId, id: BulkId, at: Instant): Promise<boolean>
  forgetBulks(before: Instant, limit: number): Promise<number>
}
