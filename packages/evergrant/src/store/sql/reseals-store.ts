import type { Actor, NewEvent } from '../../core/audit/event.ts'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { SealedCursor } from '../../core/operate/operations.ts'
import type { Reseal, ResealStep, Reseals, Swap } from '../../core/operate/reseals.ts'
import { SEALED_PLACES, type SealedPlace } from '../../core/seal/sealed-places.ts'
import type { Instant } from '../../core/time.ts'
import { BytePieces } from './byte-pieces.ts'
import { append } from './event-rows.ts'
import { changed, type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, json, jsonOrNull, text, textOrNull, toJson } from './rows.ts'
import { sealedByOthers } from './sealed-values.ts'

const RESEAL = 'key_id, organization_id, started_by, started_at, total, done, unopened, touched, place, holder, held_until, finished_at'

function toReseal(found: Row): Reseal {
  return {
    key: text(found, 'key_id'),
    organization: text(found, 'organization_id') as OrganizationId,
    startedBy: json<Actor>(found, 'started_by'),
    startedAt: integer(found, 'started_at'),
    total: integerOrNull(found, 'total'),
    done: integer(found, 'done'),
    unopened: integer(found, 'unopened'),
    touched: integer(found, 'touched'),
    cursor: jsonOrNull<SealedCursor>(found, 'place'),
    holder: textOrNull(found, 'holder'),
    heldUntil: integer(found, 'held_until'),
    finishedAt: integerOrNull(found, 'finished_at'),
  }
}

function* latest(): Program<Reseal | undefined> {
  const found = yield* row(`select ${RESEAL} from reseal order by started_at desc, key_id limit 1`)
  return found === undefined ? undefined : toReseal(found)
}

function* start(...[{ key, organization, startedBy, startedAt }, event]: Parameters<Reseals['start']>): Program<Reseal> {
  const begun = yield* run(
    `insert into reseal (${RESEAL}) values (?, ?, ?, ?, null, 0, 0, 0, null, null, 0, null)
     on conflict (key_id) do update set organization_id = excluded.organization_id, started_by = excluded.started_by, started_at = excluded.started_at,
       total = null, done = 0, unopened = 0, touched = 0, place = null, holder = null, held_until = 0, finished_at = null
     where reseal.finished_at is not null`,
    key,
    organization,
    JSON.stringify(startedBy),
    startedAt,
  )
  if (begun > 0) {
    yield* run('update reseal set finished_at = ? where key_id <> ? and finished_at is null', startedAt, key)
    yield* append(event)
  }
  const found = yield* row(`select ${RESEAL} from reseal where key_id = ?`, key)
  if (found === undefined) throw new Error('a reseal was not written')
  return toReseal(found)
}

function* claim(key: string, holder: string, now: Instant, until: Instant): Program<Reseal | undefined> {
  const found = yield* row(
    `update reseal set holder = ?, held_until = ? where key_id = ? and finished_at is null and (holder is null or holder = ? or held_until <= ?) returning ${RESEAL}`,
    holder,
    until,
    key,
    holder,
    now,
  )
  return found === undefined ? undefined : toReseal(found)
}

/** The swaps of one column: their rows are found by the names of the primary key, whatever these are. */
interface ColumnSwaps {
  readonly place: SealedPlace
  readonly column: string
  readonly swaps: readonly Swap[]
}

function byColumn(swaps: readonly Swap[]): readonly ColumnSwaps[] {
  const groups = new Map<string, { readonly place: SealedPlace; readonly column: string; readonly swaps: Swap[] }>()
  for (const swap of swaps) {
    const place = SEALED_PLACES[swap.source]
    if (place === undefined) continue
    const name = `${swap.source} ${swap.column}`
    const group = groups.get(name) ?? { place, column: swap.column, swaps: [] }
    groups.set(name, group)
    group.swaps.push(swap)
  }
  return [...groups.values()]
}

/** Whoever wrote meanwhile is right: what is stored is no longer what was sealed anew. One statement for each value, where a statement is no journey. */
function* swapSingly({ place, column, swaps }: ColumnSwaps): Program<number> {
  const where = place.key.map((name) => `${name} = ?`).join(' and ')
  let done = 0
  for (const { key, was, is } of swaps) {
    const swapped = yield* run(`update ${place.table} set ${column} = ? where ${where} and ${column} = ?`, is, ...key, was)
    if (swapped > 0) yield* told(place, key[0] ?? '')
    done += swapped
  }
  return done
}

