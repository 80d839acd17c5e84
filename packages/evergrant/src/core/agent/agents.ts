import type { NewEvent } from '../audit/event.ts'
import type { AgentId, OrganizationId, UserId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { Role } from '../user/user.ts'
import type { Agent } from './agent.ts'
import type { AgentSettings } from './recovery-settings.ts'

/** An agent and what decides whether it may do anything, in one read. */
export interface AgentStanding {
  readonly agent: Agent
  /** Enabled, and a member of the organization, now. */
  readonly ownerActive: boolean
  /** What the owner is in the organization now: an agent never reaches further than its owner. Null: nothing. */
  readonly ownerRole: Role | null
  /** The owner of the connections that are the owner's own: their external id, else their id. */
  readonly ownerName: string
}

export interface AgentFilter {
  readonly owner?: UserId
  readonly status?: Agent['status']
  readonly limit: number
  /** The id that the page before ended with. */
  readonly after: AgentId | null
}

/** Agents. Times are the database's own (decision 0019). */
export interface Agents {
  /** `name_taken` when another live agent of the organization has the name. */
  insert(agent: Agent, event: NewEvent): Promise<'inserted' | 'name_taken'>
  get(organization: OrganizationId, id: AgentId): Promise<AgentStanding | undefined>
  /** Newest first. */
  list(organization: OrganizationId, filter: AgentFilter): Promise<readonly Agent[]>
  /** Compare and swap on `version`; the stored one gets `agent.version`, which is one more. Changes of status, policy and acceptance are heard by all nodes. */
  update(agent: Agent, event: NewEvent): Promise<'updated' | 'changed' | 'name_taken'>
  /** The organization's settings; the defaults where nothing is stored. */
  settings(organization: OrganizationId): Promise<AgentSettings>
  /** `held`: what the decision saw; `moved`, and nothing is written, when that is not so any more. */
  saveSettings(organization: OrganizationId, settings: AgentSettings, at: Instant, event: NewEvent, held?: AgentSettings): Promise<'saved' | 'moved'>
}
