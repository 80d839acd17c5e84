import { oldestFirst, shown } from '../facts.ts'
import { exposureFacts, isExposed, type Judging, type TrustFactor } from './factor.ts'

/** Recoveries that no operator asked for. A lost answer that was given again is none. */
export function healingFactor(judging: Judging): TrustFactor {
  const { facts, policy, now } = judging
  const available = policy.healing
  if (facts.recoveries === null) return { id: 'healing', earned: 0, available, known: 0, facts: exposureFacts(facts), advice: null }
  const counted = oldestFirst(facts.recoveries).filter(({ at }) => now - at < policy.windowMs)
  const left = Math.max(0, available - counted.length * policy.healingEach)
  const exposed = isExposed(judging)
  return {
    id: 'healing',
    earned: exposed ? left : 0,
    available,
    known: exposed ? available : available - left,
    facts: [...counted.map(({ at, installation, event }) => shown('recovered_at', at, installation, event)), ...exposureFacts(facts)],
    advice: counted.length === 0 ? null : 'Find out why its tokens keep ending: evergrant agents why <installation>.',
  }
}
