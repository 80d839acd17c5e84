import type { ConnectionStatus } from '../../core/connection/connection.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import type { OrganizationId } from '../../core/ids.ts'
import { type ConnectionSearch, type ConnectionSort, type Span, STATUS_ORDER } from '../../core/observe/connection-search.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import { IN_TROUBLE, STATUS, TROUBLED } from './connection-status.ts'
import { limitOf } from './paging.ts'
import { type Dialect, type Program, type Row, rows, type SqlValue } from './program.ts'
import { GRANT_COLUMNS, GRANT_TABLES, text, toGrantRow } from './rows.ts'
import { type Place, placeOf, toCursor } from './search-cursor.ts'
import { type Ids, RENEWED_IN_TIME, spanOf, type Where, whereOf } from './search-where.ts'

type Key = string | number | null

/** A stretch of the list: within it one key decides, or the id alone. Stretches follow one another. */
interface Stretch {
  readonly statuses: readonly (ConnectionStatus | undefined)[]
  /** The column of `health` that decides: those that have it, or those that have none. */
  readonly instant: { readonly column: string; readonly known: boolean; readonly span: Span | undefined } | null
  /** Orders by what is shown as the account. */
  readonly shown: boolean
  /** The order is by another thing than the id: those that are alike in it are the newest first. */
  readonly newestFirst: boolean
}

/** A page of the search, in any order, by keys: what comes before it is never read again. */
export function* searchConnections(
  dialect: Dialect,
  organization: OrganizationId,
  search: ConnectionSearch,
  sort: ConnectionSort,
  page: PageRequest,
): Program<Page<GrantRow>> {
  const limit = limitOf(page)
  const place = placeOf(sort, page.cursor)
  const aside = sort.by === 'expires' ? 'ends' : sort.by === 'next' ? 'renews' : null
  const where = yield* whereOf(dialect, organization, search, aside)
  const stretches = stretchesOf(search, sort)
  const found: { readonly stretch: number; readonly id: string; readonly key: Key }[] = []
  for (let index = place?.stretch ?? 0; index < stretches.length && found.length <= limit; index += 1) {
    const stretch = stretches[index]
    if (stretch === undefined) break
    const after = place !== null && place.stretch === index ? place : null
    const some = yield* keysOf(dialect, where, stretch, sort.down, after, limit + 1 - found.length)
    found.push(...some.map((row) => ({ stretch: index, ...row })))
  }
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const items = yield* grantRows(
    dialect,
    shown.map(({ id }) => id),
  )
  return { items, cursor: found.length > limit && last !== undefined ? toCursor(sort, last) : null }
}

function stretchesOf({ statuses, ends, renews }: ConnectionSearch, { by, down }: ConnectionSort): readonly Stretch[] {
  const any = statuses ?? [undefined]
  const byInstant = (column: string, span: Span | undefined): readonly Stretch[] => [
    { statuses: any, instant: { column, known: true, span }, shown: false, newestFirst: false },
    ...(span === undefined ? [{ statuses: any, instant: { column, known: false, span }, shown: false, newestFirst: true }] : []),
  ]
  switch (by) {
    case 'created':
      return [{ statuses: any, instant: null, shown: false, newestFirst: false }]
    case 'account':
      return [{ statuses: any, instant: null, shown: true, newestFirst: false }]
    case 'status': {
      const order = STATUS_ORDER.filter((status) => statuses === undefined || statuses.includes(status))
      return (down ? order.toReversed() : order).map((status) => ({ statuses: [status], instant: null, shown: false, newestFirst: true }))
    }
    case 'expires':
      return byInstant('ends_at', ends)
    case 'next':
      return byInstant('due_at', renews)
    case 'last_success':
      return byInstant('last_refreshed_at', undefined)
  }
}

interface Found {
  readonly id: string
  readonly key: Key
}

/** Each status has its own best way to be found; several are merged. */
function* keysOf(dialect: Dialect, where: Where, stretch: Stretch, down: boolean, after: Place | null, limit: number): Program<readonly Found[]> {
  const turned = stretch.newestFirst || down
  const all: Found[] = []
  for (const status of stretch.statuses) {
    const wanted = { stretch, status, down: turned, after, limit }
    const near = mayGlimpse(where, stretch) ? yield* nearby(dialect, where, wanted) : null
    const some = near ?? (yield* leg(dialect, where, wanted))
    all.push(...some.map((row) => toFound(row, stretch.instant !== null)))
  }
  if (stretch.statuses.length > 1) all.sort((left, right) => (turned ? -1 : 1) * (compare(left.key, right.key) || compare(left.id, right.id)))
  return all.slice(0, limit)
}

