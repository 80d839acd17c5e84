import { DAY, type Instant, SECOND } from '../time.ts'
import { parseIsoInstant } from './dates.ts'
import type { ProviderRecord } from './record.ts'
import type { Sunset } from './record-around.ts'

interface RefreshFacts {
  readonly consentedAt: Instant
  /** When the newest credential was requested: idle lifetimes count from here. */
  readonly obtainedAt: Instant
  /** What the answer itself said; null when it said nothing. */
  readonly refreshExpiresAt: Instant | null
}

interface RefreshDeadlines {
  /** No refresh extends this one: the owner must reconnect before it. */
  readonly absoluteAt: Instant | null
  /** A refresh before it moves it. */
  readonly idleAt: Instant | null
}

/** When the grant ends whatever we do, and when it ends if we do nothing. Null: nothing is known. */
export function refreshDeadlines(record: Pick<ProviderRecord, 'lifetimes'>, facts: RefreshFacts): RefreshDeadlines {
  const { lifetimes } = record
  const slides = lifetimes.refreshAbsoluteSeconds !== null && lifetimes.absoluteFrom === 'issue'
  const idle = [
    lifetimes.refreshIdleSeconds === null ? null : facts.obtainedAt + lifetimes.refreshIdleSeconds * SECOND,
    slides && lifetimes.refreshAbsoluteSeconds !== null ? facts.obtainedAt + lifetimes.refreshAbsoluteSeconds * SECOND : null,
    facts.refreshExpiresAt,
  ].filter((instant) => instant !== null)
  return { absoluteAt: absoluteDeadline(lifetimes, facts.consentedAt), idleAt: idle.length === 0 ? null : Math.min(...idle) }
}

function absoluteDeadline(lifetimes: ProviderRecord['lifetimes'], consentedAt: Instant): Instant | null {
  if (lifetimes.refreshAbsoluteSeconds === null || lifetimes.absoluteFrom !== 'consent') return null
  const since = lifetimes.absoluteSince === null ? null : parseIsoInstant(lifetimes.absoluteSince)
  if (since !== null && consentedAt < since) return null
  return consentedAt + lifetimes.refreshAbsoluteSeconds * SECOND
}

/** From four fifths of what a provider allows, people should know how many grants of one account there are. */
const NEAR = 0.8

export function capIsNear(cap: NonNullable<ProviderRecord['lifetimes']['cap']>, live: number): boolean {
  return live >= Math.max(1, Math.floor(NEAR * cap.grants))
}

/** Announced ends are shown half a year before, and go on being shown when they have come. */
const SUNSET_DAYS = 180

interface NearSunset extends Sunset {
  /** Whole days; negative when it has come. */
  readonly daysLeft: number
}

/** What of a record ends within half a year, soonest first. */
export function nearSunsets(record: Pick<ProviderRecord, 'sunsets'>, now: Instant): readonly NearSunset[] {
  return record.sunsets
    .flatMap((sunset) => {
      const at = parseIsoInstant(sunset.on)
      return at === null ? [] : [{ ...sunset, daysLeft: Math.ceil((at - now) / DAY) }]
    })
    .filter(({ daysLeft }) => daysLeft <= SUNSET_DAYS)
    .sort((one, other) => one.daysLeft - other.daysLeft)
}
