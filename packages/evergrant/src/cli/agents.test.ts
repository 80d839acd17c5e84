// Programs on the command line, against a server that listens: every command once, as an operator types it.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { User } from '../core/user/user.ts'
import { AgentMachine } from '../testing/agent-machine.ts'
import { freePort } from '../testing/free-port.ts'
import { newMember } from '../testing/people.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'
import { writeControlFile } from './control-file.ts'
import { runCommandLine } from './program.ts'

let node: WholeNode
let folder: string
let url: string
let ana: User
beforeAll(async () => {
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  node = await openWholeNode({ env: { EVERGRANT_PUBLIC_URL: url, EVERGRANT_PORT: String(port) } })
  await node.app.listen({ host: '127.0.0.1', port })
  folder = mkdtempSync(join(tmpdir(), 'evergrant-cli-agents-'))
  const { organization, services } = node.parts
  writeControlFile(folder, { url, publicUrl: url, key: services.apiKeys.issueLocal(organization).text, pid: process.pid })
  vi.stubEnv('EVERGRANT_DATA_DIR', folder)
  ana = await newMember(node, { role: 'operator', organization, email: 'ana@example.com' })
}, 60_000)
afterAll(async () => {
  vi.unstubAllEnvs()
  await node.close()
  rmSync(folder, { recursive: true })
})

async function agents(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const said = { out: '', err: '' }
  const code = await runCommandLine(['agents', ...args], { out: (text) => (said.out += text), err: (text) => (said.err += text), interactive: false })
  return { code, ...said }
}

// biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
async function json(...args: readonly string[]): Promise<any> {
  const { code, out, err } = await agents(...args, '--json')
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out)
}

async function machine(agent: string): Promise<{ readonly id: string; readonly machine: AgentMachine }> {
  const made = await AgentMachine.make({
    publicUrl: url,
    now: () => node.services.clock.wall(),
    send: async (method, path, { headers, body }) => {
      const answer = await fetch(url + path, { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) })
      const text = await answer.text()
      return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: JSON.parse(text) }
    },
  })
  const { code } = await json('code', agent)
  const answer = await made.enrol({ code })
  return { id: answer.json.installation.id, machine: made }
}

async function recover(of: AgentMachine) {
  const token = of.refreshToken ?? ''
  const answer = await of.post('/api/v1/auth/sdk/recover', token, { old_refresh_token: token, attempt_id: AgentMachine.attempt() })
  if (answer.status === 200) of.refreshToken = answer.json.refresh_token
  return answer
}

test('an agent is made for a person, shown, changed and named by its name', async () => {
  const made = await json(
    'create',
    '--name',
    'weather',
    '--owner',
    'ANA@example.com',
    '--access',
    'proxy',
    '--allow',
    'tag=weather,owner=ana',
    '--approval',
    'all',
  )
  expect(made).toMatchObject({
    name: 'weather',
    owner: ana.id,
    status: 'pending',
    policy: { access: ['proxy'], connections: [{ tag: 'weather', owner: 'ana' }], approval: [{}] },
  })
  expect((await agents('list')).out).toMatch(/^ID +NAME +STATUS +OWNER +REVIEWED\nagt_\S+ +weather +pending +usr_\S+ +-\n$/)
  expect(await json('show', 'weather')).toMatchObject({ id: made.id, owner_active: true })
  expect(await json('update', 'weather', '--description', 'Reads the weather', '--recovery-mode', 'relaxed', '--on-clone', 'refuse_and_alert')).toMatchObject({
    description: 'Reads the weather',
    recovery: { mode: 'relaxed', on_clone: 'refuse_and_alert' },
  })
  expect(await agents('update', 'weather')).toMatchObject({ code: 2, err: expect.stringContaining('Name what is to change') })
  expect(await agents('show', 'nobody')).toMatchObject({ code: 1, err: expect.stringContaining('There is no agent nobody') })
  expect((await json('list', '--owner', 'ana@example.com', '--status', 'verified')).items).toEqual([])
})

