import type { DatabaseSync } from 'node:sqlite'
import type { MigrationStatus, Migrations } from '../contract.ts'
import { MIGRATIONS } from '../migrations/index.ts'
import type { Migration } from '../migrations/migration.ts'
import { openFile } from './sqlite-database.ts'

const LEDGER = 'create table if not exists schema_migration (version integer primary key, name text not null, applied_at integer not null) strict'

function applied(file: DatabaseSync): ReadonlyMap<number, number> {
  file.exec(LEDGER)
  const rows = file.prepare('select version, applied_at from schema_migration order by version').all()
  return new Map(rows.map((row) => [Number(row.version), Number(row.applied_at)]))
}

function inTransaction(file: DatabaseSync, work: () => void): void {
  file.exec('begin immediate')
  try {
    work()
    file.exec('commit')
  } catch (error) {
    if (file.isTransaction) file.exec('rollback')
    throw error
  }
}

function apply(file: DatabaseSync, migration: Migration): void {
  inTransaction(file, () => {
    file.exec(migration.up.sqlite)
    file
      .prepare("insert into schema_migration (version, name, applied_at) values (?, ?, cast(unixepoch('subsec') * 1000 as integer))")
      .run(migration.version, migration.name)
  })
}

/** Migrations over a file that is already open. */
export function migrationsOf(file: DatabaseSync) {
  return {
    status(): readonly MigrationStatus[] {
      const done = applied(file)
      return MIGRATIONS.map(({ version, name }) => ({ version, name, appliedAt: done.get(version) ?? null }))
    },
    up(): readonly number[] {
      const done = applied(file)
      const missing = MIGRATIONS.filter((migration) => !done.has(migration.version))
      for (const migration of missing) apply(file, migration)
      return missing.map((migration) => migration.version)
    },
    rollback(): number | null {
      const last = Math.max(0, ...applied(file).keys())
      const migration = MIGRATIONS.find((known) => known.version === last)
      if (migration === undefined) return null
      inTransaction(file, () => {
        file.exec(migration.down.sqlite)
        file.prepare('delete from schema_migration where version = ?').run(last)
      })
      return last
    },
    /** Versions that the file has and this program does not know: it was written by a newer one. */
    unknown(): readonly number[] {
      return [...applied(file).keys()].filter((version) => !MIGRATIONS.some((known) => known.version === version))
    },
  }
}

/** Opens the file for each call and closes it again. A change needs the data lock, which the caller takes first. */
export function sqliteMigrations(path: string): Migrations {
  const using = async <Result>(work: (migrations: ReturnType<typeof migrationsOf>) => Result): Promise<Result> => {
    const file = openFile(path)
    try {
      return work(migrationsOf(file))
    } finally {
      file.close()
    }
  }
  return {
    status: () => using((migrations) => migrations.status()),
    up: () => using((migrations) => migrations.up()),
    rollback: () => using((migrations) => migrations.rollback()),
  }
}
