import type { Command } from 'commander'
import type { JsonObject } from '../../core/json.ts'
import { systemClock } from '../../system.ts'
import { type Api, allItems } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { formatFacts } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

/** Requests under way at once; the server has its own limits per integration. */
const AT_ONCE = 8

interface Refusal {
  readonly id: string
  readonly reason: string
}

/** `evergrant refresh`: one connection now, or everything that is due. */
export function refreshCommand(program: Command, shell: Shell): void {
  program
    .command('refresh [id]')
    .description('renews one connection now, or every connection that is due')
    .option('--all-due', 'every connection whose renewal time has come')
    .action((id: string | undefined, options: { readonly allDue?: boolean }) => {
      if ((id === undefined) === (options.allDue !== true)) throw new CommandFailure(EXIT.usage, 'Name one connection, or say --all-due.')
      return withApi((api) => (id === undefined ? refreshDue(api, shell) : refreshOne(api, shell, id)))
    })
}

async function refreshOne(api: Api, { output }: Shell, id: string): Promise<void> {
  const report = await api.call('POST', `connections/${encodeURIComponent(id)}/refresh`)
  output.result(report, () => formatFacts(report))
}

/** Asks for each one; a refresh that is under way is joined, so this never starts a second one. */
async function refreshDue(api: Api, { output, finish }: Shell): Promise<void> {
  const due = await dueConnections(api)
  const refused: Refusal[] = []
  const queue = [...due]
  let done = 0
  const worker = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      const reason = await reasonToRefuse(api, id)
      if (reason !== null) refused.push({ id, reason })
      output.progress(++done, due.length, 'connections')
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  if (refused.length > 0) finish(EXIT.problem)
  const refreshed = due.length - refused.length
  output.result({ due: due.length, refreshed, refused: refused.map((refusal) => ({ ...refusal })) }, () =>
    [`${refreshed} of ${due.length} due connections refreshed.`, ...refused.map(({ id, reason }) => `${id}  ${reason}`)].join('\n'),
  )
}

async function dueConnections(api: Api): Promise<readonly string[]> {
  const now = systemClock.wall()
  const items = [...(await allItems(api, 'connections', { status: 'active' })), ...(await allItems(api, 'connections', { status: 'degraded' }))]
  return items.filter((item) => isDue(item, now)).map((item) => String(item['id']))
}

function isDue(item: JsonObject, now: number): boolean {
  return item['refreshable'] === true && typeof item['due_at'] === 'string' && Date.parse(item['due_at']) <= now
}

async function reasonToRefuse(api: Api, id: string): Promise<string | null> {
  try {
    await api.call('POST', `connections/${encodeURIComponent(id)}/refresh`)
    return null
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === EXIT.unreachable) throw error
    return error instanceof Error ? error.message : 'no reason given'
  }
}
