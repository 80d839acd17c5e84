import type { NewEvent } from '../audit/event.ts'
import type { AgentId, IncidentId, OrganizationId } from '../ids.ts'
import type { IncidentClosure, StoredIncident } from './incident.ts'

/** Incidents are opened by the transaction that stops something; here they are read and closed. */
export interface Incidents {
  /** Newest first. */
  ofAgent(agent: AgentId, page: { readonly limit: number; readonly after: IncidentId | null }): Promise<readonly StoredIncident[]>
  get(organization: OrganizationId, id: IncidentId): Promise<StoredIncident | undefined>
  /** Once: the first closure stays. The agent's score is due anew. */
  close(organization: OrganizationId, id: IncidentId, closure: IncidentClosure, event: NewEvent): Promise<'closed' | 'closed_before' | 'gone'>
}
