import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionId, IntegrationId } from '../core/ids.ts'
import { DAY, MINUTE, SECOND } from '../core/time.ts'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import type { AgentMachine } from '../testing/agent-machine.ts'
import { connectionOf, signIn } from '../testing/people.ts'

let lab: AgentLab
let integration: IntegrationId

async function open(): Promise<void> {
  lab = await createAgentLab()
  integration = (await lab.call('GET', '/api/v1/integrations')).json.items[0].id
}

const more = (owner: string, account: string | null = null): Promise<ConnectionId> =>
  connectionOf(lab.store, { organization: lab.organization, integration, owner, account })
const token = (machine: AgentMachine, id: string = lab.connection) => machine.call('GET', `/api/v1/connections/${id}/token`)
const setPolicy = async (agent: string, policy: object) => expect((await lab.call('PUT', `/api/v1/agents/${agent}/policy`, { body: policy })).status).toBe(200)
const events = async (type: string) => (await lab.call('GET', `/api/v1/events?type=${type}`)).json.items

test('machines behind one address that were rotated together do not use up what it may do wrong; tokens that are made up do', async () => {
  lab = await createAgentLab({ app: { failureLimit: { perSecond: 0.01, capacity: 3 } } })
  const agent = await lab.agent({ access: ['token'], connections: [{}] })
  const machines = await Promise.all(Array.from({ length: 6 }, () => lab.enrolled(agent)))
  for (const machine of machines) expect((await token(machine)).status).toBe(200)
  await lab.call('POST', `/api/v1/agents/${agent}/rotate`, { body: {} })
  for (const machine of machines) expect((await token(machine)).json.code).toBe('access_token_expired')
  for (const machine of machines) machine.accessToken = `${machine.accessToken?.slice(0, -8)}AAAAAAAA`
  const made = await Promise.all(machines.map(async (machine) => (await token(machine)).json.code))
  expect(made.filter((code) => code === 'rate_limited')).toHaveLength(3)
})

