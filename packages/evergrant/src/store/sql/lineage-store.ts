import type { NewEvent } from '../../core/audit/event.ts'
import type { ConnectionId, EventId, OrganizationId } from '../../core/ids.ts'
import {
  type BehindGrant,
  type DatabaseHome,
  type EndGrants,
  FRESH_AFTER_MS,
  type Lineage,
  type Lineages,
  type NodeComparison,
  type ReportedBehind,
  type RollingNode,
  type StoredGeneration,
  type Ticked,
  type Trusted,
} from '../../core/refresh/lineage.ts'
import { append } from './event-rows.ts'
import { LINEAGE_COLUMNS, toComparison, toLineage, toReported, toStoredGeneration } from './lineage-rows.ts'
import { changed, type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, text } from './rows.ts'

/** Older than a mark (or another credential under the same generation), and its owner has not granted again since. */
const STILL_BEHIND = `(d.generation < b.marked or d.generation = b.stored) and coalesce(k.consented_at, 0) < l.since + ${FRESH_AFTER_MS}`

const READ = `select ${LINEAGE_COLUMNS} from lineage where one = 1`

function* current(): Program<Lineage> {
  const found = yield* row(READ)
  if (found === undefined) throw new Error('the lineage of this database is not written yet')
  return toLineage(found)
}

function* open(first: { readonly instance: string; readonly home: DatabaseHome | null }): Program<Lineage> {
  const { instance, home } = first
  yield* run(
    `insert into lineage (one, instance, home_id, home_name, home_timeline, era, era_at, trusted) values (1, ?, ?, ?, ?, 1, now_ms(), 'trusted')
     on conflict do nothing`,
    instance,
    home?.id ?? null,
    home?.name ?? null,
    home?.timeline ?? null,
  )
  return yield* current()
}

const TIMELINE = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"

function* tick(dialect: Dialect, node: string, expected: number): Program<Ticked> {
  const ticked = yield* raise(node, expected)
  if (dialect.name === 'sqlite') return ticked
  const found = yield* row(`select ${TIMELINE} as timeline`)
  return found === undefined ? ticked : { ...ticked, timeline: integer(found, 'timeline') }
}

function* raise(node: string, expected: number): Program<Ticked> {
  const raised = yield* run('update high_water_tick set tick = tick + 1, at = now_ms() where node_id = ? and tick = ?', node, expected)
  if (raised === 1) return { before: expected, lineage: yield* current() }
  const found = yield* row('select tick from high_water_tick where node_id = ?', node)
  return { before: found === undefined ? null : integer(found, 'tick'), lineage: yield* current() }
}

function* firstTick(node: string): Program<{ tick: number; lineage: Lineage }> {
  const found = yield* row(
    `insert into high_water_tick (node_id, tick, at) values (?, 1, now_ms())
     on conflict (node_id) do update set tick = high_water_tick.tick + 1, at = excluded.at returning tick`,
    node,
  )
  return { tick: found === undefined ? 1 : integer(found, 'tick'), lineage: yield* current() }
}

function* distrust(trusted: Trusted, reason: string, event: NewEvent): Program<boolean> {
  const ended = yield* run("update lineage set trusted = ?, since = now_ms(), reason = ? where one = 1 and trusted = 'trusted'", trusted, reason)
  if (ended === 0) return false
  yield* run('update high_water_tick set compared_era = null')
  yield* append(event)
  return true
}

function* move(home: DatabaseHome, event: NewEvent): Program<void> {
  const moved = yield* run(
    'update lineage set home_id = ?, home_name = ?, home_timeline = ? where one = 1 and (home_id is null or home_name <> ? or coalesce(home_timeline, -1) <> ?)',
    home.id,
    home.name,
    home.timeline,
    home.name,
    home.timeline ?? -1,
  )
  if (moved === 1) yield* append(event)
}

function* generationsOf(dialect: Dialect, connections: readonly ConnectionId[]): Program<readonly StoredGeneration[]> {
  const found = yield* rows(
    `select connection_id, generation, fingerprint from credential where ${dialect.among('connection_id')}`,
    JSON.stringify(connections),
  )
  return found.map(toStoredGeneration)
}

