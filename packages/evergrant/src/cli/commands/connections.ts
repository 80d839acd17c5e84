import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { allItems } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { cell, formatFacts, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'
import { credentialCommands } from './credentials.ts'

interface ListOptions {
  readonly integration?: string
  readonly owner?: string
  readonly status?: string
  readonly tag?: string
}

/** `evergrant connections`: one grant of one end user at one integration. */
export function connectionCommands(program: Command, shell: Shell): void {
  const group = program.command('connections').description('the grants of your end users')
  listCommand(group, shell)
  group
    .command('show <id>')
    .description('one connection: state, fault, times; never its tokens')
    .action((id: string) => show(shell, 'GET', `connections/${encodeURIComponent(id)}`))
  for (const verb of ['pause', 'resume'] as const) {
    group
      .command(`${verb} <id>`)
      .description(verb === 'pause' ? 'stops every refresh until it is resumed' : 'goes on with a paused connection')
      .action((id: string) => show(shell, 'POST', `connections/${encodeURIComponent(id)}/${verb}`))
  }
  group
    .command('test <id>')
    .description('one cheap call with its token: does the connection work?')
    .action((id: string) =>
      withApi(async (api) => {
        const item = await api.call('POST', `connections/${encodeURIComponent(id)}/test`, {})
        if (item['result'] !== 'works') shell.finish(EXIT.problem)
        shell.output.result(item, () => formatFacts(item))
      }),
    )
  group
    .command('disconnect <id>')
    .description('ends a connection for good and revokes its grant at the provider')
    .action((id: string) => show(shell, 'POST', `connections/${encodeURIComponent(id)}/disconnect`))
  group
    .command('reconnect-link <id>')
    .description('a link for the owner that repairs this connection; lives 7 days')
    .option('--return-url <url>', 'where the browser goes afterwards')
    .action((id: string, options: { readonly returnUrl?: string }) =>
      withApi(async (api) => {
        const body = options.returnUrl === undefined ? {} : { return_url: options.returnUrl }
        const link = await api.call('POST', `connections/${encodeURIComponent(id)}/reconnect`, body)
        shell.output.result(link, () => cell(link['url']))
      }),
    )
  credentialCommands(group, shell)
  importCommand(group, shell)
}

function show({ output }: Shell, method: 'GET' | 'POST', path: string): Promise<void> {
  return withApi(async (api) => {
    const item = await api.call(method, path)
    output.result(item, () => formatFacts(item))
  })
}

function listCommand(group: Command, { output }: Shell): void {
  group
    .command('list')
    .description('connections, with their status')
    .option('--integration <id>', 'only of this integration')
    .option('--owner <owner>', 'only of this owner')
    .option('--status <status>', 'active, degraded, needs_reauth, blocked, paused or disconnected')
    .option('--tag <tag>', 'only with this tag')
    .action((options: ListOptions) =>
      withApi(async (api) => {
        const query = Object.fromEntries(Object.entries(options).filter(([name, value]) => name !== 'json' && typeof value === 'string'))
        const items = await allItems(api, 'connections', query)
        const rows = items.map((item) =>
          [item['id'], item['integration'], item['owner'], item['status'], faultCode(item['fault']), item['expires_at']].map((value) => cell(value)),
        )
        output.result({ items }, () => formatTable(['ID', 'INTEGRATION', 'OWNER', 'STATUS', 'FAULT', 'EXPIRES'], rows) + repairLines(items))
      }),
    )
}

/** The links that owners need, under the table: one is longer than a line. */
function repairLines(items: readonly JsonObject[]): string {
  const broken = items.filter((item) => typeof item['reconnect_url'] === 'string')
  if (broken.length === 0) return ''
  return `\n\nOnly their owners can repair these; send them the link:\n${broken.map((item) => `${cell(item['id'])}\n  ${cell(item['reconnect_url'])}`).join('\n')}`
}

function faultCode(fault: JsonValue | undefined): JsonValue | undefined {
  return isJsonObject(fault) ? fault['code'] : fault
}

function importCommand(group: Command, { output }: Shell): void {
  group
    .command('import')
    .description('takes over a grant that another system held; stop refreshing it there first')
    .requiredOption('--integration <id>', 'id or slug of the integration')
    .requiredOption('--owner <owner>', 'whose grant it is')
    .requiredOption('--file <path>', 'JSON with access_token, refresh_token, expires_at ...; `-` reads standard input')
    .action(({ integration, owner, file }: { readonly integration: string; readonly owner: string; readonly file: string }) => {
      const grant = readGrant(file)
      return withApi(async (api) => {
        const item = await api.call('POST', 'connections', { integration, owner, ...grant })
        output.result(item, () => formatFacts(item))
      })
    })
}

function readGrant(path: string): JsonObject {
  let value: JsonValue
  try {
    value = JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8'))
  } catch {
    throw new CommandFailure(EXIT.usage, `--file: ${path} cannot be read as JSON`)
  }
  if (!isJsonObject(value)) throw new CommandFailure(EXIT.usage, '--file: one JSON object with access_token and refresh_token is expected')
  return value
}
