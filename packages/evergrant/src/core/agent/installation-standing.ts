import type { AgentStanding } from './agents.ts'
import type { Installation } from './installation.ts'

/** An installation, its agent, and who answers for it: what every request of it needs, in one read. */
export interface InstallationStanding extends AgentStanding {
  readonly installation: Installation
}
