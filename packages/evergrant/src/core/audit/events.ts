import type { Page, PageRequest } from '../connection/connections.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { AuditEvent, EventType, NewEvent } from './event.ts'

export interface EventFilter {
  readonly connection?: ConnectionId
  readonly subject?: string
  readonly type?: EventType
}

/** Append-only. Most events are written by the transaction they describe; `append` is for those that stand alone. */
export interface Events {
  append(event: NewEvent): Promise<void>
  /** Appends unless an event was appended under this key before, on whatever node. Returns whether this call did. */
  appendOnce(key: string, event: NewEvent): Promise<boolean>
  /** Forgets keys of {@link appendOnce} older than `before`; their events stay. At most `limit`. Returns how many. */
  forgetKeys(before: Instant, limit: number): Promise<number>
  /**
   * Removes `connection.refreshed` events of one organization that are older than `before`, and no other event. Looks at no
   * more than `limit` events, never twice at the same. Returns how many it looked at: fewer than `limit` means that it is through.
   */
  forgetRefreshes(organization: OrganizationId, before: Instant, limit: number): Promise<number>
  /** `provider.drift_detected` of one provider, or of all: newest first. Costs O(limit) for all, and O(such events) for one. */
  drift(organization: OrganizationId, provider: string | null, limit: number): Promise<readonly AuditEvent[]>
  /** Newest first. */
  list(organization: OrganizationId, filter: EventFilter, page: PageRequest): Promise<Page<AuditEvent>>
}