describe('the policy of an agent', () => {
  beforeEach(open)

  test('selects by id, owner, integration and tag; what it does not select is answered as what never was', async () => {
    const agent = await lab.agent()
    const machine = await lab.enrolled(agent)
    const [other, never] = [await more('owner-2'), `${lab.connection.slice(0, -4)}ffff`]
    await lab.call('PATCH', `/api/v1/connections/${lab.connection}`, { body: { tags: ['weather'] } })
    for (const selector of [
      { connection: lab.connection },
      { owner: 'owner-1' },
      { integration, owner: 'owner-1' },
      { integration: 'scripted', tag: 'weather' },
      { tag: 'weather' },
    ]) {
      await setPolicy(agent, { access: ['token'], connections: [selector] })
      expect([selector, (await token(machine)).status]).toEqual([selector, 200])
      for (const path of ['/token', '']) {
        const ask = async (id: string) => {
          const { status, json } = await machine.call('GET', `/api/v1/connections/${id}${path}`)
          const { request_id: _id, ...said } = json
          return { status, said: JSON.stringify(said).replaceAll(id, 'ID') }
        }
        const hidden = await ask(other)
        expect(hidden).toEqual(await ask(never))
        expect(hidden.status).toBe(404)
      }
    }
    await setPolicy(agent, { access: ['token'], connections: [{ owner: 'owner-1', tag: 'sports' }] })
    expect((await token(machine)).json.code).toBe('not_found')
  })

  test('counts for the next request: a tag that is taken away, a policy that is narrowed', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{ tag: 'weather' }] })
    await lab.call('PATCH', `/api/v1/connections/${lab.connection}`, { body: { tags: ['weather'] } })
    const machine = await lab.enrolled(agent)
    expect((await token(machine)).status).toBe(200)
    await lab.call('PATCH', `/api/v1/connections/${lab.connection}`, { body: { tags: [] } })
    expect((await token(machine)).status).toBe(404)
    await lab.call('PATCH', `/api/v1/connections/${lab.connection}`, { body: { tags: ['weather'] } })
    expect((await token(machine)).status).toBe(200)
    await setPolicy(agent, { access: ['proxy'], connections: [{ tag: 'weather' }] })
    expect((await token(machine)).json).toMatchObject({ status: 403, code: 'agent_policy_refused' })
  })

  test('says in which way: no token where it gives the proxy alone, and through the proxy only its methods', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{}] })
    const machine = await lab.enrolled(agent)
    const proxy = (method: 'GET' | 'POST') => machine.call(method, `/api/v1/proxy/${lab.connection}/v1/me`)
    expect((await proxy('GET')).json.code).toBe('agent_policy_refused')
    await setPolicy(agent, { access: ['proxy'], connections: [{}], methods: ['GET'] })
    expect((await token(machine)).json.code).toBe('agent_policy_refused')
    expect((await proxy('POST')).json).toMatchObject({ code: 'agent_policy_refused', detail: expect.stringContaining('GET') })
    expect((await proxy('GET')).json?.code).not.toBe('agent_policy_refused')
    expect(await events('agent.use_refused')).toHaveLength(1)
  })

  test('says no to another method in a header, too, where providers look for it', async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['proxy'], connections: [{}], methods: ['GET', 'POST'] }))
    const proxy = (headers: Record<string, string>) => machine.call('POST', `/api/v1/proxy/${lab.connection}/v1/me`, undefined, headers)
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])
      expect((await proxy({ [name]: 'delete' })).json).toMatchObject({ status: 403, code: 'agent_policy_refused', detail: expect.stringContaining('DELETE') })
    expect((await proxy({ 'X-HTTP-Method-Override': 'GET' })).json?.code).not.toBe('agent_policy_refused')
  })

  test('writes a refusal down once an hour, and counts each, however often a program asks', async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['proxy'], connections: [{}], methods: ['GET'] }))
    const post = () => machine.call('POST', `/api/v1/proxy/${lab.connection}/v1/me`)
    for (let time = 0; time < 5; time++) expect((await post()).status).toBe(403)
    expect(await events('agent.use_refused')).toHaveLength(1)
    await lab.time.advance(60 * MINUTE)
    await machine.refresh()
    expect((await post()).status).toBe(403)
    expect(await events('agent.use_refused')).toHaveLength(2)
  })

  test('follows what its owner is now: a member shares their own alone, a viewer nothing', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{}] })
    const machine = await lab.enrolled(agent)
    const own = await more(lab.owner.id, 'mine')
    expect((await token(machine)).status).toBe(200)
    const role = async (name: string) =>
      expect((await lab.call('PATCH', `/api/v1/organizations/${lab.organization}/members/${lab.owner.id}`, { body: { role: name } })).status).toBe(200)
    await role('member')
    expect((await token(machine)).status).toBe(404)
    const listed = await machine.call('GET', '/api/v1/connections')
    expect(listed.json.items.map(({ id }: { id: string }) => id)).toEqual([own])
    await role('viewer')
    expect((await machine.call('GET', '/api/v1/connections')).json.items).toEqual([])
  })

  test('closes everything else to programs', async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['token', 'proxy'], connections: [{}] }))
    for (const [method, path] of [
      ['GET', '/api/v1/agents'],
      ['GET', '/api/v1/events'],
      ['GET', '/api/v1/integrations'],
      ['GET', '/api/v1/owners/owner-1/connections'],
      ['POST', `/api/v1/connections/${lab.connection}/refresh`],
      ['DELETE', `/api/v1/connections/${lab.connection}`],
      ['GET', `/api/v1/connections/${lab.connection}/uses`],
      ['GET', '/api/v1/users/profile'],
    ] as const)
      expect([path, (await machine.call(method, path)).json.code]).toEqual([path, 'agent_policy_refused'])
  })

  test('holds where the token is read by integration and owner, which tells nothing of what is not selected', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{ owner: 'owner-1' }] })
    const machine = await lab.enrolled(agent)
    await more('owner-2')
    const ask = async (owner: string) => {
      const { status, json } = await machine.call('GET', `/api/v1/token?integration=scripted&owner=${owner}`)
      const { request_id: _id, access_token: _token, ...said } = json
      return { status, said }
    }
    expect((await ask('owner-1')).status).toBe(200)
    const hidden = await ask('owner-2')
    expect(hidden.status).toBe(404)
    expect(hidden).toEqual(await ask('owner-3'))
    await setPolicy(agent, { access: ['token'], connections: [] })
    expect(await ask('owner-1')).toEqual(hidden)
    await setPolicy(agent, { access: ['token'], connections: [{}] })
    await more('owner-1', 'second')
    expect((await ask('owner-1')).said.code).toBe('conflict')
  })
})

