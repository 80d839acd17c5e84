import type { Page, PageRequest } from '../connection/connections.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { AuditEvent, EventType, NewEvent } from './event.ts'

export interface EventFilter {
  readonly connection?: ConnectionId
  readonly subject?: string
  readonly type?: EventType
}

/** Append-only. Most events are written by the transaction they describe; `append` is for those that stand alone. */
export interface Events {
  append(event: NewEvent): Promise<void>
  /** Newest first. */
  list(organization: OrganizationId, filter: EventFilter, page: PageRequest): Promise<Page<AuditEvent>>
}
