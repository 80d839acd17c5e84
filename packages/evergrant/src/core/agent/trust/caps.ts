import type { EventId } from '../../ids.ts'
import type { Judging } from './factors/factor.ts'
import { isOpen } from './facts.ts'
import type { BasisPoints } from './policy.ts'

/** Facts that no number of points outweighs. `max` is how far the score may go because of it, `takes` what it took. */
export interface TrustCap {
  readonly id: 'no_key_binding' | 'owner_inactive' | 'incident_open' | 'suspended' | 'blocked'
  readonly max: BasisPoints
  readonly takes: BasisPoints
  readonly because: string
  readonly eventId: EventId | null
}

interface Capped {
  readonly score: BasisPoints
  readonly ceiling: BasisPoints
  readonly caps: readonly TrustCap[]
}

interface Rule extends Omit<TrustCap, 'takes' | 'max'> {
  readonly max: (current: BasisPoints) => BasisPoints
  /** False: it is not known, and may turn out well. Then it holds the score down and not the ceiling. */
  readonly known: boolean
}

/** From the widest to the narrowest, each on what the one before left. */
export function applyCaps(judging: Judging, sum: { readonly score: BasisPoints; readonly ceiling: BasisPoints }): Capped {
  let { score, ceiling } = sum
  const caps: TrustCap[] = []
  for (const { id, max, because, eventId, known } of rulesOf(judging)) {
    const limit = max(score)
    const takes = Math.max(0, score - limit)
    if (known || takes > 0) caps.push({ id, max: limit, takes, because, eventId })
    if (known) ceiling = Math.min(ceiling, max(ceiling))
    score -= takes
  }
  return { score, ceiling, caps }
}

function rulesOf(judging: Judging): readonly Rule[] {
  return [bindingRule(judging), ownerRule(judging), incidentRule(judging), suspendedRule(judging), blockedRule(judging)].filter((rule) => rule !== null)
}

/** A program that was never seen with its key may be anybody who holds a token. */
function bindingRule({ facts: { seen }, policy }: Judging): Rule | null {
  if (seen !== null && seen.bound > 0) return null
  const known = seen !== null && seen.requests > 0
  const because = known ? 'None of its requests in 30 days was proven with its key.' : 'No request with its key was seen in 30 days.'
  return { id: 'no_key_binding', max: () => policy.caps.noKeyBinding, because, eventId: null, known }
}

function ownerRule({ facts: { owner }, policy }: Judging): Rule | null {
  if (owner?.active === true) return null
  return { id: 'owner_inactive', max: () => policy.caps.ownerInactive, because: 'Nobody who is active answers for it.', eventId: null, known: owner !== null }
}

function incidentRule({ facts: { incidents }, policy, now }: Judging): Rule | null {
  const open = incidents.filter((incident) => isOpen(incident, now))
  const [first] = open.sort((left, right) => left.at - right.at || ((left.id ?? '') < (right.id ?? '') ? -1 : 1))
  if (first === undefined) return null
  const because = open.length === 1 ? 'An incident is open.' : `${open.length} incidents are open.`
  return { id: 'incident_open', max: () => policy.caps.incidentOpen, because, eventId: first.event, known: true }
}

/** Half of what it would be, so that it is always less than that and more than nothing. */
function suspendedRule({ facts: { status }, policy }: Judging): Rule | null {
  if (status !== 'suspended') return null
  return {
    id: 'suspended',
    max: (current) => Math.min(policy.caps.suspended, Math.floor(current / 2)),
    because: 'It is suspended.',
    eventId: null,
    known: true,
  }
}

function blockedRule({ facts: { status, installations } }: Judging): Rule | null {
  const because = blockedBecause(status, installations)
  return because === null ? null : { id: 'blocked', max: () => 0, because, eventId: null, known: true }
}

function blockedBecause(status: string, { working, locked, retired }: Judging['facts']['installations']): string | null {
  if (status === 'revoked') return 'It was revoked.'
  if (working > 0 || locked + retired === 0) return null
  return locked > 0 ? `No installation of it works: ${locked} locked, ${retired} ended.` : 'All its installations were ended.'
}
