import type { AgentLab } from './agent-lab.ts'
import type { AgentMachine } from './agent-machine.ts'
import { present, RECOVER } from './sdk-calls.ts'

/** Operators and machines before one lab and its agent, which a test file makes anew for each test. */
export function installationDesk(made: () => { readonly lab: AgentLab; readonly agent: string }) {
  const call = (...asked: Parameters<AgentLab['call']>) => made().lab.call(...asked)
  const idOf = async (machine: AgentMachine): Promise<string> => {
    const { items } = (await call('GET', '/api/v1/installations?limit=200')).json
    return items.find((item: { key_thumbprint: string }) => item.key_thumbprint === machine.thumbprint).id
  }
  return {
    idOf,
    enrolled: async (of: string = made().agent) => {
      const machine = await made().lab.enrolled(of)
      return { machine, id: await idOf(machine) }
    },
    post: (path: string, body: object = {}, key?: string) => call('POST', `/api/v1/${path}`, { body, ...(key === undefined ? {} : { key }) }),
    read: async (path: string) => (await call('GET', `/api/v1/${path}`)).json,
    recover: (machine: AgentMachine, more: object = {}, token = machine.refreshToken ?? '') => present(machine, RECOVER, { token, body: more }),
  }
}