describe('the list of connections', () => {
  let own: ConnectionId[]
  beforeAll(async () => {
    await open()
    own = []
    for (let index = 0; index < 12; index++) {
      const id = await more(index % 3 === 0 ? 'hidden' : `owner-${index % 2}`, `account ${index}`)
      if (index % 3 !== 0) own.push(id)
    }
  })

  const pages = async (machine: AgentMachine, limit: number, query = ''): Promise<string[][]> => {
    const found: string[][] = []
    let cursor = ''
    do {
      const { json } = await machine.call('GET', `/api/v1/connections?limit=${limit}${query}${cursor}`)
      found.push(json.items.map(({ id }: { id: string }) => id))
      cursor = json.cursor === null ? '' : `&cursor=${encodeURIComponent(json.cursor)}`
    } while (cursor !== '')
    return found
  }

  test.each([1, 2, 3, 5, 8, 50])('is cut to what the policy selects, in whole pages of %i, each once and newest first', async (limit) => {
    const hidden = (await lab.call('GET', '/api/v1/connections?owner=hidden')).json.items[1].id
    const selectors = [{ owner: 'owner-0' }, { owner: 'owner-1', integration }, { connection: hidden }, { connection: own[0] }]
    const machine = await lab.enrolled(await lab.agent({ access: ['proxy'], connections: selectors }))
    const found = await pages(machine, limit)
    const wanted = [...own, lab.connection, hidden].sort().reverse()
    expect(found.flat()).toEqual(wanted)
    expect(found.slice(0, -1).every((page) => page.length === limit)).toBe(true)
  })

  test('is also cut to what was asked for', async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['proxy'], connections: [{ owner: 'owner-0' }, { owner: 'owner-1' }] }))
    const ofOne = await pages(machine, 2, '&owner=owner-0')
    expect(ofOne.flat().length).toBeGreaterThan(2)
    expect((await pages(machine, 2, '&owner=hidden')).flat()).toEqual([])
    expect((await pages(machine, 2, '&tag=none')).flat()).toEqual([])
    expect((await pages(machine, 2, '&status=paused')).flat()).toEqual([])
  })
})

describe('a use that wants approval', () => {
  beforeEach(open)

  test('asks once, is refused until somebody approves it, passes for its time, and is written down each time', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{}], approval: [{ owner: 'owner-1' }], approval_seconds: 600 })
    const machine = await lab.enrolled(agent)
    const first = await token(machine)
    expect(first.json).toMatchObject({ status: 403, code: 'approval_required', approval: expect.stringMatching(/^apr_/) })
    expect((await token(machine)).json.approval).toBe(first.json.approval)
    const listed = (await lab.call('GET', '/api/v1/approvals?status=pending')).json.items
    expect(listed).toEqual([expect.objectContaining({ id: first.json.approval, kind: 'use', connection: lab.connection, agent })])
    expect(listed[0].shown).toMatchObject({ host: 'web-2', key_thumbprint: machine.thumbprint, access: 'token' })
    const admin = await signIn(lab, { role: 'admin', organization: lab.organization })
    const approved = await lab.call('POST', `/api/v1/approvals/${first.json.approval}/approve`, { key: admin.token })
    expect(approved.json).toMatchObject({ status: 'approved', decided_by: { kind: 'user', id: admin.id } })
    for (let use = 0; use < 3; use++) expect((await token(machine)).status).toBe(200)
    expect(await events('agent.connection_used')).toHaveLength(3)
    expect((await lab.call('POST', `/api/v1/approvals/${first.json.approval}/deny`)).json.code).toBe('conflict')
    await lab.time.advance(11 * MINUTE)
    await machine.refresh()
    const later = await token(machine)
    expect([later.json.code, later.json.approval === first.json.approval]).toEqual(['approval_required', false])
  })

  test('that was denied is asked for anew, and one that nobody looked at is over after a day', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{}], approval: [{}] })
    const machine = await lab.enrolled(agent)
    const { approval } = (await token(machine)).json
    expect((await lab.call('POST', `/api/v1/approvals/${approval}/deny`)).json.status).toBe('denied')
    const next = (await token(machine)).json
    expect([next.code, next.approval === approval]).toEqual(['approval_required', false])
    await lab.time.advance(DAY + 1)
    expect((await lab.call('GET', '/api/v1/approvals?status=pending')).json.items).toEqual([])
    expect((await lab.call('POST', `/api/v1/approvals/${next.approval}/approve`)).json.code).toBe('conflict')
  })

  test("is decided by those who administer the agent: somebody else's is unknown to a member", async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['token'], connections: [{}], approval: [{}] }))
    const { approval } = (await token(machine)).json
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const viewer = await signIn(lab, { role: 'viewer', organization: lab.organization })
    expect((await lab.call('GET', '/api/v1/approvals', { key: member.token })).json.items).toEqual([])
    expect((await lab.call('POST', `/api/v1/approvals/${approval}/approve`, { key: member.token })).json.code).toBe('not_found')
    expect((await lab.call('GET', `/api/v1/approvals/${approval}`, { key: viewer.token })).status).toBe(200)
    expect((await lab.call('POST', `/api/v1/approvals/${approval}/approve`, { key: viewer.token })).json.code).toBe('role_missing')
  })
})

