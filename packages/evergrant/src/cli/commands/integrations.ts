import type { Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { allItems } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { pairs, readSecret } from '../option-values.ts'
import { cell, formatFacts, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

interface IntegrationOptions {
  readonly provider?: string
  readonly slug?: string
  readonly name?: string
  readonly clientId?: string
  readonly clientSecretFile?: string
  readonly scope?: string[]
  readonly variable?: string[]
  readonly setting?: string[]
}

/** `evergrant integrations`: a provider plus this organization's client id, secret and settings. */
export function integrationCommands(program: Command, { output }: Shell): void {
  const group = program.command('integrations').description('providers with your client id and secret')
  group
    .command('list')
    .description('every integration')
    .action(() =>
      withApi(async (api) => {
        const items = await allItems(api, 'integrations', {})
        const rows = items.map((item) => [item['id'], item['slug'], item['provider'], item['client_id'], stateOf(item)].map((value) => cell(value)))
        output.result({ items }, () => formatTable(['ID', 'SLUG', 'PROVIDER', 'CLIENT ID', 'STATE'], rows))
      }),
    )
  group
    .command('show <id>')
    .description('one integration, by id or slug')
    .action((id: string) =>
      withApi(async (api) => {
        const item = await api.call('GET', `integrations/${encodeURIComponent(id)}`)
        output.result(item, () => formatFacts(item))
      }),
    )
  const create = group
    .command('create')
    .description('adds an integration')
    .requiredOption('--provider <id>', 'record of the catalogue')
    .requiredOption('--slug <slug>', 'name in URLs')
    .option('--client-id <id>', 'client id at the provider; none where each connection brings its own credentials')
  const update = group
    .command('update <id>')
    .description('changes what is named and leaves the rest')
    .option('--slug <slug>', 'name in URLs')
    .option('--client-id <id>', 'client id at the provider')
  const send = (method: 'POST' | 'PATCH', path: string, fields: JsonObject) =>
    withApi(async (api) => {
      const item = await api.call(method, path, fields)
      output.result(item, () => formatFacts(item))
      const missing = item['client_secret_missing']
      if (isJsonObject(missing)) output.note(cell(missing['detail']))
    }, output)
  group
    .command('deaths <id> <decision>')
    .description('decides about ends that are held: `confirm` ends the grants, `release` puts them back to work')
    .action((id: string, decision: string) => {
      if (decision !== 'confirm' && decision !== 'release') throw new CommandFailure(EXIT.usage, `'${decision}' is neither confirm nor release`)
      return send('POST', `integrations/${encodeURIComponent(id)}/deaths/${decision}`, {})
    })
  pushCommands(group, { output })
  deleteCommand(group, { output })
  describeFields(create).action((options: IntegrationOptions) => send('POST', 'integrations', { name: options.slug ?? '', ...fieldsOf(options) }))
  describeFields(update).action((id: string, options: IntegrationOptions) => send('PATCH', `integrations/${encodeURIComponent(id)}`, fieldsOf(options)))
}

/** Where the provider pushes to. */
function pushCommands(group: Command, { output }: Pick<Shell, 'output'>): void {
  group
    .command('push <id>')
    .description('where the provider pushes to, and what to register there')
    .action((id: string) =>
      withApi(async (api) => {
        const item = await api.call('GET', `integrations/${encodeURIComponent(id)}/push`)
        output.result(item, () => formatFacts(item))
      }),
    )
  group
    .command('push-secret <id>')
    .description('sets or rotates the push secret and tells the complete address, once')
    .option('--secret-file <path>', 'file with the secret that the provider gave; `-` reads standard input. Without it, one is drawn')
    .action((id: string, { secretFile }: { readonly secretFile?: string }) =>
      withApi(async (api) => {
        const body = secretFile === undefined ? {} : { secret: readSecret('--secret-file', secretFile) }
        const item = await api.call('POST', `integrations/${encodeURIComponent(id)}/push-secret`, body)
        output.result(item, () => formatFacts(item))
      }),
    )
}

function deleteCommand(group: Command, { output }: Pick<Shell, 'output'>): void {
  group
    .command('delete <id>')
    .description('deletes an integration that has no connections any more; says what would go, and asks for --yes')
    .option('--yes', 'its client secret is kept somewhere else, or not needed again')
    .action((id: string, options: { readonly yes?: boolean }) =>
      withApi(async (api) => {
        const path = `integrations/${encodeURIComponent(id)}`
        const item = await api.call('GET', path)
        const about = { id: item['id'] ?? null, slug: item['slug'] ?? null }
        if (options.yes !== true) throw new CommandFailure(EXIT.problem, deletionRefusal(item), { code: 'confirmation_required', ...about })
        await api.call('DELETE', path)
        output.result({ ...about, deleted: true }, () => `${cell(item['slug'])} is deleted.`)
      }),
    )
}

function deletionRefusal(item: JsonObject): string {
  const secret = item['has_client_secret'] === true ? ' with its client secret, which cannot be read back' : ''
  return [
    `This would delete ${cell(item['slug'])} (${cell(item['provider'])}, client id ${cell(item['client_id'])})${secret}. It is refused while a connection of it is not disconnected.`,
    `Then: evergrant integrations delete ${cell(item['slug'])} --yes`,
  ].join('\n')
}

function stateOf(item: JsonObject): string {
  if (item['blocked'] != null) return 'blocked'
  return item['deaths_held'] == null ? 'ready' : 'ends held'
}

function describeFields(command: Command): Command {
  return command
    .option('--name <name>', 'what people see')
    .option('--client-secret-file <path>', 'file with the client secret; `-` reads standard input, so that it is in no process list')
    .option('--scope <scope...>', 'scopes to ask for')
    .option('--variable <name=value...>', "values for the provider's URL templates: tenant, domain")
    .option('--setting <name=value...>', 'settings, values as JSON or text: renewal=ahead, concurrency=4, return_urls=["https://app.example.com/done"]')
}

function fieldsOf(options: IntegrationOptions): JsonObject {
  const { provider, slug, name, clientId, clientSecretFile, scope, variable, setting } = options
  return {
    ...(provider === undefined ? {} : { provider }),
    ...(slug === undefined ? {} : { slug }),
    ...(name === undefined ? {} : { name }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(clientSecretFile === undefined ? {} : { client_secret: readSecret('--client-secret-file', clientSecretFile) }),
    ...(scope === undefined ? {} : { scopes: scope }),
    ...(variable === undefined ? {} : { variables: pairs(variable, (text) => text) }),
    ...(setting === undefined ? {} : { settings: pairs(setting, jsonOrText) }),
  }
}

function jsonOrText(text: string): JsonObject[string] {
  try {
    return JSON.parse(text)
  } catch {
    // A list with a quote too few is no text: the server would only say that it wanted a list.
    if (/^\s*[[{]/.test(text))
      throw new CommandFailure(EXIT.usage, '--setting: a value begins as JSON and cannot be read as JSON: look at its quotes and brackets')
    return text
  }
}
