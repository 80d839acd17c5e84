import { type ConnectionId, idFrom, type OrganizationId } from '../../core/ids.ts'
import type { HistoryRow, Reconnect } from '../../core/observe/observed.ts'
import { HOUR, type Instant } from '../../core/time.ts'
import { type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, json, text } from './rows.ts'

/** Whom hours are added up under. */
const FOLDED = ''

function toHistory(found: Row): HistoryRow {
  return {
    organization: text(found, 'organization_id') as OrganizationId,
    hour: integer(found, 'hour'),
    provider: text(found, 'provider'),
    node: text(found, 'node'),
    counts: json<Readonly<Record<string, number>>>(found, 'counts'),
  }
}

const keyOf = ({ organization, hour, provider, node }: HistoryRow): string => `${organization} ${hour} ${provider} ${node}`

/** In one order on every node, so that two that write the same rows wait for each other and never for ever. */
export function* writeHistory(given: readonly HistoryRow[], notBefore: Instant): Program<void> {
  for (const one of [...given].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))) {
    if (one.hour >= notBefore) yield* put(one)
  }
}

function* put({ organization, hour, provider, node, counts }: HistoryRow): Program<void> {
  yield* run(
    `insert into history_hour (organization_id, hour, provider, node, counts) values (?, ?, ?, ?, ?)
     on conflict (organization_id, hour, provider, node) do update set counts = excluded.counts`,
    organization,
    hour,
    provider,
    node,
    JSON.stringify(counts),
  )
}

/** Rows of starts are named `start <name>`. One hour a call; nobody writes to it any more. */
export function* foldHistory(dialect: Dialect, before: Instant): Program<boolean> {
  const oldest = yield* row("select min(hour) as hour from history_hour where hour < ? and node >= 'start ' and node < 'start!'", before)
  const hour = oldest === undefined ? null : integerOrNull(oldest, 'hour')
  if (hour === null) return false
  // Two nodes that fold at the same time: the second finds nothing left to delete, and adds nothing.
  const found = (yield* rows(
    "select * from history_hour where hour = ? and node >= 'start ' and node < 'start!' order by organization_id, provider, node",
    hour,
  )).map(toHistory)
  for (const one of found) {
    const gone = yield* run(
      'delete from history_hour where organization_id = ? and hour = ? and provider = ? and node = ?',
      one.organization,
      one.hour,
      one.provider,
      one.node,
    )
    if (gone === 0) continue
    yield* run(
      "insert into history_hour (organization_id, hour, provider, node, counts) values (?, ?, ?, '', '{}') on conflict do nothing",
      one.organization,
      one.hour,
      one.provider,
    )
    const sum = yield* row(
      `select h.* from history_hour h where h.organization_id = ? and h.hour = ? and h.provider = ? and h.node = ? ${dialect.forUpdate('h')}`,
      one.organization,
      one.hour,
      one.provider,
      FOLDED,
    )
    const counted = sum === undefined ? {} : toHistory(sum).counts
    yield* put({ ...one, node: FOLDED, counts: added(counted, one.counts) })
  }
  return true
}

function added(left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...left }
  for (const [name, value] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + value
  return sum
}

export function* history(organization: OrganizationId, from: Instant, to: Instant): Program<readonly HistoryRow[]> {
  const found = yield* rows(
    'select * from history_hour where organization_id = ? and hour >= ? and hour < ? order by hour, provider, node',
    organization,
    from,
    to,
  )
  return found.map(toHistory)
}

export function* forgetHistory(before: Instant, limit: number): Program<number> {
  const found = yield* row('select count(*) as n from (select hour from history_hour where hour < ? order by hour limit ?) old', before, limit)
  if (found === undefined || integer(found, 'n') === 0) return 0
  const last = yield* row('select max(hour) as hour from (select hour from history_hour where hour < ? order by hour limit ?) old', before, limit)
  const through = last === undefined ? null : integerOrNull(last, 'hour')
  return through === null ? 0 : yield* run('delete from history_hour where hour < ? and hour < ?', before, through + HOUR)
}

/** Each repair by the index of its type, and the end before it by the index of its connection. */
export function* reconnects(organization: OrganizationId, from: Instant, to: Instant, limit: number): Program<readonly Reconnect[]> {
  const found = yield* rows(
    `select e.connection_id, e.at, k.state, h.failures,
       (select max(b.at) from event b where b.connection_id = e.connection_id and b.id < e.id and b.type = 'connection.needs_reauth' and b.organization_id = e.organization_id) as broken_at
     from event e join connection k on k.id = e.connection_id join health h on h.connection_id = e.connection_id
     where e.organization_id = ? and e.type = 'connection.reconnected' and e.type <> 'connection.refreshed' and e.id >= ? and e.id < ? order by e.id limit ?`,
    organization,
    idFrom('evt', from),
    idFrom('evt', to),
    limit,
  )
  return found.map((one) => ({
    connection: text(one, 'connection_id') as ConnectionId,
    at: integer(one, 'at'),
    brokenAt: integerOrNull(one, 'broken_at'),
    works: text(one, 'state') === 'active' && integer(one, 'failures') === 0,
  }))
}

/** One connection counts once, however many ways it was told of. */
export function* notified(organization: OrganizationId, from: Instant, to: Instant): Program<number> {
  const found = yield* row(
    `select count(*) as n from (
       select e.connection_id from delivery d cross join event e
       where d.finished_at is not null and d.finished_at >= ? and d.finished_at < ? and d.organization_id = ? and d.type = 'connection.needs_reauth' and d.state = 'delivered'
         and e.organization_id = d.organization_id and e.id = d.event_id
       union
       select e.connection_id from event e
       where e.organization_id = ? and e.type = 'owner.notified' and e.type <> 'connection.refreshed' and e.id >= ? and e.id < ?
     ) told`,
    from,
    to,
    organization,
    organization,
    idFrom('evt', from),
    idFrom('evt', to),
  )
  return found === undefined ? 0 : integer(found, 'n')
}
