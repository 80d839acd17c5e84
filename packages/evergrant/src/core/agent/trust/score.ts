import type { Instant } from '../../time.ts'
import { applyCaps, type TrustCap } from './caps.ts'
import { custodyFactor } from './factors/custody.ts'
import type { Judging, TrustFactor } from './factors/factor.ts'
import { freshnessFactor } from './factors/freshness.ts'
import { healingFactor } from './factors/healing.ts'
import { incidentsFactor } from './factors/incidents.ts'
import { ownershipFactor } from './factors/ownership.ts'
import { possessionFactor } from './factors/possession.ts'
import type { TrustFacts } from './facts.ts'
import { type BasisPoints, type TrustPolicy, trustPolicy } from './policy.ts'

type TrustBand = 'Blocked' | 'Suspended' | 'Not rated yet' | 'Low' | 'Fair' | 'Good' | 'High'

/** What is stored of it, beside the facts. The sum of what is earned, less what the caps take, is the score. */
export interface TrustScore {
  /** What is certain. */
  readonly score: BasisPoints
  /** What it could be if everything that is not known turned out well. */
  readonly ceiling: BasisPoints
  readonly band: TrustBand
  readonly policyVersion: number
  readonly computedAt: Instant
  readonly factors: readonly TrustFactor[]
  readonly caps: readonly TrustCap[]
}

/** Pure: the same facts at the same instant are the same bytes on every machine. @throws Error for a version that never was */
export function score(facts: TrustFacts, now: Instant, policyVersion: number): TrustScore {
  const policy = trustPolicy(policyVersion)
  const judging: Judging = { facts, policy, now }
  const factors = [custodyFactor, possessionFactor, freshnessFactor, healingFactor, incidentsFactor, ownershipFactor].map((factor) => factor(judging))
  const earned = factors.reduce((sum, factor) => sum + factor.earned, 0)
  const unknown = factors.reduce((sum, { available, known }) => sum + available - known, 0)
  const capped = applyCaps(judging, { score: earned, ceiling: earned + unknown })
  return {
    score: capped.score,
    ceiling: capped.ceiling,
    band: bandOf(capped, policy),
    policyVersion,
    computedAt: now,
    factors,
    caps: capped.caps,
  }
}

function bandOf({ score: floor, ceiling, caps }: Pick<TrustScore, 'score' | 'ceiling' | 'caps'>, policy: TrustPolicy): TrustBand {
  if (caps.some(({ id }) => id === 'blocked')) return 'Blocked'
  if (caps.some(({ id }) => id === 'suspended')) return 'Suspended'
  if (ceiling - floor > policy.ratedWithin) return 'Not rated yet'
  return policy.bands.find(([from]) => floor >= from)?.[1] ?? 'Low'
}
