import type { NewEvent } from '../audit/event.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/**
 * What a call with the current token showed. `rejected`: the token is refused and could not be renewed. `not_known`: the record
 * knows no call for this connection.
 */
export type CheckResult = 'works' | 'rejected' | 'scope_missing' | 'throttled' | 'unreachable' | 'not_known'

/** The latest check of a connection. */
export interface StoredCheck {
  readonly connection: ConnectionId
  readonly at: Instant
  readonly result: CheckResult
  /** What the provider's API answered; null when it did not. */
  readonly httpStatus: number | null
  /** When the token last worked: how old the proof is. */
  readonly workedAt: Instant | null
}

/** Without `dueAt`, the next one stays when it was; null: never again by itself. `takenUntil`: only while it is due when taking made it due. */
export type NewCheck = Omit<StoredCheck, 'workedAt'> & { readonly dueAt?: Instant | null; readonly takenUntil?: Instant }

export interface DueCheck {
  readonly connection: ConnectionId
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  /** The due time that taking gave it: with another one, somebody else has acted since. */
  readonly takenUntil: Instant
}

/** Which connections of an integration are checked by themselves, and how often. */
export interface CheckPlan {
  readonly integration: IntegrationId
  readonly organization: OrganizationId
  readonly everyMs: number
  /** Looks at connections made before this id: a younger one may still be committed. */
  readonly before: ConnectionId
}

/** What is known of checks, apart from the rows that the refresh protocol writes. */
export interface Checks {
  of(connections: readonly ConnectionId[]): Promise<readonly StoredCheck[]>
  /** Result, next due time and event in one transaction. */
  record(check: NewCheck, event: NewEvent | null): Promise<void>
  /** Connections whose check is due, oldest first, hidden from other callers for `visibilityMs`. Costs O(limit). */
  take(limit: number, visibilityMs: number): Promise<readonly DueCheck[]>
  /** Changes only the due time, and only where it still is what taking made it: what somebody else set meanwhile stays. */
  reschedule(taken: Pick<DueCheck, 'connection' | 'takenUntil'>, dueAt: Instant | null): Promise<void>
  /**
   * Gives connections that have none a first due time, spread over `everyMs`. Looks at no connection twice, unless `everyMs` changed.
   * Returns true when there are more than `limit`.
   */
  plan(plan: CheckPlan, limit: number): Promise<boolean>
  /** The integration is checked no longer; its connections leave the queue as they come up. */
  stop(integration: IntegrationId): Promise<void>
}
