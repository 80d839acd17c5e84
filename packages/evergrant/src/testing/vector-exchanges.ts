import type { SdkRevocation } from '../core/agent/installations.ts'
import { sdkRefreshToken } from '../core/agent/sdk-refresh-token.ts'
import { type AgentId, type InstallationId, newId } from '../core/ids.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../core/time.ts'
import { agentCallerOf } from '../http/agent-caller.ts'
import { systemEntropy } from '../system.ts'
import type { AgentLab } from './agent-lab.ts'
import { signIn } from './people.ts'
import { testSeal } from './seal.ts'
import type { VectorMachine } from './vector-machine.ts'

interface VectorStage {
  readonly lab: AgentLab
  machine(): VectorMachine
}

interface Enrolled {
  readonly machine: VectorMachine
  readonly agent: string
  /** The operator does this to the installation. */
  operate(what: string, body?: object): Promise<void>
}

type Scene = (stage: VectorStage) => Promise<void>

async function enrolled({ lab, machine: make }: VectorStage, recovery: object = {}, more: object = {}): Promise<Enrolled> {
  const agent = await lab.agent({}, { recovery, ...more })
  const machine = await make().enrol(await lab.code(agent))
  const operate = async (what: string, body: object = {}): Promise<void> => must(await lab.call('POST', `/api/v1/${what}`, { body }))
  return { machine, agent, operate: (what, body) => operate(what.replace('{id}', machine.installation).replace('{agent}', agent), body) }
}

function must({ status, text }: { readonly status: number; readonly text: string }): void {
  if (status >= 300) throw new Error(text)
}

async function pendingApproval({ lab }: VectorStage): Promise<string> {
  const { json, text } = await lab.call('GET', '/api/v1/approvals?status=pending')
  if (json.items?.length !== 1) throw new Error(text)
  return json.items[0].id
}

async function later({ lab }: VectorStage, machine: VectorMachine, ms: number): Promise<void> {
  await lab.time.advance(ms)
  machine.nonce = lab.services.proofs.nonces.current()
}

/** As hygiene and policies do: without the ticket that the API's Rotate gives, and without the end that its Cut off is. */
async function revoke({ lab }: VectorStage, { installation }: VectorMachine, revokeClass: SdkRevocation['class'] = 'hygiene'): Promise<void> {
  const revocation: SdkRevocation = { class: revokeClass, reason: null, by: 'usr_1', ticket: false, status: 'active', lock: null }
  const at = lab.time.clock.wall()
  const event = { id: newId('evt', systemEntropy), organization: lab.organization, type: 'sdk_token.revoked' as const, at, connection: null, data: {} }
  const actor = { kind: 'cli', id: null } as const
  await lab.store.installations.revoke(lab.organization, { installation: installation as InstallationId }, revocation, at, {
    ...event,
    actor,
    subject: installation,
  })
}

const byCode: Scene = async ({ lab, machine: make }) => {
  const row = 'code'
  const code = await lab.code(await lab.agent())
  const machine = make()
  const attempt = machine.random()
  const enrol = (one: VectorMachine, said: Parameters<VectorMachine['send']>[3]) =>
    one.send('/api/v1/agents/enroll', code.split('.')[0] ?? '', { code, name: 'web-2', custody: 'file', hints: { host: 'web-2' } }, said)
  await enrol(machine, { title: 'without a nonce', row, next: 'nonce', nonce: null, attempt })
  await enrol(machine, { title: 'with the nonce of that answer', row, next: 'store', attempt })
  await enrol(machine, { title: 'the same attempt again: the same bytes', row, next: 'store', attempt })
  await enrol(make(), { title: 'by another machine: the code is used', row, next: 'stop' })
}

const byDevice: Scene = async ({ lab, machine: make }) => {
  const row = 'device_code'
  const agent = (await lab.agent()) as AgentId
  const actor = { kind: 'cli', id: null } as const
  const caller = agentCallerOf({ organization: lab.organization, actor, scopes: ['admin'], owner: null, key: null, person: null, installation: null })
  const ask = async (title: string) => {
    const body = { name: 'kiosk', hints: { host: 'kiosk-1' } }
    const answer = await lab.call('POST', '/api/v1/auth/sdk/device', { key: null, headers: { 'request-id': 'vector' }, body })
    make().record({ title, row, next: 'show' }, {}, { method: 'POST', path: '/api/v1/auth/sdk/device', dpop: null, body }, answer)
    return answer.json
  }
  const poll = (one: VectorMachine, code: string, said: Parameters<VectorMachine['send']>[3]) =>
    one.send('/api/v1/agents/enroll', code, { device_code: code }, said)
  const allowed = await ask('asks for a code')
  const machine = make()
  const attempt = machine.random()
  await poll(machine, allowed.device_code, { title: 'nobody has decided', row, next: 'poll', attempt })
  await poll(machine, allowed.device_code, { title: 'too soon', row, next: 'poll', attempt })
  await lab.time.advance(15 * SECOND)
  await lab.services.devices.allow(caller, allowed.user_code, agent)
  await poll(machine, allowed.device_code, { title: 'a person allowed it', row, next: 'store', attempt })
  const denied = await ask('asks for another one')
  await lab.services.devices.deny(caller, denied.user_code)
  await poll(make(), denied.device_code, { title: 'a person denied it', row, next: 'stop' })
  const token = 'eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYSJ9.AAAA'
  await make().send(
    '/api/v1/agents/enroll',
    token,
    { workload_token: token },
    { title: 'of an issuer that nobody trusts', row: 'workload_token', next: 'stop' },
  )
}

