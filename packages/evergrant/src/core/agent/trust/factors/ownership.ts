import { type ShownFact, shown } from '../facts.ts'
import type { BasisPoints } from '../policy.ts'
import { isExposed, type Judging, share, type TrustFactor } from './factor.ts'

/** Somebody answers for it, looks at its rights, and gave it no more than it uses. */
export function ownershipFactor(judging: Judging): TrustFactor {
  const { policy } = judging
  const parts = [ownerPart(judging), reviewPart(judging), leastPrivilege(judging)]
  return {
    id: 'ownership',
    earned: parts.reduce((sum, { earned }) => sum + earned, 0),
    available: policy.owner + policy.review + policy.leastPrivilege,
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

function ownerPart({ facts: { owner }, policy }: Judging): Part {
  if (owner === null) return { earned: 0, known: 0, facts: [shown('owner_active', null, 'owner')], advice: null }
  return {
    earned: owner.active ? policy.owner : 0,
    known: policy.owner,
    facts: [shown('owner_active', owner.active, owner.user)],
    advice: owner.active ? null : 'Name an owner who is active: nothing of it works until then.',
  }
}

/** That nobody looked is known: it is a gap, and no question. */
function reviewPart({ facts: { agent, reviewedAt }, policy, now }: Judging): Part {
  const reviewed = reviewedAt !== null && now - reviewedAt < policy.reviewMs
  return {
    earned: reviewed ? policy.review : 0,
    known: policy.review,
    facts: [shown('reviewed_at', reviewedAt, agent)],
    advice: reviewed ? null : `Look at its rights, and keep or trim them: POST agents/${agent}/review.`,
  }
}

/** Before enough was seen, that something was not used says nothing. */
function leastPrivilege(judging: Judging): Part {
  const { facts, policy } = judging
  const { grants } = facts
  if (grants === null) return { earned: 0, known: 0, facts: [shown('rights_used', null, 'uses')], advice: null }
  const used = Math.min(grants.used, grants.granted)
  const exposed = grants.granted > 0 && isExposed(judging)
  return {
    earned: exposed ? share(policy.leastPrivilege, used, grants.granted) : 0,
    known: exposed ? policy.leastPrivilege : 0,
    facts: [shown('rights_given', grants.granted, facts.agent), shown('rights_used', used, 'uses')],
    advice: exposed && used < grants.granted ? 'Take what it did not use in 30 days out of its policy.' : null,
  }
}