function* report(node: string, era: number, behind: readonly BehindGrant[]): Program<void> {
  yield* run('delete from behind_grant where node_id = ?', node)
  for (const { connection, marked, stored } of behind) {
    yield* run('insert into behind_grant (node_id, connection_id, marked, stored) values (?, ?, ?, ?)', node, connection, marked, stored)
  }
  yield* run(
    `insert into high_water_tick (node_id, tick, at, compared_era) values (?, 0, now_ms(), ?)
     on conflict (node_id) do update set at = excluded.at, compared_era = excluded.compared_era`,
    node,
    era,
  )
}

function* reportAgain(dialect: Dialect, node: string, looked: readonly ConnectionId[], behind: readonly BehindGrant[]): Program<void> {
  yield* run(`delete from behind_grant where node_id = ? and ended = 0 and ${dialect.among('connection_id')}`, node, JSON.stringify(looked))
  for (const { connection, marked, stored } of behind) {
    yield* run('insert into behind_grant (node_id, connection_id, marked, stored) values (?, ?, ?, ?) on conflict do nothing', node, connection, marked, stored)
  }
}

/** What is ended is over, and what its owner granted again is no matter of a journal. */
function* rolling(): Program<readonly RollingNode[]> {
  const found = yield* rows(
    `select b.node_id, count(*) as connections from behind_grant b join lineage l on l.one = 1 join connection k on k.id = b.connection_id
       join credential d on d.connection_id = b.connection_id
     where b.ended = 0 and d.generation is distinct from b.stored and coalesce(k.consented_at, 0) < l.since + ${FRESH_AFTER_MS}
     group by b.node_id order by b.node_id`,
  )
  return found.map((one) => ({ node: text(one, 'node_id'), connections: integer(one, 'connections') }))
}

function* reported(limit: number): Program<readonly ReportedBehind[]> {
  const found = yield* rows(
    `select b.connection_id, max(b.marked) as marked, min(b.stored) as stored, k.organization_id, k.owner, i.slug,
       max(case when d.generation is null or (${STILL_BEHIND}) then 0 else 1 end) as mended
     from behind_grant b join lineage l on l.one = 1 left join connection k on k.id = b.connection_id
       left join credential d on d.connection_id = b.connection_id left join integration i on i.id = k.integration_id
     group by b.connection_id, k.organization_id, k.owner, i.slug order by b.connection_id limit ?`,
    limit,
  )
  return found.map(toReported)
}

function* nodes(): Program<readonly NodeComparison[]> {
  return (yield* rows('select node_id, tick, at, compared_era from high_water_tick order by node_id')).map(toComparison)
}

/** Locks the connections in order of id, as every writer of several does. */
function* endOne(found: Row, end: EndGrants, event: EventId): Program<void> {
  const connection = text(found, 'id') as ConnectionId
  yield* run("update connection set state = 'needs_reauth', fault = ?, updated_at = ? where id = ?", JSON.stringify(end.fault), end.event.at, connection)
  yield* run('update health set due_at = null, next_attempt_at = null where connection_id = ?', connection)
  yield* append({
    id: event,
    organization: text(found, 'organization_id') as OrganizationId,
    type: 'connection.needs_reauth',
    at: end.event.at,
    actor: end.event.actor,
    connection,
    subject: null,
    data: { code: end.fault.code, generation: integer(found, 'generation') },
  })
  yield* changed({ kind: 'connection', connection })
}

function* endAll(found: readonly Row[], end: EndGrants): Program<number> {
  for (const [index, event] of end.events.entries()) {
    const one = found[index]
    if (one !== undefined) yield* endOne(one, end, event)
  }
  return found.length
}

