import { type Instant, MINUTE, SECOND } from '../time.ts'

/** How fast one name may try: `free` attempts at once, then waits that double from `baseMs` up to `capMs`. */
export interface ThrottleRule {
  readonly free: number
  readonly baseMs: number
  /** The longest wait. With `capMs` equal to `baseMs` it never grows: such a name is slowed and never locked. */
  readonly capMs: number
  /** One attempt is forgotten for each of these that pass. */
  readonly forgetMs: number
}

/** What the store keeps of one name. */
export interface ThrottleState {
  readonly attempts: number
  /** From when on attempts are forgotten. */
  readonly at: Instant
  /** No attempt before this. */
  readonly until: Instant
}

export const FRESH: ThrottleState = { attempts: 0, at: 0, until: 0 }

type Charge = { readonly kind: 'charged'; readonly next: ThrottleState } | { readonly kind: 'wait'; readonly ms: number }

/** One more attempt, or how long it has to wait. Pure; the store applies it under the row's lock, before the attempt is made. */
export function charge(state: ThrottleState, rule: ThrottleRule, now: Instant): Charge {
  // No wait is longer than the cap: one that seems to be was given before the clock was set back.
  if (now < state.until && state.until <= now + rule.capMs) return { kind: 'wait', ms: state.until - now }
  const since = Math.min(state.at, now)
  const forgotten = Math.min(state.attempts, Math.floor((now - since) / rule.forgetMs))
  const attempts = state.attempts - forgotten + 1
  const at = attempts === 1 ? now : since + forgotten * rule.forgetMs
  return { kind: 'charged', next: { attempts, at, until: attempts < rule.free ? now : now + waitAfter(attempts, rule) } }
}

function waitAfter(attempts: number, { free, baseMs, capMs }: ThrottleRule): number {
  return Math.min(capMs, baseMs * 2 ** Math.min(40, attempts - free))
}

/** The attempt was a good one: it does not count. */
export function giveBack(state: ThrottleState, now: Instant): ThrottleState {
  return { attempts: Math.max(0, state.attempts - 1), at: state.at, until: Math.min(state.until, now) }
}

/** From one address at one account: growing waits. Nobody else is behind this name. */
export const PER_ACCOUNT_AND_ADDRESS: ThrottleRule = { free: 5, baseMs: 12 * SECOND, capMs: 15 * MINUTE, forgetMs: 15 * MINUTE }
/** At one account from anywhere: a slow, steady rate, however many addresses there are. */
export const PER_ACCOUNT: ThrottleRule = { free: 20, baseMs: 30 * SECOND, capMs: 30 * SECOND, forgetMs: 30 * SECOND }
/** From one address at any account: one password tried at a thousand accounts ends here. Good sign-ins are given back. */
export const PER_ADDRESS: ThrottleRule = { free: 20, baseMs: 12 * SECOND, capMs: 12 * SECOND, forgetMs: 12 * SECOND }
/** From a browser in which this account signed in before. Strangers cannot use it up. */
export const PER_KNOWN_DEVICE: ThrottleRule = { free: 10, baseMs: 6 * SECOND, capMs: MINUTE, forgetMs: MINUTE }
/** Letters to one mailbox. The links of those that went out stay good. */
export const LETTERS_PER_MAILBOX: ThrottleRule = { free: 3, baseMs: 5 * MINUTE, capMs: 20 * MINUTE, forgetMs: 20 * MINUTE }
/** Links that are tried, and letters that are asked for, from one address. */
export const REQUESTS_PER_ADDRESS: ThrottleRule = { free: 30, baseMs: 10 * SECOND, capMs: 10 * SECOND, forgetMs: 10 * SECOND }

export interface NamedCharge {
  /** A MAC: no address and no name of a person is kept. */
  readonly name: string
  readonly rule: ThrottleRule
}

/** Shared by all nodes. Times are the database's own. */
export interface Throttles {
  /** Charges all, or none: 0, or the milliseconds until the slowest of them lets another attempt through. */
  charge(charges: readonly NamedCharge[]): Promise<number>
  giveBack(names: readonly string[]): Promise<void>
  /** Forgets everything about these names. */
  clear(names: readonly string[]): Promise<void>
  /** Names that nobody used since `before`. */
  purge(before: Instant, limit: number): Promise<number>
}
