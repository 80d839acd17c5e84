import { Fault } from '../fault/fault.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { Session } from './session.ts'

/** How old the latest proof of identity may be for a change that cannot be undone, or that gives somebody power. */
const RECENT_PROOF_MS = 10 * MINUTE

/** Also false for a proof far ahead of `now`: a clock that was set back does not make it last. */
export function isRecentProof({ authenticatedAt }: Pick<Session, 'authenticatedAt'>, now: Instant): boolean {
  return Math.abs(now - authenticatedAt) <= RECENT_PROOF_MS
}

/** @throws Fault `reauthentication_required` */
export function requireRecentProof(session: Pick<Session, 'authenticatedAt'>, now: Instant): void {
  if (isRecentProof(session, now)) return
  throw new Fault('reauthentication_required', {
    detail: 'This needs a proof of identity that is at most ten minutes old. Send the password, a code or a passkey to auth/reauthenticate, then this again.',
  })
}
