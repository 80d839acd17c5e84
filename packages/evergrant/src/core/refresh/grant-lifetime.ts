import { refreshDeadlines } from '../provider/lifetimes.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { DAY, HOUR, type Instant } from '../time.ts'

/** The end that no refresh extends, and when its owner is told next. */
export interface GrantEnd {
  /** Null: none is known. */
  readonly at: Instant | null
  readonly warnAt: Instant | null
}

export const NO_END: GrantEnd = { at: null, warnAt: null }

/** Days before the end, latest first. */
const WARN_DAYS = [1, 7, 30] as const

/** Two computations of one instant from two answers differ by the seconds that they travelled. */
const SAME_END_MS = HOUR

export interface LifetimeInput {
  readonly record: Pick<ProviderRecord, 'lifetimes'> & Partial<Pick<ProviderRecord, 'answer'>>
  /** Null: the consent of an imported grant is not known, and neither is what counts from it. */
  readonly consentedAt: Instant | null
  readonly credential: {
    readonly refreshToken: Uint8Array | null
    readonly obtainedAt: Instant
    readonly accessExpiresAt: Instant | null
    readonly refreshExpiresAt: Instant | null
  }
  /** The credential before this one, and the end as it is stored. Null for the first of a consent. */
  readonly before: { readonly obtainedAt: Instant; readonly refreshExpiresAt: Instant | null; readonly endsAt: Instant | null } | null
  /** The end that the answer itself told, where a record knows where to look for it (Intuit). */
  readonly grantExpiresAt?: Instant | null
  readonly now: Instant
}

/** Counts anew whenever a credential is stored: an end that stays the same gives exactly the same instant. Pure. */
export function grantEnd(input: LifetimeInput): GrantEnd {
  const { credential, before, now } = input
  const known = endOf(input)
  if (known === null) return NO_END
  const at = before?.endsAt !== undefined && before.endsAt !== null && Math.abs(before.endsAt - known) <= SAME_END_MS ? before.endsAt : known
  return { at, warnAt: firstWarnAt(at, input.consentedAt ?? credential.obtainedAt, now) }
}

function endOf(input: LifetimeInput): Instant | null {
  const { record, consentedAt, credential, before } = input
  if (credential.refreshToken === null) return credential.accessExpiresAt
  const { refreshExpiresAt, obtainedAt } = credential
  const absolute = consentedAt === null ? null : refreshDeadlines(record, { consentedAt, obtainedAt, refreshExpiresAt }).absoluteAt
  const told = refreshExpiresAt !== null && before !== null && didNotMove(refreshExpiresAt, obtainedAt, before) ? refreshExpiresAt : null
  return earlier(earlier(absolute, told), hardEnd(input))
}

function earlier(one: Instant | null, other: Instant | null): Instant | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other)
}

/** An answer that does not repeat it does not take it back. */
function hardEnd({ record, grantExpiresAt, before }: LifetimeInput): Instant | null {
  if (grantExpiresAt !== undefined && grantExpiresAt !== null) return grantExpiresAt
  return (record.answer?.paths.grantExpiresIn ?? null) === null ? null : (before?.endsAt ?? null)
}

/** A lifetime that every refresh starts anew moves as far as the time that passed; one that was fixed at the consent does not. */
function didNotMove(told: Instant, obtainedAt: Instant, before: NonNullable<LifetimeInput['before']>): boolean {
  if (before.refreshExpiresAt === null) return false
  return told - before.refreshExpiresAt < (obtainedAt - before.obtainedAt) / 2
}

/** The first warning that is still owed: the latest one that has passed, if the grant was there before it, else the next. */
function firstWarnAt(endsAt: Instant, bornAt: Instant, now: Instant): Instant | null {
  const passed = WARN_DAYS.map((days) => endsAt - days * DAY).find((at) => at <= now)
  return passed !== undefined && passed > bornAt && endsAt > now ? passed : nextWarnAt(endsAt, now)
}

/** The next instant to do something at: a warning, or the end itself. Null after the end. */
export function nextWarnAt(endsAt: Instant, now: Instant): Instant | null {
  return WARN_DAYS.map((days) => endsAt - days * DAY).findLast((at) => at > now) ?? (endsAt > now ? endsAt : null)
}

/** Which warning an instant is: the days of the latest one that has come. Null: none, or the end itself has come. */
export function warningDue(endsAt: Instant, now: Instant): number | null {
  if (now >= endsAt) return null
  return WARN_DAYS.find((days) => endsAt - days * DAY <= now) ?? null
}
