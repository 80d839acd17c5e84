import type { AgentId, IncidentId, InstallationId, OrganizationId, SdkTokenId, WorkloadIssuerId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'
import type { EnrolmentDoor } from './agent.ts'
import type { RecoveryMode } from './recovery-settings.ts'
import type { Stopper } from './stopper.ts'

/** `recovery_blocked`: works as long as its token does, and heals no more. `locked`: two hold its key. `retired`: over for good. */
export const INSTALLATION_STATUSES = ['active', 'recovery_blocked', 'locked', 'retired'] as const
export type InstallationStatus = (typeof INSTALLATION_STATUSES)[number]

/** Where the private key lives, as the machine tells it. `workload`: in memory, for as long as the process. */
export const KEY_CUSTODIES = ['hardware', 'keychain', 'file', 'environment', 'workload'] as const
export type KeyCustody = (typeof KEY_CUSTODIES)[number]

/** Why a token or an installation was ended. The first three heal; nothing said is `owner_request`. agents.md 3.4. */
export const REVOKE_CLASSES = ['hygiene', 'policy', 'key_rollover', 'owner_request', 'compromise', 'offboarding', 'reuse_detected'] as const
export type RevokeClass = (typeof REVOKE_CLASSES)[number]
export const HEALING_CLASSES: ReadonlySet<RevokeClass> = new Set(['hygiene', 'policy', 'key_rollover'])

/** What makes an alert readable: never proof of anything, never a reason to refuse. All of it is the machine's own word. */
export interface MachineHints {
  readonly host: string | null
  /** SHA-256 of the machine id with a salt of ours, base64url. */
  readonly machine: string | null
  /** Operating system and runtime, as `linux node 24.1.0`. */
  readonly platform: string | null
  readonly sdk: string | null
}

/** Why nothing works here any more until somebody unlocks it. */
export interface InstallationLock {
  readonly code: 'clone' | 'operator' | 'compromise'
  readonly at: Instant
  readonly message: string
  readonly incident: IncidentId | null
}

/** By which trust a workload came, and who it was there. */
export interface WorkloadOrigin {
  readonly issuer: WorkloadIssuerId
  /** SHA-256 of `iss` and `sub`, base64url. A subject that was cut off does not enrol again until that is lifted. */
  readonly subject: string
}

/** A workload that somebody stopped is kept out: its next identity token would undo that. */
export function keepsWorkloadOut({ status, stoppedBy, workload }: Pick<Installation, 'status' | 'stoppedBy' | 'workload'>): boolean {
  return workload !== null && stoppedBy !== null && (status === 'retired' || status === 'locked')
}

/** One enrolled copy of an agent, bound to a key that was made on its machine. */
export interface Installation {
  readonly id: InstallationId
  readonly organization: OrganizationId
  readonly agent: AgentId
  readonly name: string
  readonly status: InstallationStatus
  /** RFC 7638, SHA-256. The identity of the installation. */
  readonly keyThumbprint: string
  readonly publicJwk: JsonObject
  readonly keyCreatedAt: Instant
  readonly previousThumbprints: readonly string[]
  readonly custody: KeyCustody
  readonly enrolledVia: EnrolmentDoor
  /** Of the newest token. */
  readonly generation: number
  /** Tokens of generations before this one are no longer stored: they are old, and not ahead of a restored database. */
  readonly floorGeneration: number
  /** Null: as its agent. */
  readonly recoveryMode: RecoveryMode | null
  /** Instants of counted recoveries inside the window, oldest first. */
  readonly recoveries: readonly Instant[]
  /** Instants of reissues inside the last hour, oldest first. */
  readonly reissues: readonly Instant[]
  readonly cooldownUntil: Instant | null
  /** The pause after the next counted recovery, in milliseconds: it doubles. */
  readonly cooldownMs: number
  /** Access tokens of older generations are refused: their refresh token was rotated, cut off or locked. No clock is compared, so none slips through. */
  readonly minGeneration: number
  readonly lock: InstallationLock | null
  /** Who cut it off, locked it or blocked its recovery; null: nobody did, or its own machine, or Evergrant. */
  readonly stoppedBy: Stopper | null
  /** What vouched for it; null: no workload. */
  readonly workload: WorkloadOrigin | null
  /** Set by "Unlock and re-key": the next valid proof must bring a new key. One use. */
  readonly rekeyUntil: Instant | null
  readonly hints: MachineHints
  readonly lastSeenAt: Instant | null
  readonly lastRefreshedAt: Instant | null
  readonly address: string | null
  readonly userAgent: string | null
  /** Absolute end; no recovery extends it. Null: none. */
  readonly expiresAt: Instant | null
  readonly createdAt: Instant
  /** Of the newest token: what people see in their list. */
  readonly head: SdkTokenId
}
