import type { Instant } from '../../core/time.ts'
import { type Dialect, type Program, rows, run } from './program.ts'
import { integer, text } from './rows.ts'

/**
 * Tokens that were replaced long ago. The floor says that they were here: shown again they are old, and not ahead of a restored database. The one before a newest
 * token that nobody was seen with stays: its holder may never have had an answer.
 */
export function* purgeTokens(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const found = yield* rows(
    `select t.id, t.installation_id, t.generation from sdk_token t
     join installation i on i.id = t.installation_id join sdk_token h on h.id = i.head_id
     where t.superseded_at is not null and t.superseded_at < ? and t.id <> h.id and (h.activated_at is not null or h.parent_id is null or h.parent_id <> t.id)
     order by t.superseded_at limit ? ${dialect.skipLocked('i')}`,
    before,
    limit,
  )
  if (found.length === 0) return 0
  const floors = new Map<string, number>()
  for (const one of found) {
    const id = text(one, 'installation_id')
    floors.set(id, Math.max(floors.get(id) ?? 0, integer(one, 'generation') + 1))
  }
  for (const [id, floor] of floors) yield* run('update installation set floor_generation = ? where id = ? and floor_generation < ?', floor, id, floor)
  return yield* run(`delete from sdk_token where ${dialect.among('id')}`, JSON.stringify(found.map((one) => text(one, 'id'))))
}

/** What was stopped keeps its workload out, and stays. What hangs on an installation goes with it, by the database's own cascade; events and counted uses stay. */
export function* forgetEnded(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const ended = yield* rows(
    `select i.id from installation i where i.enrolled_via = 'workload' and i.expires_at is not null and i.expires_at < ?
       and (i.stopped_by is null or i.status not in ('retired', 'locked'))
     order by i.expires_at limit ? ${dialect.skipLocked('i')}`,
    before,
    limit,
  )
  if (ended.length === 0) return 0
  return yield* run(`delete from installation where ${dialect.among('id')}`, JSON.stringify(ended.map((one) => text(one, 'id'))))
}
