import { Fault } from '../fault/fault.ts'
import type { AuthMethod } from './session.ts'
import type { SignedIn } from './sessions.ts'

/** An authenticator, a passkey, or a recovery code in the place of one. A provider's word and a password are first steps. */
const FACTORS: ReadonlySet<AuthMethod> = new Set(['otp', 'hwk', 'rec'])

/**
 * True for a session whose organization asks for a second factor that was not shown in it (ASVS 6.3.3). It may add one, and prove one, and nothing else.
 * What counts is what was proven in this session: a factor that the person adds in another one opens nothing to whoever holds this one.
 */
export function lacksFactor({ session, factorDemanded }: Pick<SignedIn, 'session' | 'factorDemanded'>): boolean {
  return factorDemanded && !isByFactor(session)
}

/** A second factor was shown in this session. */
export function isByFactor({ methods }: Pick<SignedIn['session'], 'methods'>): boolean {
  return methods.some((method) => FACTORS.has(method))
}

/** @throws Fault `second_factor_missing` */
export function requireFactor(signedIn: Pick<SignedIn, 'session' | 'factorDemanded'>): void {
  if (lacksFactor(signedIn)) throw factorMissing()
}

export function factorMissing(): Fault {
  return new Fault('second_factor_missing', {
    detail:
      'Your organization asks for a second factor, and this session was not proven with one. Add one at users/me/factors or /me/security, or show the one that you have at auth/reauthenticate.',
  })
}
