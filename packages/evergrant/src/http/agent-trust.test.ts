import { beforeEach, describe, expect, test, vi } from 'vitest'
import { score } from '../core/agent/trust/score.ts'
import { newId } from '../core/ids.ts'
import { DAY, HOUR, MINUTE } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import { signIn } from '../testing/people.ts'
import { openWholeNode } from '../testing/whole-node.ts'

let lab: AgentLab
let agent: string
beforeEach(async () => {
  lab = await createAgentLab()
  agent = await lab.agent({ access: ['token'], connections: [{ tag: 'weather' }] })
})

const trust = async () => (await lab.call('GET', `/api/v1/agents/${agent}/trust`)).json
const history = async () => (await lab.call('GET', `/api/v1/agents/${agent}/trust/history`)).json.items
const incidents = async () => (await lab.call('GET', `/api/v1/agents/${agent}/incidents`)).json.items
const factor = (found: { factors: { id: string }[] }, id: string) => found.factors.find((one) => one.id === id)

async function enrolled() {
  const machine = await lab.machine()
  const answer = await machine.enrol({ code: await lab.code(agent) }, { name: 'web-2', custody: 'keychain' })
  expect(answer.status).toBe(200)
  return { machine, installation: answer.json.installation.id as `ins_${string}` }
}

/** A copy of the machine's file goes on after the machine did: the newest is in use, and an older token comes with the right key. */
async function copied() {
  const { machine, installation } = await enrolled()
  const old = machine.refreshToken
  for (let turn = 0; turn < 2; turn++) {
    await lab.time.advance(10 * MINUTE)
    expect((await machine.refresh()).status).toBe(200)
  }
  machine.refreshToken = old
  await lab.time.advance(10 * MINUTE)
  expect((await machine.refresh()).json.code).toBe('installation_locked')
  return { machine, installation }
}

