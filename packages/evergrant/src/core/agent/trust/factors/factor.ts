import type { Instant } from '../../../time.ts'
import type { ShownFact, TrustFacts } from '../facts.ts'
import type { BasisPoints, TrustPolicy } from '../policy.ts'

const TRUST_FACTORS = ['custody', 'possession', 'freshness', 'healing', 'incidents', 'ownership'] as const
export type TrustFactorId = (typeof TRUST_FACTORS)[number]

/** One line of the score. `available - known` is what nobody knows yet: it earns nothing and is the way to the ceiling. */
export interface TrustFactor {
  readonly id: TrustFactorId
  readonly earned: BasisPoints
  readonly available: BasisPoints
  readonly known: BasisPoints
  readonly facts: readonly ShownFact[]
  /** What would earn more; null where nothing would. */
  readonly advice: string | null
}

export interface Judging {
  readonly facts: TrustFacts
  readonly policy: TrustPolicy
  readonly now: Instant
}

/** `points` times `part / whole`, rounded down; never more than `points`, never less than nothing. */
export function share(points: BasisPoints, part: number, whole: number): BasisPoints {
  if (whole <= 0) return 0
  return Math.floor((points * Math.min(Math.max(part, 0), whole)) / whole)
}

/** Enough was seen for the absence of trouble to mean something. */
export function isExposed({ facts: { seen }, policy, now }: Judging): boolean {
  return seen !== null && seen.requests >= policy.exposureRequests && now - seen.since >= policy.exposureMs
}

/** What the exposure rule looked at. */
export function exposureFacts({ seen }: TrustFacts): readonly ShownFact[] {
  return [
    { name: 'requests_seen', value: seen?.requests ?? 0, source: 'days', eventId: null },
    { name: 'seen_since', value: seen?.since ?? null, source: 'days', eventId: null },
  ]
}
