import { beforeEach, expect, test } from 'vitest'
import { requestWatch } from '../compose-watched-node.ts'
import { createMeters } from '../observability/meters.ts'
import { Scopes } from '../observability/scopes.ts'
import { createSessionLab, PAGE, type SessionLab } from '../testing/session-lab.ts'

let lab: SessionLab
let lines: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[]
const meters = createMeters()
beforeEach(async () => {
  lines = []
  const warn = (fields: Readonly<Record<string, unknown>>, message: string) => void lines.push({ fields, message })
  lab = await createSessionLab({ app: { log: { info: () => {}, warn, error: () => {} }, watch: requestWatch(meters, new Scopes(), null) } })
})
const refusals = () => lines.filter(({ message }) => message === 'a request was refused for a missing right')

test('whoever is refused for a missing right is in the log: who, what and in which organization, and never what was sent (ASVS 16.3.2)', async () => {
  const { accessToken } = await lab.signIn('bearer', await lab.addUser('viewer'))
  expect((await lab.call('POST', '/api/v1/users', { key: accessToken, body: { email: 'planted@example.com', role: 'owner' } })).status).toBe(403)
  expect(refusals().map(({ fields }) => fields)).toEqual([
    {
      request: expect.stringMatching(/./),
      code: 'role_missing',
      method: 'POST',
      route: '/api/v1/users',
      actor: 'user',
      actor_id: expect.stringMatching(/^usr_/),
      organization: lab.organization,
      address: null,
    },
  ])
  expect(JSON.stringify(refusals())).not.toMatch(/planted|eyJ/)
  expect(await meters.text()).toContain('evergrant_refused_requests_total{kind="role_missing"} 1')
})

test('a key without the scope, and a page of a foreign site, are in it too; what succeeds, or is merely wrong, is not', async () => {
  const key = await lab.keyFor(['connections:read'])
  expect((await lab.call('GET', '/api/v1/connections', { key })).status).toBe(200)
  expect((await lab.call('GET', '/api/v1/connections?limit=x', { key })).status).toBe(400)
  expect((await lab.call('GET', '/api/v1/connections', { key: 'egk_none' })).status).toBe(401)
  expect(refusals()).toEqual([])
  expect((await lab.call('GET', '/api/v1/events', { key })).status).toBe(403)
  const { refreshCredential } = await lab.signIn('cookie')
  await lab.refresh(refreshCredential, { ...PAGE, origin: 'https://evil.example' })
  expect(refusals().map(({ fields: { code, actor, address } }) => [code, actor, address])).toEqual([
    ['forbidden', 'api_key', null],
    ['cross_site_request', null, expect.stringMatching(/./)],
  ])
})

test('of one caller twenty lines are written, then one every five seconds, and those of another are not left out', async () => {
  const [loop, other] = [await lab.keyFor(['connections:read']), await lab.keyFor(['connections:read'])]
  for (let n = 0; n < 30; n += 1) await lab.call('GET', '/api/v1/events', { key: loop })
  expect(refusals()).toHaveLength(20)
  await lab.call('GET', '/api/v1/events', { key: other })
  expect(refusals()).toHaveLength(21)
  await lab.time.advance(5_000)
  await lab.call('GET', '/api/v1/events', { key: loop })
  expect(refusals()).toHaveLength(22)
})
