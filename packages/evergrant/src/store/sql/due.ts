import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { DueConnection, ReadMark } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { type Dialect, type Program, rows, run } from './program.ts'
import { integer, text } from './rows.ts'

/** Walks the due index from its oldest end; its cost is the limit's, whatever the number of connections. */
export function dueQuery(dialect: Dialect): string {
  return `select h.connection_id, h.due_at, k.organization_id, k.state from health h join connection k on k.id = h.connection_id
    where h.due_at <= (select now_ms()) order by h.due_at limit ? ${dialect.skipLocked('h')}`
}

export function* takeDue(dialect: Dialect, limit: number, visibilityMs: number): Program<readonly DueConnection[]> {
  const found = yield* rows(dueQuery(dialect), limit)
  if (found.length === 0) return []
  const active = found.filter((due) => due.state === 'active')
  const ids = (some: typeof found) => JSON.stringify(some.map((due) => due.connection_id))
  yield* run(`update health set due_at = now_ms() + ? where ${dialect.among('connection_id')}`, visibilityMs, ids(active))
  if (active.length < found.length) {
    yield* run(`update health set due_at = null where ${dialect.among('connection_id')}`, ids(found.filter((due) => due.state !== 'active')))
  }
  return active.map((due) => ({
    connection: text(due, 'connection_id') as ConnectionId,
    organization: text(due, 'organization_id') as OrganizationId,
    dueAt: integer(due, 'due_at'),
  }))
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

export function* reschedule(connection: ConnectionId, dueAt: Instant | null): Program<void> {
  yield* run(`update health set due_at = ? where ${ACTIVE}`, dueAt, connection)
}

export function* cutAnswers(dialect: Dialect, olderThan: Instant, limit: number): Program<number> {
  const old = yield* rows(
    'select intent_id from answer where applied = 1 and body is not null and received_at < ? order by received_at limit ?',
    olderThan,
    limit,
  )
  return yield* run(`update answer set body = null where ${dialect.among('intent_id')}`, JSON.stringify(old.map((found) => found.intent_id)))
}
