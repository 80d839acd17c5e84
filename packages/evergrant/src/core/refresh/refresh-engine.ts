import type { ConnectionStatus } from '../connection/connection.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

export interface TokenRequest {
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  /** The token must live at least this long, in milliseconds; capped at half its lifetime. 0 by default. */
  readonly minTtlMs: number
  /** The generation that an API answered 401 to; refreshes only while it is still current. */
  readonly rejectedGeneration: number | null
  /** Who saw that refusal: `SEEN_BY_PROXY`, or a name that is the same for the same caller. Nobody in particular by default. */
  readonly reportedBy?: string
}

export interface TokenAnswer {
  readonly connection: ConnectionId
  readonly integration: IntegrationId
  readonly owner: string
  readonly accessToken: string
  readonly tokenType: string
  /** Null: the provider named no end. */
  readonly expiresAt: Instant | null
  readonly generation: number
  readonly scopes: readonly string[] | null
  readonly status: ConnectionStatus
}

export interface RefreshReport {
  readonly connection: ConnectionId
  readonly generation: number
  readonly expiresAt: Instant | null
  /** False when the provider answered with the token it had given before (Strava above one hour). */
  readonly changed: boolean
}

/** One door for everybody who needs a token: readers, the proxy, the worker, the command line. */
export interface RefreshEngine {
  /** A valid token from memory, or undefined when {@link token} has to be asked. Synchronous: the hot path. */
  peek(request: TokenRequest): TokenAnswer | undefined
  /** A valid token, refreshed if it must be. @throws Fault */
  token(request: TokenRequest): Promise<TokenAnswer>
  /** Refreshes now, even if the token is fresh; joins a flight that is under way. @throws Fault */
  refresh(organization: OrganizationId, connection: ConnectionId): Promise<RefreshReport>
  /** Replays the journal and reclaims this node's older leases. Before anything else, once. */
  recover(): Promise<RecoveryReport>
  /** The background path: takes what is due and runs it through the same flights. Returns how many were started. */
  runDue(): Promise<number>
  /** Frees leases of nodes that are known dead, as far as their reuse classes allow; those connections are due at once. Returns how many. */
  takeOverLost(): Promise<number>
  /**
   * Stores answers of this node's journal that could not be stored at its start; then frees leases in its name that are over and that nothing here is at
   * work under, once they were seen twice. Returns how many leases.
   */
  freeForgotten(): Promise<number>
  /** An API took the current token. Costs nothing where nobody said the opposite. */
  worked(connection: ConnectionId): void
  /** Forgets cached values: something changed elsewhere. */
  forget(connection: ConnectionId | 'all'): void
  /** Stops starting, waits for flights and commits. Answers that only the journal has are counted. */
  drain(): Promise<DrainReport>
  stats(): EngineStats
}

export interface RecoveryReport {
  readonly reclaimed: number
  readonly replayed: number
  readonly superseded: number
}

export interface DrainReport {
  readonly finished: number
  readonly onlyInJournal: number
}

export interface EngineStats {
  readonly flights: number
  readonly cached: number
  readonly openBreakers: number
  /** Writes that failed many times and go on being tried, by kind. Empty when all is well. */
  readonly stuckWrites: Readonly<Record<string, number>>
  readonly draining: boolean
}
