import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Fault } from '../../core/fault/fault.ts'
import type { Clock } from '../../core/time.ts'
import type { Change } from '../contract.ts'
import type { Database, Dialect, Program, Row, Step, StepResult } from '../sql/program.ts'

export const SQLITE: Dialect = {
  name: 'sqlite',
  oneWriter: true,
  forUpdate: () => '',
  forKeeping: () => '',
  skipLocked: () => '',
  among: (column) => `${column} in (select value from json_each(?))`,
  records: (alias, columns) => `(select ${columns.map((column) => `value ->> '${column}' as ${column}`).join(', ')} from json_each(?)) ${alias}`,
  holds: (column) => `exists (select 1 from json_each(${column}) where value = ?)`,
  member: (column, name) => `${column} ->> '${name}'`,
  bytewise: (expression) => expression,
  folded: (expression) => `lower(${expression})`,
}

/** Writes of one transaction: enough to share a sync, few enough to keep the event loop answering. */
const MAX_BATCH = 256
const NOTHING: StepResult = { rows: [], changes: 0 }

interface Job {
  readonly work: (changes: Change[]) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** Opens a file with the durability this product promises. `path` may be `:memory:`. */
export function openFile(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true })
  file.exec(
    'pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768; pragma temp_store = memory; pragma journal_size_limit = 67108864',
  )
  return file
}

/** One connection, one writer: programs run to their end without leaving the stack, so reads never see half a write. */
export class SqliteDatabase implements Database {
  readonly dialect: Dialect
  readonly #file: DatabaseSync
  readonly #announce: (changes: readonly Change[]) => void
  readonly #statements = new Map<string, StatementSync>()
  #queue: Job[] = []
  readonly #lost: (error: Error) => void
  #scheduled = false
  #open = true
  #refusal = 'the store is closed'

  /** `lost`: told once, when a sync to disk failed and nothing more can be promised on this file by this process. */
  constructor(file: DatabaseSync, clock: Clock, announce: (changes: readonly Change[]) => void, lost: (error: Error) => void = throwOutside) {
    this.dialect = { ...SQLITE, now: () => clock.wall() }
    this.#file = file
    this.#announce = announce
    this.#lost = lost
    file.function('now_ms', () => clock.wall())
  }

  async read<Result>(program: () => Program<Result>): Promise<Result> {
    this.#mustBeOpen()
    try {
      return this.#drive(program(), [])
    } catch (error) {
      throw readable(error)
    }
  }