describe('the trust score', () => {
  test('of a fresh agent with a keychain key and an active owner is 32, could be 92, and it is not rated yet', async () => {
    const { installation } = await enrolled()
    const found = await trust()
    expect(found).toMatchObject({ score: 32, ceiling: 92, trust_score: 0.32, band: 'Not rated yet', policy_version: 1, caps: [], delta: null, notes: [] })
    expect(found.headline).toBe('32, could be up to 92: too little seen yet.')
    expect(found.computed_at).toBe(new Date(lab.time.clock.wall()).toISOString())
    expect(factor(found, 'custody')).toEqual({
      id: 'custody',
      earned: 20,
      available: 25,
      known: 25,
      facts: [
        { name: 'custody', value: 'keychain', source: installation, event_id: null },
        { name: 'installations', value: 1, source: 'installations', event_id: null },
      ],
      advice: 'Keep the key in hardware, where it cannot be copied.',
    })
    const unknown = Object.fromEntries(found.factors.map((one: { id: string; available: number; known: number }) => [one.id, one.available - one.known]))
    expect(unknown).toEqual({ custody: 0, possession: 15, freshness: 7, healing: 15, incidents: 20, ownership: 3 })
  })

  test('counts requests with the key and renewals in time', async () => {
    const { machine } = await enrolled()
    await lab.time.advance(9 * MINUTE)
    await machine.refresh()
    await machine.call('GET', '/api/v1/connections')
    await lab.services.uses.flush()
    const found = await trust()
    expect(factor(found, 'possession')).toMatchObject({ earned: 15, known: 15 })
    expect(factor(found, 'freshness')).toMatchObject({ earned: 15, known: 15 })
    expect(found).toMatchObject({ score: 54, ceiling: 92 })
  })

  test('falls when a copy of its credentials is seen, says why, and rises when the incident is closed', async () => {
    await enrolled()
    await lab.services.trust.work()
    expect(await trust()).toMatchObject({ score: 32, delta: { points: 0, because: [] } })
    const { installation } = await copied()
    const fallen = await trust()
    expect(fallen).toMatchObject({ score: 20, ceiling: 20, band: 'Low' })
    const [incident] = await incidents()
    expect(incident).toMatchObject({ kind: 'clone', installation, closed_at: null, note: null })
    expect(fallen.caps).toEqual([{ id: 'incident_open', max: 20, takes: expect.any(Number), because: 'An incident is open.', event_id: incident.event_id }])
    const clone = (await lab.call('GET', `/api/v1/events?subject=${installation}&type=installation.clone_suspected`)).json.items[0]
    expect(incident.event_id).toBe(clone.id)
    expect(fallen.delta.because).toContain(clone.id)
    expect(fallen.headline).toMatch(/^20, down 12 since earlier today: .*1 copied credential on web-2/)

    const closed = await lab.call('POST', `/api/v1/incidents/${incident.id}/close`, { body: { note: 'A backup was restored on a second machine.' } })
    expect(closed.json).toMatchObject({ id: incident.id, note: 'A backup was restored on a second machine.', closed_at: expect.any(String) })
    const again = await lab.call('POST', `/api/v1/incidents/${incident.id}/close`, { body: { note: 'Once more.' } })
    expect([again.status, again.json]).toEqual([200, closed.json])
    const risen = await trust()
    expect(risen.caps).toEqual([])
    // Closed, but an hour old: its cost is still nearly all there is, and so the ceiling stays down.
    expect(factor(risen, 'incidents')).toMatchObject({ earned: 0, known: 20 })
    expect(risen.score).toBeGreaterThan(fallen.score)
  })

  test('is written down once a day and after an incident, and every row is computed again from its facts to the byte', async () => {
    const { installation } = await enrolled()
    const work = () => lab.services.trust.work()
    await work()
    await work()
    expect(await history()).toHaveLength(1)
    await lab.time.advance(DAY)
    await work()
    expect(await history()).toHaveLength(2)
    await copied()
    await work()
    const [incident] = await incidents()
    await lab.time.advance(MINUTE)
    await lab.call('POST', `/api/v1/incidents/${incident.id}/close`, { body: { note: 'Known.' } })
    const day = Math.floor(lab.time.clock.wall() / DAY) * DAY
    const counts = { requests: 200, bound: 190, rotations: 9, rotationsOnTime: 7, proofFailures: 0, refusedUses: 3 }
    await lab.store.uses.add([], [{ installation, agent: agent as `agt_${string}`, day, ...counts }])
    await lab.time.advance(8 * DAY)
    await work()
    const [newest, closed, ...older] = (await history()).map(({ score: points }: { score: number }) => points)
    expect(older).toEqual([20, 32, 32])
    expect(closed).toBeGreaterThan(20)
    expect(newest).toBeGreaterThan(closed)
    const rows = await lab.store.trustSnapshots.history(agent as `agt_${string}`, { limit: 100, before: null })
    expect(rows).toHaveLength(5)
    expect(new Set(rows.map(({ result }) => result.score)).size).toBeGreaterThan(2)
    for (const { at, facts, result } of rows) expect(JSON.stringify(score(facts, at, result.policyVersion))).toBe(JSON.stringify(result))
  })

  test('is paged through time, with the facts that it was computed from', async () => {
    await enrolled()
    for (let turn = 0; turn < 3; turn++) {
      await lab.services.trust.work()
      await lab.time.advance(DAY)
    }
    const page = async (query: string) => (await lab.call('GET', `/api/v1/agents/${agent}/trust/history?${query}`)).json
    const first = await page('limit=2')
    expect(first.items[0].facts).toMatchObject({ agent, owner: { user: lab.owner.id, active: true }, weakest_key: { custody: 'keychain' }, reviewed_at: null })
    const second = await page(`limit=2&cursor=${first.cursor}`)
    expect([first.items.length, second.items.length, second.cursor]).toEqual([2, 1, null])
    const times = [...first.items, ...second.items].map(({ computed_at: at }) => at)
    expect([...times].sort().reverse()).toEqual(times)
    expect(await page('cursor=nonsense')).toMatchObject({ status: 400, code: 'invalid_request', field: 'cursor' })
  })

  test('counts what of its rights was used: by which way, on which connections', async () => {
    const { installation } = await enrolled()
    const at = lab.time.clock.wall()
    const day = Math.floor(at / DAY) * DAY - 8 * DAY
    const counts = { requests: 200, bound: 200, rotations: 1, rotationsOnTime: 1, proofFailures: 0, refusedUses: 0 }
    await lab.call('PUT', `/api/v1/agents/${agent}/policy`, { body: { access: ['token', 'proxy'], connections: [{ connection: lab.connection }] } })
    const use = { organization: lab.organization, connection: lab.connection, actor: { kind: 'installation', id: installation }, access: 'token' } as const
    await lab.store.uses.add([{ ...use, minute: at - HOUR, count: 5 }], [{ installation, agent: agent as `agt_${string}`, day, ...counts }])
    const ownership = factor(await trust(), 'ownership')
    expect(ownership).toMatchObject({ earned: 5.5, known: 10 })
    expect((ownership as unknown as { facts: { name: string; value: unknown }[] }).facts.map(({ name, value }) => [name, value])).toContainEqual([
      'rights_used',
      1,
    ])
  })

  test('of an agent whose record cannot be read is tried again, and keeps nobody else waiting', async () => {
    const other = await lab.agent()
    const { get } = lab.store.agents
    lab.store.agents.get = (organization, id) => (id === agent ? Promise.reject(new Error('torn')) : get.call(lab.store.agents, organization, id))
    await lab.services.trust.work()
    expect((await lab.call('GET', `/api/v1/agents/${other}/trust/history`)).json.items).toHaveLength(1)
    expect(lab.logged.some(({ fields }) => fields.agent === agent)).toBe(true)
    lab.store.agents.get = get
    await lab.services.trust.work()
    expect(await history()).toHaveLength(0)
    await lab.time.advance(10 * MINUTE)
    await lab.services.trust.work()
    expect(await history()).toHaveLength(1)
  })
})

