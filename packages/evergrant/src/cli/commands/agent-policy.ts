import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { ENROLMENT_DOORS } from '../../core/agent/agent.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { pairs } from '../option-values.ts'
import { formatFacts } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'
import { agentPath } from './agent-reference.ts'

export interface PolicyOptions {
  readonly access?: string[]
  readonly allow?: string[]
  readonly approval?: string[]
  readonly method?: string[]
  readonly autoAccept?: string[]
  readonly file?: string
}

const DOORS = `${ENROLMENT_DOORS.join(', ')}, or none`
const SELECTOR = 'all, or what must hold: integration=strava,owner=ana,tag=weather,connection=con_...'

export function policyOptions(command: Command): Command {
  return command
    .option('--access <way...>', 'token (reads access tokens) or proxy (sends requests and never sees one)')
    .option('--allow <selector...>', `connections it may use: ${SELECTOR}`)
    .option('--approval <selector...>', 'of these, a use waits for a person')
    .option('--method <method...>', 'HTTP methods that the proxy lets through; all by default')
    .option('--auto-accept <door...>', `machines that came by these need no acceptance by the owner: ${DOORS}`)
}

/** `evergrant agents policy`: shows it, or sets it as a whole. */
export function policyCommand(group: Command, { output }: Shell): void {
  const command = group
    .command('policy <agent>')
    .description('shows what an agent may do; with options, sets it as a whole')
    .option('--file <path>', 'JSON as the API takes it; `-` reads standard input')
  policyOptions(command).action((agent: string, options: PolicyOptions) =>
    withApi(async (api) => {
      const path = await agentPath(api, agent)
      const wanted = options.file === undefined ? policyFrom(options) : readPolicy(options.file)
      const item = wanted === null ? await api.call('GET', path) : await api.call('PUT', `${path}/policy`, wanted)
      const policy = isJsonObject(item['policy']) ? item['policy'] : {}
      output.result(policy, () => formatFacts(policy))
    }),
  )
}

/** Null: nothing was said. @throws CommandFailure */
export function policyFrom({ access, allow, approval, method, autoAccept }: PolicyOptions): JsonObject | null {
  const said = {
    ...(access === undefined ? {} : { access }),
    ...(allow === undefined ? {} : { connections: allow.map(selector) }),
    ...(approval === undefined ? {} : { approval: approval.map(selector) }),
    ...(method === undefined ? {} : { methods: method.map((one) => one.toUpperCase()) }),
    ...(autoAccept === undefined ? {} : { auto_accept: doorsOf(autoAccept) }),
  }
  return Object.keys(said).length === 0 ? null : said
}

function doorsOf(said: readonly string[]): string[] {
  if (said.length === 1 && said[0] === 'none') return []
  if (said.every((door) => ENROLMENT_DOORS.some((known) => known === door))) return [...said]
  throw new CommandFailure(EXIT.usage, `--auto-accept: ${DOORS}`, { code: 'usage' })
}

function selector(text: string): JsonObject {
  return text === 'all' ? {} : pairs(text.split(','), (value) => value)
}

function readPolicy(path: string): JsonObject {
  let value: JsonValue
  try {
    value = JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8'))
  } catch {
    throw new CommandFailure(EXIT.usage, `--file: ${path} cannot be read as JSON`, { code: 'usage' })
  }
  if (!isJsonObject(value)) throw new CommandFailure(EXIT.usage, '--file: one JSON object is expected', { code: 'usage' })
  return value
}
