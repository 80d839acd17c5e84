import type { Command } from 'commander'
import { isJsonObject } from '../../core/json.ts'
import { allItems, itemsOf } from '../api.ts'
import { pairs } from '../option-values.ts'
import { cell, formatFacts, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'
import { agentPath } from './agent-reference.ts'

interface WorkloadOptions {
  readonly name: string
  readonly issuer: string
  readonly audience?: string
  readonly condition: string[]
  readonly installationSeconds?: string
}

/** What waits for a person, and whose identity tokens are believed. */
export function agentDecisionCommands(group: Command, shell: Shell): void {
  approvalCommands(group, shell)
  workloadCommands(group, shell)
}

function approvalCommands(group: Command, { output }: Shell): void {
  group
    .command('approvals')
    .description('recoveries and uses that wait for a person')
    .option('--status <status>', 'pending, approved, denied or used', 'pending')
    .action(({ status }: { readonly status: string }) =>
      withApi(async (api) => {
        const items = await allItems(api, 'approvals', { status })
        const rows = items.map((item) => {
          const shown = isJsonObject(item['shown']) ? item['shown'] : {}
          return [item['id'], item['kind'], item['agent'], item['connection'] ?? item['installation'], shown['host'], shown['why'], item['expires_at']].map(
            (value) => cell(value),
          )
        })
        output.result({ items }, () => formatTable(['ID', 'KIND', 'AGENT', 'FOR', 'HOST', 'WHY', 'OVER AT'], rows))
      }),
    )
  for (const [verb, done] of [
    ['approve', 'approved: the program goes on when it asks again'],
    ['deny', 'denied'],
  ] as const) {
    group
      .command(`${verb} <approval>`)
      .description(verb === 'approve' ? 'lets it happen' : 'refuses it')
      .action((approval: string) =>
        withApi(async (api) => {
          const item = await api.call('POST', `approvals/${encodeURIComponent(approval)}/${verb}`, {})
          output.result(item, () => `${cell(item['id'])} is ${done}.`)
        }),
      )
  }
}

/** Programs of a platform (GitHub Actions, Kubernetes, a cloud) enrol with its identity token. */
function workloadCommands(group: Command, { output }: Shell): void {
  const workloads = group.command('workloads').description('platforms whose identity tokens enrol an agent, without a secret')
  workloads
    .command('list <agent>')
    .description('what an agent trusts')
    .action((agent: string) =>
      withApi(async (api) => {
        const page = await api.call('GET', `${await agentPath(api, agent)}/workloads`)
        const rows = itemsOf(page).map((item) =>
          [item['id'], item['name'], item['issuer'], item['audience'], conditionsOf(item['conditions'])].map((value) => cell(value)),
        )
        output.result(page, () => formatTable(['ID', 'NAME', 'ISSUER', 'AUDIENCE', 'CONDITIONS'], rows))
      }),
    )
  workloads
    .command('add <agent>')
    .description('trusts an issuer, under conditions')
    .requiredOption('--name <name>', 'for people')
    .requiredOption('--issuer <url>', '`iss` of its tokens, whole')
    .requiredOption('--condition <claim=value...>', 'all of them have to hold; a value may end in *')
    .option('--audience <text>', '`aud` that the program asks its platform for')
    .option('--installation-seconds <seconds>', 'until the absolute end of an installation', '3600')
    .action((agent: string, options: WorkloadOptions) =>
      withApi(async (api) => {
        const { name, issuer, audience, condition, installationSeconds } = options
        const conditions = Object.entries(pairs(condition, (value) => value)).map(([claim, value]) => ({ claim, value }))
        const body = {
          name,
          issuer,
          conditions,
          installation_seconds: Number(installationSeconds),
          ...(audience === undefined ? {} : { audience }),
        }
        const made = await api.call('POST', `${await agentPath(api, agent)}/workloads`, body)
        output.result(made, () => formatFacts(made))
      }),
    )
  workloads
    .command('remove <agent> <workload>')
    .description('trusts it no more; what came by it goes on until its own end')
    .action((agent: string, workload: string) =>
      withApi(async (api) => {
        await api.call('DELETE', `${await agentPath(api, agent)}/workloads/${encodeURIComponent(workload)}`)
        output.result({ id: workload, removed: true }, () => `${workload} is trusted no more.`)
      }),
    )
}

function conditionsOf(conditions: unknown): string[] {
  return Array.isArray(conditions) ? conditions.map((one) => (isJsonObject(one) ? `${cell(one['claim'])}=${cell(one['value'])}` : '')) : []
}
