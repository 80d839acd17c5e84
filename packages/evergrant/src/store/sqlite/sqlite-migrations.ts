import type { DatabaseSync } from 'node:sqlite'
import type { Loss, MigrationStatus, Migrations } from '../contract.ts'
import { MIGRATIONS } from '../migrations/index.ts'
import { type AppliedStep, lastKnown, statusOf, stepsMissing } from '../migrations/ledger.ts'
import { lossesOf } from '../migrations/losses.ts'
import type { Migration } from '../migrations/migration.ts'
import { openFile } from './sqlite-database.ts'

const LEDGER =
  'create table if not exists schema_migration (version integer primary key, name text not null, applied_at integer not null, works_from integer) strict'

function applied(file: DatabaseSync): readonly AppliedStep[] {
  file.exec(LEDGER)
  const told = file.prepare("select 1 from pragma_table_info('schema_migration') where name = 'works_from'").get() !== undefined
  const rows = file.prepare(`select version, name, applied_at, ${told ? 'works_from' : 'null'} as works_from from schema_migration order by version`).all()
  return rows.map((row) => ({
    version: Number(row.version),
    name: String(row.name),
    appliedAt: Number(row.applied_at),
    worksFrom: row.works_from === null ? null : Number(row.works_from),
  }))
}

/** A file of an earlier version learns for each step which programs can go on with it. */
function completeLedger(file: DatabaseSync): void {
  if (file.prepare("select 1 from pragma_table_info('schema_migration') where name = 'works_from'").get() === undefined) {
    file.exec('alter table schema_migration add column works_from integer')
  }
  const complete = file.prepare('update schema_migration set works_from = ? where version = ? and works_from is null')
  for (const { version, worksFrom = 0 } of MIGRATIONS) complete.run(worksFrom, version)
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
      .prepare("insert into schema_migration (version, name, applied_at, works_from) values (?, ?, cast(unixepoch('subsec') * 1000 as integer), ?)")
      .run(migration.version, migration.name, migration.worksFrom ?? 0)
  })
}

/** Migrations over a file that is already open. */
export function migrationsOf(file: DatabaseSync) {
  return {
    status(): readonly MigrationStatus[] {
      return statusOf(applied(file))
    },
    /** `only`: no others than these, for a database that has to look as an earlier one did. */
    up(only?: readonly number[]): readonly number[] {
      const steps = applied(file)
      const missing = stepsMissing(steps).filter(({ version }) => only?.includes(version) ?? true)
      if (missing.length > 0 || steps.some(({ worksFrom }) => worksFrom === null)) inTransaction(file, () => completeLedger(file))
      for (const migration of missing) apply(file, migration)
      return missing.map((migration) => migration.version)
    },
    losses(): readonly Loss[] {
      const migration = lastKnown(applied(file))
      if (migration === null) return []
      return lossesOf(migration, 'sqlite').flatMap(({ table, column, count }) => {
        const rows = Number(file.prepare(count).get()?.lost)
        return rows === 0 ? [] : [{ table, column, rows }]
      })
    },
    rollback(): number | null {
      const migration = lastKnown(applied(file))
      if (migration === null) return null
      inTransaction(file, () => {
        file.exec(migration.down.sqlite)
        file.prepare('delete from schema_migration where version = ?').run(migration.version)
      })
      return migration.version
    },
    applied(): readonly AppliedStep[] {
      return applied(file)
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
    losses: () => using((migrations) => migrations.losses()),
    rollback: () => using((migrations) => migrations.rollback()),
  }
}
