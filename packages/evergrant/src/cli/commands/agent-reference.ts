import { type Api, allItems } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'

/** By id or name; a name means the agent that is not revoked, since only that one has it for itself. @throws CommandFailure */
export async function agentIdOf(api: Api, agent: string): Promise<string> {
  if (agent.startsWith('agt_')) return agent
  const named = (await allItems(api, 'agents', {})).filter((item) => item['name'] === agent)
  const id = (named.find((item) => item['status'] !== 'revoked') ?? named[0])?.['id']
  if (typeof id === 'string') return id
  throw new CommandFailure(EXIT.problem, `There is no agent ${agent} in this organization. \`evergrant agents list\` lists them.`, { code: 'not_found' })
}

export async function agentPath(api: Api, agent: string): Promise<string> {
  return `agents/${encodeURIComponent(await agentIdOf(api, agent))}`
}
