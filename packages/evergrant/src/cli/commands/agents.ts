import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { allItems } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { cell, formatFacts, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'
import { agentDecisionCommands } from './agent-decisions.ts'
import { type PolicyOptions, policyCommand, policyFrom, policyOptions } from './agent-policy.ts'
import { agentPath } from './agent-reference.ts'
import { agentSettingsCommand, type RecoveryOptions, recoveryFrom, recoveryOptions } from './agent-settings.ts'
import { installationCommands } from './installations.ts'
import { userIdOf } from './users.ts'

interface CreateOptions extends PolicyOptions {
  readonly name: string
  readonly owner: string
  readonly description?: string
}

interface UpdateOptions extends RecoveryOptions {
  readonly name?: string
  readonly owner?: string
  readonly description?: string
}

/** `evergrant agents`: programs, their machines, and what waits for a person. An agent is named by its id or its name. */
export function agentCommands(program: Command, shell: Shell): void {
  const group = program.command('agents').description('programs that use connections, and their machines')
  lookCommands(group, shell)
  createCommand(group, shell)
  updateCommand(group, shell)
  stateCommands(group, shell)
  policyCommand(group, shell)
  codeCommand(group, shell)
  downloadCommand(group, shell)
  installationCommands(group, shell)
  agentDecisionCommands(group, shell)
  agentSettingsCommand(group, shell)
}

function lookCommands(group: Command, { output }: Shell): void {
  group
    .command('list')
    .description('every agent')
    .option('--status <status>', 'pending, verified, suspended or revoked')
    .option('--owner <user>', 'only of this person: id or e-mail address')
    .action(({ status, owner }: { readonly status?: string; readonly owner?: string }) =>
      withApi(async (api) => {
        const query = { ...(status === undefined ? {} : { status }), ...(owner === undefined ? {} : { owner: await userIdOf(api, owner) }) }
        const items = await allItems(api, 'agents', query)
        const rows = items.map((item) => [item['id'], item['name'], item['status'], item['owner'], item['reviewed_at']].map((value) => cell(value)))
        output.result({ items }, () => formatTable(['ID', 'NAME', 'STATUS', 'OWNER', 'REVIEWED'], rows))
      }),
    )
  group
    .command('show <agent>')
    .description('one agent, by id or name')
    .action((agent: string) =>
      withApi(async (api) => {
        const item = await api.call('GET', await agentPath(api, agent))
        output.result(item, () => formatFacts(item))
      }),
    )
}

function createCommand(group: Command, { output }: Shell): void {
  const command = group
    .command('create')
    .description('makes an agent; without --allow it may use nothing yet')
    .requiredOption('--name <name>', 'what the program is called')
    .requiredOption('--owner <user>', 'who answers for it: id or e-mail address')
    .option('--description <text>', 'what it does')
  policyOptions(command).action((options: CreateOptions) =>
    withApi(async (api) => {
      const { name, description } = options
      const policy = policyFrom(options)
      const owner = await userIdOf(api, options.owner)
      const made = await api.call('POST', 'agents', {
        name,
        owner,
        ...(description === undefined ? {} : { description }),
        ...(policy === null ? {} : { policy }),
      })
      output.result(made, () => formatFacts(made))
      output.note(`Enrol a machine: evergrant agents code ${cell(made['id'])}`)
    }),
  )
}

function updateCommand(group: Command, { output }: Shell): void {
  const command = group
    .command('update <agent>')
    .description('changes what is named and leaves the rest; a new owner has to accept it')
    .option('--name <name>', 'what the program is called')
    .option('--owner <user>', 'who answers for it: id or e-mail address')
    .option('--description <text>', 'what it does')
  recoveryOptions(command).action((agent: string, options: UpdateOptions) =>
    withApi(async (api) => {
      const recovery = recoveryFrom(options)
      const body = {
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.description === undefined ? {} : { description: options.description }),
        ...(options.owner === undefined ? {} : { owner: await userIdOf(api, options.owner) }),
        ...(recovery === null ? {} : { recovery }),
      }
      if (Object.keys(body).length === 0) throw new CommandFailure(EXIT.usage, 'Name what is to change; --help lists it.', { code: 'usage' })
      const item = await api.call('PATCH', await agentPath(api, agent), body)
      output.result(item, () => formatFacts(item))
    }),
  )
}

const STATES = [
  ['accept', 'answers for what it does from now on', 'is accepted'],
  ['suspend', 'stops everything of it until it is resumed; nothing is lost', 'is suspended'],
  ['resume', 'goes on with a suspended agent', 'goes on'],
] as const

function stateCommands(group: Command, { output }: Shell): void {
  for (const [verb, description, done] of STATES) {
    group
      .command(`${verb} <agent>`)
      .description(description)
      .action((agent: string) =>
        withApi(async (api) => {
          const item = await api.call('POST', `${await agentPath(api, agent)}/${verb}`, {})
          output.result(item, () => `${cell(item['name'])} ${done}: it is ${cell(item['status'])}.`)
        }),
      )
  }
  group
    .command('revoke <agent>')
    .description('ends it for good, with all its machines')
    .action((agent: string) =>
      withApi(async (api) => {
        const item = await api.call('DELETE', await agentPath(api, agent))
        output.result(item, () => `${cell(item['name'])} is revoked, and all its machines with it.`)
      }),
    )
}

function codeCommand(group: Command, { output }: Shell): void {
  group
    .command('code <agent>')
    .description('makes a code that enrols one machine, once, and shows it once')
    .option('--name <name>', 'of the installation to be; the name of its host by default')
    .option('--expires-in <seconds>', 'from 600 to 3600', '3600')
    .action((agent: string, { name, expiresIn }: { readonly name?: string; readonly expiresIn: string }) =>
      withApi(async (api) => {
        const body = { expires_in: Number(expiresIn), ...(name === undefined ? {} : { name }) }
        const made = await api.call('POST', `${await agentPath(api, agent)}/enrolment-codes`, body)
        output.result(made, () => cell(made['code']))
        output.note(`On the machine: npx @evergrant/sdk enroll <code>. It works once, until ${cell(made['expires_at'])}.`)
      }),
    )
}

function downloadCommand(group: Command, { output }: Shell): void {
  group
    .command('download <agent>')
    .description('writes a ready project for one machine: a zip with a program and a one-time code')
    .requiredOption('--out <file>', 'where to; an existing file is not overwritten')
    .option('--name <name>', 'of the installation to be; the name of its host by default')
    .action((agent: string, { out, name }: { readonly out: string; readonly name?: string }) =>
      withApi(async (api) => {
        const archive = await api.file(`${await agentPath(api, agent)}/download`, name === undefined ? {} : { name })
        writeNew(out, archive)
        output.result({ file: out, bytes: archive.length }, () => `${out} is ready: unpack it, npm install, npm start.`)
        output.note('Its code enrols one machine, within an hour. Hand it over as you would a password.')
      }),
    )
}

function writeNew(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw new CommandFailure(EXIT.usage, `--out: ${path} ${exists ? 'exists already; choose another name' : 'cannot be written'}`, { code: 'usage' })
  }
}
