import type { NewEvent } from '../audit/event.ts'
import type { Connection, ConnectionState, Health, StoredFault } from '../connection/connection.ts'
import type { Credential, NewCredential } from '../connection/credential.ts'
import type { ConnectionId, IntegrationId, IntentId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { DeathReport, Deaths } from './deaths.ts'
import type { GrantEnd } from './grant-lifetime.ts'

/** One process of Evergrant: a stable id and an incarnation that is new at every start. */
export interface NodeIdentity {
  readonly id: string
  readonly incarnation: string
}

/** Everything the engine needs to know of one connection, read in one statement from the primary. */
export interface GrantRow {
  readonly connection: Connection
  readonly credential: Credential
  readonly health: Health
}

export interface ClaimRequest {
  readonly connection: ConnectionId
  /** The claim holds only while this is still the current generation. */
  readonly generation: number
  /** ... and this the current epoch: whoever claimed in between may have left a suspicion that the plan does not know. */
  readonly epoch: number
  readonly node: NodeIdentity
  readonly intent: IntentId
  readonly leaseMs: number
  /**
   * With an open suspicion: nobody presents again for this long, whatever becomes of the holder, unless an outcome is
   * recorded. The suspicion names the oldest presentation, but it is the latest whose request may be on its way.
   */
  readonly quietMs?: number
}

/**
 * `claimed`: the lease is ours and the intent is durable. `at` is the database's clock. `held`: somebody else has it.
 * `moved`: generation or epoch are others now; read and plan again. `gone`: the state no longer allows a refresh (paused, disconnected, deleted).
 */
export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly epoch: number; readonly at: Instant }
  | { readonly kind: 'held'; readonly until: Instant }
  | { readonly kind: 'moved'; readonly generation: number }
  | { readonly kind: 'gone' }

/** An answer as it is kept: sealed raw bytes (row = intent id, table `answer`, column `body`), and the facts about it. */
export interface StoredAnswer {
  readonly intent: IntentId
  readonly receivedAt: Instant
  readonly httpStatus: number
  readonly verdict: string
  /** Sealed: the raw bytes, with the headers and cookies that the record names before them (`answerBytes`). */
  readonly body: Uint8Array
  /** base64url SHA-256 of the raw body: stays when the bytes are cut after 72 h. */
  readonly bodyHash: string
}

export interface GrantCommit {
  readonly connection: ConnectionId
  readonly organization: OrganizationId
  readonly intent: IntentId
  /** The answer applies if and only if these two still describe the stored credential; never because of a lease. */
  readonly presentedGeneration: number
  readonly presentedFingerprint: string | null
  readonly answer: StoredAnswer
  /** Sealed for generation `presentedGeneration + 1`. */
  readonly credential: NewCredential
  readonly scopes: readonly string[] | null
  readonly facts: Readonly<Record<string, string>>
  readonly account: string | null
  readonly dueAt: Instant | null
  /** An end that is the stored one keeps the warning that is stored with it. */
  readonly end: GrantEnd
  /**
   * Where the old token works until the new one is used (P2): never beside another holder's open intent on an unexpired lease. The
   * answer would be handed out and used, and the other presentation, still on its way, would then be taken for theft.
   */
  readonly yields: boolean
  /**
   * Set for a commit that brings no newer refresh token (the second request of a chain): it applies only while nobody has claimed
   * since this epoch, so that it never overtakes an answer which does. Otherwise it is `superseded` and nothing is written.
   */
  readonly onlyAtEpoch?: number
  readonly event: NewEvent
}

/**
 * `already`: this very intent was applied before (unknown commit, journal replay). `superseded`: the generation or the
 * fingerprint moved; the answer row is kept, unapplied. `disconnected`: kept unapplied, and a revocation job was made.
 */
export type CommitOutcome =
  | { readonly kind: 'applied'; readonly generation: number }
  | { readonly kind: 'already'; readonly generation: number }
  | { readonly kind: 'superseded'; readonly generation: number }
  | { readonly kind: 'disconnected' }

/** Nothing was written: somebody else's presentation of the same token is under way until then, and this commit yields to it. */
export interface CommitBusy {
  readonly kind: 'busy'
  readonly until: Instant
}

export interface FailureCommit {
  readonly connection: ConnectionId
  readonly organization: OrganizationId
  /** Null when the failure came before any claim (connect refused). */
  readonly intent: IntentId | null
  /** Names this failure, so that a commit that is repeated after an unknown outcome counts once: the intent, or a new id where there is none. */
  readonly attempt: IntentId
  readonly presentedGeneration: number
  readonly answer: StoredAnswer | null
  /**
   * `untouched`: the token was certainly not spent; the intent is cleared. `suspect`: it may be; the oldest suspicion is
   * kept. `dead`: needs_reauth, only if the generation has not moved and the state is `active`.
   */
  readonly effect: 'untouched' | 'suspect' | 'dead'
  /** With `suspect`: true when the provider answered, so that no orphan request is on the wire. */
  readonly answered: boolean
  readonly fault: StoredFault
  /** It is one more in the stored count of consecutive failures; false for those that are not the connection's (`client_rejected`). */
  readonly countsAsFailure: boolean
  readonly nextAttemptAt: Instant | null
  readonly dueAt: Instant | null
  readonly event: NewEvent | null
  /** With `dead`, when a provider's answer says so: counted, and held when there are too many. Null: the end follows from facts we hold. */
  readonly death: DeathReport | null
}

/** `held`: the end is not marked, because too many of this integration died at once; the report's fault stands instead. */
export type FailureOutcome = { readonly kind: 'recorded' } | { readonly kind: 'held' } | { readonly kind: 'moved'; readonly generation: number }

