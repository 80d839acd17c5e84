import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { MigrationStatus } from '../../store/contract.ts'
import { withMigrations } from '../database.ts'
import { EXIT } from '../exit-code.ts'
import { cell, formatTable } from '../output.ts'
import type { Shell } from '../shell.ts'

const AFTER_ROLLBACK = 'Its tables and what they held are gone; the next start, or `evergrant migrate up`, makes them again, empty.'

/** `evergrant migrate`: the schema of the database, up, back and what is applied. */
export function migrateCommands(program: Command, { output, finish }: Shell): void {
  const group = program.command('migrate').description('schema of the database')
  group
    .command('up', { isDefault: true })
    .description('applies what is missing')
    .action(() =>
      withMigrations(loadConfig({ development: false }), 'change', async (migrations) => {
        const applied = await migrations.up()
        output.result({ applied }, () => (applied.length === 0 ? 'Nothing to apply: the schema is up to date.' : `Applied ${applied.join(', ')}.`))
      }),
    )
  group
    .command('status')
    .description('what is applied and what is not; exit code 1 when something is missing')
    .action(() =>
      withMigrations(loadConfig({ development: false }), 'read', async (migrations) => {
        const rows = await migrations.status()
        const missing = rows.filter((row) => row.appliedAt === null).length
        if (missing > 0) finish(EXIT.problem)
        output.result(
          { missing, migrations: rows.map(view) },
          () => `${table(rows)}\n${missing === 0 ? 'Up to date.' : `${missing} missing: run \`evergrant migrate up\`.`}`,
        )
      }),
    )
  group
    .command('rollback')
    .description('takes the last applied migration back, with the data of its tables')
    .action(() =>
      withMigrations(loadConfig({ development: false }), 'change', async (migrations) => {
        const version = await migrations.rollback()
        output.result({ rolled_back: version }, () => (version === null ? 'Nothing is applied.' : `Took migration ${version} back. ${AFTER_ROLLBACK}`))
      }),
    )
}

function view(row: MigrationStatus) {
  return { version: row.version, name: row.name, applied_at: time(row) }
}

function time(row: MigrationStatus): string | null {
  return row.appliedAt === null ? null : new Date(row.appliedAt).toISOString()
}

function table(rows: readonly MigrationStatus[]): string {
  return formatTable(
    ['VERSION', 'NAME', 'APPLIED'],
    rows.map((row) => [String(row.version), row.name, cell(time(row))]),
  )
}
