// A person's own programs: two verbs, and nothing of anybody else.
import { beforeEach, expect, test } from 'vitest'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import { AgentMachine } from '../testing/agent-machine.ts'
import { type SignedInPerson, signIn } from '../testing/people.ts'

const OWN = '/api/v1/users/me/sdk-tokens'
let lab: AgentLab
let ana: SignedInPerson
beforeEach(async () => {
  lab = await createAgentLab()
  ana = await signIn(lab, { role: 'member', organization: lab.organization })
})

const enrolledOf = async (person: SignedInPerson) => lab.enrolled(await lab.agent({}, { owner: person.id }))
const list = async (person: SignedInPerson) => (await lab.call('GET', OWN, { key: person.token })).json.items

test('are listed with device, last use, generation, status and where the newest token came from', async () => {
  const machine = await enrolledOf(ana)
  await enrolledOf(lab.owner)
  const [before] = await list(ana)
  await lab.call('POST', `${OWN}/${before.id}/rotate`, { key: ana.token, body: {} })
  const token = machine.refreshToken ?? ''
  await machine.post('/api/v1/auth/sdk/recover', token, { old_refresh_token: token, attempt_id: AgentMachine.attempt() })
  expect(await list(ana)).toEqual([
    {
      id: before.id,
      agent: before.agent,
      device: { name: 'web-2', host: 'web-2', platform: 'linux', address: '127.0.0.1', custody: 'file' },
      status: 'active',
      generation: 2,
      created_at: '2026-01-01T00:00:00.000Z',
      last_used_at: '2026-01-01T00:00:00.000Z',
      expires_at: '2026-03-02T00:00:00.000Z',
      state: 'active',
      revoke_class: null,
      metadata: { source: 'token_recovery', recovered_from: expect.stringMatching(/^sdk_/), recovery_reason: 'hygiene' },
    },
  ])
})

test('of somebody else are as unknown as none, whatever the role', async () => {
  await enrolledOf(ana)
  const [{ id }] = await list(ana)
  const owner = await signIn(lab, { role: 'owner', organization: lab.organization })
  expect(await list(owner)).toEqual([])
  for (const [method, path] of [
    ['POST', `${OWN}/${id}/rotate`],
    ['DELETE', `${OWN}/${id}`],
  ] as const)
    expect((await lab.call(method, path, { key: owner.token, body: {} })).status, path).toBe(404)
  expect((await lab.call('POST', `${OWN}/rotate`, { key: owner.token, body: {} })).json).toEqual({ rotated: 0 })
  expect((await lab.call('DELETE', OWN, { key: owner.token })).json).toEqual({ cut_off: 0 })
  expect((await list(ana))[0].state).toBe('active')
})

test('are cut off when nothing is said, and then no recovery helps', async () => {
  const machine = await enrolledOf(ana)
  const [{ id }] = await list(ana)
  expect((await lab.call('DELETE', `${OWN}/${id}`, { key: ana.token })).json).toEqual({ cut_off: 1 })
  expect((await lab.call('DELETE', `${OWN}/${id}`, { key: ana.token })).json).toEqual({ cut_off: 0 })
  expect(await list(ana)).toEqual([expect.objectContaining({ id, status: 'retired', state: 'revoked', revoke_class: 'owner_request' })])
  expect((await machine.refresh()).json.code).toBe('installation_retired')
})

test('take the class of a cut-off, and no class that heals', async () => {
  await enrolledOf(ana)
  const [{ id }] = await list(ana)
  const wrong = await lab.call('DELETE', `${OWN}/${id}`, { key: ana.token, body: { reason_class: 'hygiene' } })
  expect([wrong.status, wrong.json.field]).toEqual([400, '/reason_class'])
  expect((await list(ana))[0].state).toBe('active')
  await lab.call('DELETE', `${OWN}/${id}`, { key: ana.token, body: { reason_class: 'compromise' } })
  expect((await list(ana))[0]).toMatchObject({ status: 'retired', revoke_class: 'compromise' })
})

test('are rotated, cut off and counted all at once', async () => {
  for (let made = 0; made < 3; made += 1) await enrolledOf(ana)
  const [{ id }] = await list(ana)
  await lab.call('DELETE', `${OWN}/${id}`, { key: ana.token })
  const count = async () => (await lab.call('GET', `${OWN}/count`, { key: ana.token })).json
  expect(await count()).toEqual({ count: 2, active: 2, recovery_blocked: 0, locked: 0, retired: 1 })
  expect((await lab.call('POST', `${OWN}/rotate`, { key: ana.token, body: {} })).json).toEqual({ rotated: 2 })
  expect((await lab.call('DELETE', OWN, { key: ana.token, body: { reason_class: 'offboarding' } })).json).toEqual({ cut_off: 2 })
  expect(await count()).toEqual({ count: 0, active: 0, recovery_blocked: 0, locked: 0, retired: 3 })
})

test('are for people: an API key is refused', async () => {
  for (const [method, path] of [
    ['GET', OWN],
    ['GET', `${OWN}/count`],
    ['POST', `${OWN}/rotate`],
    ['DELETE', OWN],
  ] as const)
    expect((await lab.call(method, path, method === 'POST' ? { body: {} } : {})).json.code, path).toBe('forbidden')
})
