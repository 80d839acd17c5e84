import pg from 'pg'
import type { Cell, CellRow, ColumnShape, DatabaseCopy, Declaration, TableShape } from '../../core/backup/database-copy.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { DatabaseHome } from '../../core/refresh/lineage.ts'
import { KNOWN } from '../migrations/known-schema.ts'
import { declareRestored } from '../sql/declared-restore.ts'
import { whereabouts } from '../sql/lineage-store.ts'
import { tablesAfter } from '../sqlite/schema-shape.ts'
import { inspectServer } from './postgres-connection.ts'
import { drive } from './postgres-database.ts'
import { POSTGRES } from './postgres-dialect.ts'
import { readable } from './postgres-faults.ts'
import { holdMigrations, migrateInside, refuseLiveNodes } from './postgres-migrations.ts'
import { unhurried } from './postgres-snapshot.ts'

const RECORD_TYPES = { integer: 'bigint', text: 'text', blob: 'text' } as const

/**
 * A database that is made in one transaction: before its end nobody sees a table of it, and after a failure there is none.
 * @throws Fault `conflict` when tables of ours are there already, `store_unavailable` when the server cannot be used, or a node is connected to it
 */
export async function postgresCopyAt(url: string): Promise<DatabaseCopy> {
  const client = new pg.Client(unhurried(url))
  client.on('error', () => {})
  try {
    await client.connect()
    await inspectServer(client)
    await client.query('begin')
    // First: a server that starts at this moment has made its tables then, or waits and finds these.
    await holdMigrations(client)
    await refuseOccupied(client)
    await refuseLiveNodes(client, 'restore')
    return new PostgresCopy(client)
  } catch (error) {
    await client.end().catch(() => {})
    throw readable(error)
  }
}

async function refuseOccupied(client: pg.Client): Promise<void> {
  const names = [...tablesAfter(KNOWN).map(({ name }) => name), 'schema_migration']
  const found = await client.query(
    'select current_database() as name, array_agg(tablename::text) as tables from pg_tables where schemaname = current_schema() and tablename = any($1)',
    [names],
  )
  const { name, tables } = found.rows[0]
  if (tables === null) return
  const detail = `a backup is only restored into an empty database, and ${name} has ${tables.length} tables of Evergrant already: make a new one (createdb ${name}_restored) and name that one`
  throw new Fault('conflict', { detail })
}

interface Constraint {
  readonly on: string
  readonly name: string
  readonly definition: string
}

class PostgresCopy implements DatabaseCopy {
  readonly known = KNOWN
  readonly #client: pg.Client
  #tables: readonly TableShape[] = []
  #references: readonly Constraint[] = []
  #open = true

  constructor(client: pg.Client) {
    this.#client = client
  }

  async begin(schema: readonly number[]): Promise<readonly TableShape[]> {
    await migrateInside(this.#client, schema)
    this.#tables = tablesAfter(schema)
    this.#references = await this.#foreignKeys()
    for (const { on, name } of this.#references) await this.#client.query(`alter table "${on}" drop constraint "${name}"`)
    // What triggers and first rows would add is in the backup already.
    for (const { name } of this.#tables) await this.#client.query(`alter table "${name}" disable trigger user; delete from "${name}"`)
    return this.#tables
  }

  async insert({ name, columns }: TableShape, rows: readonly CellRow[]): Promise<void> {
    const names = columns.map((column) => `"${column.name}"`).join(', ')
    const values = columns.map((column) => (column.kind === 'blob' ? `decode(r."${column.name}", 'base64')` : `r."${column.name}"`)).join(', ')
    const record = columns.map((column) => `"${column.name}" ${RECORD_TYPES[column.kind]}`).join(', ')
    const json = JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((column, at) => [column.name, written(row[at] ?? null, column)]))))
    await this.#client.query(`insert into "${name}" (${names}) select ${values} from json_to_recordset($1::json) as r (${record})`, [json])
  }

  async count({ name }: TableShape): Promise<number> {
    return Number((await this.#client.query(`select count(*) as rows from "${name}"`)).rows[0]?.rows)
  }

  /** A foreign key that is made again looks at every row. */
  async flaws(): Promise<readonly string[]> {
    for (const { name } of this.#tables) await this.#client.query(`alter table "${name}" enable trigger user`)
    for (const { on, name, definition } of this.#references) {
      try {
        await this.#client.query(`alter table "${on}" add constraint "${name}" ${definition}`)
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === FOREIGN_KEY) return [`${on} names rows that are not there (${name})`]
        throw readable(error)
      }
    }
    return []
  }

  async meta(name: string): Promise<Uint8Array | undefined> {
    const [found] = (await this.#client.query('select value from meta where name = $1', [name])).rows
    return found === undefined ? undefined : new Uint8Array(found.value)
  }

  home(): Promise<DatabaseHome | null> {
    return drive(this.#client, whereabouts(POSTGRES), [])
  }

  async commit(declared: Declaration | null): Promise<void> {
    if (declared !== null) await drive(this.#client, declareRestored(declared), [])
    await this.#client.query('commit')
    // Otherwise the planner knows nothing of the tables until the server gets round to it.
    await this.#client.query('analyze')
    await this.abandon()
  }

  async abandon(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#client.end().catch(() => {})
  }

  async #foreignKeys(): Promise<readonly Constraint[]> {
    const found = await this.#client.query(
      `select c.relname as on, k.conname as name, pg_get_constraintdef(k.oid) as definition from pg_constraint k join pg_class c on c.oid = k.conrelid
       where k.contype = 'f' and k.connamespace = current_schema()::regnamespace and c.relname = any($1) order by k.oid`,
      [this.#tables.map(({ name }) => name)],
    )
    return found.rows
  }
}

const FOREIGN_KEY = '23503'

function written(cell: Cell, { kind }: ColumnShape): string | number | null {
  return kind === 'blob' && cell instanceof Uint8Array ? Buffer.from(cell).toString('base64') : (cell as string | number | null)
}
