import type { NewEvent } from '../../core/audit/event.ts'
import type { CheckPlan, CheckResult, Checks, DueCheck, NewCheck, StoredCheck } from '../../core/connection/checks.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, text } from './rows.ts'

function* of(dialect: Dialect, connections: readonly ConnectionId[]): Program<readonly StoredCheck[]> {
  const found = yield* rows(
    `select connection_id, checked_at, result, http_status, worked_at from connection_check where checked_at is not null and ${dialect.among('connection_id')}`,
    JSON.stringify(connections),
  )
  return found.map((check) => ({
    connection: text(check, 'connection_id') as ConnectionId,
    at: integer(check, 'checked_at'),
    result: text(check, 'result') as CheckResult,
    httpStatus: integerOrNull(check, 'http_status'),
    workedAt: integerOrNull(check, 'worked_at'),
  }))
}

/** In an upsert: the due time that is told, and where it was taken, only while nobody has set another. */
function nextDue({ dueAt, takenUntil }: Pick<NewCheck, 'dueAt' | 'takenUntil'>): readonly [sql: string, ...params: readonly number[]] {
  if (dueAt === undefined) return ['']
  if (takenUntil === undefined) return [', due_at = excluded.due_at']
  return [', due_at = case when connection_check.due_at = ? then excluded.due_at else connection_check.due_at end', takenUntil]
}

function* record(check: NewCheck, event: NewEvent | null): Program<void> {
  const { connection, at, result, httpStatus, dueAt } = check
  const [next, ...params] = nextDue(check)
  yield* run(
    `insert into connection_check (connection_id, checked_at, result, http_status, worked_at, due_at) values (?, ?, ?, ?, ?, ?)
     on conflict (connection_id) do update set checked_at = excluded.checked_at, result = excluded.result, http_status = excluded.http_status,
       worked_at = coalesce(excluded.worked_at, connection_check.worked_at)${next}`,
    connection,
    at,
    result,
    httpStatus,
    result === 'works' ? at : null,
    dueAt ?? null,
    ...params,
  )
  if (event !== null) yield* append(event)
}

function* take(dialect: Dialect, limit: number, visibilityMs: number): Program<readonly DueCheck[]> {
  const due = yield* rows(
    `select c.connection_id, k.organization_id, k.integration_id, (select now_ms()) as now from connection_check c join connection k on k.id = c.connection_id
     where c.due_at <= (select now_ms()) order by c.due_at limit ? ${dialect.skipLocked('c')}`,
    limit,
  )
  if (due.length === 0) return []
  const takenUntil = integer(due[0] as Row, 'now') + visibilityMs
  yield* run(
    `update connection_check set due_at = ? where ${dialect.among('connection_id')}`,
    takenUntil,
    JSON.stringify(due.map((found) => found.connection_id)),
  )
  return due.map((found) => ({
    connection: text(found, 'connection_id') as ConnectionId,
    organization: text(found, 'organization_id') as OrganizationId,
    integration: text(found, 'integration_id') as IntegrationId,
    takenUntil,
  }))
}

function* reschedule({ connection, takenUntil }: Parameters<Checks['reschedule']>[0], dueAt: Instant | null): Program<void> {
  yield* run('update connection_check set due_at = ? where connection_id = ? and due_at = ?', dueAt, connection, takenUntil)
}

/**
 * Ids are in order of time, so how far was looked is one id. What is due sooner than the plan says stays so, but for the millisecond by
 * which whoever is at its check now finds that somebody else has planned it.
 */
function* plan(dialect: Dialect, { integration, organization, everyMs, before }: CheckPlan, limit: number): Program<boolean> {
  yield* run(`insert into check_plan (integration_id, every_ms, looked_through) values (?, ?, '') on conflict do nothing`, integration, everyMs)
  const known = yield* row(
    `select p.every_ms, p.looked_through, now_ms() as now from check_plan p where p.integration_id = ? ${dialect.forUpdate('p')}`,
    integration,
  )
  if (known === undefined) return false
  const found = yield* rows(
    'select id, integration_id, state from connection where organization_id = ? and id > ? and id < ? order by id limit ?',
    organization,
    integer(known, 'every_ms') === everyMs ? text(known, 'looked_through') : '',
    before,
    limit,
  )
  const last = found.at(-1)
  if (last === undefined) return false
  for (const connection of found) {
    if (connection.integration_id !== integration || connection.state === 'disconnected') continue
    const id = text(connection, 'id')
    yield* run(
      `insert into connection_check (connection_id, due_at) values (?, ?) on conflict (connection_id) do update set
         due_at = case when connection_check.due_at < excluded.due_at then connection_check.due_at - 1 else excluded.due_at end`,
      id,
      integer(known, 'now') + Math.floor(shareOf(id) * everyMs),
    )
  }
  yield* run('update check_plan set every_ms = ?, looked_through = ? where integration_id = ?', everyMs, text(last, 'id'), integration)
  return found.length === limit
}

/** Uniform in [0, 1), drawn by the random end of an id. */
export function shareOf(id: string): number {
  return Number.parseInt(id.slice(-6), 16) / 0x1000000
}

function* stop(integration: IntegrationId): Program<void> {
  yield* run('delete from check_plan where integration_id = ?', integration)
}

export function checksStore(database: Database): Checks {
  const { dialect } = database
  return {
    of: (connections) => database.read(() => of(dialect, connections)),
    record: (check, event) => database.write(() => record(check, event), { repeatable: true }),
    take: (limit, visibilityMs) => database.write(() => take(dialect, limit, visibilityMs)),
    reschedule: (taken, dueAt) => database.write(() => reschedule(taken, dueAt), { repeatable: true }),
    plan: (wanted, limit) => database.write(() => plan(dialect, wanted, limit), { repeatable: true }),
    stop: (integration) => database.write(() => stop(integration), { repeatable: true }),
  }
}