const keyNames = ({ key }: SealedPlace): readonly string[] => key.map((_, index) => `key_${index}`)
const sameKey = (place: SealedPlace): string => place.key.map((name, index) => `t.${name} = v.key_${index}`).join(' and ')
const keyed = ({ key }: Swap): Readonly<Record<string, string>> => Object.fromEntries(key.map((value, index) => [`key_${index}`, value]))
/** For the planner: a list is one index condition, where a join alone may read the whole table. */
const listed = (dialect: Dialect, { key: [first, ...more] }: SealedPlace): string => (more.length === 0 ? `${dialect.among(`t.${first}`)} and ` : '')
const list = ({ key: { length } }: SealedPlace, swaps: readonly Swap[]): readonly string[] =>
  length === 1 ? [JSON.stringify(swaps.map(({ key }) => key[0]))] : []
const pieceOf = (name: string): string => `substr(?::bytea, v.${name}_at::int, v.${name}_length::int)`

/** The same, where a statement is a journey: two for each column of a page. The rows are locked first, so that whoever waits for one of them does not wait for long. */
function* swapTogether(dialect: Dialect, { place, column, swaps }: ColumnSwaps): Program<number> {
  const locked = yield* free(dialect, place, swaps)
  const mine = swaps.filter(({ key }) => locked.has(key.join('#')))
  if (mine.length === 0) return 0
  const [was, is] = [new BytePieces(), new BytePieces()]
  const values = mine.map((swap) => {
    const [[wasAt, wasLength], [isAt, isLength]] = [was.add(swap.was), is.add(swap.is)]
    return { ...keyed(swap), was_at: wasAt, was_length: wasLength, is_at: isAt, is_length: isLength }
  })
  const named = dialect.records('v', [...keyNames(place), 'was_at', 'was_length', 'is_at', 'is_length'])
  const swapped = yield* rows(
    `update ${place.table} as t set ${column} = ${pieceOf('is')} from ${named}
     where ${listed(dialect, place)}${sameKey(place)} and t.${column} = ${pieceOf('was')} returning t.${place.key[0]}`,
    is.bytes(),
    JSON.stringify(values),
    ...list(place, mine),
    was.bytes(),
  )
  for (const one of swapped) yield* told(place, text(one, place.key[0] ?? ''))
  return swapped.length
}

/** Those of the rows that nobody else is writing, locked. It never waits for a lock. */
function* free(dialect: Dialect, place: SealedPlace, swaps: readonly Swap[]): Program<ReadonlySet<string>> {
  const found = yield* rows(
    `select t.${place.key.join(', t.')} from ${place.table} t join ${dialect.records('v', keyNames(place))} on ${listed(dialect, place)}${sameKey(place)}
     ${dialect.skipLocked('t')}`,
    JSON.stringify(swaps.map(keyed)),
    ...list(place, swaps),
  )
  return new Set(found.map((one) => place.key.map((name) => text(one, name)).join('#')))
}

/** These are written back from what nodes remember of them. */
function* told({ table }: SealedPlace, id: string): Program<void> {
  if (table === 'integration') yield* changed({ kind: 'integration', integration: id as IntegrationId })
  if (table === 'signing_key') yield* changed({ kind: 'signing_key' })
}

function* advance(dialect: Dialect, { key, holder, heldUntil, swaps, unopened, next }: ResealStep): Program<Reseal | undefined> {
  let done = 0
  for (const some of byColumn(swaps)) done += dialect.oneWriter ? yield* swapSingly(some) : yield* swapTogether(dialect, some)
  const found = yield* row(
    `update reseal set done = done + ?, unopened = ? + case when place is null then 0 else unopened end,
       touched = ? + case when place is null then 0 else touched end, place = ?, held_until = ?
     where key_id = ? and holder = ? and finished_at is null returning ${RESEAL}`,
    done,
    unopened,
    swaps.length,
    toJson(next),
    heldUntil,
    key,
    holder,
  )
  return found === undefined ? undefined : toReseal(found)
}

function* finish(key: string, at: Instant, event: NewEvent): Program<boolean> {
  const ended = yield* run(
    'update reseal set finished_at = ?, holder = null where key_id = ? and finished_at is null and touched = 0 and place is null',
    at,
    key,
  )
  if (ended === 0) return false
  yield* append(event)
  return true
}

export function resealsStore(database: Database): Reseals {
  const { dialect } = database
  return {
    start: (reseal, event) => database.write(() => start(reseal, event)),
    latest: () => database.read(latest),
    claim: (key, holder, now, until) => database.write(() => claim(key, holder, now, until)),
    count: async (key, total) => void (await database.write(() => run('update reseal set total = ? where key_id = ? and total is null', total, key))),
    sealedByOthers: (cursor, key) => database.read(() => sealedByOthers(cursor, key)),
    advance: (step) => database.write(() => advance(dialect, step)),
    finish: (key, at, event) => database.write(() => finish(key, at, event)),
    record: (event) => database.write(() => append(event)),
  }
}
