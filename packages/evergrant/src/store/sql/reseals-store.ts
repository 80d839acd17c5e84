import type { Actor, NewEvent } from '../../core/audit/event.ts'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { SealedCursor } from '../../core/operate/operations.ts'
import type { Reseal, ResealStep, Reseals, Swap } from '../../core/operate/reseals.ts'
import { SEALED_PLACES } from '../../core/seal/sealed-places.ts'
import type { Instant } from '../../core/time.ts'
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

/** Locks those of the rows that nobody else is writing. It never waits for a lock, so whoever waits for these rows does not wait for long. */
function* free(dialect: Dialect, swaps: readonly Swap[]): Program<readonly Swap[]> {
  if (dialect.oneWriter) return swaps
  const found: Swap[] = []
  for (const [source, place] of SEALED_PLACES.entries()) {
    const own = swaps.filter((swap) => swap.source === source)
    const [first] = place.key
    if (own.length === 0 || first === undefined) continue
    const lock = (where: string) => `select t.${place.key.join(', t.')} from ${place.table} t where ${where} ${dialect.skipLocked('t')}`
    const locked = new Set<string>()
    if (place.key.length === 1) {
      const keys = JSON.stringify([...new Set(own.map(({ key }) => key[0]))])
      for (const one of yield* rows(lock(dialect.among(`t.${first}`)), keys)) locked.add(text(one, first))
    } else {
      const where = place.key.map((column) => `t.${column} = ?`).join(' and ')
      for (const { key } of own) if ((yield* row(lock(where), ...key)) !== undefined) locked.add(key.join('#'))
    }
    found.push(...own.filter(({ key }) => locked.has(key.join('#'))))
  }
  return found
}

/** Whoever wrote meanwhile is right: what is stored is no longer what was sealed anew. */
function* swap({ source, column, key, was, is }: Swap): Program<number> {
  const place = SEALED_PLACES[source]
  if (place === undefined) return 0
  const where = place.key.map((name) => `${name} = ?`).join(' and ')
  const swapped = yield* run(`update ${place.table} set ${column} = ? where ${where} and ${column} = ?`, is, ...key, was)
  // These are written back from what nodes remember of them.
  if (swapped > 0 && place.table === 'integration') yield* changed({ kind: 'integration', integration: (key[0] ?? '') as IntegrationId })
  if (swapped > 0 && place.table === 'signing_key') yield* changed({ kind: 'signing_key' })
  return swapped
}

function* advance(dialect: Dialect, { key, holder, heldUntil, swaps, unopened, next }: ResealStep): Program<Reseal | undefined> {
  let done = 0
  for (const one of yield* free(dialect, swaps)) done += yield* swap(one)
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
