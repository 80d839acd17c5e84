import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { copyInto } from './copy-into.ts'
import type { SideRow, Value } from './value.ts'

/** The bench's own way into the database, past the store: to load a million rows, to move due times, to look at sizes. */
export interface SideDatabase {
  /** `?` stands for a parameter. */
  query(sql: string, ...params: readonly Value[]): Promise<readonly SideRow[]>
  insertMany(table: string, columns: readonly string[], rows: readonly (readonly Value[])[]): Promise<void>
  /** Statistics and clean files, as a database has that grew slowly. */
  settle(): Promise<void>
  /** Bytes on disk, indexes included, log excluded. */
  bytes(): Promise<number>
  /** Where the write-ahead log stands, in bytes; null where there is no such count. */
  logBytes(): Promise<number | null>
  close(): Promise<void>
}

export function openSide(where: { readonly file: string } | { readonly url: string }): Promise<SideDatabase> {
  return 'file' in where ? Promise.resolve(openSqliteSide(where.file)) : openPostgresSide(where.url)
}

function openSqliteSide(path: string): SideDatabase {
  const file = new DatabaseSync(path, { timeout: 30_000 })
  // Only the load is careless, and only until `settle`.
  file.exec('pragma synchronous = off; pragma cache_size = -262144; pragma temp_store = memory; pragma wal_autocheckpoint = 20000')
  return {
    query: (sql, ...params) => Promise.resolve(file.prepare(sql).all(...params) as SideRow[]),
    insertMany: (table, columns, rows) => {
      const insert = file.prepare(`insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
      file.exec('begin')
      for (const row of rows) insert.run(...row)
      file.exec('commit')
      return Promise.resolve()
    },
    settle: () => Promise.resolve(file.exec('analyze; pragma wal_checkpoint(truncate); pragma synchronous = full')),
    bytes: () => {
      file.exec('pragma wal_checkpoint(truncate)')
      return Promise.resolve(statSync(path).size)
    },
    logBytes: () => Promise.resolve(null),
    close: () => Promise.resolve(file.close()),
  }
}

async function openPostgresSide(url: string): Promise<SideDatabase> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // The rows are copies of one that the product made: foreign keys need no proof, and only the load answers before it is on disk.
  await client.query('set session_replication_role = replica; set synchronous_commit = off')
  const query = async (sql: string, ...params: readonly Value[]) => {
    let next = 0
    const numbered = sql.replaceAll('?', () => `$${++next}`)
    return (await client.query(numbered, [...params])).rows as SideRow[]
  }
  return {
    query,
    insertMany: (table, columns, rows) => copyInto(client, table, columns, rows),
    settle: async () => {
      await client.query('vacuum analyze')
      await client.query('checkpoint')
    },
    bytes: async () => Number((await query('select pg_database_size(current_database()) as bytes'))[0]?.bytes),
    logBytes: async () => Number((await query("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as bytes"))[0]?.bytes),
    close: () => client.end(),
  }
}
