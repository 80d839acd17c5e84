import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { Loss, MigrationStatus } from '../../store/contract.ts'
import { withMigrations } from '../database.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
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
    .description('takes the last applied migration back; when that loses data, it says what, and asks for --yes')
    .option('--yes', 'also when stored data goes with it')
    .action((options: { readonly yes?: boolean }) =>
      withMigrations(loadConfig({ development: false }), 'change', async (migrations) => {
        const losses = await migrations.losses()
        if (losses.length > 0 && options.yes !== true) throw new CommandFailure(EXIT.problem, refusal(losses), { losses })
        const version = await migrations.rollback()
        output.result({ rolled_back: version, lost: losses.map((loss) => ({ ...loss })) }, () =>
          version === null ? 'Nothing is applied.' : `Took migration ${version} back. ${losses.length === 0 ? 'Nothing was stored in it.' : AFTER_ROLLBACK}`,
        )
      }),
    )
}

function refusal(losses: readonly Loss[]): string {
  const lines = losses.map(({ table, column, rows }) => `  ${rows} ${rows === 1 ? 'row' : 'rows'} of ${column === null ? table : `${table}.${column}`}`)
  return ['Taking the last migration back would remove what is stored in it:', ...lines, 'Make a backup, then: evergrant migrate rollback --yes'].join('\n')
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
