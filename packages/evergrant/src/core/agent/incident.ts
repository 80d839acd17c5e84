import type { Actor } from '../audit/event.ts'
import type { AgentId, EventId, IncidentId, InstallationId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** Something that went wrong with an agent's credentials: an operator looks at it, and it costs trust until it is closed and for a while after. */
export interface Incident {
  readonly id: IncidentId
  readonly organization: OrganizationId
  readonly agent: AgentId
  /** Null: of all of them. */
  readonly installation: InstallationId | null
  readonly kind: 'clone' | 'compromise'
  readonly at: Instant
  /** In one sentence, for an operator. */
  readonly message: string
  /** What told of it. */
  readonly event: EventId
}

/** As an operator finds it. */
export interface StoredIncident extends Incident {
  readonly closure: IncidentClosure | null
}

/** Somebody looked at it and says that its cause is gone. */
export interface IncidentClosure {
  readonly at: Instant
  readonly by: Actor
  readonly note: string
}
