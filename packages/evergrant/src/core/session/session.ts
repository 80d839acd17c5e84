import type { OrganizationId, SessionId, UserId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** Where the refresh credential lives: in an HttpOnly cookie, or in the memory of one tab or program. */
export type SessionMode = 'cookie' | 'bearer'

/** How somebody proved who they are (RFC 8176 where it has a word): password, one-time password, passkey, another issuer, a mailed link. */
export type AuthMethod = 'pwd' | 'otp' | 'hwk' | 'fed' | 'link' | 'rec'

/** Why a session ended before its time. The first four are nobody's alarm. */
export type SessionEnd =
  | 'signed_out'
  | 'signed_out_elsewhere'
  | 'password_changed'
  | 'ended_by_admin'
  | 'user_disabled'
  | 'membership_ended'
  /** Somebody signed in anew in the same browser: its cookie is the new session's. */
  | 'replaced'
  | 'reuse_detected'
  | 'erased'

/** A generation that was current not long ago: somebody may still be on the way with it, or have got it last. */
export interface RecentGeneration {
  readonly generation: number
  /** The generation whose presentation issued this one; 0 for the first. */
  readonly from: number
  /** When it was handed out first. */
  readonly issuedAt: Instant
  /** When a replay handed it out again, within some seconds; absent when none did. */
  readonly againAt?: Instant
}

/** One signed-in browser or device. Nothing in it can be presented: credentials are derived from id and generation. */
export interface Session {
  readonly id: SessionId
  readonly organization: OrganizationId
  readonly user: UserId
  /** The session that this one was branched from: it ends with it. */
  readonly parent: SessionId | null
  readonly mode: SessionMode
  readonly generation: number
  /** The generation that was presented when the current one was issued; null until the first rotation. */
  readonly previous: number | null
  readonly issuedAt: Instant
  /** When the current generation was first seen in use; null: its answer may have been lost. */
  readonly usedAt: Instant | null
  /** Newest last; the current one included. Those that nobody can be on the way with any more are dropped at the next rotation. */
  readonly recent: readonly RecentGeneration[]
  readonly createdAt: Instant
  /** Moves with every rotation; never past `expiresAt`. */
  readonly idleExpiresAt: Instant
  readonly expiresAt: Instant
  readonly revokedAt: Instant | null
  readonly end: SessionEnd | null
  readonly methods: readonly AuthMethod[]
  /** When the person last proved who they are; sensitive changes ask for a recent one. */
  readonly authenticatedAt: Instant
  /** SHA-256 thumbprint of the key that this session is bound to (RFC 7638, RFC 9449); null where it is not. */
  readonly keyThumbprint: string | null
  /** For the person's own list of devices. */
  readonly userAgent: string | null
  readonly address: string | null
  /** Whose word the sign-in rested on (`core/sign-in/identity-issuer.ts`); null: the person proved it here. */
  readonly issuer: string | null
}
