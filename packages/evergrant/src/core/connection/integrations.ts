import type { NewEvent } from '../audit/event.ts'
import type { IntegrationId, OrganizationId } from '../ids.ts'
import type { DeathDecision } from '../refresh/deaths.ts'
import type { StoredFault } from './connection.ts'
import type { Page, PageRequest } from './connections.ts'
import type { Integration } from './integration.ts'

export interface Integrations {
  insert(integration: Integration, event: NewEvent): Promise<'inserted' | 'slug_taken'>
  get(organization: OrganizationId, id: IntegrationId): Promise<Integration | undefined>
  bySlug(organization: OrganizationId, slug: string): Promise<Integration | undefined>
  list(organization: OrganizationId, page: PageRequest): Promise<Page<Integration>>
  /** Replaces the row if its version is still `integration.version - 1`. */
  update(integration: Integration, event: NewEvent): Promise<'updated' | 'moved' | 'slug_taken' | 'gone'>
  /** Refused while any connection of it is not disconnected. */
  remove(organization: OrganizationId, id: IntegrationId, event: NewEvent): Promise<'removed' | 'in_use' | 'gone'>
  /**
   * Sets or lifts `blocked`, and writes the event, if it is not so already: of many who find out at once, one tells. Touches no
   * connection; becomes visible on every node like any change. Returns whether this call changed it.
   */
  setBlocked(id: IntegrationId, blocked: StoredFault | null, event: NewEvent): Promise<boolean>
  /** What becomes of the held ends. `not_held`: nothing is held or it is decided already; nothing was written. The store's own clock counts `confirmedForMs`. */
  decideDeaths(id: IntegrationId, decision: DeathDecision, confirmedForMs: number, event: NewEvent): Promise<'decided' | 'not_held'>
  /** Across organizations, for the engine: the id is enough. */
  load(id: IntegrationId): Promise<Integration | undefined>
}
