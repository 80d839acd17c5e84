// The pages of docs/reference that are written from the sources: routes, command line, events, doors of the SDK. A test holds them together.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../packages/evergrant/src/cli/program.ts'
import { EVENT_TYPES } from '../packages/evergrant/src/core/audit/event.ts'
import { createEvergrant, readConfig } from '../packages/evergrant/src/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const GENERATED = '<!-- Written from the sources by `npm run generate:reference`. Change the source, not this file. -->'

interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly $ref?: string
  readonly items?: Schema
}

interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: Schema
  }[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }
}

/** An OpenAPI document, as far as the pages read it. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** File name below docs/reference -> text. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  return {
    'http.md': httpMarkdown(await openApiDocument()),
    'cli.md': await cliMarkdown(),
    'events.md': eventsMarkdown(EVENT_TYPES),
    'sdk.md': sdkMarkdown(),
  }
}

async function openApiDocument(): Promise<Document> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-reference-'))
  const evergrant = await createEvergrant(readConfig({ EVERGRANT_DATA_DIR: join(folder, 'data'), EVERGRANT_LOG_LEVEL: 'silent' }, { development: false }))
  try {
    return JSON.parse((await evergrant.app.inject({ method: 'GET', url: '/api/v1/openapi.json' })).payload)
  } finally {
    await evergrant.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const HTTP_HEAD = `# HTTP API

${GENERATED}

Every route below \`/api/v1\`, from the OpenAPI document that a running server answers at \`/api/v1/openapi.json\` (and as a page at \`/docs/api\`), where
the shapes of the answers stand, too.

- Send an API key (\`Authorization: Bearer egk_...\`) or a person's access token. \`Scope\` says what a key, or the role of a person, must allow; [the role matrix](../security/role-matrix.md) has every cell.
- Bodies are JSON. Instants are ISO 8601 in UTC. Lists are \`{ items, cursor }\`: send \`cursor\` to get the next page.
- A POST with an \`Idempotency-Key\` may be repeated for 24 hours and is done once.
- Errors are problem documents (RFC 9457). Decide by \`code\`: [errors](../errors.md) has each of them.
`

/** The routes, one section for each tag, in alphabetical order. */
export function httpMarkdown(document: Document): string {
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const tags = [...new Set(routes.map(({ operation }) => operation.tags?.[0] ?? 'other'))].toSorted()
  const sections = tags.map((tag) => {
    const own = routes.filter(({ operation }) => (operation.tags?.[0] ?? 'other') === tag)
    return `\n## ${capital(tag.replaceAll('-', ' '))}\n${own.map(({ path, method, operation }) => routeMarkdown(path, method, operation)).join('')}`
  })
  return `${HTTP_HEAD}${sections.join('')}`
}

function routeMarkdown(path: string, method: string, operation: Operation): string {
  const { summary = '', description = '', parameters = [], requestBody } = operation
  const body = requestBody?.content?.['application/json']?.schema
  const rows = [
    ...parameters
      .filter((one) => one.in !== 'header')
      .map((one) => ({ ...one, place: one.in, type: typeOf(one.schema), description: one.description ?? one.schema?.description })),
    ...Object.entries(body?.properties ?? {}).map(([name, schema]) => ({
      name,
      place: 'body',
      type: typeOf(schema),
      required: body?.required?.includes(name) === true,
      description: schema.description,
    })),
  ]
  const table = rows.map(
    ({ name, place, type, required, description: text }) => `| \`${name}\`${required === true ? ' *' : ''} | ${place} | ${type} | ${cell(text)} |\n`,
  )
  const words = description === '' ? '' : `\n${description.trim()}\n`
  const head = table.length === 0 ? '' : '\n| field | in | type | meaning |\n| --- | --- | --- | --- |\n'
  return `\n### ${summary}\n\n\`${method.toUpperCase()} ${path}\`\n${words}${head}${table.join('')}`
}

