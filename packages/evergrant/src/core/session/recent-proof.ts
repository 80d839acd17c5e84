import { Fault } from '../fault/fault.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { Session } from './session.ts'
import type { SignedIn } from './sessions.ts'

/** How old the latest proof of identity may be for a change that cannot be undone, or that gives somebody power. */
const RECENT_PROOF_MS = 10 * MINUTE

export interface Proven {
  readonly session: Pick<Session, 'authenticatedAt' | 'methods'>
  readonly user: Pick<SignedIn['user'], 'passwordHash'>
}

/** True where nothing but another issuer's word says who this is. */
export function isVouchedOnly({ methods }: Pick<Session, 'methods'>): boolean {
  return methods.every((method) => method === 'fed')
}

/**
 * For a person with a password here, a provider's word alone is no proof: whoever runs that issuer could change how the person signs in. A proof far ahead
 * of `now` does not count either: a clock that was set back must not make it last.
 */
export function isRecentProof({ session, user }: Proven, now: Instant): boolean {
  if (isVouchedOnly(session) && user.passwordHash !== null) return false
  return Math.abs(now - session.authenticatedAt) <= RECENT_PROOF_MS
}

/** @throws Fault `reauthentication_required` */
export function requireRecentProof(proven: Proven, now: Instant): void {
  if (isRecentProof(proven, now)) return
  throw new Fault('reauthentication_required', {
    detail: 'This needs a proof of identity that is at most ten minutes old. Send the password, a code or a passkey to auth/reauthenticate, then this again.',
  })
}
