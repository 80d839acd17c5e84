import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { ROLES } from '../../core/user/user.ts'
import { type Api, allItems } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { cell, formatFacts, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

interface CreateOptions {
  readonly email: string
  readonly name?: string
  readonly role: string
  readonly passwordStdin?: boolean
}

/** `evergrant users`: people who sign in. Links are printed here and nowhere else; hand them over as you would a password. */
export function userCommands(program: Command, shell: Shell): void {
  const group = program.command('users').description('people who sign in')
  listCommand(group, shell)
  createCommand(group, shell)
  switchCommands(group, shell)
  resetCommand(group, shell)
}

function listCommand(group: Command, { output }: Shell): void {
  group
    .command('list')
    .description('everybody in the organization')
    .action(() =>
      withApi(async (api) => {
        const items = await allItems(api, 'users', {})
        const rows = items.map((user) => [user['id'], user['email'], user['name'], user['role'], user['disabled_at']].map((value) => cell(value)))
        output.result({ items }, () => formatTable(['ID', 'E-MAIL', 'NAME', 'ROLE', 'DISABLED'], rows))
      }),
    )
}

function createCommand(group: Command, { output }: Shell): void {
  group
    .command('create')
    .description('makes a link at which the person chooses a password; or, with --password-stdin, the account itself')
    .requiredOption('--email <address>', 'the e-mail address')
    .option('--name <name>', 'what the person is called')
    .option('--role <role>', `one of ${ROLES.join(', ')}`, 'member')
    .option('--password-stdin', 'reads the password from standard input, and makes the account at once')
    .action((options: CreateOptions) =>
      withApi(async (api) => {
        const { email, role, name } = options
        const who = { email, role, ...(name === undefined ? {} : { name }) }
        if (options.passwordStdin !== true) {
          const made = await api.call('POST', 'users/invitation-links', who)
          output.result(made, () => formatFacts(made))
          output.note('Give the link to the person. It works once, for 7 days; no letter was sent.')
          return
        }
        const made = await api.call('POST', 'users', { ...who, password: readPassword() })
        output.result(made, () => formatFacts(made))
      }),
    )
}

function switchCommands(group: Command, { output }: Shell): void {
  for (const [verb, disabled, description] of [
    ['disable', true, 'signs the person out everywhere and lets them in no more; nothing is deleted'],
    ['enable', false, 'lets the person in again'],
  ] as const) {
    group
      .command(`${verb} <user>`)
      .description(`${description}. Id or e-mail address`)
      .action((user: string) =>
        withApi(async (api) => {
          const changed = await api.call('PATCH', `users/${encodeURIComponent(await userIdOf(api, user))}`, { disabled })
          output.result(changed, () => `${cell(changed['id'])} is ${verb}d.`)
        }),
      )
  }
}

function resetCommand(group: Command, { output }: Shell): void {
  group
    .command('reset-password <user>')
    .description('makes a link at which the person chooses a new password. Id or e-mail address')
    .action((user: string) =>
      withApi(async (api) => {
        const made = await api.call('POST', `users/${encodeURIComponent(await userIdOf(api, user))}/password-reset`)
        output.result(made, () => formatFacts(made))
        output.note('Give the link to the person. It works once, for an hour; no letter was sent.')
      }),
    )
}

/** By id or e-mail address. @throws CommandFailure */
export async function userIdOf(api: Api, user: string): Promise<string> {
  if (user.startsWith('usr_')) return user
  const wanted = user.trim().toLowerCase()
  const found = (await allItems(api, 'users', {})).find((item) => item['email'] === wanted)
  if (typeof found?.['id'] === 'string') return found['id']
  throw new CommandFailure(EXIT.problem, `There is no user ${user} in this organization. \`evergrant users list\` lists them.`, { code: 'not_found' })
}

/** A password on the command line would stand in the list of processes and in the shell's history. */
function readPassword(): string {
  const text = readFileSync(0, 'utf8').replace(/\r?\n$/, '')
  if (text === '')
    throw new CommandFailure(
      EXIT.usage,
      'Standard input is empty: write the password to it, for example `printf %s "$PASSWORD" | evergrant users create ...`.',
      { code: 'usage' },
    )
  return text
}
