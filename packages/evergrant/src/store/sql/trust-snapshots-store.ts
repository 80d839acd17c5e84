import type { KeyCustody } from '../../core/agent/installation.ts'
import type { TrustFacts } from '../../core/agent/trust/facts.ts'
import type { TrustScore } from '../../core/agent/trust/score.ts'
import type { DaySum, ObservedSince, TrustObservation, TrustSnapshot, TrustSnapshots } from '../../core/agent/trust-snapshots.ts'
import type { AuditEvent, EventType } from '../../core/audit/event.ts'
import { type AgentId, type InstallationId, idFrom, type OrganizationId } from '../../core/ids.ts'
import { type Instant, MINUTE } from '../../core/time.ts'
import { toEvent } from './event-rows.ts'
import { incidentsThatCount } from './incidents-store.ts'
import { type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, json, text } from './rows.ts'

/** Ids of events begin with the time of a node, and `at` may be the database's: so far apart they are at most. */
const SKEW_MS = 10 * MINUTE
const INCIDENTS_MAX = 200
const RECOVERIES_MAX = 200
/** One a minute is written: this is more than half a day of them. */
const PROOF_FAILURES_MAX = 1_000
const EVENT = 'e.id, e.organization_id, e.type, e.at, e.actor_kind, e.actor_id, e.connection_id, e.subject, e.data'
const WORKS = "i.status in ('active', 'recovery_blocked') and (i.expires_at is null or i.expires_at > ?)"

/** All in one read, so that the facts of a score are of one moment. */
function* observe(dialect: Dialect, agent: AgentId, at: Instant, since: ObservedSince): Program<TrustObservation> {
  return {
    ...(yield* counts(agent, at)),
    ...(yield* keys(agent, at)),
    days: yield* daySums(agent, since.days),
    recoveries: yield* aboutInstallations(dialect, agent, ['recovery.succeeded'], since.recoveries, RECOVERIES_MAX),
    proofFailures: yield* aboutInstallations(dialect, agent, ['installation.proof_failed'], since.proofFailures, PROOF_FAILURES_MAX),
    incidents: yield* incidentsThatCount(agent, since.incidents, INCIDENTS_MAX),
  }
}

function* counts(agent: AgentId, at: Instant): Program<Pick<TrustObservation, 'working' | 'locked' | 'retired'>> {
  const found = yield* row(
    `select sum(case when ${WORKS} then 1 else 0 end) as working,
       sum(case when i.status = 'locked' and (i.expires_at is null or i.expires_at > ?) then 1 else 0 end) as locked,
       sum(case when i.status = 'retired' then 1 else 0 end) as retired
     from installation i where i.agent_id = ?`,
    at,
    at,
    agent,
  )
  return { working: Number(found?.working ?? 0), locked: Number(found?.locked ?? 0), retired: Number(found?.retired ?? 0) }
}

function* keys(agent: AgentId, at: Instant): Program<Pick<TrustObservation, 'custodies' | 'oldestKey'>> {
  const custodies = yield* rows(`select i.custody, min(i.id) as id from installation i where i.agent_id = ? and ${WORKS} group by i.custody`, agent, at)
  const oldest = yield* row(
    `select i.id, i.key_created_at from installation i where i.agent_id = ? and ${WORKS} order by i.key_created_at, i.id limit 1`,
    agent,
    at,
  )
  return {
    custodies: custodies.map((found) => ({ custody: text(found, 'custody') as KeyCustody, installation: text(found, 'id') as InstallationId })),
    oldestKey: oldest === undefined ? null : { installation: text(oldest, 'id') as InstallationId, createdAt: integer(oldest, 'key_created_at') },
  }
}

function* daySums(agent: AgentId, since: Instant): Program<readonly DaySum[]> {
  const found = yield* rows(
    `select d.day, sum(d.requests) as requests, sum(d.bound) as bound, sum(d.rotations) as rotations, sum(d.rotations_on_time) as rotations_on_time,
       sum(d.refused_uses) as refused_uses
     from installation_day d where d.agent_id = ? and d.day >= ? group by d.day order by d.day`,
    agent,
    since,
  )
  return found.map((day) => ({
    day: integer(day, 'day'),
    requests: integer(day, 'requests'),
    bound: integer(day, 'bound'),
    rotations: integer(day, 'rotations'),
    rotationsOnTime: integer(day, 'rotations_on_time'),
    refusedUses: integer(day, 'refused_uses'),
  }))
}

/** By the index of subjects: a look-up for each installation, whatever else the organization does. */
function* aboutInstallations(dialect: Dialect, agent: AgentId, types: readonly EventType[], since: Instant, limit: number): Program<readonly AuditEvent[]> {
  const found = yield* rows(
    `select ${EVENT} from installation i join event e on e.subject = i.id and e.id > ?
     where i.agent_id = ? and e.organization_id = i.organization_id and e.at >= ? and ${dialect.among('e.type')} order by e.id desc limit ?`,
    idFrom('evt', since - SKEW_MS),
    agent,
    since,
    JSON.stringify(types),
    limit,
  )
  return found.map(toEvent)
}

