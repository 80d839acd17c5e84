import type { EventId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { type Dialect, type Program, row, rows, run } from './program.ts'
import { text } from './rows.ts'

/** Only what was cut before: bytes and facts do not go in one step. */
export function* forgetAnswers(dialect: Dialect, olderThan: Instant, limit: number): Program<number> {
  const old = yield* rows(
    `select a.intent_id from answer a where a.applied = 1 and a.body is null and a.received_at < ? order by a.received_at limit ? ${dialect.skipLocked('a')}`,
    olderThan,
    limit,
  )
  if (old.length === 0) return 0
  return yield* run(`delete from answer where ${dialect.among('intent_id')}`, JSON.stringify(old.map((found) => found.intent_id)))
}

/**
 * Walks the events of one organization once, oldest first, and remembers how far it came: what stays is not looked at
 * again. A row of its own serializes nodes that do this at the same time.
 */
export function* forgetRefreshes(dialect: Dialect, organization: OrganizationId, before: EventId, limit: number): Program<number> {
  yield* run("insert into event_retention (organization_id, looked_through) values (?, '') on conflict do nothing", organization)
  const place = yield* row(`select r.looked_through from event_retention r where r.organization_id = ? ${dialect.forUpdate('r')}`, organization)
  if (place === undefined) return 0
  const seen = yield* rows(
    'select id, type from event where organization_id = ? and id > ? and id < ? order by id limit ?',
    organization,
    text(place, 'looked_through'),
    before,
    limit,
  )
  const last = seen.at(-1)
  if (last === undefined) return 0
  const routine = seen.filter((event) => event.type === 'connection.refreshed').map((event) => event.id)
  yield* run(`delete from event where organization_id = ? and ${dialect.among('id')}`, organization, JSON.stringify(routine))
  yield* run('update event_retention set looked_through = ? where organization_id = ?', text(last, 'id'), organization)
  return seen.length
}
