import { AgentMachine, type MachineAnswer } from './agent-machine.ts'

export const REFRESH = '/api/v1/auth/sdk/refresh'
export const RECOVER = '/api/v1/auth/sdk/recover'
export const REVOKE = '/api/v1/auth/sdk/revoke'

interface SdkCall {
  /** The machine's own, where nothing is said. */
  readonly token?: string
  readonly attempt?: string
  /** False: the answer is lost on its way to the machine. */
  readonly heard?: boolean
  readonly body?: object
}

/** One presentation, proven by this machine's key. */
export async function present(machine: AgentMachine, path: typeof REFRESH | typeof RECOVER, call: SdkCall = {}): Promise<MachineAnswer> {
  const token = call.token ?? machine.refreshToken ?? ''
  const field = path === REFRESH ? 'refresh_token' : 'old_refresh_token'
  const answer = await machine.post(path, token, { [field]: token, attempt_id: call.attempt ?? AgentMachine.attempt(), ...call.body })
  if (answer.status === 200 && call.heard !== false) {
    machine.accessToken = answer.json.access_token
    machine.refreshToken = answer.json.refresh_token
  }
  return answer
}

/** `200 token_rotation`, `403 installation_locked`, `202`. */
export function saidBy({ status, json }: MachineAnswer): string {
  const what: unknown = json?.code ?? json?.metadata?.source
  return typeof what === 'string' ? `${status} ${what}` : String(status)
}
