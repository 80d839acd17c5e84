import type { Actor } from '../../core/audit/event.ts'
import { idFrom, type OrganizationId, type SweepId } from '../../core/ids.ts'
import type { Operations, Sweep, SweepProgress } from '../../core/operate/operations.ts'
import { append } from './event-rows.ts'
import { type Database, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, json, text } from './rows.ts'
import { sealedSlice } from './sealed-values.ts'
import { workload } from './workload.ts'

const SWEEP = 'id, organization_id, started_by, started_at, due, progress, finished_at'

function toSweep(found: Row): Sweep {
  return {
    id: text(found, 'id') as SweepId,
    organization: text(found, 'organization_id') as OrganizationId,
    startedBy: json<Actor>(found, 'started_by'),
    startedAt: integer(found, 'started_at'),
    due: integer(found, 'due'),
    progress: json<SweepProgress>(found, 'progress'),
    finishedAt: integerOrNull(found, 'finished_at'),
  }
}

/** What is due of one organization. Its cost is that of everything due, on any organization. */
const DUE = `select count(*) as due from health h join connection k on k.id = h.connection_id
  where h.due_at <= ? and k.organization_id = ? and k.state = 'active'`
const LEASED = `select count(*) as leased from health h join connection k on k.id = h.connection_id
  where h.leased_by is not null and k.organization_id = ?`

function* count(sql: string, column: string, ...params: readonly (string | number)[]): Program<number> {
  const found = yield* row(sql, ...params)
  return found === undefined ? 0 : integer(found, column)
}

function* startSweep(...[sweep, event]: Parameters<Operations['startSweep']>): Program<Sweep> {
  const { id, organization, startedBy, startedAt } = sweep
  const due = yield* count(DUE, 'due', startedAt, organization)
  const progress: SweepProgress = { remaining: due, refreshed: 0, failed: 0, needsOwner: 0 }
  yield* run(
    `insert into sweep (${SWEEP}) values (?, ?, ?, ?, ?, ?, null)`,
    id,
    organization,
    JSON.stringify(startedBy),
    startedAt,
    due,
    JSON.stringify(progress),
  )
  yield* append({ ...event, data: { ...event.data, due } })
  return { ...sweep, due, progress, finishedAt: null }
}

const COUNTED = { 'connection.refreshed': 'refreshed', 'connection.refresh_failed': 'failed', 'connection.needs_reauth': 'needsOwner' } as const

function* measureSweep({ id, organization, startedAt }: Sweep): Program<SweepProgress> {
  const due = yield* count(DUE, 'due', startedAt, organization)
  const leased = yield* count(LEASED, 'leased', organization)
  const found = yield* rows(
    `select type, count(*) as happened from event where organization_id = ? and id >= ? and type in ('connection.refreshed', 'connection.refresh_failed', 'connection.needs_reauth') group by type`,
    organization,
    idFrom('evt', startedAt),
  )
  const progress = { remaining: due + leased, refreshed: 0, failed: 0, needsOwner: 0 }
  for (const one of found) {
    const name = COUNTED[text(one, 'type') as keyof typeof COUNTED]
    if (name !== undefined) progress[name] = integer(one, 'happened')
  }
  yield* run('update sweep set progress = ? where id = ? and finished_at is null', JSON.stringify(progress), id)
  return progress
}

function* finishSweep(...[sweep, at, event]: Parameters<Operations['finishSweep']>): Program<boolean> {
  if ((yield* run('update sweep set finished_at = ? where id = ? and finished_at is null', at, sweep.id)) === 0) return false
  yield* append(event)
  return true
}

function* list(organization: OrganizationId, limit: number): Program<readonly Sweep[]> {
  return (yield* rows(`select ${SWEEP} from sweep where organization_id = ? order by id desc limit ?`, organization, limit)).map(toSweep)
}

function* one(organization: OrganizationId, id: SweepId): Program<Sweep | undefined> {
  const found = yield* row(`select ${SWEEP} from sweep where organization_id = ? and id = ?`, organization, id)
  return found === undefined ? undefined : toSweep(found)
}

function* open(limit: number): Program<readonly Sweep[]> {
  return (yield* rows(`select ${SWEEP} from sweep where finished_at is null order by id limit ?`, limit)).map(toSweep)
}

export function operationsStore(database: Database): Operations {
  return {
    workload: () => database.read(workload),
    startSweep: (sweep, event) => database.write(() => startSweep(sweep, event)),
    sweeps: (organization, limit) => database.read(() => list(organization, limit)),
    sweep: (organization, id) => database.read(() => one(organization, id)),
    openSweeps: (limit) => database.read(() => open(limit)),
    measureSweep: (sweep) => database.write(() => measureSweep(sweep), { repeatable: true }),
    finishSweep: (sweep, at, event) => database.write(() => finishSweep(sweep, at, event)),
    forgetSweeps: (before, limit) =>
      database.write(() => run('delete from sweep where id in (select id from sweep where finished_at < ? order by finished_at limit ?)', before, limit)),
    sealedSlice: (cursor) => database.read(() => sealedSlice(cursor)),
  }
}
