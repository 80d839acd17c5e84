import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { takeSecret } from '../../config.ts'
import type { JsonObject } from '../../core/json.ts'
import { systemClock, systemTimers } from '../../system.ts'
import type { Api } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { readMapping } from '../import/column-map.ts'
import { Fernet } from '../import/fernet.ts'
import { type IntegrationFacts, knownIntegrations } from '../import/known-integrations.ts'
import { openSource } from '../import/open-source.ts'
import { Report } from '../import/report.ts'
import { runImport, type Sending } from '../import/run-import.ts'
import { SHAPES, type ShapeName, shapeOf } from '../import/shape.ts'
import type { Source } from '../import/source.ts'
import { type Verified, Verifier } from '../import/verify.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

interface ImportOptions {
  readonly from: string
  readonly format?: string
  readonly delimiter?: string
  readonly table?: string
  readonly map: readonly string[]
  readonly integration: readonly string[]
  readonly fernetKeyFile?: string
  readonly fernetKeyEnv?: string
  readonly dryRun?: boolean
  readonly replace?: boolean
  readonly spread: string
  readonly errors?: string
  readonly verify?: boolean
  readonly verifyRate: string
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

const HELP_AFTER = `
Stop the old system's refreshes first. The same command again goes on where it was stopped: no grant is imported twice.
  evergrant import export.jsonl --from nango --integration strava-prod=strava --dry-run
  evergrant import env:OLD_DATABASE_URL --from better-auth --table account --integration google=google
  evergrant import tokens.csv --from table --integration strava --map owner=user_id,refresh_token=rt --fernet-key-env OLD_KEY`

/** `evergrant import`: takes over the grants of another system, many at a time. */
export function importCommand(program: Command, shell: Shell): void {
  program
    .command('import <source>')
    .description('takes over many grants that another system held: a file, -, postgres://..., sqlite:PATH, or env:NAME that holds one of them')
    .option('--from <shape>', `how the source writes a grant: ${SHAPES.join(', ')}`, 'evergrant')
    .option('--format <format>', 'of a file: jsonl or csv; by default what its name says')
    .option('--delimiter <character>', 'of a CSV file, or the word tab')
    .option('--table <name>', 'of a database: the table, or schema.table')
    .option('--map <field=column,...>', 'which column fills which field; integration=column:value=slug maps its values, too', collect, [])
    .option('--integration <slug>', 'for all lines; or value=slug for what the source calls it, as often as needed', collect, [])
    .option('--fernet-key-file <path>', 'the token columns are Fernet tokens of this key; `-` reads standard input')
    .option('--fernet-key-env <name>', 'the same, with the key in an environment variable')
    .option('--dry-run', 'checks every line, opens every token, writes nothing')
    .option('--replace', 'stores a grant into the connection that has its account already')
    .option('--spread <seconds>', 'first renewals of tokens that are over are drawn over this long', '3600')
    .option('--errors <file>', 'every problem as one JSON object a line; never a token')
    .option('--verify', 'afterwards tests each grant, one after the other')
    .option('--verify-rate <number>', 'tests a second', '5')
    .addHelpText('after', HELP_AFTER)
    .action((where: string, options: ImportOptions) => {
      const source = openSource(where, options)
      if (options.verify === true && options.dryRun === true) throw usage('Say --dry-run or --verify, not both.')
      if (options.verify === true && !source.repeatable) throw usage('--verify reads the source a second time, and standard input cannot be read twice.')
      const prepared = prepare(options)
      return withApi((api) => importAll(api, shell, source, prepared, options))
    })
}

/** Everything that can be wrong with the command line is found before anything is reached. */
function prepare(options: ImportOptions) {
  const mapping = readMapping(options.map, options.integration)
  const name = SHAPES.find((shape) => shape === options.from)
  if (name === undefined) throw usage(`--from is one of ${SHAPES.join(', ')}`)
  return {
    shape: shapeOf(name),
    mapping: mustMap(name, mapping),
    fernet: fernetOf(options),
    spread: count('--spread', options.spread, 0, 604_800),
    rate: count('--verify-rate', options.verifyRate, 1, 1_000),
  }
}

function mustMap(shape: ShapeName, mapping: ReturnType<typeof readMapping>): ReturnType<typeof readMapping> {
  const { columns, integration } = mapping
  if (shape !== 'table') return mapping
  if (!columns.has('owner')) throw usage('A table needs to be told whose grants these are: --map owner=<column>')
  if (!columns.has('access_token') && !columns.has('refresh_token')) throw usage('A table needs to be told where its tokens are: --map refresh_token=<column>')
  if (integration === null && !columns.has('integration')) throw usage('A table needs an integration: --integration <slug>, or --map integration=<column>')
  return mapping
}

function fernetOf({ fernetKeyFile, fernetKeyEnv }: ImportOptions): Fernet | null {
  if (fernetKeyFile === undefined && fernetKeyEnv === undefined) return null
  const text = fernetKeyFile === undefined ? takeSecret(fernetKeyEnv ?? '')?.reveal() : readKey(fernetKeyFile)
  if (text === undefined) throw usage(`--fernet-key-env: the environment has no ${fernetKeyEnv}`)
  const fernet = Fernet.of(text)
  if (fernet === undefined) throw usage('The Fernet key is not valid: 32 bytes in URL-safe base64 (44 characters); several are separated by commas.')
  return fernet
}

function readKey(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch {
    throw usage(`--fernet-key-file: ${path} cannot be read`)
  }
}

function count(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) throw usage(`${option} is a whole number from ${least} to ${most}`)
  return value
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message)
}