test('its policy is shown, and set as a whole', async () => {
  expect(await json('policy', 'weather')).toMatchObject({ access: ['proxy'], connections: [{ tag: 'weather', owner: 'ana' }] })
  expect(await json('policy', 'weather', '--access', 'token', 'proxy', '--allow', 'all', '--method', 'get')).toMatchObject({
    access: ['token', 'proxy'],
    connections: [{}],
    approval: [],
    methods: ['GET'],
  })
  const doors = ['policy', 'weather', '--access', 'token', 'proxy', '--allow', 'all', '--auto-accept']
  expect(await json(...doors, 'workload', 'device')).toMatchObject({ auto_accept: ['workload', 'device'] })
  expect(await json(...doors, 'none')).toMatchObject({ auto_accept: [] })
  expect(await json(...doors, 'code')).toMatchObject({ auto_accept: ['code'] })
  expect(await agents(...doors, 'window')).toMatchObject({ code: 2, err: expect.stringContaining('code, device, workload, or none') })
  expect(await agents('policy', 'weather', '--allow', 'nonsense')).toMatchObject({ code: 2, err: expect.stringContaining("'nonsense' is not name=value") })
})

test('a code enrols a machine; accept, suspend and resume say what became of it', async () => {
  const { machine: one, id } = await machine('weather')
  expect((await agents('accept', 'weather')).out).toBe('weather is accepted: it is verified.\n')
  expect((await agents('suspend', 'weather')).out).toBe('weather is suspended: it is suspended.\n')
  expect((await one.refresh()).json.code).toBe('agent_suspended')
  expect((await agents('resume', 'weather')).out).toBe('weather goes on: it is verified.\n')
  expect((await one.refresh()).status).toBe(200)
  expect((await agents('installations', '--agent', 'weather', '--status', 'active')).out).toMatch(
    /^ID .*\nins_\S+ +web-2 +agt_\S+ +active +active +file +\S+Z\n$/,
  )
  expect(await json('installation', id)).toMatchObject({ id, agent_name: 'weather', recovery: { mode: 'relaxed' } })
})