/**
 * No index is in the order of the last success, since every renewal would have to write it; and where a text is asked for that many begin with, PostgreSQL
 * would rather join and sort everything than walk an order whose first hits it cannot foresee.
 */
function mayGlimpse({ selective, broad }: Where, { instant, statuses }: Stretch): boolean {
  const walked = statuses.every((status) => status === undefined || status === 'active')
  return instant !== null && (instant.column === UNORDERED || broad !== null) && instant.known && walked && !selective
}

/** What is found among the next ones in the order of `health`, a few at a time; null when they are not enough and everything has to be looked at. */
function* nearby(dialect: Dialect, where: Where, wanted: Leg): Program<readonly Row[] | null> {
  const { instant } = wanted.stretch
  if (instant === null || instant.column === UNORDERED) {
    const some = yield* leg(dialect, where, { ...wanted, ahead: { count: AHEAD } })
    return some.length === wanted.limit ? some : null
  }
  const found: Row[] = []
  let { after } = wanted
  const key = `h.${instant.column}`
  for (const ahead of windows(where.broad)) {
    found.push(...(yield* leg(dialect, where, { ...wanted, after, limit: wanted.limit - found.length, ahead })))
    if (found.length === wanted.limit) return found
    const next = inOrder(key, wanted.down, after, ahead.among)
    const [last] = yield* rows(`select h.connection_id as page_id, ${key} as sort_key ${next.sql} limit 1 offset ${ahead.count - 1}`, ...next.params)
    if (last === undefined) return found
    after = { stretch: after?.stretch ?? 0, ...toFound(last, true) }
  }
  return null
}

/** Where a text is asked for, and the next ones of everybody were not enough, the next ones of those that begin with it. */
function windows(broad: Ids | null): readonly Window[] {
  const ofAll = WINDOWS.map((count) => ({ count }))
  return broad === null ? ofAll : [...ofAll, ...WINDOWS_AMONG.map((count) => ({ count, among: broad }))]
}

function inOrder(key: string, down: boolean, after: Place | null, among: Ids | undefined): Ids {
  const [beyond, way] = down ? ['<', 'desc'] : ['>', 'asc']
  const from = typeof after?.key === 'number' ? { at: after.key, id: after.id } : null
  const place = from === null ? '' : ` and ${key} ${beyond}= ? and (${key} ${beyond} ? or h.connection_id ${beyond} ?)`
  const chosen = among === undefined ? '' : ` and h.connection_id in (${among.sql})`
  return {
    sql: `from health h where ${key} is not null${place}${chosen} order by ${key} ${way}, h.connection_id ${way}`,
    params: [...(from === null ? [] : [from.at, from.at, from.id]), ...(among?.params ?? [])],
  }
}

/** PostgreSQL gives an instant as text. */
function toFound(row: Row, numeric: boolean): Found {
  const key = row.sort_key
  return { id: text(row, 'page_id'), key: key === null ? null : numeric ? Number(key) : String(key) }
}

function compare(left: Key, right: Key): number {
  if (left === right || left === null || right === null) return 0
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)))
}

interface Leg {
  readonly stretch: Stretch
  readonly status: ConnectionStatus | undefined
  readonly down: boolean
  readonly after: Place | null
  readonly limit: number
  readonly ahead?: Window
}

/** The next so many in the order of `health` are cut off first, and only they are looked up: whosever they are, or of those that are `among` these. */
interface Window {
  readonly count: number
  readonly among?: Ids
}

/** The one order that no index has. */
const UNORDERED = 'last_refreshed_at'

/** Most of the next ones are of whoever asks, where they have most connections: else all are looked up after all. */
const AHEAD = 2_000
/** So few that looking each up by its id is certainly cheaper than reading every connection. */
const WINDOWS = [250, 500, 1_000]
/** After all of them nearly everything that begins with the text is something else than what is asked for, and everything is looked at. */
const WINDOWS_AMONG = [1_000, 4_000]

