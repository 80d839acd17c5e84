import type { ConnectionId } from '../../core/ids.ts'
import type { DueConnection, GrantRow, Parking, ReadMark } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { park, toDue } from './parked.ts'
import { type Dialect, type Program, type Row, rows, run } from './program.ts'
import { GRANT_COLUMNS, GRANT_TABLES, integer, toGrantRow } from './rows.ts'

/** Walks the due index from its oldest end; its cost is the limit's, whatever the number of connections. */
export function dueQuery(dialect: Dialect): string {
  return `select h.connection_id, h.due_at, k.organization_id, k.integration_id, k.state, (select now_ms()) as now from health h join connection k on k.id = h.connection_id
    where h.due_at <= (select now_ms()) order by h.due_at limit ? ${dialect.skipLocked('h')}`
}

/** So many more are looked at where some may be parked: what stands in front of others goes out of their way in large helpings. */
const PARK_HELPING = 500

export function* takeDue(dialect: Dialect, limit: number, visibilityMs: number, parking: readonly Parking[]): Program<readonly DueConnection[]> {
  const found = yield* rows(dueQuery(dialect), parking.length === 0 ? limit : limit + PARK_HELPING)
  if (found.length === 0) return []
  const idle = found.filter((due) => due.state !== 'active')
  const active = found.filter((due) => due.state === 'active')
  const closed = (places: readonly Parking[]) => active.filter((due) => places.some(({ integration }) => integration === due.integration_id))
  const hurried = yield* inTheirWindow(dialect, closed(parking.filter(({ windowMs }) => windowMs > 0)), parking)
  const parked = closed(parking).filter((due) => !hurried.has(due.connection_id))
  const parks = (due: Row) => parked.includes(due)
  const taken = active.filter((due) => !parks(due)).slice(0, limit)
  const ids = (some: typeof found) => JSON.stringify(some.map((due) => due.connection_id))
  const takenUntil = integer(found[0] as Row, 'now') + visibilityMs
  if (taken.length > 0) yield* run(`update health set due_at = ? where ${dialect.among('connection_id')}`, takenUntil, ids(taken))
  if (idle.length > 0) yield* run(`update health set due_at = null where ${dialect.among('connection_id')}`, ids(idle))
  yield* park(dialect, parked)
  const grants = dialect.oneWriter && taken.length > 0 ? yield* grantsOf(dialect, ids(taken)) : NO_GRANTS
  const withRow = (due: DueConnection): DueConnection => {
    const grant = grants.get(due.connection)
    return grant === undefined ? due : { ...due, row: grant }
  }
  return [...taken.map((due) => withRow(toDue(due, integer(due, 'due_at'), takenUntil))), ...parked.map((due) => toDue(due, integer(due, 'due_at'), null))]
}

function* inTheirWindow(dialect: Dialect, closed: readonly Row[], parking: readonly Parking[]): Program<ReadonlySet<unknown>> {
  if (closed.length === 0) return new Set()
  const windows = new Map(parking.map(({ integration, windowMs }) => [integration as unknown, windowMs]))
  const ids = JSON.stringify(closed.map((due) => due.connection_id))
  const suspects = yield* rows(
    `select connection_id, now_ms() - suspect_at as age from credential where ${dialect.among('connection_id')} and suspect_at is not null`,
    ids,
  )
  const ages = new Map(suspects.map((suspect) => [suspect.connection_id, integer(suspect, 'age')]))
  const running = closed.filter((due) => (ages.get(due.connection_id) ?? Number.POSITIVE_INFINITY) < (windows.get(due.integration_id) ?? 0))
  return new Set(running.map((due) => due.connection_id))
}

const NO_GRANTS: ReadonlyMap<ConnectionId, GrantRow> = new Map()

/** Read with what is taken: on one connection a statement for all is cheaper than one for each. */
function* grantsOf(dialect: Dialect, ids: string): Program<ReadonlyMap<ConnectionId, GrantRow>> {
  const found = yield* rows(`select ${GRANT_COLUMNS} from ${GRANT_TABLES} where ${dialect.among('k.id')}`, ids)
  return new Map(found.map(toGrantRow).map((grant) => [grant.connection.id, grant]))
}

const ACTIVE = "connection_id in (select id from connection where id = ? and state = 'active')"

export function* markReads(marks: readonly ReadMark[]): Program<void> {
  const ordered = [...marks].sort((left, right) => (left.connection < right.connection ? -1 : 1))
  for (const mark of ordered) {
    yield* run('update health set last_read_at = ? where connection_id = ? and coalesce(last_read_at, 0) < ?', mark.at, mark.connection, mark.at)
    if (mark.dueAt === null) continue
    yield* run(`update health set due_at = ? where coalesce(due_at, ?) >= ? and ${ACTIVE}`, mark.dueAt, mark.dueAt, mark.dueAt, mark.connection)
  }
}

export function* reschedule({ connection, takenUntil }: Pick<DueConnection, 'connection' | 'takenUntil'>, dueAt: Instant | null): Program<void> {
  yield* run(`update health set due_at = ? where due_at is not distinct from ? and ${ACTIVE}`, dueAt, takenUntil, connection)
}

export function* cutAnswers(dialect: Dialect, olderThan: Instant, limit: number): Program<number> {
  const old = yield* rows(
    'select intent_id from answer where applied = 1 and body is not null and received_at < ? order by received_at limit ?',
    olderThan,
    limit,
  )
  return yield* run(`update answer set body = null where ${dialect.among('intent_id')}`, JSON.stringify(old.map((found) => found.intent_id)))
}
