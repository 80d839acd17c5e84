import type pg from 'pg'
import { Fault } from '../../core/fault/fault.ts'
import type { Timers } from '../../core/time.ts'
import type { Change } from '../contract.ts'
import type { Database, Program, Row, Step, StepResult, WriteTraits } from '../sql/program.ts'
import { Gathering } from './gathering.ts'
import { numberParameters, POSTGRES } from './postgres-dialect.ts'
import { isLost, isSilence, isStale, mayTryAgain, readable, unavailable } from './postgres-faults.ts'

const NOTHING: StepResult = { rows: [], changes: 0 }
const ATTEMPTS = 4
/** More connections than a node has. */
const STALE_MAX = 200
/** Somebody waits for a read: a half-open connection is told from a slow one by this. */
const READ_PATIENCE_MS = 5_000
const LANES = 2
const MAX_BATCH = 64

interface Job {
  readonly key: string
  readonly program: () => Program<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** Told after a commit: what changed, for this node's listeners; and before it, for the others' notification. */
export interface ChangeSink {
  notification(changes: readonly Change[]): readonly string[]
  announce(changes: readonly Change[]): void
  /** Nobody knows whether these became durable, or still will. */
  doubt(changes: readonly Change[]): void
}

/** Runs programs on a bounded pool. Writes about one connection share transactions; all others have one each. */
export class PostgresDatabase implements Database {
  readonly dialect = POSTGRES
  readonly #pool: pg.Pool
  readonly #merged: pg.Pool
  readonly #timers: Timers
  readonly #sink: ChangeSink
  readonly #keyed: Gathering<Job>
  #open = true

  constructor(pool: pg.Pool, merged: pg.Pool, timers: Timers, sink: ChangeSink) {
    this.#pool = pool
    this.#merged = merged
    this.#timers = timers
    this.#sink = sink
    this.#keyed = new Gathering<Job>({ lanes: LANES, size: MAX_BATCH, run: (jobs) => this.#together(jobs) })
  }

  async read<Result>(program: () => Program<Result>): Promise<Result> {
    return this.#retrying(true, () => this.#withClient((client) => drive(client, program(), [], READ_PATIENCE_MS)))
  }

  /** As {@link read}, on the connections that are tuned for statements over many rows. */
  async readMerged<Result>(program: () => Program<Result>): Promise<Result> {
    return this.#retrying(true, () => this.#withClient((client) => drive(client, program(), [], READ_PATIENCE_MS), this.#merged))
  }

  write<Result>(program: () => Program<Result>, traits: WriteTraits = {}): Promise<Result> {
    if (traits.connection === undefined) return this.alone(program, traits.repeatable === true)
    const key = traits.connection
    return new Promise<Result>((resolve, reject) => {
      this.#keyed.add({ key, program, resolve: resolve as (value: unknown) => void, reject })
    })
  }

  /** A transaction of one's own. `repeatable`: running it again after an unknown commit does no harm. */
  alone<Result>(program: () => Program<Result>, repeatable: boolean): Promise<Result> {
    return this.#retrying(repeatable, () =>
      this.transaction(async (client) => {
        const changes: Change[] = []
        return { result: await drive(client, program(), changes), changes }
      }),
    )
  }

  /** One statement over many connections that is its own transaction. Errors leave as the driver made them. */
  statement(sql: string, params: readonly unknown[]): Promise<readonly Row[]> {
    return this.#withClient(async (client) => (await client.query(prepared(sql, params))).rows, this.#merged)
  }

