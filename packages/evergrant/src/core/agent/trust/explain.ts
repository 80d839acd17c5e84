import type { AuditEvent, EventType } from '../../audit/event.ts'
import type { EventId } from '../../ids.ts'
import { DAY, type Instant } from '../../time.ts'
import type { TrustCap } from './caps.ts'
import type { TrustFactorId } from './factors/factor.ts'
import type { BasisPoints } from './policy.ts'
import type { TrustScore } from './score.ts'

/** How far back a change is told. */
export const DELTA_MS = 7 * DAY

/** What is different from the oldest snapshot of the last seven days. */
interface TrustDelta {
  readonly since: Instant
  readonly points: BasisPoints
  /** Oldest first. Empty where only time passed, or more was seen. */
  readonly because: readonly EventId[]
}

export interface TrustExplanation extends TrustScore {
  /** In one sentence, for a person. */
  readonly headline: string
  /** Null: there is nothing to compare with. */
  readonly delta: TrustDelta | null
}

/** Names by id, for sentences. */
type Named = (id: string) => string

/** Which lines of the score an event may have moved. */
const MOVES: Partial<Readonly<Record<EventType, readonly (TrustFactorId | TrustCap['id'])[]>>> = {
  'installation.enrolled': ['custody', 'freshness', 'blocked'],
  'installation.key_rotated': ['custody', 'freshness'],
  'installation.retired': ['custody', 'freshness', 'blocked'],
  'installation.locked': ['custody', 'freshness', 'incidents', 'incident_open', 'blocked'],
  'installation.unlocked': ['custody', 'freshness', 'blocked'],
  'installation.clone_suspected': ['incidents', 'incident_open'],
  'installation.proof_failed': ['incidents'],
  'agent.use_refused': ['incidents'],
  'incident.closed': ['incidents', 'incident_open'],
  'recovery.succeeded': ['healing'],
  'agent.reviewed': ['ownership'],
  'agent.updated': ['ownership', 'owner_inactive'],
  'agent.policy_changed': ['ownership'],
  'agent.suspended': ['suspended'],
  'agent.resumed': ['suspended'],
  'agent.revoked': ['blocked'],
  'user.disabled': ['ownership', 'owner_inactive'],
  'user.enabled': ['ownership', 'owner_inactive'],
  'user.left': ['ownership', 'owner_inactive'],
}

export const CAUSES = Object.keys(MOVES) as readonly EventType[]

/** `events`: those of {@link CAUSES} since `before`, in any order. */
export function explain(now: TrustScore, before: TrustScore | null, events: readonly AuditEvent[], nameOf: Named): TrustExplanation {
  const moved = before === null ? new Set<string>() : movedBetween(before, now)
  const causes = inOrder(events).filter(
    ({ type, data }) => (MOVES[type] ?? []).some((line) => moved.has(line)) && (type !== 'recovery.succeeded' || data.counted === true),
  )
  const delta = before === null ? null : { since: before.computedAt, points: now.score - before.score, because: causes.map(({ id }) => id) }
  return { ...now, headline: headlineOf(now, delta, causes, nameOf), delta }
}

function inOrder(events: readonly AuditEvent[]): readonly AuditEvent[] {
  return [...events].sort((left, right) => (left.id < right.id ? -1 : 1))
}

function movedBetween(before: TrustScore, now: TrustScore): ReadonlySet<string> {
  const lines = ({ factors, caps }: TrustScore) =>
    new Map<string, string>([
      ...factors.map(({ id, earned, known }) => [id, `${earned} ${known}`] as const),
      ...caps.map(({ id, max, takes }) => [id, `${max} ${takes}`] as const),
    ])
  const [then, today] = [lines(before), lines(now)]
  return new Set([...then.keys(), ...today.keys()].filter((id) => then.get(id) !== today.get(id)))
}

function headlineOf({ band, score, ceiling, caps, computedAt }: TrustScore, delta: TrustDelta | null, causes: readonly AuditEvent[], nameOf: Named): string {
  if (band === 'Blocked') return `Blocked. ${caps.find(({ id }) => id === 'blocked')?.because ?? ''}`.trim()
  if (band === 'Not rated yet') return `${points(score)}, could be up to ${points(ceiling)}: too little seen yet.`
  const suspended = band === 'Suspended' ? ' It is suspended.' : ''
  if (delta === null || points(score) === points(score - delta.points)) return `${points(score)}.${suspended}`
  const difference = points(score) - points(score - delta.points)
  const change = `${difference < 0 ? 'down' : 'up'} ${Math.abs(difference)} since ${dayOf(delta.since, computedAt)}`
  return `${points(score)}, ${change}: ${causesOf(causes, nameOf)}.${suspended}`
}

/** Whole ones, rounded down: a sentence promises no more than there is. */
const points = (of: BasisPoints): number => Math.floor(of / 100)

const WEEKDAYS = ['Thursday', 'Friday', 'Saturday', 'Sunday', 'Monday', 'Tuesday', 'Wednesday'] as const

/** 1 January 1970 was a Thursday. UTC, as all times here. */
function dayOf(at: Instant, now: Instant): string {
  const day = Math.floor(at / DAY)
  return day === Math.floor(now / DAY) ? 'earlier today' : (WEEKDAYS[day % 7] ?? 'then')
}

const WORDS: Partial<Readonly<Record<EventType, readonly [one: string, more: string]>>> = {
  'installation.enrolled': ['enrolment', 'enrolments'],
  'installation.key_rotated': ['new key', 'new keys'],
  'installation.retired': ['end', 'ends'],
  'installation.locked': ['lock', 'locks'],
  'installation.unlocked': ['unlock', 'unlocks'],
  'installation.clone_suspected': ['copied credential', 'copied credentials'],
  'installation.proof_failed': ['leaked token', 'leaked tokens'],
  'agent.use_refused': ['refused use', 'refused uses'],
  'incident.closed': ['closed incident', 'closed incidents'],
  'recovery.succeeded': ['recovery', 'recoveries'],
  'agent.reviewed': ['review', 'reviews'],
  'agent.updated': ['change', 'changes'],
  'agent.policy_changed': ['change of its policy', 'changes of its policy'],
  'agent.suspended': ['suspension', 'suspensions'],
  'agent.resumed': ['resumption', 'resumptions'],
  'user.disabled': ['disabled owner', 'disabled owners'],
  'user.enabled': ['enabled owner', 'enabled owners'],
  'user.left': ['owner who left', 'owners who left'],
}

const TOLD_MAX = 3

/** `2 recoveries on web-2`. */
function causesOf(causes: readonly AuditEvent[], nameOf: Named): string {
  const counts = new Map<string, { readonly type: EventType; readonly subject: string | null; count: number }>()
  for (const { type, subject } of causes) {
    const key = `${type} ${subject}`
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { type, subject, count: 1 })
    else known.count++
  }
  if (counts.size === 0) return 'time passed, and more was seen'
  const told = [...counts.values()].slice(0, TOLD_MAX).map(({ type, subject, count }) => {
    const [one, more] = WORDS[type] ?? [type, type]
    const where = subject?.startsWith('ins_') === true ? ` on ${nameOf(subject)}` : ''
    return `${count} ${count === 1 ? one : more}${where}`
  })
  const rest = counts.size - told.length
  return [...told, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}