function* endBehind(dialect: Dialect, end: EndGrants): Program<number> {
  const found = yield* rows(
    `select k.id, k.organization_id, d.generation from connection k join credential d on d.connection_id = k.id
     where k.state in ('active', 'paused', 'needs_reauth')
       and k.id in (select b.connection_id from behind_grant b join lineage l on l.one = 1
         where b.ended = 0 and b.connection_id = k.id and (${STILL_BEHIND}))
     order by k.id limit ? ${dialect.forUpdate('k')}`,
    Math.min(end.limit, end.events.length),
  )
  const ended = yield* endAll(found, end)
  yield* run(`update behind_grant set ended = 1 where ${dialect.among('connection_id')}`, JSON.stringify(found.map((one) => one.id)))
  return ended
}

/** A grant that was made in this copy after it was found to be one belongs to it alone. */
function* endInherited(dialect: Dialect, end: EndGrants): Program<number> {
  const { since } = yield* current()
  const found = yield* rows(
    `select k.id, k.organization_id, d.generation from connection k join credential d on d.connection_id = k.id
     where k.state in ('active', 'paused') and coalesce(k.consented_at, 0) < ? order by k.id limit ? ${dialect.forUpdate('k')}`,
    (since ?? 0) + FRESH_AFTER_MS,
    Math.min(end.limit, end.events.length),
  )
  return yield* endAll(found, end)
}

function* confirm(home: DatabaseHome | null, instance: string | null, event: NewEvent): Program<Lineage> {
  if (instance !== null) {
    yield* run('update revocation set due_at = null, done_at = now_ms(), staged_access_token = null, staged_refresh_token = null where done_at is null')
  }
  const confirmed = yield* run(
    `update lineage set instance = coalesce(?, instance), home_id = ?, home_name = ?, home_timeline = ?, era = era + 1, era_at = now_ms(), trusted = 'trusted',
       since = null, reason = null where one = 1 and trusted <> 'trusted'`,
    instance,
    home?.id ?? null,
    home?.name ?? null,
    home?.timeline ?? null,
  )
  if (confirmed === 1) {
    yield* run('delete from high_water_tick')
    yield* run('delete from behind_grant')
    yield* append(event)
  }
  return yield* current()
}

/** Which cluster and which database in it. A server that does not let us ask is not doubted. */
export function* whereabouts(dialect: Dialect): Program<DatabaseHome | null> {
  if (dialect.name === 'sqlite') return null
  const may = yield* row(
    "select case when has_function_privilege('pg_control_system()', 'execute') then 1 else 0 end as may, case when pg_is_in_recovery() then 1 else 0 end as standby",
  )
  if (may === undefined || integer(may, 'may') === 0 || integer(may, 'standby') === 1) return null
  const found = yield* row(
    `select s.system_identifier::text || '/' || d.oid::text as id, d.datname as name,
       ${TIMELINE} as timeline
     from pg_control_system() s, pg_database d where d.datname = current_database()`,
  )
  return found === undefined ? null : { id: text(found, 'id'), name: text(found, 'name'), timeline: integerOrNull(found, 'timeline') }
}

export function lineagesStore(database: Database): Lineages {
  const { dialect } = database
  return {
    whereabouts: () => database.read(() => whereabouts(dialect)),
    open: (first) => database.write(() => open(first), { repeatable: true }),
    tick: (node, expected) => database.write(() => tick(dialect, node, expected), { repeatable: true }),
    firstTick: (node) => database.write(() => firstTick(node), { repeatable: true }),
    distrust: (trusted, reason, event) => database.write(() => distrust(trusted, reason, event), { repeatable: true }),
    move: (home, event) => database.write(() => move(home, event), { repeatable: true }),
    generationsOf: (connections) => database.read(() => generationsOf(dialect, connections)),
    report: (node, era, behind) => database.write(() => report(node, era, behind), { repeatable: true }),
    reportAgain: (node, looked, behind) => database.write(() => reportAgain(dialect, node, looked, behind), { repeatable: true }),
    rolling: () => database.read(() => rolling()),
    reported: (limit) => database.read(() => reported(limit)),
    nodes: () => database.read(() => nodes()),
    endBehind: (end) => database.write(() => endBehind(dialect, end)),
    endInherited: (end) => database.write(() => endInherited(dialect, end)),
    confirm: (home, instance, event) => database.write(() => confirm(home, instance, event), { repeatable: true }),
  }
}
