import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { JsonObject, JsonValue } from '../../core/json.ts'
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
  removeStepsCommand(group, shell)
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
      }, output),
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
    .description('makes a link at which the person chooses a new password. Id or e-mail address, of anybody on this server')
    .action((user: string) =>
      withApi(async (api) => {
        const made = await api.call('POST', `users/${encodeURIComponent(await idOnServer(api, user))}/password-reset`)
        output.result(made, () => formatFacts(made))
        output.note('Give the link to the person. It works once, for an hour; no letter was sent.')
      }),
    )
}

function removeStepsCommand(group: Command, { output }: Shell): void {
  group
    .command('remove-second-steps <user>')
    .description(
      'for somebody who lost all of them: removes every authenticator app, passkey and recovery code and ends every session; says what, and asks for --yes. Id or e-mail address, of anybody on this server',
    )
    .option('--yes', 'after you made sure that it is them who asks')
    .action((user: string, options: { readonly yes?: boolean }) =>
      withApi(async (api) => {
        const ask = (dryRun: boolean) => api.call('POST', 'users/factor-removals', { user, dry_run: dryRun })
        const found = await ask(true)
        if (options.yes !== true && hasSteps(found)) throw new CommandFailure(EXIT.problem, removalRefusal(found), { code: 'confirmation_required', ...found })
        const done = options.yes === true ? await ask(false) : found
        output.result(done, () => removalSaid(done))
        if (done['removed'] === true) output.note(removalNext(done))
      }),
    )
}

const hasSteps = (report: JsonObject): boolean => report['totp'] !== 0 || report['passkeys'] !== 0

const whoOf = ({ user, email }: JsonObject): string => (email === null ? cell(user) : `${cell(user)} (${cell(email)})`)

function stepsOf(report: JsonObject): string {
  const named = [counted(report['totp'], 'authenticator app'), counted(report['passkeys'], 'passkey'), counted(report['recovery_codes'], 'recovery code')]
  return named.join(', ')
}

function counted(number: JsonValue | undefined, what: string): string {
  return `${cell(number)} ${what}${number === 1 ? '' : 's'}`
}

function removalRefusal(found: JsonObject): string {
  return [
    `This would remove every second step of ${whoOf(found)}: ${stepsOf(found)}. Every session of theirs would end.`,
    'From then on the first step alone opens the account, so make sure that it is them who asks: in person or by a call back, never by a message alone.',
    `Then: evergrant users remove-second-steps ${cell(found['user'])} --yes`,
  ].join('\n')
}

function removalSaid(done: JsonObject): string {
  if (done['removed'] !== true) return `${whoOf(done)} has no second step. Nothing was changed.`
  return `Removed every second step of ${whoOf(done)}: ${stepsOf(done)}. ${counted(done['sessions_ended'], 'session')} ended.`
}

function removalNext(done: JsonObject): string {
  const reset = `\`evergrant users reset-password ${cell(done['user'])}\``
  const ways = Array.isArray(done['signs_in_with']) ? done['signs_in_with'] : []
  if (ways.length === 0) return `They have no password and no account elsewhere to sign in with. Make them a link for a new password: ${reset}.`
  const others = ways.includes('password') ? ` If anybody else may know it, make them a link for a new one: ${reset}.` : ''
  return `They sign in with their ${ways.map((way) => (way === 'provider' ? 'account elsewhere' : cell(way))).join(' or ')} alone until they add a second step.${others}`
}

/** Whoever runs the server helps everybody on it. The look that a removal of second steps begins with finds them, and changes nothing. @throws CommandFailure */
async function idOnServer(api: Api, user: string): Promise<string> {
  if (user.startsWith('usr_')) return user
  return cell((await api.call('POST', 'users/factor-removals', { user: user.trim(), dry_run: true }))['user'])
}

/** By id or e-mail address, in the organization. @throws CommandFailure */
export async function userIdOf(api: Api, user: string): Promise<string> {
  if (user.startsWith('usr_')) return user
  const wanted = user.trim().toLowerCase()
  const found = (await allItems(api, 'users', {})).find((item) => item['email'] === wanted)
  if (typeof found?.['id'] === 'string') return found['id']
  const detail = `There is no user ${user} in this organization. \`evergrant users list\` lists them; whoever was invited is one as soon as they have used their link.`
  throw new CommandFailure(EXIT.problem, detail, { code: 'not_found' })
}

/** What cannot be read (a folder, a terminal that gives nothing) has no password. */
function standardInput(): string {
  try {
    return readFileSync(0, 'utf8')
  } catch {
    return ''
  }
}

/** A password on the command line would stand in the list of processes and in the shell's history. */
function readPassword(): string {
  const text = standardInput().replace(/\r?\n$/, '')
  if (text === '')
    throw new CommandFailure(
      EXIT.usage,
      'Standard input is empty or cannot be read: write the password to it, for example `printf %s "$PASSWORD" | evergrant users create ...`.',
      { code: 'usage' },
    )
  return text
}
