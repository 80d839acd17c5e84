import type { NewEvent } from '../audit/event.ts'
import type { FactorId, SessionId, UserId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** A second way to prove who one is: an authenticator app (RFC 6238), or a passkey (WebAuthn Level 3). */
export type FactorKind = 'totp' | 'passkey'

export interface Factor {
  readonly id: FactorId
  readonly user: UserId
  readonly kind: FactorKind
  /** The person's own word for it. */
  readonly name: string
  /** Sealed: row = factor id, table `factor`, column `secret`. Null for a passkey, whose secret never leaves its device. */
  readonly secret: Uint8Array | null
  /** The last time step that was used: each counts once. */
  readonly lastStep: number | null
  /** base64url; unique on this server. */
  readonly credentialId: string | null
  /** COSE key. */
  readonly publicKey: Uint8Array | null
  /** 0 for passkeys that do not count. */
  readonly signCount: number
  readonly transports: readonly string[]
  readonly createdAt: Instant
  /** Null: added, and not yet proved to work. It counts for nothing. */
  readonly confirmedAt: Instant | null
  readonly lastUsedAt: Instant | null
}

/** A code of an authenticator app was right. */
export interface FactorConfirmation {
  readonly user: UserId
  readonly id: FactorId
  /** Of that code. */
  readonly step: number
  readonly codes: readonly string[] | null
  readonly at: Instant
  readonly event: NewEvent
}

/** What went when all of them were removed. Those that were never confirmed counted for nothing, and are in no number. */
export interface RemovedFactors {
  readonly totp: number
  readonly passkeys: number
  /** Unspent ones. */
  readonly recoveryCodes: number
  readonly sessions: number
}

/** `codes`: the recovery codes that came with it are the person's now; else they have others. */
export type Added = { readonly kind: 'added'; readonly codes: boolean }

/** The last confirmed one stays: `by`, the name of an organization of the person, asks their role for one. */
export interface Demanded {
  readonly kind: 'demanded'
  readonly by: string
}

/**
 * `by`: the session in which the person adds something. `session_over`: it ended meanwhile, and nothing was written: what was under way when everything was
 * removed must not be there afterwards. Without `by` it is written whoever asks.
 */
export interface Factors {
  /** Oldest first, unconfirmed ones included. */
  listOf(user: UserId): Promise<readonly Factor[]>
  byCredential(credentialId: string): Promise<Factor | undefined>
  /** An unconfirmed `totp` of the same user makes room. `codes`: hashes of recovery codes, kept where the user has none left. */
  insert(factor: Factor, codes: readonly string[] | null, event: NewEvent | null, by?: SessionId): Promise<Added | 'taken' | 'session_over'>
  confirm(confirmation: FactorConfirmation, by?: SessionId): Promise<Added | 'gone' | 'session_over'>
  /** With the last one go the recovery codes. Of two who remove the last two at once, the second is the one who removes the last. */
  remove(user: UserId, id: FactorId, event: NewEvent): Promise<'removed' | 'gone' | Demanded>
  /** True once for each time step, and never for an older one. */
  useStep(id: FactorId, step: number, at: Instant): Promise<boolean>
  /** False when the count did not grow: then two devices hold this passkey. */
  useCount(id: FactorId, signCount: number, at: Instant): Promise<boolean>
  /** `none`: they have no confirmed factor that codes could replace. */
  replaceCodes(user: UserId, hashes: readonly string[], event: NewEvent, by?: SessionId): Promise<'replaced' | 'none' | 'session_over'>
  /** True once for each code. */
  spendCode(user: UserId, hash: string, at: Instant): Promise<boolean>
  codesLeft(user: UserId): Promise<number>
  /**
   * All factors, recovery codes, begun second steps and sessions of the person, all or nothing. `removed` is appended with the numbers, `ended` when a
   * session ended. `none`: there was no confirmed one, and nothing was changed.
   */
  removeAll(user: UserId, at: Instant, events: { readonly removed: NewEvent; readonly ended: NewEvent }): Promise<RemovedFactors | 'none'>
  /** Those that were added before `before` and never confirmed. */
  purge(before: Instant, limit: number): Promise<number>
}