describe('a note', () => {
  test('is dated and signed, stands beside the score, and moves no number', async () => {
    await enrolled()
    const before = await trust()
    const { token } = lab.owner
    const written = await lab.call('POST', `/api/v1/agents/${agent}/notes`, { key: token, body: { note: 'Runs on the laptop of Ann until May.' } })
    const by = { kind: 'user', id: lab.owner.id }
    expect([written.status, written.json]).toEqual([201, { id: expect.any(String), at: expect.any(String), by, note: 'Runs on the laptop of Ann until May.' }])
    const after = await trust()
    expect(after).toEqual({ ...before, notes: [written.json] })
  })

  test('is text of a thousand characters at most, without control characters', async () => {
    for (const note of ['', 'x'.repeat(1_001), 'a\u0007b', '\ud800'])
      expect((await lab.call('POST', `/api/v1/agents/${agent}/notes`, { body: { note } })).json).toMatchObject({ status: 400, field: '/note' })
  })
})

describe('who sees what', () => {
  test("a member sees and judges their own agent, and somebody else's is one that never was", async () => {
    await copied()
    const [incident] = await incidents()
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const own = (await lab.call('POST', '/api/v1/agents', { key: member.token, body: { name: 'own' } })).json.id
    expect((await lab.call('GET', `/api/v1/agents/${own}/trust`, { key: member.token })).json).toMatchObject({ score: 4, band: 'Not rated yet' })
    const asked = [
      ['GET', `/api/v1/agents/${agent}/trust`],
      ['GET', `/api/v1/agents/${agent}/trust/history`],
      ['GET', `/api/v1/agents/${agent}/incidents`],
      ['POST', `/api/v1/agents/${agent}/notes`],
      ['POST', `/api/v1/incidents/${incident.id}/close`],
    ] as const
    const stranger = await lab.keyFor(['admin'], await lab.anotherOrganization())
    for (const key of [member.token, stranger])
      for (const [method, url] of asked) {
        const answer = await lab.call(method, url, { key, ...(method === 'POST' ? { body: { note: 'x' } } : {}) })
        expect([url, answer.status, answer.json.code]).toEqual([url, 404, 'not_found'])
      }
    expect((await incidents())[0].closed_at).toBe(null)
  })

  test('a viewer reads, and writes nothing', async () => {
    await copied()
    const [incident] = await incidents()
    const { token: key } = await signIn(lab, { role: 'viewer', organization: lab.organization })
    expect((await lab.call('GET', `/api/v1/agents/${agent}/trust`, { key })).status).toBe(200)
    expect((await lab.call('POST', `/api/v1/agents/${agent}/notes`, { key, body: { note: 'x' } })).json.code).toBe('role_missing')
    expect((await lab.call('POST', `/api/v1/incidents/${incident.id}/close`, { key, body: { note: 'x' } })).json.code).toBe('role_missing')
  })

  test('an incident that never was is not found', async () => {
    const answer = await lab.call('POST', `/api/v1/incidents/${newId('inc', systemEntropy)}/close`, { body: { note: 'x' } })
    expect([answer.status, answer.json.code]).toEqual([404, 'not_found'])
  })
})

test('a node takes the snapshots that are due by itself', async () => {
  const node = await openWholeNode({ env: { EVERGRANT_PORT: '0', EVERGRANT_HOST: '127.0.0.1' } })
  const owner = await signIn(node, { role: 'owner', organization: node.parts.organization })
  const { id } = (await node.ask('POST', '/api/v1/agents', owner.token, { name: 'weather' })).json
  await node.evergrant.listen()
  const taken = async () => (await node.ask('GET', `/api/v1/agents/${id}/trust/history`, owner.token)).json.items
  await vi.waitFor(async () => expect(await taken()).toHaveLength(1), { timeout: 30_000 })
  await node.close()
}, 60_000)