interface Happened {
  readonly organization: OrganizationId
  readonly agent: AgentId
  readonly owner: string
}

function* happened(
  dialect: Dialect,
  { organization, agent, owner }: Happened,
  types: readonly EventType[],
  since: Instant,
  limit: number,
): Program<readonly AuditEvent[]> {
  const found: AuditEvent[] = []
  for (const subject of [agent, owner]) {
    const about = yield* rows(
      `select ${EVENT} from event e where e.subject = ? and e.id > ? and e.organization_id = ? and e.at > ? and ${dialect.among('e.type')} order by e.id desc limit ?`,
      subject,
      idFrom('evt', since - SKEW_MS),
      organization,
      since,
      JSON.stringify(types),
      limit,
    )
    found.push(...about.map(toEvent))
  }
  found.push(...(yield* aboutInstallations(dialect, agent, types, since + 1, limit)))
  return found.sort((left, right) => (left.id < right.id ? 1 : -1)).slice(0, limit)
}

function toSnapshot(found: Row): TrustSnapshot {
  return {
    agent: text(found, 'agent_id') as AgentId,
    at: integer(found, 'at'),
    facts: json<TrustFacts>(found, 'facts'),
    result: json<TrustScore>(found, 'result'),
  }
}

function* save({ agent, at, facts, result }: TrustSnapshot, dueAt: Instant): Program<void> {
  yield* run(
    `insert into trust_snapshot (agent_id, at, policy_version, facts, result)
     select a.id, cast(? as bigint), cast(? as bigint), ?, ? from agent a where a.id = ? 
     on conflict (agent_id, at) do update set policy_version = excluded.policy_version, facts = excluded.facts, result = excluded.result`,
    at,
    result.policyVersion,
    JSON.stringify(facts),
    JSON.stringify(result),
    agent,
  )
  // Zero: something happened after the facts were read.
  yield* run('update agent set trust_due_at = ? where id = ? and trust_due_at <> 0', dueAt, agent)
}

const SNAPSHOT = 'select s.agent_id, s.at, s.facts, s.result from trust_snapshot s where s.agent_id = ?'

function* history(agent: AgentId, limit: number, before: Instant | null): Program<readonly TrustSnapshot[]> {
  const found =
    before === null
      ? yield* rows(`${SNAPSHOT} order by s.at desc limit ?`, agent, limit)
      : yield* rows(`${SNAPSHOT} and s.at < ? order by s.at desc limit ?`, agent, before, limit)
  return found.map(toSnapshot)
}

function* firstSince(agent: AgentId, since: Instant): Program<TrustSnapshot | undefined> {
  const found = yield* row(`${SNAPSHOT} and s.at >= ? order by s.at limit 1`, agent, since)
  return found === undefined ? undefined : toSnapshot(found)
}

function* takeDue(dialect: Dialect, limit: number, visibilityMs: number): Program<Awaited<ReturnType<TrustSnapshots['takeDue']>>> {
  const due = yield* rows(
    `select a.id, a.organization_id from agent a where a.status <> 'revoked' and a.trust_due_at <= (select now_ms())
     order by a.trust_due_at limit ? ${dialect.skipLocked('a')}`,
    limit,
  )
  if (due.length === 0) return []
  yield* run(`update agent set trust_due_at = now_ms() + ? where ${dialect.among('id')}`, visibilityMs, JSON.stringify(due.map((found) => found.id)))
  return due.map((found) => ({ organization: text(found, 'organization_id') as OrganizationId, agent: text(found, 'id') as AgentId }))
}

function* purge(before: Instant, limit: number): Program<number> {
  const old = yield* rows('select s.agent_id, s.at from trust_snapshot s where s.at < ? order by s.at limit ?', before, limit)
  for (const found of old) yield* run('delete from trust_snapshot where agent_id = ? and at = ?', text(found, 'agent_id'), integer(found, 'at'))
  return old.length
}

function* forgetDays(before: Instant, limit: number): Program<number> {
  const old = yield* rows('select d.installation_id, d.day from installation_day d where d.day < ? order by d.day limit ?', before, limit)
  for (const found of old)
    yield* run('delete from installation_day where installation_id = ? and day = ?', text(found, 'installation_id'), integer(found, 'day'))
  return old.length
}

export function trustSnapshotsStore(database: Database): TrustSnapshots {
  const { dialect } = database
  return {
    observe: (agent, at, since) => database.read(() => observe(dialect, agent, at, since)),
    happened: (of, types, since, limit) => database.read(() => happened(dialect, of, types, since, limit)),
    save: (snapshot, dueAt) => database.write(() => save(snapshot, dueAt), { repeatable: true }),
    history: (agent, { limit, before }) => database.read(() => history(agent, limit, before)),
    firstSince: (agent, since) => database.read(() => firstSince(agent, since)),
    takeDue: (limit, visibilityMs) => database.write(() => takeDue(dialect, limit, visibilityMs)),
    purge: (before, limit) => database.write(() => purge(before, limit), { repeatable: true }),
    forgetDays: (before, limit) => database.write(() => forgetDays(before, limit), { repeatable: true }),
  }
}