function typeOf(schema: Schema | undefined): string {
  if (schema?.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema?.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (schema?.type === 'array') return `list of ${typeOf(schema.items)}`
  return typeof schema?.type === 'string' ? schema.type : Array.isArray(schema?.type) ? schema.type.join(' or ') : 'any'
}

const cell = (text: string | undefined): string => (text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;')
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** What `--help` says of every command. */
async function cliMarkdown(): Promise<string> {
  const sections: string[] = []
  await describeCommands([], sections)
  return `# Command line

${GENERATED}

What \`--help\` says of each command. From the sources \`npm run evergrant --\` takes the place of \`evergrant\`. Commands speak to the running server of the same data
folder; with none, they open the database themselves. All take \`--json\`. Exit codes: [operate](../guides/operate.md#exit-codes).
${sections.join('')}`
}

async function describeCommands(path: readonly string[], sections: string[]): Promise<void> {
  const said: string[] = []
  await runCommandLine([...path, '--help'], { out: (piece) => void said.push(piece), err: () => undefined, interactive: false })
  const help = said.join('').trimEnd()
  sections.push(`\n## ${['evergrant', ...path].join(' ')}\n\n\`\`\`text\n${help}\n\`\`\`\n`)
  const [, list = ''] = /^Commands:\n([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(help) ?? []
  for (const [, name = ''] of list.matchAll(/^ {2}([a-z][\w-]*)/gm)) if (name !== 'help') await describeCommands([...path, name], sections)
}

/** Whom an event of a kind is about. */
const KINDS: Readonly<Record<string, string>> = {
  agent: 'An agent: a program, its policy and its state.',
  alert: 'An alert of ours was opened, changed hands or ended.',
  alert_rules: 'What alerts are made of.',
  api_key: 'A key of the organization.',
  approval: 'A use of a connection that a person decides about.',
  channel: 'Where alerts are sent.',
  connect: 'A connect flow, step by step.',
  connection: 'A connection: its life, its refreshes, its end.',
  database: 'The database is another, or older, than it was.',
  device: 'An installation that is enrolled by approving it on a page.',
  enrolment: 'A code that enrols an installation.',
  incident: 'An outage of a provider, as end users are told of it.',
  installation: 'One enrolled copy of an agent.',
  integration: 'A provider with your client id and secret.',
  keys: 'The master keys.',
  organization: 'The organization itself.',
  owner: 'The data of one owner, or their page.',
  provider: 'A provider answers otherwise than its record says.',
  push: 'What a provider told by itself.',
  recovery: 'An installation gets a new credential by proving its key.',
  report: 'Once a day.',
  sdk_token: 'The credential of an installation.',
  session: 'A signed-in browser or device.',
  signing_key: 'A key that signs access tokens.',
  sweep: 'A look at everything that is due.',
  user: 'A person and how they sign in.',
  webhook: 'An endpoint of yours.',
  workload_issuer: 'Whom programs may prove themselves with.',
}

/** The types of events. @throws when a kind has no words here */
export function eventsMarkdown(types: readonly string[]): string {
  const kinds = [...new Set(types.map((type) => type.split('.')[0] ?? ''))].toSorted()
  const rows = kinds.map((kind) => {
    const words = KINDS[kind] ?? fail(`scripts/reference-pages.ts: say in KINDS what an event of '${kind}' is about`)
    const own = types.filter((type) => type.startsWith(`${kind}.`)).map((type) => `\`${type}\``)
    return `| ${kind} | ${words} | ${own.join(', ')} |\n`
  })
  return `# Events

${GENERATED}

An event is an append-only record of something that happened, in the same transaction as what it tells. It has \`id\`, \`type\`, \`at\`, \`actor\` (\`api_key\`, \`user\`, \`installation\`, \`system\`,
\`browser\` or \`cli\`, and its id), \`connection_id\`, \`subject\` and \`data\`, which never holds a secret. \`GET /api/v1/events\` lists them ([HTTP API](http.md#list-events)), the console follows them live, and
[webhooks](../guides/webhooks.md) send the types that an endpoint asks for, with \`*\` at the end of a pattern: \`connection.*\`.

| of | about | types |
| --- | --- | --- |
${rows.join('')}`
}

function fail(words: string): never {
  throw new Error(words)
}

const GUIDES: Readonly<Record<string, string>> = {
  '.': 'Backends: connect sessions, tokens, reconnect links; the proxy is a request of your own, see its [guide](../guides/proxy.md). [README](../../packages/sdk/README.md)',
  './browser': 'The session of a person in a page. [Guide](../guides/browser.md)',
  './axios': 'The same for axios. [Guide](../guides/axios.md)',
  './react': 'Hooks and components. [Guide](../guides/react.md)',
  './node': 'Programs with a credential of their own, and `authenticate`. [Programs](../guides/sdk-node.md), [APIs](../guides/protect-an-api.md)',
  './express': 'Protect an Express API. [Guide](../guides/protect-an-api.md)',
  './fastify': 'Protect a Fastify API. [Guide](../guides/protect-an-api.md)',
  './next': 'Protect route handlers. [Guide](../guides/protect-an-api.md)',
  './testing': 'A server in memory for tests of programs. [Guide](../guides/sdk-node.md)',
  './wire': 'Types of every request and answer, written from the OpenAPI document.',
}

/** The doors of the SDK and what each offers. */
function sdkMarkdown(): string {
  const manifest: { readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(readFileSync(join(root, 'packages/sdk/package.json'), 'utf8'))
  const rows = Object.entries(manifest.exports)
    .filter(([door]) => !/package\.json|styles|\*/.test(door))
    .map(([door, target]) => {
      const built = /dist\/([\w/-]+)\.d\.ts/.exec(JSON.stringify(target))?.[1] ?? ''
      const source = join(root, 'packages/sdk/src', `${built}.ts`)
      const names = door === './wire' || !existsSync(source) ? [] : offeredNames(readFileSync(source, 'utf8'))
      return `| \`@evergrant/sdk${door.slice(1)}\` | ${GUIDES[door] ?? fail(`scripts/reference-pages.ts: say in GUIDES what ${door} is for`)} | ${names.map((name) => `\`${name}\``).join(', ')} |\n`
    })
  return `# SDK

${GENERATED}

\`@evergrant/sdk\` has no runtime dependency. Each entry point stands alone; a bundler takes what is used. Types and their documentation come with the package, so an editor shows the rest.

| import | for | offers |
| --- | --- | --- |
${rows.join('')}
\`@evergrant/sdk/react/labels/<language>\` are words in \`en\`, \`de\`, \`es\`, \`fr\`, \`ja\`, \`pt\`; \`@evergrant/sdk/react/styles.css\` is a style sheet.

What goes over the wire: [session protocol](session-protocol.md), [SDK protocol](sdk-protocol.md).
`
}

function offeredNames(text: string): string[] {
  const declared = [...text.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)].map((match) => match[1] ?? '')
  const lists = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap((match) => (match[1] ?? '').split(','))
  const named = lists.map((name) => name.trim().split(' as ').at(-1) ?? '').filter((name) => name !== '' && !name.startsWith('type '))
  return [...declared, ...named].toSorted()
}