  write<Result>(program: () => Program<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#mustBeOpen()
      this.#queue.push({ work: (changes) => this.#drive(program(), changes), resolve: resolve as (value: unknown) => void, reject })
      this.#schedule()
    })
  }

  /** Commits what is queued, then closes. */
  close(): void {
    while (this.#queue.length > 0) this.#flush()
    this.#open = false
    this.#statements.clear()
    this.#file.close()
  }

  #mustBeOpen(): void {
    if (!this.#open) throw new Fault('store_unavailable', { detail: this.#refusal })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#open) this.#flush()
      if (this.#queue.length > 0) this.#schedule()
    })
  }

  /** One durable transaction for everything queued. A write that fails must fail alone: then each gets a savepoint of its own. */
  #flush(): void {
    const batch = this.#queue.splice(0, MAX_BATCH)
    if (batch.length === 0) return
    if (!this.#commit(batch, (job, changes) => this.#attempt(job, changes))) this.#commit(batch, (job, changes) => this.#attemptAlone(job, changes))
  }

  /** False when nothing was written and each write has to be tried by itself. */
  #commit(batch: readonly Job[], attempt: (job: Job, changes: Change[]) => (() => void) | null): boolean {
    const settled: (() => void)[] = []
    const changes: Change[] = []
    try {
      this.#run('begin immediate')
      for (const job of batch) {
        const settle = attempt(job, changes)
        if (settle === null) {
          this.#run('rollback')
          return false
        }
        settled.push(settle)
      }
      this.#run('commit')
    } catch (error) {
      this.#rollBack()
      const fault = unavailable(error)
      for (const job of batch) job.reject(fault)
      if (syncFailed(error)) this.#giveUp(error)
      return true
    }
    for (const settle of settled) settle()
    this.#announce(changes)
    return true
  }

  /**
   * After a failed sync the system may forget what it could not write and call the next sync a success: the file is not
   * used again by this process. A new one recovers it from what the disk really has.
   */
  #giveUp(error: Error): void {
    if (!this.#open) return
    this.#open = false
    this.#refusal = `the disk failed to keep a write of the database (${error.message}); this process must be started again`
    const fault = new Fault('store_unavailable', { detail: this.#refusal, cause: error })
    for (const job of this.#queue.splice(0)) job.reject(fault)
    this.#lost(fault)
  }

  /** A file system that refuses the commit may refuse this, too; the next `begin` then says so to its own batch. */
  #rollBack(): void {
    try {
      if (this.#file.isTransaction) this.#file.exec('rollback')
    } catch {
      // Every write of the batch is told of the first error.
    }
  }

  /** The usual case: nothing fails, and no savepoint is needed. Programs are pure, so they can be run again. */
  #attempt(job: Job, changes: Change[]): (() => void) | null {
    try {
      const result = job.work(changes)
      return () => job.resolve(result)
    } catch (error) {
      if (!this.#file.isTransaction) throw error
      return null
    }
  }

  #attemptAlone(job: Job, changes: Change[]): () => void {
    const own: Change[] = []
    this.#run('savepoint job')
    try {
      const result = job.work(own)
      this.#run('release job')
      changes.push(...own)
      return () => job.resolve(result)
    } catch (error) {
      if (!this.#file.isTransaction) throw error
      this.#file.exec('rollback to job; release job')
      return () => job.reject(readable(error))
    }
  }

  #run(sql: string): void {
    this.#statement(sql).run()
  }

  #drive<Result>(program: Program<Result>, changes: Change[]): Result {
    let next = program.next()
    while (next.done !== true) next = program.next(this.#step(next.value, changes))
    return next.value
  }

  #step(step: Step, changes: Change[]): StepResult {
    if (step.kind === 'changed') {
      changes.push(step.change)
      return NOTHING
    }
    const statement = this.#statement(step.sql)
    if (step.kind === 'rows') return { rows: statement.all(...step.params) as Row[], changes: 0 }
    return { rows: [], changes: Number(statement.run(...step.params).changes) }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#file.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC. */
const SYNC_FAILED = new Set([1034, 1290])

function syncFailed(error: unknown): error is Error {
  return SYNC_FAILED.has(sqliteCode(error) ?? 0)
}

/** Whoever does not listen must not go on either: the process ends, and its supervisor sees why. */
function throwOutside(error: Error): void {
  setImmediate(() => {
    throw error
  })
}

/** SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY. */
const IDENTITY = new Set([2067, 1555])
const PRIMARY = 0xff
const UNAVAILABLE = new Set([5, 6, 8, 10, 11, 13, 14, 23, 26])

/** What the file system or another process did to us is `store_unavailable`; a second row of one identity is a contradiction; the rest is a defect. */
function readable(error: unknown): unknown {
  const code = sqliteCode(error)
  if (code === null) return error
  if (IDENTITY.has(code)) return new Fault('already_exists', { detail: 'another row already has this identity', cause: error })
  return UNAVAILABLE.has(code & PRIMARY) ? unavailable(error) : error
}

function unavailable(error: unknown): Fault {
  const reason = error instanceof Error ? error.message : 'unknown'
  return error instanceof Fault ? error : new Fault('store_unavailable', { detail: `the database file refused: ${reason}`, cause: error })
}

/** The extended result code; its low byte is the primary one. */
function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode
}
