import { shown } from '../facts.ts'
import { type Judging, share, type TrustFactor } from './factor.ts'

/** How much of its work proves the key with every request. */
export function possessionFactor({ facts: { use }, policy }: Judging): TrustFactor {
  const available = policy.possession
  if (use === null || use.requests === 0)
    return {
      id: 'possession',
      earned: 0,
      available,
      known: 0,
      facts: [shown('requests', 0, 'days')],
      advice: 'Nothing was seen in 7 days: it is known after the first request.',
    }
  const bound = Math.min(use.bound, use.requests)
  const all = bound === use.requests
  return {
    id: 'possession',
    earned: share(available, bound, use.requests),
    available,
    known: available,
    facts: [shown('requests', use.requests, 'days'), shown('requests_with_key', bound, 'days')],
    advice: all ? null : 'Send a proof of the key with every request, and switch `bearer` off in the policy.',
  }
}