function* leg(dialect: Dialect, where: Where, { stretch, status, down, after, limit, ahead }: Leg): Program<readonly Row[]> {
  const { instant, shown } = stretch
  const look = lookFor(status, instant !== null, instant?.known === true && !where.selective)
  const conditions = [...look.conditions, ...where.conditions]
  const key = instant?.known === true ? `h.${instant.column}` : shown ? dialect.folded("coalesce(k.account_label, k.account, '')") : null
  const near = ahead === undefined ? null : cutOff(key ?? '', down, after, ahead)
  const params: SqlValue[] = [...(near?.params ?? []), ...where.params]
  if (instant !== null) {
    const span = spanOf(`h.${instant.column}`, instant.span ?? { from: null, to: null })
    conditions.push(`h.${instant.column} is ${instant.known ? 'not null' : 'null'}${span.sql}`)
    params.push(...span.params)
    if (instant.column === 'due_at' && instant.span !== undefined) conditions.push(RENEWED_IN_TIME)
  }
  if (look.is !== null) {
    conditions.push(look.is)
    params.push(status ?? null)
  }
  const [beyond, way] = down ? ['<', 'desc'] : ['>', 'asc']
  if (after !== null && key === null) {
    conditions.push(`k.id ${beyond} ?`)
    params.push(after.id)
  } else if (after !== null && after.key !== null) {
    conditions.push(`${key} ${beyond}= ? and (${key} ${beyond} ? or k.id ${beyond} ?)`)
    params.push(after.key, after.key, after.id)
  }
  const order = key === null ? `k.id ${way}` : `${key} ${way}, k.id ${way}`
  if (ahead !== undefined && instant?.column === UNORDERED) conditions.push('h.connection_id = ahead.connection_id')
  const from = near === null ? look.from : look.from.replace('health h', near.sql)
  return yield* rows(
    `select k.id as page_id, ${key ?? 'null'} as sort_key from ${from} where ${conditions.join(' and ')} order by ${order} limit ?`,
    ...params,
    limit,
  )
}

function cutOff(key: string, down: boolean, after: Place | null, { count, among }: Window): Ids {
  const { sql, params } = inOrder(key, down, after, among)
  const next = `${sql} limit ${count}`
  if (key !== `h.${UNORDERED}`) return { sql: `(select h.* ${next}) h`, params }
  // Only what decides is sorted; the whole row is looked up again for the few that are left.
  return { sql: `(select h.connection_id ${next}) ahead cross join health h`, params }
}

interface Look {
  readonly from: string
  readonly conditions: readonly string[]
  readonly is: string | null
}

const OF_HEALTH = 'h.connection_id = k.id'
const OF_CREDENTIAL = 'd.connection_id = k.id'

/** Where to look for one status. `byHealth`: `health` decides the order, and is walked in it. */
function lookFor(status: ConnectionStatus | undefined, withHealth: boolean, byHealth: boolean): Look {
  const health = withHealth ? [OF_HEALTH] : []
  const pair = byHealth ? 'health h cross join connection k' : `connection k${withHealth ? ' cross join health h' : ''}`
  switch (status) {
    case undefined:
      return { from: pair, conditions: health, is: null }
    case 'needs_reauth':
    case 'paused':
    case 'disconnected':
      return { from: `connection k${withHealth ? ' cross join health h' : ''}`, conditions: ["k.state <> 'active'", ...health], is: 'k.state = ?' }
    case 'degraded':
      return { from: TROUBLED, conditions: [IN_TROUBLE], is: `${STATUS} = ?` }
    case 'blocked':
      return {
        from: `integration i cross join connection k${withHealth ? ' cross join health h' : ''}`,
        conditions: ["i.blocked is not null and k.integration_id = i.id and k.organization_id = i.organization_id and k.state = 'active'", ...health],
        is: "'blocked' = ?",
      }
    case 'active':
      return {
        from: `${byHealth ? pair : 'connection k cross join health h'} cross join credential d cross join integration i`,
        conditions: [`k.state = 'active' and ${OF_HEALTH} and ${OF_CREDENTIAL} and i.id = k.integration_id`],
        is: `${STATUS} = ?`,
      }
  }
}

/** The rows of these ids, in their order. */
function* grantRows(dialect: Dialect, ids: readonly string[]): Program<readonly GrantRow[]> {
  if (ids.length === 0) return []
  const found = yield* rows(`select ${GRANT_COLUMNS} from ${GRANT_TABLES} where ${dialect.among('k.id')}`, JSON.stringify(ids))
  const byId = new Map(found.map((row) => [text(row, 'id'), row]))
  return ids.flatMap((id) => {
    const row = byId.get(id)
    return row === undefined ? [] : [toGrantRow(row)]
  })
}