describe('an approval', () => {
  beforeEach(open)

  test('of a token is given by nobody who could not give tokens to a program', async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['token'], connections: [{}], approval: [{}] }))
    const { approval } = (await token(machine)).json
    const path = `/api/v1/approvals/${approval}/approve`
    expect((await lab.call('POST', path, { key: lab.owner.token })).json).toMatchObject({
      code: 'role_missing',
      detail: expect.stringContaining('tokens:read'),
    })
    expect((await token(machine)).json.code).toBe('approval_required')
    expect((await lab.call('POST', path, { key: await lab.keyFor(['agents:write']) })).json.code).toBe('role_missing')
    expect((await lab.call('POST', path, { key: await lab.keyFor(['agents:write', 'tokens:read']) })).json.status).toBe('approved')
    expect((await token(machine)).status).toBe(200)
  })

  test('that the whole organization wants is neither dropped, lengthened nor given by a member who owns the program', async () => {
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const connections = [{ owner: member.id }]
    const agent = await lab.agent({ access: ['proxy'], connections, approval: connections, approval_seconds: 600 }, { owner: member.id })
    const machine = await lab.enrolled(agent)
    const own = await more(member.id)
    const put = (policy: object) =>
      lab.call('PUT', `/api/v1/agents/${agent}/policy`, { key: member.token, body: { access: ['proxy'], connections, ...policy } })
    for (const approval of [[], [{ owner: member.id, tag: 'none' }]])
      expect((await put({ approval })).json).toMatchObject({ code: 'role_missing', field: '/approval' })
    expect((await put({ approval: connections, approval_seconds: 6_000 })).json).toMatchObject({ code: 'role_missing', field: '/approval_seconds' })
    expect((await put({ approval: [...connections, { tag: 'mine' }], approval_seconds: 300 })).status).toBe(200)
    const asked = await machine.call('GET', `/api/v1/proxy/${own}/v1/me`)
    expect(asked.json.code).toBe('approval_required')
    const path = `/api/v1/approvals/${asked.json.approval}/approve`
    expect((await lab.call('POST', path, { key: member.token })).json).toMatchObject({ status: 403, code: 'role_missing' })
    expect((await lab.call('POST', path, { key: lab.owner.token })).json.status).toBe('approved')
  })

  test('that a member wants for a program of their own is theirs to drop and to give', async () => {
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const policy = { access: ['proxy'], connections: [{ owner: member.id }], approval: [{ owner: member.id }] }
    const made = await lab.call('POST', '/api/v1/agents', { key: member.token, body: { name: 'mine', policy } })
    const machine = await lab.enrolled(made.json.id)
    const asked = await machine.call('GET', `/api/v1/proxy/${await more(member.id)}/v1/me`)
    expect((await lab.call('POST', `/api/v1/approvals/${asked.json.approval}/approve`, { key: member.token })).json.status).toBe('approved')
    const dropped = await lab.call('PUT', `/api/v1/agents/${made.json.id}/policy`, { key: member.token, body: { ...policy, approval: [] } })
    expect(dropped.json.policy.approval).toEqual([])
  })
})

