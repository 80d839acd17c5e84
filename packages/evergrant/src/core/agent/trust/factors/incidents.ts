import type { Instant } from '../../../time.ts'
import { oldestFirst, type ShownFact, shown, type TrustIncident } from '../facts.ts'
import type { BasisPoints, TrustPolicy } from '../policy.ts'
import { exposureFacts, isExposed, type Judging, type TrustFactor } from './factor.ts'

/** What went wrong, and how long ago. */
export function incidentsFactor(judging: Judging): TrustFactor {
  const { facts, policy, now } = judging
  const available = policy.incidents
  const costs = oldestFirst(facts.incidents).map((incident) => ({ incident, cost: costOf(incident, policy, now) }))
  const counted = costs.filter(({ cost }) => cost > 0)
  const left = Math.max(0, available - counted.reduce((sum, { cost }) => sum + cost, 0))
  const exposed = isExposed(judging)
  return {
    id: 'incidents',
    earned: exposed ? left : 0,
    available,
    known: exposed ? available : available - left,
    facts: [...counted.flatMap(({ incident, cost }) => factsOf(incident, cost)), ...exposureFacts(facts)],
    advice: adviceOf(counted.map(({ incident }) => incident)),
  }
}

/**
 * The whole weight while it is open; from then on half of it for every 30 days since it happened, evenly within them. Only whole numbers and one division, so that it is the same
 * on every machine; rounded up, so that it is over at a stated time and not before.
 */
export function costOf({ kind, at, closedAt }: TrustIncident, policy: TrustPolicy, now: Instant): BasisPoints {
  const weight = policy.incidentWeights[kind]
  if (closedAt === null || closedAt > now) return weight
  const age = Math.max(0, now - at)
  if (age >= policy.incidentOverMs) return 0
  const period = policy.incidentHalvesMs
  const halvings = Math.floor(age / period)
  const within = age - halvings * period
  return Math.ceil((weight * (2 * period - within)) / (2 * period * 2 ** halvings))
}

function factsOf({ kind, at, id, installation, event, closedAt }: TrustIncident, cost: BasisPoints): readonly ShownFact[] {
  const source = id ?? installation ?? 'days'
  return [shown(kind, at, source, event), shown(`${kind}_open`, closedAt === null, source, event), shown(`${kind}_costs`, cost / 100, source, event)]
}

function adviceOf(counted: readonly TrustIncident[]): string | null {
  if (counted.length === 0) return null
  if (counted.some(({ closedAt }) => closedAt === null)) return 'Look at the open incidents, and close each one with a note when its cause is gone.'
  if (counted.some(({ kind }) => kind === 'proof_failures'))
    return 'A refresh token of it was presented without its key: it has leaked. Rotate it, and find out where it was.'
  if (counted.some(({ kind }) => kind === 'refused_uses')) return 'It wants more than its policy gives: change the program or the policy.'
  return 'What these incidents cost halves every 30 days.'
}