const newest: Scene = async (stage) => {
  const row = 'the newest'
  const { machine } = await enrolled(stage)
  await machine.refresh({ title: 'refresh without a nonce', row, next: 'nonce', nonce: null })
  await machine.refresh({ title: 'refresh', row, next: 'store' })
  await machine.recover({ title: 'recover', row, next: 'refresh' })
  await machine.refresh({ title: 'refresh with a new key', row, next: 'store', nextKey: machine.newKey() })
}

const reissues: Scene = async (stage) => {
  const row = 'the one before, and nobody was seen with the newest'
  const { machine } = await enrolled(stage)
  const token = machine.refreshToken
  const old = machine.nonce
  await stage.lab.time.advance(2 * MINUTE)
  machine.nonce = stage.lab.services.proofs.nonces.current()
  await machine.refresh({ title: 'refresh, whose answer is lost', row, next: 'store', lost: true })
  await machine.refresh({ title: 'refresh with a proof that is older than the newest', row, next: 'reload', token, nonce: old })
  await later(stage, machine, 2 * MINUTE)
  await machine.refresh({ title: 'refresh with another attempt', row, next: 'store', token, lost: true })
  await later(stage, machine, 2 * MINUTE)
  await machine.recover({ title: 'recover', row, next: 'store', token, lost: true })
  for (let count = 0; count < 3; count++) {
    await later(stage, machine, 2 * MINUTE)
    await machine.send('/api/v1/auth/sdk/refresh', token, { refresh_token: token }, { title: '', row, next: 'store', lost: true })
  }
  await later(stage, machine, 2 * MINUTE)
  await machine.refresh({ title: 'refresh, more than five an hour', row, next: 'later', token })
}

const attempts: Scene = async (stage) => {
  const { machine } = await enrolled(stage)
  const token = machine.refreshToken
  const attempt = machine.random()
  const unused = 'of this very attempt, answered, not used'
  await machine.refresh({ title: 'refresh, whose answer is lost', row: unused, next: 'store', attempt, lost: true })
  await machine.refresh({ title: 'refresh: the same bytes', row: unused, next: 'store', attempt, token })
  await machine.recover({ title: 'recover: the same bytes', row: unused, next: 'store', attempt, token })
  await machine.use()
  const used = 'of this very attempt, answered and used'
  await machine.refresh({ title: 'refresh', row: used, next: 'reload', attempt, token })
  await machine.recover({ title: 'recover', row: used, next: 'reload', attempt, token })
  await machine.refresh({ title: 'refresh by another process at the same time', row: 'replaced within 30 s', next: 'reload', token })
  await machine.recover({ title: 'recover by another process at the same time', row: 'replaced within 30 s', next: 'reload', token })
}

const copies: Scene = async (stage) => {
  const row = 'older, or taken back'
  for (const verb of ['refresh', 'recover'] as const) {
    for (const onClone of ['lock', 'refuse_and_alert']) {
      const { machine } = await enrolled(stage, { on_clone: onClone })
      const token = machine.refreshToken
      await machine.refresh()
      await machine.use()
      await later(stage, machine, 10 * MINUTE)
      await machine[verb]({ title: `${verb} with a copy of the file, where the policy says ${onClone}`, row, next: 'stop', token })
    }
  }
}

const expired: Scene = async (stage) => {
  const row = 'over by time'
  const { machine } = await enrolled(stage, { max_offline_days: 365 })
  await later(stage, machine, 61 * DAY)
  await machine.refresh({ title: 'refresh', row, next: 'recover' })
  await machine.recover({ title: 'recover within the policy', row, next: 'store' })
  const away = await enrolled(stage)
  await later(stage, away.machine, 61 * DAY)
  const attempt = away.machine.random()
  await away.machine.recover({ title: 'recover after more time than the policy allows', row, next: 'poll', attempt })
  const approval = await pendingApproval(stage)
  must(await stage.lab.call('POST', `/api/v1/approvals/${approval}/approve`, { body: {} }))
  await away.machine.recover({ title: 'the same attempt, after a person approved it', row, next: 'store', attempt })
}

const rotated: Scene = async (stage) => {
  const row = 'rotated by an operator or a policy'
  const { machine, operate } = await enrolled(stage)
  await operate('installations/{id}/rotate')
  await machine.refresh({ title: 'refresh', row, next: 'recover' })
  await machine.recover({ title: 'recover', row, next: 'store' })
  await revoke(stage, machine)
  await machine.recover({ title: 'recover from hygiene: it counts', row, next: 'store' })
}

