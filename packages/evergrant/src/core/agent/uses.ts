import type { AgentId, ConnectionId, InstallationId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** How often somebody used a connection in one minute. Counted in memory and written in batches: no read of a token waits for it. */
export interface UseCount {
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  /** API key, installation or person. */
  readonly actor: { readonly kind: 'api_key' | 'installation' | 'user' | 'cli'; readonly id: string }
  readonly access: 'token' | 'proxy'
  /** Start of the minute. */
  readonly minute: Instant
  readonly count: number
}

/** Uses of one connection by one actor in one hour. */
export interface HourCount {
  readonly connection: ConnectionId
  readonly actor: UseCount['actor']
  /** Start of the hour. */
  readonly hour: Instant
  readonly count: number
}

/** Requests and rotations of one installation on one day: what the trust score is computed from. */
export interface DayCount {
  readonly installation: InstallationId
  readonly agent: AgentId
  /** Start of the day, UTC. */
  readonly day: Instant
  readonly requests: number
  /** Of these, proven with the key. */
  readonly bound: number
  readonly rotations: number
  readonly rotationsOnTime: number
  readonly proofFailures: number
  readonly refusedUses: number
}

export interface Uses {
  /** Adds. Not repeatable: after an unknown commit counts may be lost or doubled, and they decide nothing. */
  add(uses: readonly UseCount[], days: readonly DayCount[]): Promise<void>
  /** Newest minute first. */
  ofConnection(organization: OrganizationId, connection: ConnectionId, since: Instant, limit: number): Promise<readonly UseCount[]>
  /** Of several connections, by the hour and by who used them; in no order. */
  byHour(organization: OrganizationId, connections: readonly ConnectionId[], since: Instant): Promise<readonly HourCount[]>
  ofInstallation(installation: InstallationId, since: Instant, limit: number): Promise<readonly UseCount[]>
  /** Which connections the installations of an agent used since, by what access. */
  ofAgent(agent: AgentId, since: Instant): Promise<readonly Pick<UseCount, 'connection' | 'access' | 'count'>[]>
  daysOf(agent: AgentId, since: Instant): Promise<readonly DayCount[]>
  purge(before: Instant, limit: number): Promise<number>
}
