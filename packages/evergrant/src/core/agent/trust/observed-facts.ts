import type { AuditEvent } from '../../audit/event.ts'
import type { InstallationId } from '../../ids.ts'
import { DAY, type Instant } from '../../time.ts'
import type { ConnectionSelector } from '../agent.ts'
import { type SelectableConnection, selects } from '../agent-policy.ts'
import type { AgentStanding } from '../agents.ts'
import type { StoredIncident } from '../incident.ts'
import type { DaySum, ObservedSince, TrustObservation } from '../trust-snapshots.ts'
import type { UseCount } from '../uses.ts'
import { oldestFirst, type TrustFacts, type TrustIncident, type TrustRecovery } from './facts.ts'
import type { TrustPolicy } from './policy.ts'

/** How far back each of them is read; days are whole ones, so that the first one may begin a little earlier. */
export function observedSince(policy: TrustPolicy, now: Instant): ObservedSince {
  return { days: now - policy.daysMs, recoveries: now - policy.windowMs, proofFailures: now - policy.daysMs, incidents: now - policy.incidentOverMs }
}

export type UsedConnection = Pick<UseCount, 'access'> & { readonly connection: SelectableConnection }

/** What was seen, as the score takes it. Whatever order it was read in, the facts are the same. */
export function observedFacts(standing: AgentStanding, seen: TrustObservation, used: readonly UsedConnection[], policy: TrustPolicy, now: Instant): TrustFacts {
  const { agent, ownerActive } = standing
  const { working, locked, retired, oldestKey } = seen
  return {
    agent: agent.id,
    status: agent.status,
    owner: { user: agent.owner, active: ownerActive },
    reviewedAt: agent.reviewedAt,
    installations: { working, locked, retired },
    weakestKey: weakest(seen, policy),
    oldestKey,
    use: usesSince(seen.days, now - policy.useWindowMs),
    seen: seenSince(seen.days, now - policy.windowMs),
    rotations: rotationsSince(seen.days, now - policy.windowMs),
    recoveries: oldestFirst(seen.recoveries.flatMap(recoveryOf)),
    incidents: oldestFirst([...seen.incidents.map(incidentOf), ...proofBursts(seen.proofFailures, policy), ...seen.days.flatMap(refusals)]),
    grants: grantsOf(standing, used),
  }
}

function weakest({ custodies }: TrustObservation, policy: TrustPolicy): TrustFacts['weakestKey'] {
  const ordered = [...custodies].sort(
    (left, right) => policy.custody[left.custody] - policy.custody[right.custody] || (left.installation < right.installation ? -1 : 1),
  )
  const [first] = ordered
  return first === undefined ? null : { installation: first.installation, custody: first.custody }
}

/** A day counts when any of it lies in the window. */
const within = (days: readonly DaySum[], since: Instant): readonly DaySum[] => days.filter(({ day }) => day + DAY > since)
const sum = (days: readonly DaySum[], of: (day: DaySum) => number): number => days.reduce((total, day) => total + of(day), 0)

function usesSince(days: readonly DaySum[], since: Instant): TrustFacts['use'] {
  const recent = within(days, since)
  const requests = sum(recent, (day) => day.requests)
  return requests === 0 ? null : { requests, bound: sum(recent, (day) => day.bound) }
}

function seenSince(days: readonly DaySum[], since: Instant): TrustFacts['seen'] {
  const recent = within(days, since).filter(({ requests }) => requests > 0)
  const first = recent.reduce((earliest, { day }) => Math.min(earliest, day), Number.MAX_SAFE_INTEGER)
  return recent.length === 0 ? null : { requests: sum(recent, (day) => day.requests), bound: sum(recent, (day) => day.bound), since: first }
}

function rotationsSince(days: readonly DaySum[], since: Instant): TrustFacts['rotations'] {
  const recent = within(days, since)
  const total = sum(recent, (day) => day.rotations)
  return total === 0 ? null : { total, onTime: sum(recent, (day) => day.rotationsOnTime) }
}

/** Those that an operator asked for count against nothing. */
function recoveryOf({ id, at, subject, data }: AuditEvent): readonly TrustRecovery[] {
  return data.counted === true && subject !== null ? [{ at, installation: subject as InstallationId, event: id }] : []
}

function incidentOf({ id, kind, at, installation, event, closure }: StoredIncident): TrustIncident {
  return { kind, at, closedAt: closure?.at ?? null, id, installation, event }
}

/** Somebody shows a token of it without its key, again and again: one incident a day for each installation. It is over with the day, and nobody has to close it. */
function proofBursts(failures: readonly AuditEvent[], policy: TrustPolicy): readonly TrustIncident[] {
  const bursts = new Map<string, { readonly incident: TrustIncident; readonly count: number }>()
  for (const { id, at, subject, data } of failures) {
    const day = at - (at % DAY)
    const key = `${subject} ${day}`
    const known = bursts.get(key)
    let event = known?.incident.event ?? id
    if (id > event) event = id
    const incident: TrustIncident = { kind: 'proof_failures', at: day, closedAt: day, id: null, installation: subject as InstallationId | null, event }
    bursts.set(key, { incident, count: (known?.count ?? 0) + (typeof data.count === 'number' ? data.count : 1) })
  }
  return [...bursts.values()].flatMap(({ incident, count }) => (count >= policy.proofBurst ? [incident] : []))
}

/** A day on which it wanted more than its policy gives. */
function refusals({ day, refusedUses }: DaySum): readonly TrustIncident[] {
  return refusedUses > 0 ? [{ kind: 'refused_uses', at: day, closedAt: day, id: null, installation: null, event: null }] : []
}

/** A selector that selects everything is never used as a whole: it counts as given, and not as used. */
function grantsOf({ agent: { policy } }: AgentStanding, used: readonly UsedConnection[]): TrustFacts['grants'] {
  const given = policy.connections.flatMap((selector) => policy.access.map((access) => ({ selector, access })))
  const wasUsed = ({ selector, access }: { readonly selector: ConnectionSelector; readonly access: UseCount['access'] }) =>
    Object.keys(selector).length > 0 && used.some((use) => use.access === access && selects([selector], use.connection))
  return given.length === 0 ? null : { granted: given.length, used: given.filter(wasUsed).length }
}
