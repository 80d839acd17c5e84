import { Type } from 'typebox'
import type { StoredIncident } from '../../core/agent/incident.ts'
import type { TrustCap } from '../../core/agent/trust/caps.ts'
import type { TrustExplanation } from '../../core/agent/trust/explain.ts'
import type { TrustFactor } from '../../core/agent/trust/factors/factor.ts'
import type { ShownFact } from '../../core/agent/trust/facts.ts'
import type { BasisPoints } from '../../core/agent/trust/policy.ts'
import type { TrustScore } from '../../core/agent/trust/score.ts'
import type { TrustNote } from '../../core/agent/trust/trust-service.ts'
import type { TrustSnapshot } from '../../core/agent/trust-snapshots.ts'
import { iso } from '../connection-view.ts'
import { nullable, Time } from '../schema.ts'

const Points = Type.Number({ description: '0 to 100, with two decimals at most.' })
const FactValue = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])
const FactView = Type.Object({
  name: Type.String(),
  value: FactValue,
  source: Type.String({ description: 'The id of what it is about, or the name of what was counted.' }),
  event_id: nullable(Type.String()),
})
const FactorView = Type.Object({
  id: Type.String(),
  earned: Points,
  available: Points,
  known: Type.Number({ description: 'Points that are decided. `available - known` may still be earned, and earns nothing yet.' }),
  facts: Type.Array(FactView),
  advice: nullable(Type.String()),
})
const CapView = Type.Object({
  id: Type.String(),
  max: Points,
  takes: Type.Number({ description: 'What it took from the sum of the factors.' }),
  because: Type.String(),
  event_id: nullable(Type.String()),
})
const NoteView = Type.Object({ id: Type.String(), at: Time, by: Type.Object({ kind: Type.String(), id: nullable(Type.String()) }), note: Type.String() })
const scored = {
  score: Type.Number({ description: 'What is certain, 0 to 100: the sum of `earned`, less what the caps take.' }),
  ceiling: Type.Number({ description: 'What it could be if all that is unknown turned out well.' }),
  trust_score: Type.Number({ description: '`score` as 0 to 1, rounded down to three decimals.' }),
  band: Type.String({ description: '`Blocked`, `Suspended`, `Not rated yet`, `Low`, `Fair`, `Good` or `High`.' }),
  policy_version: Type.Integer(),
  computed_at: Time,
}

export const NoteAnswer = NoteView
export const TrustView = Type.Object({
  ...scored,
  headline: Type.String({ description: 'In one sentence.' }),
  factors: Type.Array(FactorView),
  caps: Type.Array(CapView),
  delta: nullable(
    Type.Object(
      { since: Time, points: Type.Number(), because: Type.Array(Type.String()) },
      { description: 'Against the oldest snapshot of the last seven days; `because` are ids of events. Null: there is none yet.' },
    ),
  ),
  notes: Type.Array(NoteView, { description: 'What people wrote about it, newest first. No note moves a number.' }),
})
export const SnapshotView = Type.Object({
  ...scored,
  factors: Type.Array(Type.Object({ id: Type.String(), earned: Points, available: Points, known: Points })),
  caps: Type.Array(CapView),
  facts: Type.Object({}, { additionalProperties: true, description: 'All that it was computed from; times are milliseconds since 1970.' }),
})
export const IncidentView = Type.Object({
  id: Type.String(),
  agent: Type.String(),
  installation: nullable(Type.String()),
  kind: Type.String({ description: '`clone` or `compromise`.' }),
  at: Time,
  message: Type.String(),
  event_id: Type.String(),
  closed_at: nullable(Time),
  closed_by: nullable(Type.Object({ kind: Type.String(), id: nullable(Type.String()) })),
  note: nullable(Type.String()),
})

const points = (of: BasisPoints): number => of / 100

function scoredView({ score, ceiling, band, policyVersion, computedAt }: TrustScore) {
  return {
    score: points(score),
    ceiling: points(ceiling),
    trust_score: Math.floor(score / 10) / 1_000,
    band,
    policy_version: policyVersion,
    computed_at: iso(computedAt),
  }
}

/** Times are ISO 8601 here, as everywhere in the API. */
function factView({ name, value, source, eventId }: ShownFact) {
  const time = typeof value === 'number' && TIMES.has(name)
  return { name, value: time ? iso(value) : value, source, event_id: eventId }
}

const TIMES: ReadonlySet<string> = new Set([
  'key_created_at',
  'recovered_at',
  'reviewed_at',
  'seen_since',
  'clone',
  'compromise',
  'proof_failures',
  'refused_uses',
])

function factorView({ id, earned, available, known, facts, advice }: TrustFactor) {
  return { id, earned: points(earned), available: points(available), known: points(known), facts: facts.map(factView), advice }
}

function capView({ id, max, takes, because, eventId }: TrustCap) {
  return { id, max: points(max), takes: points(takes), because, event_id: eventId }
}

export function trustView(explanation: TrustExplanation, notes: readonly TrustNote[]) {
  const { factors, caps, delta, headline } = explanation
  return {
    ...scoredView(explanation),
    headline,
    factors: factors.map(factorView),
    caps: caps.map(capView),
    delta: delta === null ? null : { since: iso(delta.since), points: points(delta.points), because: delta.because },
    notes: notes.map(noteView),
  }
}

export function noteView({ id, at, by, text }: TrustNote) {
  return { id, at: iso(at), by, note: text }
}

export function snapshotView({ facts, result }: TrustSnapshot) {
  return {
    ...scoredView(result),
    factors: result.factors.map(({ id, earned, available, known }) => ({ id, earned: points(earned), available: points(available), known: points(known) })),
    caps: result.caps.map(capView),
    facts: snakeNames(facts) as Record<string, unknown>,
  }
}

function snakeNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeNames)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), snakeNames(of)]))
}

export function incidentView({ id, agent, installation, kind, at, message, event, closure }: StoredIncident) {
  return {
    id,
    agent,
    installation,
    kind,
    at: iso(at),
    message,
    event_id: event,
    closed_at: closure === null ? null : iso(closure.at),
    closed_by: closure?.by ?? null,
    note: closure?.note ?? null,
  }
}
