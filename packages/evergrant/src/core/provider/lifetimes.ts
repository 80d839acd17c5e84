import { type Instant, SECOND } from '../time.ts'
import { parseIsoInstant } from './dates.ts'
import type { ProviderRecord } from './record.ts'

export interface RefreshFacts {
  readonly consentedAt: Instant
  /** When the newest credential was requested: idle lifetimes count from here. */
  readonly obtainedAt: Instant
  /** What the answer itself said; null when it said nothing. */
  readonly refreshExpiresAt: Instant | null
}

export interface RefreshDeadlines {
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
