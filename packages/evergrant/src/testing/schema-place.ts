import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { Migrations, Store } from '../store/contract.ts'
import { openPostgresStore, openSqliteStore, postgresMigrations, sqliteMigrations } from '../store/index.ts'
import type { Migration } from '../store/migrations/migration.ts'
import { systemClock, systemTimers } from '../system.ts'
import { type Column, type Filling, rowText, type Value } from './filled-schema.ts'

const OPTIONS = { clock: systemClock, timers: systemTimers }
/** As the first version made it: it did not say yet what works with which step. */
const FIRST_LEDGER = 'create table schema_migration (version integer primary key, name text not null, applied_at bigint not null)'

const INT8 = 20

type Row = Readonly<Record<string, unknown>>

/** A database beside every program, at any step of its schema. */
export abstract class SchemaPlace {
  abstract readonly database: 'sqlite' | 'postgres'
  abstract readonly migrations: Migrations
  abstract open(): Promise<Store>
  abstract run(sql: string): Promise<void>
  abstract rows(sql: string): Promise<readonly Row[]>
  abstract columns(): Promise<readonly Column[]>
  /** Everything that the catalogue holds, one line each; after a way back it must be what it was. */
  abstract shape(): Promise<readonly string[]>
  /** Empty when every row, reference and index is whole. */
  abstract damage(): Promise<readonly string[]>
  /** As if nothing had ever been there. */
  abstract clear(): Promise<void>
  abstract drop(): Promise<void>

  /** As programs did that knew these steps and no others. */
  async migrateAsBefore(steps: readonly Migration[]): Promise<void> {
    const ledger = steps.map(({ version, name }) => `insert into schema_migration (version, name, applied_at) values (${version}, '${name}', ${version});`)
    await this.run([FIRST_LEDGER, ...steps.map(({ up }) => up[this.database]), ...ledger].join(';\n'))
  }

  /** The tables that have no row. */
  async empty(columns: readonly Column[]): Promise<readonly string[]> {
    const counts = [...new Set(columns.map(({ table }) => table))].map((table) => `select '${table}' as name, count(*) as n from ${table}`)
    return (await this.rows(counts.join(' union all '))).filter(({ n }) => Number(n) === 0).map(({ name }) => String(name))
  }

  async fill(fillings: readonly Filling[]): Promise<void> {
    const statements = fillings.map(({ table, columns, rows }) => {
      const tuples = rows.map((row) => `(${row.map((value) => this.#literal(value)).join(', ')})`)
      return `insert into ${table} (${columns.join(', ')}) values ${tuples.join(', ')}`
    })
    await this.run(statements.join(';\n'))
  }

  /** What stands in these columns of each table, in an order of its own. */
  async contents(fillings: readonly Filling[]): Promise<Readonly<Record<string, readonly string[]>>> {
    const found: Record<string, readonly string[]> = {}
    for (const { table, columns } of fillings) {
      const rows = await this.rows(`select ${columns.join(', ')} from ${table}`)
      found[table] = rows.map((row) => rowText(columns.map((column) => row[column]))).sort()
    }
    return found
  }

  #literal(value: Value): string {
    if (value === null) return 'null'
    if (typeof value === 'number') return String(value)
    if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
    const hex = Buffer.from(value).toString('hex')
    return this.database === 'sqlite' ? `x'${hex}'` : `'\\x${hex}'`
  }
}

export class SqlitePlace extends SchemaPlace {
  readonly database = 'sqlite' as const
  readonly migrations: Migrations
  readonly #folder = mkdtempSync(join(tmpdir(), 'evergrant-upgrade-'))
  readonly #path = join(this.#folder, 'evergrant.db')

