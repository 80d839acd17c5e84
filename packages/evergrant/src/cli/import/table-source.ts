import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import type { Extent, Source, SourceRow } from './source.ts'

const FETCH = 1_000
const BYTEA = 17

/** A name as SQL writes it; a dot parts schema and table. */
function quoted(table: string): string {
  return table
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}

/** Rows of a PostgreSQL table, through a cursor in a transaction that only reads. */
export function postgresSource(url: string, table: string): Source {
  const counter = new Counter()
  return {
    unit: 'row',
    repeatable: true,
    sameColumns: true,
    extent: () => counter.extent(),
    rows: () => counter.count(postgresRows(url, table, counter)),
  }
}

async function* postgresRows(url: string, table: string, counter: Counter): AsyncIterable<JsonObject> {
  // Every column as the server writes it: a timestamp without a zone must not be read in the zone of this machine.
  const types = { getTypeParser: (oid: number) => (oid === BYTEA ? textOfBytea : (text: string) => text) }
  const client = new pg.Client({ connectionString: url, types, application_name: 'evergrant import' })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query("set datestyle = 'ISO'; set timezone = 'UTC'; set statement_timeout = 0")
    await client.query('begin read only')
    const [size] = (await client.query('select greatest(reltuples, 0)::bigint as rows from pg_class where oid = $1::regclass', [quoted(table)])).rows
    counter.expect(Number(size?.rows ?? 0))
    await client.query(`declare evergrant_import no scroll cursor for select * from ${quoted(table)}`)
    for (;;) {
      const { rows } = await client.query<JsonObject>(`fetch ${FETCH} from evergrant_import`)
      yield* rows
      if (rows.length < FETCH) break
    }
  } catch (error) {
    throw notReadable(error)
  } finally {
    await client.end().catch(() => {})
  }
}

function textOfBytea(text: string): string {
  return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex').toString('utf8') : text
}

/** Rows of a SQLite table; the file is opened for reading alone. */
export function sqliteSource(path: string, table: string): Source {
  const counter = new Counter()
  return {
    unit: 'row',
    repeatable: true,
    sameColumns: true,
    extent: () => counter.extent(),
    rows: () => counter.count(sqliteRows(path, table, counter)),
  }
}

async function* sqliteRows(path: string, table: string, counter: Counter): AsyncIterable<JsonObject> {
  let file: DatabaseSync | null = null
  try {
    file = new DatabaseSync(path, { readOnly: true })
    counter.expect(Number(file.prepare(`select count(*) as rows from ${quoted(table)}`).get()?.['rows'] ?? 0))
    const statement = file.prepare(`select * from ${quoted(table)}`)
    statement.setReadBigInts(true)
    for (const row of statement.iterate()) yield Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]))
  } catch (error) {
    throw notReadable(error)
  } finally {
    file?.close()
  }
}

function plainValue(value: unknown): JsonValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return typeof value === 'string' || typeof value === 'number' ? value : null
}

/** Messages of databases name tables and hosts, never rows. */
function notReadable(error: unknown): unknown {
  if (error instanceof CommandFailure || !(error instanceof Error)) return error
  return new CommandFailure(EXIT.usage, `The table cannot be read: ${error.message}`)
}

class Counter {
  #done = 0
  #total: number | null = null

  expect(total: number): void {
    this.#total = total === 0 ? null : total
  }

  extent(): Extent {
    return { done: this.#done, total: this.#total }
  }

  async *count(rows: AsyncIterable<JsonObject>): AsyncIterable<SourceRow> {
    this.#done = 0
    for await (const values of rows) {
      this.#done += 1
      yield { line: this.#done, values }
    }
  }
}
