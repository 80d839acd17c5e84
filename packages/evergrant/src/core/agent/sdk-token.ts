import type { InstallationId, SdkTokenId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { RevokeClass } from './installation.ts'

/** `expired` follows from time and is not stored. `withdrawn`: taken back before anybody was seen with it. */
export type SdkTokenState = 'active' | 'superseded' | 'withdrawn' | 'revoked'

/** Where a token came from; after a recovery also from which token, and why. */
export interface SdkTokenMetadata {
  readonly source: 'enrolment' | 'token_rotation' | 'token_reissue' | 'token_recovery' | 'roll_forward' | 're_key'
  /** The token that was shown for it. */
  readonly recovered_from: SdkTokenId | null
  readonly recovery_reason: 'expired' | 'hygiene' | 'policy' | 'key_rollover' | 'approved' | null
}

/**
 * One refresh token of an installation. Its text is derived from installation, generation and attempt (DESIGN section 8), so nothing that could be
 * presented is stored.
 */
export interface SdkToken {
  readonly id: SdkTokenId
  readonly installation: InstallationId
  /** All that came from one enrolment without a break. A re-key begins a new one. */
  readonly family: string
  readonly parent: SdkTokenId | null
  readonly generation: number
  /** The client's name of the attempt that made it: the same attempt gives the same bytes. */
  readonly attempt: string
  readonly state: SdkTokenState
  readonly revokeClass: RevokeClass | null
  readonly revokeReason: string | null
  readonly revokedBy: string | null
  readonly revokedAt: Instant | null
  /** Revoked by us or for our own reasons: the recovery of it counts against no limit. */
  readonly ticket: boolean
  readonly keyThumbprint: string
  readonly createdAt: Instant
  /** When it, or an access token of its generation, was first seen in use; null: its answer may have been lost. */
  readonly activatedAt: Instant | null
  readonly supersededAt: Instant | null
  readonly expiresAt: Instant
  readonly address: string | null
  readonly userAgent: string | null
  readonly metadata: SdkTokenMetadata
}
