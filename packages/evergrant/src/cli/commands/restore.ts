import type { Command } from 'commander'
import type { JsonObject } from '../../core/json.ts'
import type { Api } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { cell, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

interface ConfirmOptions {
  readonly asOriginal?: boolean
  readonly asClone?: boolean
}

/** `evergrant restore`: a database that was restored, failed over or copied. */
export function restoreCommands(program: Command, shell: Shell): void {
  const group = program.command('restore').description('a database that was restored from a backup, failed over or copied')
  group
    .command('status')
    .description('is the database trusted, and if not: why, and which grants need a reconnect')
    .action(() => withApi((api) => status(api, shell)))
  group
    .command('confirm')
    .description('trusts the database again; grants that cannot be saved need a reconnect')
    .option('--as-original', 'this copy takes the place of a database that is gone for good')
    .option('--as-clone', 'the original lives on: every grant in this copy ends, in this copy only')
    .action((options: ConfirmOptions) => {
      if (options.asOriginal === true && options.asClone === true) throw new CommandFailure(EXIT.usage, 'Say --as-original or --as-clone, not both.')
      return withApi((api) => confirm(api, shell, options.asClone === true ? 'clone' : options.asOriginal === true ? 'original' : 'restored'))
    })
}

async function status(api: Api, { output, finish }: Shell): Promise<void> {
  const found = await api.call('GET', 'admin/restore')
  if (found['trust'] !== 'trusted') finish(EXIT.problem)
  // Where, too: in a wrong folder a command makes a new database, and that is trusted.
  output.result(found, () => [`Asked: ${api.where}`, ...describe(found)].join('\n'))
}

async function confirm(api: Api, { output, finish }: Shell, as: string): Promise<void> {
  const confirmed = await api.call('POST', 'admin/restore/confirm', { as })
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
  const waiting = names(found['waiting_for'])
  const absent = names(found['absent'])
  if (waiting !== '') lines.push(`Still comparing: ${waiting}. Wait a few seconds.`)
  if (absent !== '') lines.push(`Not running here: ${absent}. ${trust === 'cloned' ? ABSENT_OF_COPY : ABSENT}`)
  return [...lines, `Then: ${trust === 'cloned' ? CHOOSE : 'evergrant restore confirm'}`]
}

const ABSENT = 'Their journals may hold newer tokens: start them before you confirm, if their data folders exist.'
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

function names(value: JsonObject[string] | undefined): string {
  return Array.isArray(value) ? value.map(String).join(', ') : ''
}
