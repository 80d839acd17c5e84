import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { CellRow, DatabaseCopy, Declaration, TableShape } from '../../core/backup/database-copy.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { DatabaseHome } from '../../core/refresh/lineage.ts'
import type { Clock } from '../../core/time.ts'
import { KNOWN } from '../migrations/known-schema.ts'
import { declareRestored } from '../sql/declared-restore.ts'
import type { Program, Row, StepResult } from '../sql/program.ts'
import { type DataLock, takeDataLock } from './data-lock.ts'
import { tablesOf } from './schema-shape.ts'
import { migrationsOf } from './sqlite-migrations.ts'

/** A throw-away database without a name: beyond its cache it lies in a file that is deleted already, and ends with the process. */
export function scratchCopy(clock: Clock): DatabaseCopy {
  return new SqliteCopy(new DatabaseSync(''), clock, null)
}

/**
 * A new embedded database at `path`, made beside it and moved into place as a whole.
 * @throws Fault `conflict` when there is one already, `store_unavailable` when a server runs on it
 */
export function sqliteCopyAt(path: string, home: () => DatabaseHome, clock: Clock): DatabaseCopy {
  const lock = takeDataLock(path)
  try {
    const there = ['', '-wal', '-shm'].map((end) => `${path}${end}`).filter((file) => existsSync(file))
    if (there.length > 0) throw new Fault('conflict', { detail: occupied(there) })
    const draft = `${path}.restoring`
    rmSync(draft, { force: true })
    closeSync(openSync(draft, 'wx', 0o600))
    return new SqliteCopy(new DatabaseSync(draft), clock, { path, draft, lock, home })
  } catch (error) {
    lock.release()
    throw error
  }
}

function occupied(there: readonly string[]): string {
  return `a backup is only restored where no database is, and here is one: move ${there.join(', ')} to another folder, and leave journal, marks and folder-id where they are`
}

interface Place {
  readonly path: string
  readonly draft: string
  readonly lock: DataLock
  readonly home: () => DatabaseHome
}

class SqliteCopy implements DatabaseCopy {
  readonly known = KNOWN
  readonly #file: DatabaseSync
  readonly #place: Place | null
  readonly #inserts = new Map<string, StatementSync>()
  #triggers: readonly string[] = []
  #open = true

  constructor(file: DatabaseSync, clock: Clock, place: Place | null) {
    this.#file = file
    this.#place = place
    file.function('now_ms', () => clock.wall())
    // A draft that a crash leaves behind is made again: until the end nothing has to be durable.
    file.exec('pragma journal_mode = off; pragma synchronous = off; pragma foreign_keys = off; pragma cache_size = -16384')
  }

  async begin(schema: readonly number[]): Promise<readonly TableShape[]> {
    migrationsOf(this.#file).up(schema)
    const triggers = this.#file.prepare("select name, sql from sqlite_schema where type = 'trigger'").all()
    const tables = tablesOf(this.#file)
    // What triggers and first rows would add is in the backup already.
    this.#triggers = triggers.map((trigger) => String(trigger.sql))
    for (const trigger of triggers) this.#file.exec(`drop trigger "${String(trigger.name)}"`)
    this.#file.exec('begin')
    for (const { name } of tables) this.#file.exec(`delete from "${name}"`)
    return tables
  }

  async insert(table: TableShape, rows: readonly CellRow[]): Promise<void> {
    const statement = this.#insertion(table)
    for (const row of rows) statement.run(...row)
  }

  async count({ name }: TableShape): Promise<number> {
    return Number(this.#file.prepare(`select count(*) as rows from "${name}"`).get()?.rows)
  }

  async flaws(): Promise<readonly string[]> {
    for (const trigger of this.#triggers) this.#file.exec(trigger)
    this.#file.exec('commit')
    const sound = this.#file
      .prepare('pragma integrity_check(10)')
      .all()
      .map((row) => String(row.integrity_check))
    const orphans = this.#file.prepare('select "table" as child, parent, count(*) as rows from pragma_foreign_key_check group by 1, 2').all()
    return [
      ...sound.filter((word) => word !== 'ok'),
      ...orphans.map(({ child, parent, rows }) => `${String(rows)} rows of ${String(child)} name a row of ${String(parent)} that is not there`),
    ]
  }

  async meta(name: string): Promise<Uint8Array | undefined> {
    const value = this.#file.prepare('select value from meta where name = ?').get(name)?.value
    return value instanceof Uint8Array ? value : undefined
  }

  async home(): Promise<DatabaseHome | null> {
    return this.#place?.home() ?? null
  }

  async commit(declared: Declaration | null): Promise<void> {
    if (this.#place === null) throw new Error('a throw-away database is not kept')
    const { path, draft } = this.#place
    if (declared !== null) drive(this.#file, declareRestored(declared))
    this.#open = false
    this.#file.close()
    synced(draft, 'r+')
    renameSync(draft, path)
    synced(dirname(path), 'r')
    this.#place.lock.release()
  }

  async abandon(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.#file.close()
    if (this.#place === null) return
    rmSync(this.#place.draft, { force: true })
    this.#place.lock.release()
  }

  #insertion({ name, columns }: TableShape): StatementSync {
    const known = this.#inserts.get(name)
    if (known !== undefined) return known
    const names = columns.map((column) => `"${column.name}"`).join(', ')
    const statement = this.#file.prepare(`insert into "${name}" (${names}) values (${columns.map(() => '?').join(', ')})`)
    this.#inserts.set(name, statement)
    return statement
  }
}

function synced(path: string, mode: 'r' | 'r+'): void {
  const handle = openSync(path, mode)
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function drive<Result>(file: DatabaseSync, program: Program<Result>): Result {
  let next = program.next()
  while (next.done !== true) {
    const step = next.value
    const result: StepResult =
      step.kind === 'rows'
        ? { rows: file.prepare(step.sql).all(...step.params) as Row[], changes: 0 }
        : { rows: [], changes: step.kind === 'run' ? Number(file.prepare(step.sql).run(...step.params).changes) : 0 }
    next = program.next(result)
  }
  return next.value
}