async function importAll(api: Api, shell: Shell, source: Source, prepared: ReturnType<typeof prepare>, options: ImportOptions): Promise<void> {
  const { output, finish } = shell
  const known = await knownIntegrations(api)
  for (const slug of [prepared.mapping.integration, ...prepared.mapping.integrations.values()]) {
    if (slug !== null && known.variables(slug) === undefined)
      throw usage(
        `There is no integration ${slug} at ${api.where}. There are: ${known.slugs.join(', ') || 'none; make one with `evergrant integrations create`'}.`,
      )
  }
  const report = new Report(output, source, systemClock, options.errors)
  const { shape, mapping, fernet, spread } = prepared
  const query = `dry_run=${options.dryRun === true}&replace=${options.replace === true}&spread_seconds=${spread}`
  const sending: Sending = { api, source, report, query, maker: { shape, mapping, known, fernet } }
  try {
    for await (const _ of runImport(sending));
    report.progress(true)
    const imported = { ...report.tally, seconds: report.seconds }
    const verified = options.verify === true ? await verifyAll(sending, known, prepared.rate) : null
    const summary: JsonObject = {
      dry_run: options.dryRun === true,
      ...imported,
      errors: options.errors ?? null,
      verified: verified === null ? null : { ...verified },
    }
    if (imported.refused > 0 || (verified !== null && verified.broken > 0)) finish(EXIT.partial)
    output.result(summary, () => inWords(summary, verified, source.unit))
  } catch (error) {
    if (report.tally.read > 0)
      output.note(`Stopped after ${report.tally.read} ${source.unit}s. The same command goes on from there: no grant is imported twice.`)
    throw error
  } finally {
    report.close()
  }
}

/** The source is read again, and the server says where each of its grants went: nothing has to be remembered. */
async function verifyAll(sending: Sending, known: IntegrationFacts, rate: number): Promise<Verified> {
  const { api, report } = sending
  const verifier = new Verifier({
    api,
    report,
    timers: systemTimers,
    pauseMs: 1_000 / rate,
    reuse: (name) => known.reuse(name),
    canTest: (name) => known.canTest(name),
  })
  const silent = new Report(report.silent, sending.source, systemClock, undefined)
  for await (const taken of runImport({ ...sending, report: silent, query: 'dry_run=true' })) await verifier.test(taken)
  return verifier.verified
}

function inWords(summary: JsonObject, verified: Verified | null, unit: string): string {
  const said = (name: string) => Number(summary[name] ?? 0).toLocaleString('en-US')
  const lines = [
    `${summary['dry_run'] === true ? 'Dry run, nothing was written. ' : ''}${said('read')} ${unit}s in ${String(summary['seconds'])} s: ${said('imported')} imported, ${said('replaced')} replaced, ${said('already')} imported before, ${said('skipped')} no grants, ${said('refused')} refused.`,
  ]
  if (verified !== null)
    lines.push(
      `Tested: ${verified.works} work, ${verified.broken} need their owner, ${verified.unclear} unclear, ${verified.untested} not tested (told at first use).`,
    )
  return lines.join('\n')
}
