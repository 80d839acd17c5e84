import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { loadConfig, takeSecret } from '../../config.ts'
import type { JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/seal/secret.ts'
import { databaseFile } from '../../database-file.ts'
import type { Api } from '../api.ts'
import { endClone } from '../backup/end-clone.ts'
import { type OpenerOptions, openerOf, usage } from '../backup/key-files.ts'
import { restoreBackup } from '../backup/read-file.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { cell, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'
import { contentFacts, contentText } from './backup.ts'

interface ConfirmOptions {
  readonly asOriginal?: boolean
  readonly asClone?: boolean
  readonly giveUpRolling?: boolean
}

/** The body of the request. */
type Decision = { readonly as: string; readonly give_up_rolling?: boolean }

interface FromOptions extends OpenerOptions {
  readonly into?: string
  readonly asClone?: boolean
}

/** `evergrant restore`: a database that was restored, failed over or copied. */
export function restoreCommands(program: Command, shell: Shell): void {
  const group = program.command('restore').description('restores a backup; and what to do with a database that was restored, failed over or copied')
  group
    .command('from <file>', { isDefault: true })
    .description('restores a backup into an empty place; grants are presented again after `restore confirm`')
    .option('--identity-file <path>', 'the secret half of the recipient of the backup')
    .option('--passphrase-file <path>', 'its passphrase')
    .option('--into <address>', 'postgres://..., or env:NAME that holds it; by default the database of the configuration')
    .option('--as-clone', 'the original lives on: every grant ends, in this copy only, before anybody can open it')
    .action((file: string, options: FromOptions) => from(file, options, shell))
  group
    .command('status')
    .description('is the database trusted, and if not: why, and which grants need a reconnect')
    .action(() => withApi((api) => status(api, shell)))
  group
    .command('confirm')
    .description('trusts the database again; grants that cannot be saved need a reconnect')
    .option('--as-original', 'this copy takes the place of a database that is gone for good')
    .option('--as-clone', 'the original lives on: every grant in this copy ends, in this copy only')
    .option('--give-up-rolling', 'also end the grants that journals of running nodes still bring forward')
    .action((options: ConfirmOptions) => {
      if (options.asOriginal === true && options.asClone === true) throw new CommandFailure(EXIT.usage, 'Say --as-original or --as-clone, not both.')
      return withApi((api) => confirm(api, shell, decisionOf(options)))
    })
}

async function from(file: string, options: FromOptions, { output, finish }: Shell): Promise<void> {
  if (!existsSync(file)) throw usage(`There is no file ${file}: name a backup, or say \`restore status\` or \`restore confirm\`.`)
  const opener = openerOf(options)
  const given = loadConfig({ development: false })
  const config = options.into === undefined ? given : { ...given, databaseUrl: databaseAt(options.into) }
  const done = await restoreBackup(config, file, opener)
  const ended = options.asClone === true ? await endClone(config) : null
  const { keys, declared } = done
  if (keys.opens === false || keys.missing.length > 0) finish(EXIT.problem)
  const trust = declared === null || ended !== null ? 'trusted' : declared.trusted
  const facts = { ...contentFacts(done), database: config.databaseUrl === null ? databaseFile(config) : 'PostgreSQL', trust, ended }
  output.result(facts, () => ['Restored.', ...contentText(done), ...next(trust, ended)].join('\n'))
}

function next(trust: string, ended: number | null): readonly string[] {
  if (ended !== null) return [`It is a clone: ${ended} grants ended in it, and nowhere else. Connect test accounts of your own.`]
  if (trust === 'trusted') return ['No server has ever served from it: start one.']
  const choose = trust === 'cloned' ? `then \`${CHOOSE}\`` : 'then `evergrant restore confirm`'
  return [
    `Nothing that could cost a grant is presented yet. Start every node that you had, each with its own data folder, look at \`evergrant restore status\`, ${choose}.`,
  ]
}

function databaseAt(into: string): Secret {
  const secret = into.startsWith('env:') ? takeSecret(into.slice('env:'.length)) : new Secret(into)
  if (secret === undefined) throw usage(`${into}: the environment has no such variable`)
  const url = URL.parse(secret.reveal())
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    throw usage('--into is postgres://user@host/database, or env:NAME. Embedded: leave it out, and set EVERGRANT_DATA_DIR.')
  // What stands in the list of processes can be read by everybody on the machine.
  if (!into.startsWith('env:') && (url.password !== '' || url.searchParams.has('password')))
    throw usage('A password does not belong on the command line: put the URL into an environment variable, and say --into env:NAME.')
  return secret
}

async function status(api: Api, { output, finish }: Shell): Promise<void> {
  const found = await api.call('GET', 'admin/restore')
  if (found['trust'] !== 'trusted') finish(EXIT.problem)
  // Where, too: in a wrong folder a command makes a new database, and that is trusted.
  output.result(found, () => [`Asked: ${api.where}`, ...describe(found)].join('\n'))
}

function decisionOf({ asClone, asOriginal, giveUpRolling }: ConfirmOptions): Decision {
  const as = asClone === true ? 'clone' : asOriginal === true ? 'original' : 'restored'
  return { as, ...(giveUpRolling === true ? { give_up_rolling: true } : {}) }
}

async function confirm(api: Api, { output, finish }: Shell, decision: Decision): Promise<void> {
  const { as } = decision
  const confirmed = await api.call('POST', 'admin/restore/confirm', decision)
  // Somebody who says that a copy was noticed must not go away believing that its grants have ended.
  if (confirmed['changed'] === false && as === 'clone') finish(EXIT.problem)
  output.result(confirmed, () => said(confirmed, as))
}

function said(confirmed: JsonObject, as: string): string {
  const era = cell(confirmed['era'])
  if (confirmed['changed'] !== false) return `The database is trusted, era ${era}. Grants that need a reconnect: ${cell(confirmed['ended'])}.`
  const nothing = `The database was trusted already (era ${era}); nothing was changed.`
  return as === 'clone'
    ? `${nothing} If this is a copy whose original lives on and you have not confirmed it before, stop it: its grants have not ended.`
    : nothing
}

function describe(found: JsonObject): readonly string[] {
  const trust = found['trust']
  if (trust === 'trusted') return [`The database is trusted (era ${cell(found['era'])}). Nothing to do.`]
  const behind = list(found['behind'])
  const open = behind.filter((one) => one['mended'] !== true)
  const lines = [
    trust === 'cloned'
      ? 'This database is a copy from another place. No refresh token is presented.'
      : 'This database is older than it was. Only reusable refresh tokens are presented.',
    `Since ${cell(found['since'])}: ${cell(found['reason'])}`,
    'Access tokens that are still valid are served meanwhile.',
    '',
  ]
  if (open.length > 0)
    lines.push(
      `${open.length === 1 ? '1 grant was' : `${open.length} grants were`} rotated after this backup, and no journal has their newest token: reconnect needed.`,
      formatTable(COLUMNS, open.map(behindCells)),
      '',
    )
  const rolling = list(found['rolling_forward'])
  const busy = rolling.map((one) => String(one['node']))
  const waiting = names(found['waiting_for'], busy)
  const absent = names(found['absent'])
  if (waiting !== '') lines.push(`Still comparing: ${waiting}. Wait a few seconds.`)
  for (const one of rolling)
    lines.push(`Still rolling forward: ${cell(one['node'])}, connections to look at: ${cell(one['connections'])}. Wait until this line is gone.`)
  if (absent !== '') lines.push(`Not running here: ${absent}. ${trust === 'cloned' ? ABSENT_OF_COPY : ABSENT}`)
  return [...lines, `Then: ${trust === 'cloned' ? CHOOSE : 'evergrant restore confirm'}`]
}

const ABSENT =
  'Their journals may hold newer tokens: start them before you confirm, if their data folders exist. An id that no server of yours has is that of a command that ran in a folder of its own: run `evergrant restore status` there.'
const ABSENT_OF_COPY = 'Before --as-original, start them on this database, for their journals. For --as-clone leave them alone: they belong to the original.'

const CHOOSE = 'evergrant restore confirm --as-original (the original is gone) or --as-clone (it lives on)'

const COLUMNS = ['CONNECTION', 'INTEGRATION', 'OWNER', 'HERE', 'NEWEST']

const behindCells = (one: JsonObject): readonly string[] => [
  cell(one['connection']),
  cell(one['integration']),
  cell(one['owner']),
  cell(one['stored_generation'] ?? 'gone'),
  cell(one['marked_generation']),
]

function list(value: JsonObject[string] | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null && !Array.isArray(one)) : []
}

function names(value: JsonObject[string] | undefined, without: readonly string[] = []): string {
  return (Array.isArray(value) ? value.map(String) : []).filter((name) => !without.includes(name)).join(', ')
}
