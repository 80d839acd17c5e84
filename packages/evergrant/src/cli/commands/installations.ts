import type { Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { allItems, itemsOf, withQuery } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { cell, formatFacts, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'
import { agentIdOf, agentPath } from './agent-reference.ts'

interface ListOptions {
  readonly agent?: string
  readonly status?: string
  readonly healedSince?: string
}

interface CutOffOptions {
  readonly reason?: string
  readonly compromised?: boolean
  readonly offboarding?: boolean
}

interface RotateOptions {
  readonly all?: boolean
  readonly reason?: string
}

/** The machines of agents: what they are, and what an operator does to them. */
export function installationCommands(group: Command, shell: Shell): void {
  listCommand(group, shell)
  lookCommands(group, shell)
  rotateCommand(group, shell)
  cutOffCommand(group, shell)
  lockCommands(group, shell)
  recoveryCommand(group, shell)
  liftCommand(group, shell)
}

function path(installation: string): string {
  return `installations/${encodeURIComponent(installation)}`
}

function listCommand(group: Command, { output }: Shell): void {
  group
    .command('installations')
    .description('enrolled machines, newest first')
    .option('--agent <agent>', 'only of this agent: id or name')
    .option('--status <status>', 'active, recovery_blocked, locked or retired')
    .option('--healed-since <time>', 'only those that recovered since: ISO 8601 with a zone')
    .action(({ agent, status, healedSince }: ListOptions) =>
      withApi(async (api) => {
        const query = {
          ...(agent === undefined ? {} : { agent: await agentIdOf(api, agent) }),
          ...(status === undefined ? {} : { status }),
          ...(healedSince === undefined ? {} : { healed_since: healedSince }),
        }
        const items = await allItems(api, 'installations', query)
        const rows = items.map((item) =>
          [item['id'], item['name'], item['agent'], item['status'], tokenState(item), item['custody'], item['last_seen_at']].map((value) => cell(value)),
        )
        output.result({ items }, () => formatTable(['ID', 'NAME', 'AGENT', 'STATUS', 'TOKEN', 'KEY', 'LAST SEEN'], rows))
      }),
    )
}

function tokenState(item: JsonObject): JsonObject[string] {
  const token = item['token']
  return isJsonObject(token) ? (token['state'] ?? null) : null
}

function lookCommands(group: Command, { output }: Shell): void {
  group
    .command('installation <installation>')
    .description('one machine: its key, its newest token, and how much healing is left')
    .action((installation: string) =>
      withApi(async (api) => {
        const item = await api.call('GET', path(installation))
        output.result(item, () => formatFacts(item))
      }),
    )
  group
    .command('why <installation>')
    .description('why its recoveries were granted or refused, and what the next one would get')
    .action((installation: string) =>
      withApi(async (api) => {
        const why = await api.call('GET', `${path(installation)}/why`)
        output.result(why, () => whyText(why))
      }),
    )
  group
    .command('timeline <installation>')
    .description('its tokens, recoveries and events, newest first')
    .option('--limit <count>', 'entries at most, up to 200', '50')
    .action((installation: string, { limit }: { readonly limit: string }) =>
      withApi(async (api) => {
        const page = await api.call('GET', withQuery(`${path(installation)}/timeline`, { limit }))
        const rows = itemsOf(page).map((entry) => [entry['at'], entry['kind'], entry['what'], entry['sentence']].map((value) => cell(value)))
        output.result(page, () => formatTable(['AT', 'KIND', 'WHAT', 'TOLD'], rows))
      }),
    )
}

const VERDICTS: Readonly<Record<string, string>> = { granted: 'would be granted', asks: 'would ask a person', refused: 'would be refused' }

function whyText(why: JsonObject): string {
  const next = isJsonObject(why['next']) ? why['next'] : {}
  const need = next['needed'] === true ? 'It needs a recovery, which' : 'It needs none: its token is good. A recovery'
  const retry = typeof next['retry_at'] === 'string' ? ` Not before ${cell(next['retry_at'])}.` : ''
  const head = `${need} ${VERDICTS[String(next['verdict'])] ?? cell(next['verdict'])} (${cell(next['rule'])}).\n${cell(next['sentence'])}${retry}`
  const attempts = Array.isArray(why['attempts']) ? why['attempts'].filter(isJsonObject) : []
  if (attempts.length === 0) return `${head}\n\nIt has not asked for one yet.`
  const rows = attempts.map((attempt) =>
    [attempt['at'], attempt['outcome'], attempt['code'], attempt['counted'] === true ? 'yes' : 'no', attempt['address'], attempt['reason']].map((value) =>
      cell(value),
    ),
  )
  return `${head}\n\n${formatTable(['AT', 'OUTCOME', 'CODE', 'COUNTED', 'FROM', 'WHY'], rows)}`
}

function rotateCommand(group: Command, { output }: Shell): void {
  group
    .command('rotate [target]')
    .description('new tokens for a machine, an agent (id or name) or all of them; SDKs heal themselves')
    .option('--all', 'every machine of the organization')
    .option('--reason <text>', 'for the record')
    .action((target: string | undefined, { all = false, reason }: RotateOptions) => {
      if ((target === undefined) !== all) throw new CommandFailure(EXIT.usage, 'Name a machine or an agent, or say --all.', { code: 'usage' })
      return withApi(async (api) => {
        const of = target === undefined ? 'installations' : target.startsWith('ins_') ? path(target) : await agentPath(api, target)
        const answer = await api.call('POST', `${of}/rotate`, reason === undefined ? {} : { reason })
        output.result(answer, () => `Rotated: ${cell(answer['rotated'])}. The SDKs fetch new tokens by themselves.`)
      })
    })
}

function cutOffCommand(group: Command, { output }: Shell): void {
  group
    .command('cut-off <installation>')
    .description('ends a machine for good; only a new enrolment brings it back')
    .option('--reason <text>', 'for the record')
    .option('--compromised', 'its key or its machine is in wrong hands: opens an incident, too')
    .option('--offboarding', 'whoever ran it has left')
    .action((installation: string, { reason, compromised, offboarding }: CutOffOptions) =>
      withApi(async (api) => {
        const said = reason === undefined ? {} : { reason }
        const item =
          compromised === true
            ? await api.call('POST', `${path(installation)}/compromised`, said)
            : await api.call('POST', `${path(installation)}/cut-off`, { ...said, ...(offboarding === true ? { reason_class: 'offboarding' } : {}) })
        output.result(item, () => `${cell(item['name'])} is cut off. It comes back only with a new enrolment: evergrant agents code ${cell(item['agent'])}.`)
      }),
    )
}

function lockCommands(group: Command, { output }: Shell): void {
  group
    .command('lock <installation>')
    .description('stops a machine until it is unlocked, and then it needs a new key')
    .option('--reason <text>', 'for the record')
    .action((installation: string, { reason }: { readonly reason?: string }) =>
      withApi(async (api) => {
        const item = await api.call('POST', `${path(installation)}/lock`, reason === undefined ? {} : { reason })
        output.result(item, () => `${cell(item['name'])} is locked.`)
      }),
    )
  group
    .command('unlock <installation>')
    .description('unlock and re-key: within 24 hours the machine goes on with a new key')
    .action((installation: string) =>
      withApi(async (api) => {
        const item = await api.call('POST', `${path(installation)}/unlock`, {})
        output.result(item, () => `${cell(item['name'])} is unlocked: it goes on with a new key, until ${cell(item['rekey_until'])}.`)
      }),
    )
}

function recoveryCommand(group: Command, { output }: Shell): void {
  group
    .command('recovery <installation> <switch>')
    .description('blocked: a machine works as long as its token does, and heals no more; allowed: it heals again')
    .action((installation: string, wanted: string) => {
      if (wanted !== 'blocked' && wanted !== 'allowed') throw new CommandFailure(EXIT.usage, 'Say blocked or allowed.', { code: 'usage' })
      return withApi(async (api) => {
        const item = await api.call('PATCH', path(installation), { recovery: wanted })
        output.result(item, () => `The recovery of ${cell(item['name'])} is ${wanted}.`)
      })
    })
}

function liftCommand(group: Command, { output }: Shell): void {
  group
    .command('lift <installation>')
    .description('lets a workload that was cut off enrol again')
    .action((installation: string) =>
      withApi(async (api) => {
        const item = await api.call('POST', `${path(installation)}/lift`, {})
        output.result(item, () => `The workload of ${cell(item['name'])} may enrol again.`)
      }),
    )
}
