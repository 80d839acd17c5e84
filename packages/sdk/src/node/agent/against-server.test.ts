import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentLab, createAgentLab } from '../../../../evergrant/src/testing/agent-lab.ts'
import { isEvergrantError } from '../../evergrant-error.ts'
import { ReauthorizationRequiredError, RecoveryPendingApprovalError } from './client-errors.ts'
import { Evergrant, type EvergrantOptions } from './evergrant.ts'
import { codeOf, DAY, MINUTE } from './testing/machine-lab.ts'

/** The client and the real server, over the real embedded store; time is the server's. */
let lab: AgentLab
let folder: string
let lines: string[]
let losing: string | null
beforeEach(async () => {
  lab = await createAgentLab()
  folder = mkdtempSync(join(tmpdir(), 'evergrant-real-'))
  lines = []
  losing = null
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] as const

/** The network between this machine and the server. An answer to `losing` is destroyed after the commit, once. */
const network: typeof fetch = async (input, init) => {
  const request = new Request(input, init)
  const { pathname, search } = new URL(request.url)
  const method = METHODS.find((known) => known === request.method) ?? 'GET'
  const text = await request.text()
  const headers = Object.fromEntries(request.headers)
  const answer = await lab.call(method, pathname + search, { key: null, headers, ...(text === '' ? {} : { body: JSON.parse(text) }) })
  if (losing !== null && pathname.endsWith(losing) && answer.status === 200) {
    losing = null
    throw new TypeError('socket hang up')
  }
  const heard = Object.entries(answer.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]))
  return new Response([204, 304].includes(answer.status) ? null : answer.text, { status: answer.status, headers: heard })
}

function program(options: EvergrantOptions = {}): Evergrant {
  const platform = {
    fetch: network,
    now: () => lab.time.clock.wall(),
    after: () => () => {},
    wait: () => new Promise<void>((resolve) => setImmediate(resolve)),
    random: () => 0.5,
    env: { EVERGRANT_KEYCHAIN: '0', EVERGRANT_MACHINE_ID: 'one' },
    home: join(folder, 'home'),
  }
  return new Evergrant({ log: (line) => lines.push(line), ...options, platform: { ...platform, ...options.platform } })
}

async function enrolled(
  policy: object = { access: ['token', 'proxy'], connections: [{}] },
): Promise<{ readonly client: Evergrant; readonly agent: string; readonly id: string }> {
  const agent = await lab.agent(policy)
  const client = program({ enrolmentCode: await lab.code(agent) })
  const { installation } = await client.whoami()
  return { client, agent, id: installation.id }
}

test('a machine is enrolled, reads a token, lists its connections and renews itself', async () => {
  const { client, agent } = await enrolled()
  expect(await client.describe()).toMatchObject({ agent: { id: agent, status: 'verified' }, generation: 1, custody: 'file' })
  const token = await client.connections.token(lab.connection)
  expect(token).toMatchObject({ connection_id: lab.connection, access_token: expect.any(String) })
  expect((await client.connections.list()).items.map(({ id }) => id)).toEqual([lab.connection])
  await lab.time.advance(11 * MINUTE)
  expect((await client.whoami()).generation).toBe(2)
  // The nonce and the access token of before are over: nobody notices.
  await lab.time.advance(9 * MINUTE)
  expect((await client.connections.list()).items).toHaveLength(1)
})

test('twenty programs with one file renew once', async () => {
  await enrolled()
  await lab.time.advance(11 * MINUTE)
  const answers = await Promise.all(Array.from({ length: 20 }, () => program().whoami()))
  expect(new Set(answers.map(({ generation }) => generation))).toEqual(new Set([2]))
})

test.each(['refresh', 'enroll'])('an answer of %s that is lost is asked for again and brings the same token', async (path) => {
  losing = path === 'enroll' ? path : null
  const { client, id } = await enrolled()
  losing = path
  await lab.time.advance(11 * MINUTE)
  const { generation, installation } = await client.whoami()
  expect([generation, installation.id]).toEqual([2, id])
  expect((await lab.call('GET', `/api/v1/installations/${id}`)).json.status).toBe('active')
})

