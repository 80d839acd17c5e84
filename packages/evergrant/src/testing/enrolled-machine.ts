import type { InstallationId, OrganizationId, UserId } from '../core/ids.ts'
import { agentCallerOf } from '../http/agent-caller.ts'
import type { App } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { AgentMachine } from './agent-machine.ts'

/** Where a machine can be enrolled: a whole node. */
interface EnrolPlace {
  readonly app: App
  readonly evergrant: { readonly publicUrl: string; readonly services: Pick<Services, 'agents' | 'enrolment' | 'clock'> }
}

interface WantedMachine {
  readonly organization: OrganizationId
  readonly owner: UserId
  /** Of the agent: unique in the organization. */
  readonly name: string
}

/** A new agent of this person with one machine, which came in through the public door. */
export async function enrolMachine(
  { app, evergrant }: EnrolPlace,
  { organization, owner, name }: WantedMachine,
): Promise<{ readonly id: InstallationId; readonly machine: AgentMachine }> {
  const { agents, enrolment, clock } = evergrant.services
  const actor = { kind: 'cli', id: null } as const
  const caller = agentCallerOf({ organization, actor, scopes: ['admin'], owner: null, key: null, person: null, installation: null })
  const { agent } = await agents.create(caller, { name, description: null, owner, policy: {}, recovery: {} })
  const { code } = await enrolment.createCode(caller, agent.id, { name: null, lifeMs: 3_600_000 })
  const machine = await AgentMachine.make({
    publicUrl: evergrant.publicUrl,
    now: () => clock.wall(),
    send: async (method, path, { headers, body }) => {
      const answer = await app.inject({ method, url: path, headers: { ...headers, 'content-type': 'application/json' }, payload: JSON.stringify(body ?? {}) })
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: JSON.parse(answer.body) }
    },
  })
  const answer = await machine.enrol({ code })
  if (answer.status !== 200) throw new Error(`enrolling answered ${answer.status}: ${answer.text}`)
  return { id: answer.json.installation.id, machine }
}
