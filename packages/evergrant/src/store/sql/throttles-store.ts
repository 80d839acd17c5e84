import { charge, giveBack, type NamedCharge, type ThrottleState, type Throttles } from '../../core/identity/throttle.ts'
import type { Instant } from '../../core/time.ts'
import { type Database, type Dialect, type Program, row, rows, run } from './program.ts'
import { integer } from './rows.ts'

/** Locks the rows in one order on every node, so that two attempts never wait for each other. */
function* chargeAll(dialect: Dialect, charges: readonly NamedCharge[]): Program<number> {
  const ordered = [...charges].sort((left, right) => (left.name < right.name ? -1 : 1))
  // Whoever has to wait leaves no new row behind: a flood of made-up names from one address fills nothing.
  const missing: NamedCharge[] = []
  const charged: Charged[] = []
  const waitMs = yield* weigh(dialect, ordered, charged, missing)
  if (waitMs > 0) return waitMs
  for (const { name } of missing) yield* run('insert into throttle (name, attempts, since, until_at) values (?, 0, 0, 0) on conflict (name) do nothing', name)
  const lateMs = yield* weigh(dialect, missing, charged, [])
  if (lateMs > 0) return lateMs
  for (const { name, next } of charged) yield* write(name, next)
  return 0
}

interface Charged {
  readonly name: string
  readonly next: ThrottleState
}

/** Locks what is there. The longest wait, or 0 and what is to be written; names that have no row go to `missing`. */
function* weigh(dialect: Dialect, charges: readonly NamedCharge[], charged: Charged[], missing: NamedCharge[]): Program<number> {
  let waitMs = 0
  for (const named of charges) {
    const found = yield* locked(dialect, named.name)
    if (found === undefined) {
      missing.push(named)
      continue
    }
    const outcome = charge(found.state, named.rule, found.now)
    if (outcome.kind === 'wait') waitMs = Math.max(waitMs, outcome.ms)
    else charged.push({ name: named.name, next: outcome.next })
  }
  return waitMs
}

function* locked(dialect: Dialect, name: string): Program<{ readonly state: ThrottleState; readonly now: Instant } | undefined> {
  const found = yield* row(`select attempts, since, until_at, now_ms() as now from throttle t where name = ? ${dialect.forUpdate('t')}`, name)
  if (found === undefined) return undefined
  return { state: { attempts: integer(found, 'attempts'), at: integer(found, 'since'), until: integer(found, 'until_at') }, now: integer(found, 'now') }
}

function* write(name: string, { attempts, at, until }: ThrottleState): Program<void> {
  yield* run('update throttle set attempts = ?, since = ?, until_at = ? where name = ?', attempts, at, until, name)
}

function* giveAllBack(dialect: Dialect, names: readonly string[]): Program<void> {
  for (const name of [...names].sort()) {
    const found = yield* locked(dialect, name)
    if (found !== undefined) yield* write(name, giveBack(found.state, found.now))
  }
}

function* clear(names: readonly string[]): Program<void> {
  for (const name of [...names].sort()) yield* run('delete from throttle where name = ?', name)
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select name from throttle where since < ? and until_at < ? order by since limit ?', before, before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from throttle where since < ? and ${dialect.among('name')}`, before, JSON.stringify(old.map((found) => found.name)))
}

export function throttlesStore(database: Database): Throttles {
  const { dialect } = database
  return {
    charge: (charges) => database.write(() => chargeAll(dialect, charges)),
    giveBack: (names) => database.write(() => giveAllBack(dialect, names)),
    clear: (names) => database.write(() => clear(names), { repeatable: true }),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
