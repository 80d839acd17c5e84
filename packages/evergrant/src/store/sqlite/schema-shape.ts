import { DatabaseSync } from 'node:sqlite'
import type { CellKind, TableShape } from '../../core/backup/database-copy.ts'
import { migrationsOf } from './sqlite-migrations.ts'

const KINDS: ReadonlyMap<string, CellKind> = new Map([
  ['integer', 'integer'],
  ['text', 'text'],
  ['blob', 'blob'],
])

/** The tables of an open file, in order of name, without the ledger of migrations. */
export function tablesOf(file: DatabaseSync): readonly TableShape[] {
  const names = file
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name <> 'schema_migration' order by name")
    .all()
    .map((row) => String(row.name))
  return names.map((name) => ({ name, columns: columnsOf(file, name) }))
}

function columnsOf(file: DatabaseSync, table: string): TableShape['columns'] {
  const found = file.prepare('select name, type from pragma_table_info(?) order by cid').all(table)
  return found.map((column) => {
    const kind = KINDS.get(String(column.type).toLowerCase())
    if (kind === undefined) throw new Error(`${table}.${String(column.name)} is ${String(column.type)}, which no backup can carry`)
    return { name: String(column.name), kind }
  })
}

/** The tables that these migrations make, on either database. */
export function tablesAfter(versions: readonly number[]): readonly TableShape[] {
  const file = new DatabaseSync(':memory:')
  try {
    migrationsOf(file).up(versions)
    return tablesOf(file)
  } finally {
    file.close()
  }
}
