import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { DueConnection, TakenParked } from '../../core/refresh/credentials.ts'
import { type Dialect, type Program, type Row, rows, run } from './program.ts'
import { integer, text } from './rows.ts'

/** Whoever was read within a day comes before everybody who was not: an instant long before any hard expiry. */
const READ_FIRST_MS = 100 * 365 * 86_400_000
const DAY_MS = 86_400_000

const idsOf = (some: readonly Row[]): string => JSON.stringify(some.map((found) => found.connection_id))

/** Takes due connections out of the queue until their integration can be asked again. */
export function* park(dialect: Dialect, found: readonly Row[]): Program<void> {
  if (found.length === 0) return
  yield* run(
    `insert into parked (connection_id, integration_id, rank)
     select h.connection_id, k.integration_id, coalesce(c.hard_at, h.due_at, 0) - case when h.last_read_at >= (select now_ms()) - ${DAY_MS} then ${READ_FIRST_MS} else 0 end
     from health h join connection k on k.id = h.connection_id join credential c on c.connection_id = h.connection_id
     where ${dialect.among('h.connection_id')}
     on conflict (connection_id) do update set integration_id = excluded.integration_id, rank = excluded.rank`,
    idsOf(found),
  )
  yield* run(`update health set due_at = null where ${dialect.among('connection_id')}`, idsOf(found))
}

/** In order of rank. Who was served or paused meanwhile has a due time of its own, or none to have, and only leaves. */
export function* takeParked(dialect: Dialect, integration: IntegrationId, limit: number, visibilityMs: number): Program<TakenParked> {
  const found = yield* rows(
    `select p.connection_id, k.organization_id, k.integration_id, k.state, h.due_at, (select now_ms()) as now
     from parked p join connection k on k.id = p.connection_id join health h on h.connection_id = p.connection_id
     where p.integration_id = ? order by p.rank limit ? ${dialect.skipLocked('p')}`,
    integration,
    limit,
  )
  if (found.length === 0) return { taken: [], found: 0 }
  const ready = found.filter((parked) => parked.state === 'active' && parked.due_at === null)
  yield* run(`delete from parked where ${dialect.among('connection_id')}`, idsOf(found))
  const takenUntil = integer(found[0] as Row, 'now') + visibilityMs
  if (ready.length > 0) yield* run(`update health set due_at = ? where ${dialect.among('connection_id')} and due_at is null`, takenUntil, idsOf(ready))
  return { taken: ready.map((parked) => toDue(parked, integer(parked, 'now'), takenUntil)), found: found.length }
}

/** Skips from integration to integration, whatever is parked behind each. */
export function* parkedIntegrations(): Program<readonly IntegrationId[]> {
  const found = yield* rows(
    `with recursive i (id) as (
       select min(integration_id) from parked
       union all select (select min(p.integration_id) from parked p where p.integration_id > i.id) from i where i.id is not null
     ) select id from i where id is not null`,
  )
  return found.map((parked) => text(parked, 'id') as IntegrationId)
}

/** Without `takenUntil`, it was parked. */
export function toDue(found: Row, dueAt: number, takenUntil: number | null): DueConnection {
  return {
    connection: text(found, 'connection_id') as ConnectionId,
    organization: text(found, 'organization_id') as OrganizationId,
    integration: text(found, 'integration_id') as IntegrationId,
    dueAt,
    takenUntil,
    parked: takenUntil === null,
  }
}