test('a project is written for its owner alone, and never over a file that is there', async () => {
  const out = join(folder, 'weather.zip')
  expect((await agents('download', 'weather', '--out', out, '--name', 'web-7')).out).toBe(`${out} is ready: unpack it, npm install, npm start.\n`)
  expect(statSync(out).mode & 0o777).toBe(0o600)
  const files = unzipSync(new Uint8Array(readFileSync(out)))
  expect(JSON.parse(strFromU8(files['weather/.evergrant/enroll.json'] ?? new Uint8Array()))).toMatchObject({ server: url, name: 'web-7' })
  expect(await agents('download', 'weather', '--out', out)).toMatchObject({ code: 2, err: expect.stringContaining('exists already') })
  expect(await agents('download', 'agt_01990f7e-0000-7000-8000-000000000000', '--out', join(folder, 'none.zip'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('not_found'),
  })
})

test('Rotate is for a machine, an agent or all; `why` tells that the machine healed and what comes next', async () => {
  const { machine: one, id } = await machine('weather')
  expect((await agents('why', id)).out).toBe(
    'It needs none: its token is good. A recovery would be granted (within_limits).\nIt recovers by itself; this counts against the limit.\n\nIt has not asked for one yet.\n',
  )
  expect((await agents('rotate', id, '--reason', 'exercise')).out).toBe('Rotated: 1. The SDKs fetch new tokens by themselves.\n')
  expect((await recover(one)).status).toBe(200)
  const why = (await agents('why', id)).out
  expect(why).toMatch(/OUTCOME +CODE +COUNTED +FROM +WHY\n\S+Z +succeeded +- +no +127\.0\.0\.1 +The token was rotated \(hygiene\)/)
  expect((await json('rotate', 'weather')).rotated).toBeGreaterThanOrEqual(1)
  expect(await json('rotate', '--all')).toEqual({ rotated: 0 })
  expect(await agents('rotate')).toMatchObject({ code: 2, err: expect.stringContaining('Name a machine or an agent') })
  expect((await agents('timeline', id)).out).toMatch(/token_revoked +hygiene +Generation 1 was revoked: exercise\./)
  expect((await agents('timeline', id)).out).toMatch(
    /event +sdk_token\.rotated +Its token was rotated .*\(exercise\): the machine fetches a new one by itself\./,
  )
})

test('a lock is lifted with a new key; Cut off is for good', async () => {
  const { machine: one, id } = await machine('weather')
  expect((await agents('lock', id, '--reason', 'looking into it')).out).toBe('web-2 is locked.\n')
  expect((await one.refresh()).json.code).toBe('installation_locked')
  expect((await agents('unlock', id)).out).toMatch(/^web-2 is unlocked: it goes on with a new key, until \S+Z\.\n$/)
  expect(await agents('unlock', id)).toMatchObject({ code: 1, err: expect.stringContaining('not locked') })
  expect((await agents('cut-off', id, '--compromised')).out).toContain('web-2 is cut off. It comes back only with a new enrolment')
  expect((await json('why', id)).next).toMatchObject({ verdict: 'refused', rule: 'installation_retired' })
  const other = await machine('weather')
  expect(await json('cut-off', other.id, '--offboarding')).toMatchObject({ status: 'retired', token: { revoke_class: 'offboarding' } })
})

test('settings are shown and changed; a recovery that waits is approved or denied', async () => {
  expect((await agents('settings')).out).toContain('recovery_enabled  true')
  expect(await json('settings', '--recovery', 'off')).toMatchObject({ recovery_works: false, off_because: 'organization' })
  expect(await json('settings', '--recovery', 'on', '--recovery-limit', '3', '--close-breaker')).toMatchObject({ recovery_works: true, recovery: { limit: 3 } })
  expect(await agents('settings', '--recovery', 'maybe')).toMatchObject({ code: 2, err: expect.stringContaining('on or off') })

  await json('create', '--name', 'careful', '--owner', ana.id)
  const { machine: one, id } = await machine('careful')
  await json('update', 'careful', '--recovery-mode', 'approve')
  const [head] = await node.store.installations.tokensOf(id as `ins_${string}`, 1)
  if (head === undefined) throw new Error('no token')
  const event = (await node.store.events.list(node.parts.organization, {}, { limit: 1, cursor: null })).items[0]
  if (event === undefined) throw new Error('no event')
  const revocation = { class: 'policy', reason: null, by: 'test', ticket: false, status: 'active', lock: null } as const
  await node.store.installations.revoke(node.parts.organization, { installation: id as `ins_${string}` }, revocation, node.services.clock.wall(), event)
  expect((await recover(one)).status).toBe(202)
  const [waiting] = (await json('approvals')).items
  expect(waiting).toMatchObject({ kind: 'recovery', installation: id })
  expect((await agents('approvals')).out).toContain('web-2')
  expect((await agents('approve', waiting.id)).out).toBe(`${waiting.id} is approved: the program goes on when it asks again.\n`)
  expect((await agents('deny', waiting.id)).code).toBe(1)
  expect((await json('approvals')).items).toEqual([])
})

test('identities of a platform are trusted, listed and trusted no more', async () => {
  const issuer = 'https://token.actions.githubusercontent.com'
  const made = await json('workloads', 'add', 'careful', '--name', 'CI', '--issuer', issuer, '--condition', 'repository=acme/app', 'ref=refs/heads/*')
  expect(made).toMatchObject({
    issuer,
    conditions: [
      { claim: 'repository', value: 'acme/app' },
      { claim: 'ref', value: 'refs/heads/*' },
    ],
  })
  expect((await agents('workloads', 'list', 'careful')).out).toContain('repository=acme/app ref=refs/heads/*')
  expect((await agents('workloads', 'remove', 'careful', made.id)).out).toBe(`${made.id} is trusted no more.\n`)
  expect((await json('workloads', 'list', 'careful')).items).toEqual([])
})

test('revoking ends the agent with all its machines', async () => {
  const { machine: one } = await machine('careful')
  expect((await agents('revoke', 'careful')).out).toBe('careful is revoked, and all its machines with it.\n')
  expect((await one.refresh()).json.code).toBe('agent_revoked')
  expect((await json('installations', '--agent', 'careful', '--status', 'active')).items).toEqual([])
})

test('nothing is coloured where nobody looks at a terminal', async () => {
  for (const args of [['list'], ['installations'], ['settings'], ['approvals']]) expect((await agents(...args)).out).not.toContain('\u001b')
})