test('Rotate heals with one line, also of an access token that is in use', async () => {
  const { client, id } = await enrolled()
  await client.connections.list()
  expect((await lab.call('POST', `/api/v1/installations/${id}/rotate`, { body: {} })).status).toBe(200)
  await lab.time.advance(MINUTE)
  await client.connections.list()
  await lab.time.advance(11 * MINUTE)
  expect((await client.connections.list()).items).toHaveLength(1)
  expect(lines.at(-1)).toMatch(/credentials were rotated by the operator; recovered automatically \(/)
})

test('Cut off stops it, and says how it goes on', async () => {
  const { client, id } = await enrolled()
  expect((await lab.call('POST', `/api/v1/installations/${id}/cut-off`, { body: {} })).status).toBe(200)
  await lab.time.advance(11 * MINUTE)
  const error = await client.whoami().catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(ReauthorizationRequiredError)
  expect(String(error)).toContain('npx @evergrant/sdk enroll')
  // The page is the server's own; whoever reads the refusal from the file is led there, too.
  const known = await program()
    .whoami()
    .catch((cause: unknown) => cause)
  for (const one of [error, known])
    expect(one).toMatchObject({ code: 'installation_retired', docUrl: 'https://evergrant.example/docs/errors#installation_retired' })
})

test('after two months without power it asks a person, and goes on with the same attempt when that is approved', async () => {
  const { client } = await enrolled()
  await lab.time.advance(61 * DAY)
  const error = await client.whoami().catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(RecoveryPendingApprovalError)
  if (!(error instanceof RecoveryPendingApprovalError)) return
  expect((await lab.call('POST', `/api/v1/approvals/${error.approvalId}/approve`, { body: {} })).status).toBe(200)
  await lab.time.advance(MINUTE)
  expect((await client.whoami()).generation).toBe(2)
  expect(lines.at(-1)).toContain('somebody approved the recovery of this machine; recovered automatically')
})

test('a new key takes the place of the old one, also when the answer was lost', async () => {
  const { client, id } = await enrolled()
  const before = await client.describe()
  const after = await client.rotateKey()
  expect(after.key_thumbprint).not.toBe(before.key_thumbprint)
  losing = 'refresh'
  const third = await client.rotateKey().catch(() => program().renew())
  expect(third.key_thumbprint).not.toBe(after.key_thumbprint)
  expect((await lab.call('GET', `/api/v1/installations/${id}`)).json).toMatchObject({ status: 'active', key_thumbprint: third.key_thumbprint })
})

test('Unlock and re-key heals with a new key', async () => {
  const { client, id } = await enrolled()
  expect((await lab.call('POST', `/api/v1/installations/${id}/lock`, { body: {} })).status).toBe(200)
  expect(await codeOf(client.renew())).toBe('installation_locked')
  expect((await lab.call('POST', `/api/v1/installations/${id}/unlock`, { body: {} })).status).toBe(200)
  const before = await client.describe()
  expect((await client.renew()).key_thumbprint).not.toBe(before.key_thumbprint)
})

test('a new key after an answer that was lost is the key of the installation, here and there', async () => {
  const { client, id } = await enrolled()
  await lab.time.advance(11 * MINUTE)
  losing = 'refresh'
  expect(await codeOf(program({ maxRetries: 0 }).whoami())).toBe('connection_failed')
  const after = await client.rotateKey()
  expect((await lab.call('GET', `/api/v1/installations/${id}`)).json).toMatchObject({ status: 'active', key_thumbprint: after.key_thumbprint })
  await lab.time.advance(11 * MINUTE)
  expect((await program().whoami()).key_thumbprint).toBe(after.key_thumbprint)
})

test('Unlock and re-key heals where the answer to a new key had been lost, too', async () => {
  const { client, id } = await enrolled()
  losing = 'refresh'
  expect(await codeOf(client.rotateKey())).toBe('connection_failed')
  for (const verb of ['lock', 'unlock']) expect((await lab.call('POST', `/api/v1/installations/${id}/${verb}`, { body: {} })).status).toBe(200)
  const healed = await client.renew()
  expect((await lab.call('GET', `/api/v1/installations/${id}`)).json).toMatchObject({ status: 'active', key_thumbprint: healed.key_thumbprint })
})

test('an unlock that came too late is told as an end, and after another one somebody at the machine brings it back', async () => {
  const { client, id } = await enrolled()
  const unlocked = async (): Promise<void> => {
    for (const verb of ['lock', 'unlock']) expect((await lab.call('POST', `/api/v1/installations/${id}/${verb}`, { body: {} })).status).toBe(200)
  }
  await unlocked()
  await lab.time.advance(25 * 60 * MINUTE)
  expect(await codeOf(client.whoami())).toBe('recovery_forbidden')
  await unlocked()
  expect(await codeOf(client.whoami())).toBe('recovery_forbidden')
  await client.rotateKey()
  expect((await client.whoami()).installation.id).toBe(id)
})

test('an agent that is suspended waits, and goes on when it is resumed', async () => {
  const { client, agent } = await enrolled()
  await lab.call('POST', `/api/v1/agents/${agent}/suspend`)
  await lab.time.advance(11 * MINUTE)
  expect(await codeOf(client.whoami())).toBe('agent_suspended')
  await lab.call('POST', `/api/v1/agents/${agent}/resume`)
  await lab.time.advance(6 * MINUTE)
  expect((await client.whoami()).generation).toBe(2)
})

test('signing out retires the installation', async () => {
  const { client, id } = await enrolled()
  await client.logout()
  expect((await lab.call('GET', `/api/v1/installations/${id}`)).json.status).toBe('retired')
  expect(await codeOf(program().whoami())).toBe('not_enrolled')
})

test('a connection outside the policy is not found, and a policy without tokens says so', async () => {
  const { client } = await enrolled({ access: ['proxy'], connections: [{}] })
  expect(await codeOf(client.connections.token(lab.connection))).toBe('agent_policy_refused')
  expect(await codeOf(client.connections.proxy('con_01890000-0000-7000-8000-000000000000', 'x'))).toBe('not_found')
})

test('a sensitive connection waits for a person, and the error says which approval', async () => {
  const { client } = await enrolled({ access: ['token', 'proxy'], connections: [{}], approval: [{}] })
  const error = await client.connections.token(lab.connection).catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'approval_required', action: 'wait', approvalId: expect.stringMatching(/^apr_/) })
  if (!isEvergrantError(error)) return
  const elsewhere = [client.connections.fetch(lab.connection, 'https://api.example.com/me'), client.connections.proxy(lab.connection, 'me')]
  const { approvalId } = error as { approvalId?: string }
  for (const same of await Promise.allSettled(elsewhere)) expect(same).toMatchObject({ status: 'rejected', reason: { approvalId } })
  await lab.call('POST', `/api/v1/approvals/${approvalId}/approve`, { body: {} })
  expect(await client.connections.token(lab.connection)).toMatchObject({ access_token: expect.any(String) })
})

test('without a code a person lets the machine in, and it learns so by asking', async () => {
  const agent = await lab.agent()
  const client = program({ platform: { wait: (ms) => lab.time.advance(ms) } })
  const caller = { organization: lab.organization, actor: { kind: 'cli', id: null }, user: null, own: null, gives: ['token', 'proxy'] } as const
  let asked = 0
  const registered = client.agents.register({
    server: 'https://evergrant.example',
    name: 'web-2',
    onPrompt: ({ userCode, completeUrl }) => {
      asked += 1
      expect(completeUrl).toBe(`https://evergrant.example/device?user_code=${userCode}`)
      void lab.services.devices.allow(caller, userCode, agent as `agt_${string}`)
    },
  })
  expect(await registered).toMatchObject({ agent: { id: agent }, installation: { name: 'web-2' }, generation: 1 })
  expect(asked).toBe(1)
})
