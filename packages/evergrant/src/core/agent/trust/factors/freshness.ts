import { type ShownFact, shown } from '../facts.ts'
import type { BasisPoints } from '../policy.ts'
import { type Judging, share, type TrustFactor } from './factor.ts'

/** The age of the oldest key, and whether tokens are renewed before they end. */
export function freshnessFactor(judging: Judging): TrustFactor {
  const parts = [keyAge(judging), rotations(judging)]
  const { policy } = judging
  return {
    id: 'freshness',
    earned: parts.reduce((sum, { earned }) => sum + earned, 0),
    available: policy.keyAge + policy.rotations,
    known: parts.reduce((sum, { known }) => sum + known, 0),
    facts: parts.flatMap(({ facts }) => facts),
    advice: parts.find(({ advice }) => advice !== null)?.advice ?? null,
  }
}

interface Part {
  readonly earned: BasisPoints
  readonly known: BasisPoints
  readonly facts: readonly ShownFact[]
  readonly advice: string | null
}

function keyAge({ facts: { oldestKey }, policy, now }: Judging): Part {
  if (oldestKey === null) return { earned: 0, known: 0, facts: [shown('key_created_at', null, 'installations')], advice: null }
  const age = Math.max(0, now - oldestKey.createdAt)
  const left = policy.keyOldMs - Math.max(age, policy.keyFreshMs)
  return {
    earned: share(policy.keyAge, left, policy.keyOldMs - policy.keyFreshMs),
    known: policy.keyAge,
    facts: [shown('key_created_at', oldestKey.createdAt, oldestKey.installation)],
    advice: age > policy.keyFreshMs ? `Give ${oldestKey.installation} a new key: npx @evergrant/sdk rotate.` : null,
  }
}

function rotations({ facts: { rotations: seen }, policy }: Judging): Part {
  if (seen === null || seen.total === 0) return { earned: 0, known: 0, facts: [shown('rotations', 0, 'days')], advice: null }
  const onTime = Math.min(seen.onTime, seen.total)
  return {
    earned: share(policy.rotations, onTime, seen.total),
    known: policy.rotations,
    facts: [shown('rotations', seen.total, 'days'), shown('rotations_on_time', onTime, 'days')],
    advice: onTime === seen.total ? null : 'Some tokens were renewed late: keep the program running, or let it renew before it sleeps.',
  }
}
