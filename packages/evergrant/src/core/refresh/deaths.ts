import type { NewEvent } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** Why the ends of an integration are held, as the integration shows it. */
export interface DeathsHeld {
  readonly since: Instant
  /** Deaths in the window when it opened. */
  readonly deaths: number
  /** Refreshes answered in the window, as far as the node knew that opened it. */
  readonly refreshes: number
  /** Probes days apart that agree with the ends. */
  readonly agreements: number
  /** Decided, and being carried out. */
  readonly decision: DeathDecision | null
}

/** `confirm`: the held grants end. `release`: they go back to work. */
export type DeathDecision = 'confirm' | 'release'

/** Rides along with a death that a provider's answer tells: the store counts it and holds it when there are too many. */
export interface DeathReport {
  readonly integration: IntegrationId
  readonly windowMs: number
  /** More deaths than this in the window open the breaker. */
  readonly limit: number
  readonly refreshes: number
  /** False for an end that was to be feared: it opens nothing, but it is held like the others while they are, and taken back with them. */
  readonly counts: boolean
  readonly agreements: { readonly needed: number; readonly everyMs: number }
  /** Shown instead of the end while it is held. */
  readonly heldFault: StoredFault
  /** Written when this death is held for the first time, ... */
  readonly heldEvent: NewEvent
  /** ... when it is the one that opens the breaker, ... */
  readonly openedEvent: NewEvent
  /** ... and when it is the last agreement that was needed. */
  readonly confirmedEvent: NewEvent
}

/** One counted death with something left to do. `take_back`: it was marked in the window before the breaker opened. */
export interface UnsettledDeath {
  readonly connection: ConnectionId
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  readonly generation: number
  readonly action: 'take_back' | DeathDecision
  /** The end as the provider told it. */
  readonly fault: StoredFault
  readonly hardAt: Instant | null
}

/** Carries one of them out, if the generation has not moved and the state is still the expected one; forgets it if not. */
export interface DeathSettlement {
  readonly death: UnsettledDeath
  /** The fault that stands afterwards; null after a release. */
  readonly fault: StoredFault | null
  /** After a release. */
  readonly dueAt: Instant | null
  readonly event: NewEvent | null
  readonly at: Instant
  readonly confirmedForMs: number
}

/** A held grant whose turn it is. Null: nothing of this integration can be probed any more. */
export interface HeldProbe {
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  readonly connection: ConnectionId | null
}

export interface Deaths {
  /** For each integration whose turn has come (database clock): the grant probed longest ago. Its next turn is `everyMs` later. */
  takeHeldProbes(everyMs: number): Promise<readonly HeldProbe[]>
  /** Ends marked before a breaker opened, then held ends that are decided, the longest waiting first. What goes back to work has its own order, see `park`. */
  unsettledDeaths(limit: number): Promise<readonly UnsettledDeath[]>
  /** Idempotent. The last settlement of a decided breaker closes it. */
  settleDeath(settlement: DeathSettlement): Promise<void>
}