describe('access tokens', () => {
  beforeEach(open)

  test('that an administrator gave to a program of their own end with their role; those that somebody else gave stay', async () => {
    const admin = await signIn(lab, { role: 'admin', organization: lab.organization })
    const policy = { access: ['token'], connections: [{}] }
    const given = (await lab.call('POST', '/api/v1/agents', { key: admin.token, body: { name: 'self', policy } })).json.id
    const [self, other] = [await lab.enrolled(given), await lab.enrolled(await lab.agent(policy, { owner: admin.id }))]
    expect([(await token(self)).status, (await token(other)).status]).toEqual([200, 200])
    await lab.call('PATCH', `/api/v1/organizations/${lab.organization}/members/${admin.id}`, { body: { role: 'operator' } })
    expect((await token(self)).json.code).toBe('agent_policy_refused')
    expect((await token(other)).status).toBe(200)
  })
})

describe('uses', () => {
  beforeEach(open)

  test('are counted by minute for keys and programs, and written together', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{}] })
    const machine = await lab.enrolled(agent)
    const key = await lab.keyFor(['tokens:read'])
    for (let use = 0; use < 3; use++) await token(machine)
    await lab.call('GET', `/api/v1/connections/${lab.connection}/token`, { key })
    await lab.call('GET', '/api/v1/token?integration=scripted&owner=owner-1', { key })
    expect((await lab.call('GET', `/api/v1/connections/${lab.connection}/uses`)).json.items).toEqual([])
    await lab.services.uses.flush()
    const { items } = (await lab.call('GET', `/api/v1/connections/${lab.connection}/uses`)).json
    expect(items.map(({ actor, count, access }: { actor: { kind: string }; count: number; access: string }) => [actor.kind, access, count]).sort()).toEqual([
      ['api_key', 'token', 2],
      ['installation', 'token', 3],
    ])
    expect((await lab.call('GET', `/api/v1/agents/${agent}/uses`)).json.items).toEqual([{ connection: lab.connection, access: 'token', count: 3 }])
    expect(await lab.store.uses.daysOf(agent as `agt_${string}`, 0)).toEqual([expect.objectContaining({ requests: 3, bound: 3, refusedUses: 0 })])
  })

  test('and rotations and tokens without their key are counted by day, however long a program sleeps between two', async () => {
    const agent = await lab.agent()
    const [machine, thief] = [await lab.enrolled(agent), await lab.machine()]
    await lab.time.advance(9 * MINUTE)
    await machine.refresh()
    await lab.time.advance(61 * MINUTE)
    await machine.refresh()
    thief.refreshToken = machine.refreshToken
    expect((await thief.refresh()).json.code).toBe('sdk_token_invalid')
    await lab.services.uses.flush()
    expect(await lab.store.uses.daysOf(agent as `agt_${string}`, 0)).toEqual([expect.objectContaining({ rotations: 2, rotationsOnTime: 2, proofFailures: 1 })])
  })

  test('are written by themselves, and no read fails because they cannot be', async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['token'], connections: [{}] }))
    await token(machine)
    const add = lab.store.uses.add
    const broken = { add: () => Promise.reject(new Error('full')) }
    Object.assign(lab.store.uses, broken)
    await lab.services.uses.flush()
    expect(lab.logged.map(({ message }) => message)).toContain('uses of connections could not be written, and are not counted')
    expect((await token(machine)).status).toBe(200)
    Object.assign(lab.store.uses, { add })
    await lab.time.advance(10 * SECOND)
    await expect.poll(async () => (await lab.call('GET', `/api/v1/connections/${lab.connection}/uses`)).json.items.length).toBe(1)
  })
})