  async close(): Promise<void> {
    this.#open = false
    await Promise.all([this.#pool.end(), this.#merged.end()])
  }

  async transaction<Result>(work: (client: pg.PoolClient) => Promise<{ result: Result; changes: readonly Change[] }>): Promise<Result> {
    const committed = await this.#withClient(async (client) => {
      let committing: readonly Change[] | null = null
      try {
        await client.query('begin')
        const { result, changes } = await work(client)
        for (const payload of this.#sink.notification(changes)) await client.query(prepared('select pg_notify($1, $2)', ['evergrant', payload]))
        committing = changes
        await client.query('commit')
        return { result, changes }
      } catch (error) {
        if (committing !== null && isLost(error)) {
          this.#sink.doubt(committing)
          throw new UnknownCommit(error)
        }
        if (!isLost(error)) await client.query('rollback')
        throw error
      }
    })
    this.#sink.announce(committed.changes)
    return committed.result
  }

  async #withClient<Result>(work: (client: pg.PoolClient) => Promise<Result>, pool: pg.Pool = this.#pool): Promise<Result> {
    if (!this.#open) throw new Fault('store_unavailable', { detail: 'the store is closed' })
    const client = await pool.connect()
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = isLost(error) || isStale(error) || error instanceof UnknownCommit
      throw error
    } finally {
      client.release(broken)
    }
  }

  /** Tries again what may be: after a deadlock or a unique row that appeared, and after a lost connection where repeating is harmless. */
  async #retrying<Result>(repeatable: boolean, work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1, stale = 0; ; attempt += 1) {
      try {
        return await work()
      } catch (error) {
        // Each connection finds out for itself, and the next one may not know yet.
        if (isStale(error) && stale < STALE_MAX) {
          stale += 1
          attempt -= 1
          continue
        }
        const again = error instanceof UnknownCommit ? repeatable : mayTryAgain(error) || (isLost(error) && !isSilence(error))
        if (error instanceof Fault || !again || attempt === ATTEMPTS) throw error instanceof UnknownCommit ? unavailable(error.cause) : readable(error)
        await this.#timers.sleep(10 * 4 ** attempt)
      }
    }
  }

  /** One transaction for many connections, in order of id so that two batches never wait for each other; each write in a savepoint. */
  async #together(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 1) return this.#singly(jobs)
    const ordered = [...jobs].sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    try {
      const settled = await this.transaction(async (client) => {
        const changes: Change[] = []
        const settle: (() => void)[] = []
        for (const job of ordered) settle.push(await attempt(client, job, changes))
        return { result: settle, changes }
      })
      for (const settle of settled) settle()
    } catch {
      await this.#singly(ordered)
    }
  }

  async #singly(jobs: readonly Job[]): Promise<void> {
    await Promise.all(jobs.map((job) => this.alone(job.program, true).then(job.resolve, job.reject)))
  }
}

class UnknownCommit extends Error {
  constructor(cause: unknown) {
    super('nobody knows whether the transaction was committed', { cause })
  }
}

async function attempt(client: pg.PoolClient, job: Job, changes: Change[]): Promise<() => void> {
  const own: Change[] = []
  await client.query('savepoint job')
  try {
    const result = await drive(client, job.program(), own)
    await client.query('release job')
    changes.push(...own)
    return () => job.resolve(result)
  } catch (error) {
    if (isLost(error) || isStale(error) || mayTryAgain(error)) throw error
    await client.query('rollback to job')
    return () => job.reject(readable(error))
  }
}

/** Runs a program on one connection, in whatever transaction it is in. */
export async function drive<Result>(client: pg.ClientBase, program: Program<Result>, changes: Change[], patienceMs?: number): Promise<Result> {
  let next = program.next()
  while (next.done !== true) next = program.next(await step(client, next.value, changes, patienceMs))
  return next.value
}

async function step(client: pg.ClientBase, wanted: Step, changes: Change[], patienceMs: number | undefined): Promise<StepResult> {
  if (wanted.kind === 'changed') {
    changes.push(wanted.change)
    return NOTHING
  }
  const found = await client.query(prepared(numberParameters(wanted.sql), wanted.params, patienceMs))
  return { rows: found.rows, changes: found.rowCount ?? 0 }
}

const names = new Map<string, string>()

/** A statement the server parses once per connection. */
function prepared(text: string, values: readonly unknown[], patienceMs?: number): pg.QueryConfig & { readonly query_timeout?: number } {
  let name = names.get(text)
  if (name === undefined) {
    name = `evergrant_${names.size}`
    names.set(text, name)
  }
  return { name, text, values: [...values], ...(patienceMs === undefined ? {} : { query_timeout: patienceMs }) }
}