  constructor() {
    super()
    this.migrations = sqliteMigrations(this.#path)
  }

  open(): Promise<Store> {
    return openSqliteStore(this.#path, OPTIONS)
  }

  async run(sql: string): Promise<void> {
    this.#using((file) => file.exec(`begin; ${sql}; commit`))
  }

  async rows(sql: string): Promise<readonly Row[]> {
    return this.#using((file) => file.prepare(sql).all())
  }

  async columns(): Promise<readonly Column[]> {
    const found = await this.rows(
      `select t.name as of, c.name, c.type, c."notnull" as must, c.pk, (select count(*) from pragma_table_info(t.name) where pk > 0) as keys, f."table" as target, f."to" as target_column
       from sqlite_schema t join pragma_table_info(t.name) c left join pragma_foreign_key_list(t.name) f on f."from" = c.name
       where t.type = 'table' and t.name not like 'sqlite_%' and t.name <> 'schema_migration' order by t.rowid, c.cid`,
    )
    return found.map((row) => ({
      table: String(row.of),
      name: String(row.name),
      kind: row.type === 'INTEGER' ? 'integer' : row.type === 'BLOB' ? 'bytes' : 'text',
      mayBeNull: row.must === 0 && row.pk === 0,
      identity: row.pk === 1 && row.keys === 1,
      refersTo: row.target === null ? null : { table: String(row.target), column: String(row.target_column) },
    }))
  }

  async shape(): Promise<readonly string[]> {
    const made = await this.rows("select type, name from sqlite_schema where name not like 'sqlite_%' and name <> 'schema_migration'")
    const columns = await this.columns()
    return [...made.map(({ type, name }) => `${String(type)} ${String(name)}`), ...columns.map((column) => JSON.stringify(column))].sort()
  }

  async damage(): Promise<readonly string[]> {
    const whole = await this.rows('pragma integrity_check')
    const orphans = await this.rows('pragma foreign_key_check')
    return [...whole.map((row) => String(row.integrity_check)).filter((said) => said !== 'ok'), ...orphans.map((row) => JSON.stringify(row))]
  }

  async clear(): Promise<void> {
    for (const file of readdirSync(this.#folder)) rmSync(join(this.#folder, file))
  }

  async drop(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #using<Result>(work: (file: DatabaseSync) => Result): Result {
    const file = new DatabaseSync(this.#path, { enableForeignKeyConstraints: true })
    try {
      file.exec('pragma synchronous = off')
      return work(file)
    } finally {
      file.close()
    }
  }
}

export class PostgresPlace extends SchemaPlace {
  readonly database = 'postgres' as const
  readonly migrations: Migrations
  readonly #offer: { readonly url: string; drop(): Promise<void> }
  readonly #client: pg.Client

  private constructor(offer: { readonly url: string; drop(): Promise<void> }) {
    super()
    this.#offer = offer
    this.#client = new pg.Client({
      connectionString: offer.url,
      types: { getTypeParser: (oid: number) => (oid === INT8 ? Number : pg.types.getTypeParser(oid)) },
    })
    this.migrations = postgresMigrations(offer.url)
  }

  static async at(offer: { readonly url: string; drop(): Promise<void> }): Promise<PostgresPlace> {
    const place = new PostgresPlace(offer)
    await place.#client.connect()
    return place
  }

  open(): Promise<Store> {
    return openPostgresStore(this.#offer.url, OPTIONS)
  }

  async run(sql: string): Promise<void> {
    await this.#client.query(sql)
  }

  async rows(sql: string): Promise<readonly Row[]> {
    return (await this.#client.query(sql)).rows
  }

  async columns(): Promise<readonly Column[]> {
    const found = await this.rows(
      `select c.relname as of, a.attname as name, format_type(a.atttypid, null) as type, a.attnotnull as must, i.indrelid is not null as alone, r.relname as target, ra.attname as target_column
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       left join pg_index i on i.indrelid = c.oid and i.indisprimary and i.indnatts = 1 and i.indkey[0] = a.attnum
       left join pg_constraint f on f.conrelid = c.oid and f.contype = 'f' and f.conkey = array[a.attnum]
       left join pg_class r on r.oid = f.confrelid left join pg_attribute ra on ra.attrelid = r.oid and ra.attnum = f.confkey[1]
       where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> 'schema_migration' order by c.oid, a.attnum`,
    )
    return found.map((row) => ({
      table: String(row.of),
      name: String(row.name),
      kind: row.type === 'bigint' ? 'integer' : row.type === 'bytea' ? 'bytes' : 'text',
      mayBeNull: row.must === false,
      identity: row.alone === true,
      refersTo: row.target === null ? null : { table: String(row.target), column: String(row.target_column) },
    }))
  }

  async shape(): Promise<readonly string[]> {
    const made = await this.rows(
      `select 'index ' || indexdef as line from pg_indexes where schemaname = 'public' and tablename <> 'schema_migration'
       union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
         where connamespace = 'public'::regnamespace and conrelid <> 'schema_migration'::regclass
       union all select 'trigger ' || tgname from pg_trigger where not tgisinternal
       union all select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace`,
    )
    const columns = await this.columns()
    return [...made.map(({ line }) => String(line)), ...columns.map((column) => JSON.stringify(column))].sort()
  }

  async damage(): Promise<readonly string[]> {
    const invalid = await this.rows('select indexrelid::regclass::text as name from pg_index where not indisvalid')
    const loose = await this.rows('select conname as name from pg_constraint where not convalidated')
    return [...invalid, ...loose].map(({ name }) => String(name))
  }

  async clear(): Promise<void> {
    await this.run('drop schema public cascade; create schema public')
  }

  async drop(): Promise<void> {
    await this.#client.end()
    await this.#offer.drop()
  }
}
