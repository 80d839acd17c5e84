import { AgentMachine, type AgentServer } from './agent-machine.ts'
import { type ApiLab, type ApiLabOptions, createApiLab } from './api-lab.ts'
import { type SignedInPerson, signIn } from './people.ts'

export interface AgentLab extends ApiLab {
  readonly owner: SignedInPerson
  machine(): Promise<AgentMachine>
  /** An agent of `owner` with this policy; its id. */
  agent(policy?: object, more?: object): Promise<string>
  code(agent: string): Promise<string>
  /** A machine that was enrolled with a code. */
  enrolled(agent: string): Promise<AgentMachine>
}

/** The API over the real embedded store, with programs that speak to it. */
export async function createAgentLab(options: ApiLabOptions = {}): Promise<AgentLab> {
  const lab = await createApiLab(options)
  const server: AgentServer = {
    publicUrl: 'https://evergrant.example',
    now: () => lab.time.clock.wall(),
    send: (method, path, { headers, body }) => lab.call(method, path, { key: null, headers, ...(body === undefined ? {} : { body }) }),
  }
  const owner = await signIn(lab, { role: 'operator', organization: lab.organization })
  let made = 0
  const agent: AgentLab['agent'] = async (policy = {}, more = {}) => {
    const answer = await lab.call('POST', '/api/v1/agents', { body: { name: `agent ${++made}`, owner: owner.id, policy, ...more } })
    if (answer.status !== 201) throw new Error(answer.text)
    return answer.json.id
  }
  const code: AgentLab['code'] = async (id) => {
    const answer = await lab.call('POST', `/api/v1/agents/${id}/enrolment-codes`, { body: {} })
    if (answer.status !== 201) throw new Error(answer.text)
    return answer.json.code
  }
  const machine = () => AgentMachine.make(server)
  return {
    ...lab,
    owner,
    machine,
    agent,
    code,
    enrolled: async (id) => {
      const one = await machine()
      const answer = await one.enrol({ code: await code(id) })
      if (answer.status !== 200) throw new Error(answer.text)
      return one
    },
  }
}
