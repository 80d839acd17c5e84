import { isSessionAnswer, type Person, type SecondFactor } from './answers.ts'
import type { Core } from './core.ts'
import { exchange } from './exchange.ts'
import { exclusively } from './flight.ts'
import { problemError } from './problems.ts'
import { adopt, end, nextEpoch, share } from './session.ts'

/** Who signs in, or the second factor that the first answer asked for. */
export type SignIn =
  | { readonly email: string; readonly password: string; readonly organization?: string }
  | { readonly ticket: string; readonly code: string }
  | { readonly ticket: string; readonly recovery_code: string }
  | { readonly ticket: string; readonly passkey: object }

export type SignInResult =
  | { readonly kind: 'signed_in'; readonly user: Person }
  /** Call `signIn` again with this ticket and one of the methods. */
  | { readonly kind: 'second_factor'; readonly ticket: string; readonly methods: readonly SecondFactor[] }

export interface SignOut {
  /** `here` (default) ends this session, `everywhere` all, `others` all but this one: that needs a proof of the last ten minutes, else `reauthentication_required`. */
  readonly scope?: 'here' | 'others' | 'everywhere'
}

/** Rejects with an error that says what the server said, such as `sign_in_refused`. Nothing changes then. */
export async function signIn(core: Core, input: SignIn): Promise<SignInResult> {
  const [path, body] = 'ticket' in input ? ['auth/login/second-factor', input] : ['auth/login', { ...input, mode: core.session.mode }]
  // Not beside a refresh: its late cookie would take the place of the new one.
  const { status, value } = await exclusively(core, () => exchange(core, path, body))
  if (status === 200 && isSessionAnswer(value)) {
    adopt(core, value, nextEpoch(core))
    share(core, value)
    return { kind: 'signed_in', user: value.user }
  }
  if (value?.ticket) return { kind: 'second_factor', ticket: value.ticket, methods: value.methods ?? [] }
  throw problemError(value, status)
}

/**
 * This page and the other tabs are signed out at once. Rejects when the server could not be told: the session then stands there, and a reload may
 * find it again, so say so and call it once more.
 */
export async function signOut(core: Core, { scope = 'here' }: SignOut = {}): Promise<void> {
  const credential = core.session.body()
  if (scope !== 'others') end(core, 'session_signed_out', nextEpoch(core), true)
  const { status, value } = await exclusively(core, () => exchange(core, 'auth/logout', { scope, ...credential }))
  if (status >= 400) throw problemError(value, status)
}
