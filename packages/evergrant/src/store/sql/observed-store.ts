import type { BulkId, ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { BulkAction, Observed, ProgramCounts, Setup } from '../../core/observe/observed.ts'
import type { Instant } from '../../core/time.ts'
import { searchConnections } from './connection-search.ts'
import { endingBefore, expiries, tally } from './connection-tally.ts'
import { countEvents, eventsOfTypes, eventsSince, searchEvents } from './event-search.ts'
import { foldHistory, forgetHistory, history, notified, reconnects, writeHistory } from './history-store.ts'
import { type Database, type Dialect, type Program, row, rows, run } from './program.ts'
import { integer, integerOrNull, json, text, textOrNull } from './rows.ts'

function* setup(organization: OrganizationId): Program<Setup> {
  const found = yield* row(
    `select exists (select 1 from integration where organization_id = ?) as integration,
       exists (select 1 from connection where organization_id = ?) as connection,
       exists (select 1 from event where organization_id = ? and type = 'connection.reconnected' and type <> 'connection.refreshed') as reconnect`,
    organization,
    organization,
    organization,
  )
  // Newest first, and no further than a glance: who has refreshed at all has done so lately.
  const refresh = yield* row(
    "select 1 as one from (select type from event where organization_id = ? order by id desc limit 10000) e where e.type = 'connection.refreshed' limit 1",
    organization,
  )
  const is = (name: string): boolean => found !== undefined && Boolean(found[name])
  return { hasIntegration: is('integration'), hasConnection: is('connection'), hasRefresh: refresh !== undefined, hasReconnect: is('reconnect') }
}

function* programs(organization: OrganizationId, healedSince: Instant): Program<ProgramCounts> {
  const found = yield* row(
    `select (select count(*) from agent where organization_id = ? and status <> 'revoked') as agents,
       (select count(*) from installation where organization_id = ? and status <> 'retired') as installations,
       (select count(*) from installation where organization_id = ? and status = 'locked') as locked,
       (select count(*) from installation where organization_id = ? and last_recovery_at is not null and last_recovery_at >= ?) as healed`,
    organization,
    organization,
    organization,
    organization,
    healedSince,
  )
  const count = (name: string): number => (found === undefined ? 0 : integer(found, name))
  return { agents: count('agents'), installations: count('installations'), locked: count('locked'), healed: count('healed') }
}

function* keepBulk({ id, organization, action, tag, connections, at, undoUntil, undoneAt }: BulkAction): Program<void> {
  yield* run(
    `insert into bulk_action (id, organization_id, action, tag, connections, at, undo_until, undone_at) values (?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set connections = excluded.connections`,
    id,
    organization,
    action,
    tag,
    JSON.stringify(connections),
    at,
    undoUntil,
    undoneAt,
  )
}

function* bulk(organization: OrganizationId, id: BulkId): Program<BulkAction | undefined> {
  const found = yield* row('select * from bulk_action where id = ? and organization_id = ?', id, organization)
  if (found === undefined) return undefined
  return {
    id: text(found, 'id') as BulkId,
    organization: text(found, 'organization_id') as OrganizationId,
    action: text(found, 'action'),
    tag: textOrNull(found, 'tag'),
    connections: json<readonly ConnectionId[]>(found, 'connections'),
    at: integer(found, 'at'),
    undoUntil: integer(found, 'undo_until'),
    undoneAt: integerOrNull(found, 'undone_at'),
  }
}

function* markUndone(organization: OrganizationId, id: BulkId, at: Instant): Program<boolean> {
  return (yield* run('update bulk_action set undone_at = ? where id = ? and organization_id = ? and undone_at is null', at, id, organization)) === 1
}

function* forgetBulks(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select id from bulk_action where at < ? order by at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from bulk_action where ${dialect.among('id')}`, JSON.stringify(old.map((found) => found.id)))
}

export function observedStore(database: Database): Observed {
  const { dialect } = database
  return {
    connections: (organization, search, sort, page) => database.read(() => searchConnections(dialect, organization, search, sort, page)),
    tally: (organization, search) => database.read(() => tally(dialect, organization, search)),
    endingBefore: (organization, from, instants) => database.read(() => endingBefore(organization, from, instants)),
    expiries: (organization, what, span, bucketMs) => database.read(() => expiries(organization, what, span, bucketMs)),
    events: (organization, query, page) => database.read(() => searchEvents(dialect, organization, query, page)),
    eventsSince: (organization, after, limit) => database.read(() => eventsSince(organization, after, limit)),
    eventsOfTypes: (organization, types, limit) => database.read(() => eventsOfTypes(organization, types, limit)),
    countEvents: (organization, types, from, to) => database.read(() => countEvents(organization, types, from, to)),
    reconnects: (organization, from, to, limit) => database.read(() => reconnects(organization, from, to, limit)),
    notified: (organization, from, to) => database.read(() => notified(organization, from, to)),
    setup: (organization) => database.read(() => setup(organization)),
    programs: (organization, healedSince) => database.read(() => programs(organization, healedSince)),
    writeHistory: (given, notBefore) => (given.length === 0 ? Promise.resolve() : database.write(() => writeHistory(given, notBefore), { repeatable: true })),
    foldHistory: (before) => database.write(() => foldHistory(dialect, before)),
    history: (organization, from, to) => database.read(() => history(organization, from, to)),
    forgetHistory: (before, limit) => database.write(() => forgetHistory(before, limit), { repeatable: true }),
    keepBulk: (action) => database.write(() => keepBulk(action), { repeatable: true }),
    bulk: (organization, id) => database.read(() => bulk(organization, id)),
    markUndone: (organization, id, at) => database.write(() => markUndone(organization, id, at)),
    forgetBulks: (before, limit) => database.write(() => forgetBulks(dialect, before, limit), { repeatable: true }),
  }
}
