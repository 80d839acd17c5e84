import { Fault, type FaultCode } from '../fault/fault.ts'
import type { Instant } from '../time.ts'
import type { EndReason } from './rotation.ts'
import type { Session } from './session.ts'
import type { Misplaced, Shown, SignedIn } from './sessions.ts'

/** The only codes that sign a client out; everything else leaves it as it is (docs/reference/session-protocol.md). */
export const SIGN_OUT_CODES: ReadonlySet<FaultCode> = new Set([
  'session_missing',
  'session_expired',
  'session_signed_out',
  'session_revoked',
  'session_reuse_detected',
])

const WHY: Readonly<Record<EndReason, { readonly code: FaultCode; readonly detail: string }>> = {
  signed_out: { code: 'session_signed_out', detail: 'This session was signed out. Sign in again.' },
  signed_out_elsewhere: { code: 'session_signed_out', detail: 'This session was signed out from another device. Sign in again.' },
  password_changed: { code: 'session_signed_out', detail: 'The password was changed, which ended all other sessions. Sign in with the new one.' },
  ended_by_admin: { code: 'session_revoked', detail: 'An administrator ended this session. Sign in again.' },
  user_disabled: { code: 'session_revoked', detail: 'This user is disabled. An administrator can enable them again.' },
  membership_ended: { code: 'session_revoked', detail: 'This person is not a member of the organization any more. An administrator can invite them again.' },
  erased: { code: 'session_revoked', detail: 'This person was erased.' },
  // Signs nobody out: the browser that still says this has a newer cookie already, or gets it in a moment.
  replaced: { code: 'access_token_expired', detail: 'Somebody has signed in anew in this browser. Refresh the session: the cookie is the new one.' },
  replacement_unheard: { code: 'session_signed_out', detail: 'Somebody signed in anew in this browser, and it did not get the answer. Sign in again.' },
  reuse_detected: {
    code: 'session_reuse_detected',
    detail:
      'An old refresh credential of this session came back after its successor was in use, so the session ended for everybody who held it. Sign in again.',
  },
  idle: { code: 'session_expired', detail: 'This session was not used for longer than its idle lifetime. Sign in again.' },
  absolute: { code: 'session_expired', detail: 'This session reached the end of its lifetime. Sign in again.' },
}

/** What a client is told about a session that is over. */
export function endedFault(why: EndReason): Fault {
  const { code, detail } = WHY[why]
  return new Fault(code, { detail })
}

/** What a client is told whose credential is genuine, and was shown where it does not live or without its key. The session goes on. */
export function misplacedFault(why: Misplaced, shown: Shown | null): Fault {
  if (why === 'key')
    return new Fault('dpop_proof_invalid', {
      field: 'DPoP',
      detail: 'This session is bound to a key, and the request was not proven with it. Send a `DPoP` header made with that key.',
    })
  const remedy = shown?.mode === 'bearer' ? 'a cookie session never has its credential in a body' : 'a bearer session sends its credential as `refresh_token`'
  return new Fault('session_missing', { detail: `The credential is of the other kind of session: ${remedy}.` })
}

/** Why a session is over at `at`; null while it lives. */
export function endOf(session: Pick<Session, 'revokedAt' | 'end' | 'idleExpiresAt' | 'expiresAt'>, at: Instant): EndReason | null {
  if (session.revokedAt !== null) return session.end ?? 'signed_out'
  if (at >= session.expiresAt) return 'absolute'
  return at >= session.idleExpiresAt ? 'idle' : null
}

/** Why a person may not go on at `at`, be it the session, the user or the membership; null when they may. */
export function refusalOf({ session, user, role }: SignedIn, at: Instant): Fault | null {
  const why = endOf(session, at) ?? (user.disabledAt !== null ? 'user_disabled' : role === null ? 'membership_ended' : null)
  return why === null ? null : endedFault(why)
}