export interface DueConnection {
  readonly connection: ConnectionId
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  readonly dueAt: Instant
  /** The due time that taking gave it: with another one, somebody else has acted since. Null when it was parked. */
  readonly takenUntil: Instant | null
  /** It was not taken but parked, because its integration cannot be asked now. */
  readonly parked: boolean
  /** The connection as taking it left it, where the store has it at hand; without it, read it. */
  readonly row?: GrantRow
}

/** An integration whose due connections stand in its own line. A suspicion younger than `windowMs` stands in none: a replay window may be running. */
export interface Parking {
  readonly integration: IntegrationId
  readonly windowMs: number
}

/** `taken`: active and still waiting. `found`: how many left the parking place; fewer than asked for means that it is empty. */
export interface TakenParked {
  readonly taken: readonly DueConnection[]
  readonly found: number
}

/** A read of a token, reported in batches: it makes the connection interesting and may bring its renewal forward. */
export interface ReadMark {
  readonly connection: ConnectionId
  readonly at: Instant
  /** When set and earlier than the stored due time (or that is null), the due time moves here. */
  readonly dueAt: Instant | null
}

/** A warning whose time has come, or the end itself. */
export interface DueWarning {
  readonly connection: ConnectionId
  readonly organization: OrganizationId
  readonly state: ConnectionState
  readonly endsAt: Instant
  readonly warnAt: Instant
}

/** Taken only while end and warning are still these, so that it happens once. */
export interface WarningStep extends Pick<DueWarning, 'connection' | 'endsAt' | 'warnAt'> {
  readonly nextWarnAt: Instant | null
  /** When set, the connection is looked at then. */
  readonly dueAt: Instant | null
  readonly event: NewEvent | null
}

/** The engine's store port. Every method that writes is one durable transaction and returns only after it is durable. */
export interface Credentials extends Deaths {
  read(connection: ConnectionId): Promise<GrantRow | undefined>
  /**
   * Takes the lease and writes the intent in one transaction. A lease whose time is over (database clock) may be taken.
   * An open intent that is overwritten becomes the suspicion, unless an older suspicion is there.
   * The row's due time becomes the end of the lease, so that an orphan is found by the due queue.
   */
  claim(request: ClaimRequest): Promise<ClaimOutcome>
  /** Gives lease and intent back unsent, if they are still this intent's. */
  release(connection: ConnectionId, intent: IntentId, dueAt: Instant | null): Promise<void>
  /**
   * Answer row, credential with generation + 1, lease, intent and suspicion cleared, health reset, state `needs_reauth`
   * lifted, event: one transaction, conditional on presented generation and fingerprint. Idempotent by intent.
   */
  commitGrant(commit: GrantCommit): Promise<CommitOutcome | CommitBusy>
  /**
   * Records a failure; clears the lease and the intent if they are this intent's. Idempotent by intent. While an end is held, a failure that
   * is no death leaves its fault and its due time (none) as they are.
   */
  commitFailure(commit: FailureCommit): Promise<FailureOutcome>
  /**
   * Connections due now, oldest first, hidden from other callers for `visibilityMs`. Costs O(limit), never O(connections). Those of an
   * integration in `parking` that come up in between are parked instead, at most a stated number more than `limit`, and returned as such:
   * they have no due time until {@link takeParked}, or until somebody else gives them one.
   */
  takeDue(limit: number, visibilityMs: number, parking?: readonly Parking[]): Promise<readonly DueConnection[]>
  /** Parked connections of one integration become taken, like due ones: those read within a day first, then by hard expiry. Costs O(limit). */
  takeParked(integration: IntegrationId, limit: number, visibilityMs: number): Promise<TakenParked>
  /** Who has parked connections. Costs O(integrations that have). */
  parkedIntegrations(): Promise<readonly IntegrationId[]>
  /**
   * Frees every lease held by earlier incarnations of this node: they are certainly dead. Their open intents become
   * suspicions (at = intent time, unanswered) and the rows become due now. Returns how many.
   */
  reclaim(node: NodeIdentity): Promise<number>
  /**
   * Frees one lease of this node as {@link reclaim} does, one of its own incarnation included if its time is over (database clock); the
   * caller knows that nothing here is at work under it. False: the epoch is another one, or it is not over.
   */
  reclaimForgotten(connection: ConnectionId, node: NodeIdentity, epoch: number): Promise<boolean>
  /** Warnings due now, oldest first. Costs O(limit). Nothing is hidden from other callers: `warn` decides who writes. */
  dueWarnings(limit: number): Promise<readonly DueWarning[]>
  /** Steps and events in one transaction. Returns how many were taken. */
  warn(steps: readonly WarningStep[]): Promise<number>
  markReads(marks: readonly ReadMark[]): Promise<void>
  /** Changes only the due time, and only where it still is what taking made it: what somebody else set meanwhile stays. */
  reschedule(taken: Pick<DueConnection, 'connection' | 'takenUntil'>, dueAt: Instant | null): Promise<void>
  /** Cuts applied answers older than `olderThan` to hash and facts; at most `limit` rows. Returns how many. */
  cutAnswers(olderThan: Instant, limit: number): Promise<number>
  /** Removes applied answers that were cut and are older than `olderThan`; never one that was not applied. At most `limit` rows. Returns how many. */
  forgetAnswers(olderThan: Instant, limit: number): Promise<number>
  /** Answers kept but never applied, newest first: what `doctor` and the console show. */
  unappliedAnswers(organization: OrganizationId, limit: number): Promise<readonly (StoredAnswer & { readonly connection: ConnectionId })[]>
}