const cutOff: Scene = async (stage) => {
  const row = 'cut off'
  for (const verb of ['refresh', 'recover'] as const) {
    const { machine } = await enrolled(stage)
    await revoke(stage, machine, 'offboarding')
    await machine[verb]({ title: `${verb} after its token was revoked for good`, row, next: 'stop' })
    const ended = await enrolled(stage)
    await ended.operate('installations/{id}/cut-off')
    await ended.machine[verb]({ title: `${verb} after the operator's Cut off`, row, next: 'stop' })
  }
}

const ahead: Scene = async (stage) => {
  const row = 'ahead of the record, or not in it'
  for (const [verb, generation] of [
    ['refresh', 40],
    ['recover', 50],
  ] as const) {
    const { machine } = await enrolled(stage)
    const token = sdkRefreshToken({ installation: machine.installation as InstallationId, generation, attempt: machine.random() }, testSeal())
    await machine[verb]({ title: `${verb} after a restored database`, row, next: 'store', token })
  }
}

const strangers: Scene = async (stage) => {
  const row = 'of nobody, without the key, or with a proof that was used'
  const { machine } = await enrolled(stage)
  const thief = stage.machine()
  const forged = `${machine.refreshToken.slice(0, -43)}${'A'.repeat(43)}`
  for (const verb of ['refresh', 'recover'] as const) {
    await thief[verb]({ title: `${verb} with a copied token and another key`, row, next: 'stop', token: machine.refreshToken })
    await machine[verb]({ title: `${verb} with a token that was never given`, row, next: 'stop', token: forged })
  }
}

const byPolicy: Scene = async (stage) => {
  const row = 'refused by policy'
  const off = await enrolled(stage, { mode: 'off' })
  await revoke(stage, off.machine)
  await off.machine.recover({ title: 'mode off', row, next: 'stop' })
  const asked = await enrolled(stage, { mode: 'approve' })
  await revoke(stage, asked.machine)
  const attempt = asked.machine.random()
  await asked.machine.recover({ title: 'mode approve', row, next: 'poll', attempt })
  const approval = await pendingApproval(stage)
  must(await stage.lab.call('POST', `/api/v1/approvals/${approval}/deny`, { body: {} }))
  await asked.machine.recover({ title: 'the same attempt, after a person denied it', row, next: 'stop', attempt })
  const few = await enrolled(stage, { limit: 1 })
  await revoke(stage, few.machine)
  await few.machine.recover({ title: 'the only one of its window', row, next: 'store' })
  await revoke(stage, few.machine)
  await few.machine.recover({ title: 'one too many', row, next: 'later' })
  const often = await enrolled(stage)
  await revoke(stage, often.machine)
  await often.machine.recover({ title: 'the first', row, next: 'store' })
  await revoke(stage, often.machine)
  await often.machine.recover({ title: 'the second, minutes later', row, next: 'later' })
}

const byStanding: Scene = async (stage) => {
  const row = 'refused by standing'
  const { lab } = stage
  const locked = await enrolled(stage)
  await locked.operate('installations/{id}/lock')
  await locked.machine.refresh({ title: 'locked', row, next: 'stop' })
  await locked.operate('installations/{id}/unlock')
  await locked.machine.refresh({ title: 'unlocked: it needs a new key', row, next: 're_key' })
  await locked.machine.refresh({ title: 'unlocked, with a new key', row, next: 'store', nextKey: locked.machine.newKey() })
  const suspended = await enrolled(stage)
  await suspended.operate('agents/{agent}/suspend')
  await suspended.machine.refresh({ title: 'the agent is suspended', row, next: 'stop' })
  const revoked = await enrolled(stage)
  must(await lab.call('DELETE', `/api/v1/agents/${revoked.agent}`))
  await revoked.machine.refresh({ title: 'the agent is revoked', row, next: 'stop' })
  const owner = await signIn(lab, { role: 'operator', organization: lab.organization })
  const orphan = await enrolled(stage, {}, { owner: owner.id })
  const at = lab.time.clock.wall()
  const event = { id: newId('evt', systemEntropy), organization: lab.organization, type: 'user.left' as const, at, connection: null, subject: null, data: {} }
  await lab.store.users.removeMember(lab.organization, owner.id, at, { ...event, actor: { kind: 'cli', id: null } })
  await orphan.machine.refresh({ title: 'the owner has left', row, next: 'stop' })
  const leaving = await enrolled(stage)
  for (const title of ['signs itself out', 'signs itself out again']) await leaving.machine.revoke({ title, row: 'revoke', next: 'ended' })
  await leaving.machine.refresh({ title: 'retired', row, next: 'stop' })
  await lab.time.advance(HOUR)
}

export const SCENES: readonly Scene[] = [byCode, byDevice, newest, reissues, attempts, copies, expired, rotated, cutOff, ahead, strangers, byPolicy, byStanding]
