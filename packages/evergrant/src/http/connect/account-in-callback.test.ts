// The account stands in the browser's address alone (QuickBooks, Amazon's Selling Partner API, NetSuite): whoever holds a link could write another one there.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomToken } from '../../core/connect/random-token.ts'
import { repairLink } from '../../core/connect/repair-link.ts'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import { isNamedByBrowser } from '../../core/provider/account.ts'
import { defineProvider } from '../../providers/define.ts'
import { catalogue } from '../../providers/index.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

const RETURN_URL = 'https://app.example.com/connected'

/** The practice provider, with the company in the callback as QuickBooks has it. */
const BOOKS = defineProvider({
  id: 'books',
  name: 'Books',
  variables: {
    home: { label: 'Home', pattern: 'http://127\\.0\\.0\\.1:[0-9]+', example: 'http://127.0.0.1:1' },
    company: { label: 'Company', pattern: '[0-9]+', example: '1', askedOf: 'provider' },
  },
  authorize: { url: '{home}/p4/authorize', defaultScopes: ['notes:read'], callback: { facts: { company: 'company' } } },
  token: { url: '{home}/p4/token', clientAuth: 'basic' },
  account: [{ from: 'callback', parameter: 'company' }],
})

let bench: ConnectBench
let organization: OrganizationId
let key: string

beforeAll(async () => {
  bench = await startConnectBench({ records: [BOOKS] })
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  await bench.integration(organization, 'books', { provider: 'books', scopes: ['notes:read'], variables: { home: bench.practice.url } })
})
afterAll(() => bench.close())

async function come(visitor: Visitor, link: string, person: string, company: string) {
  return visitor.follow(`${await visitor.consent(await visitor.start(link), person)}&company=${company}`)
}

async function finish(location: string | null, owner: string): Promise<ConnectionId> {
  const { searchParams } = new URL(location ?? '')
  const done = await api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner })
  expect(done.status, JSON.stringify(done.body)).toBe(200)
  return done.body['connection_id'] ?? 'con_'
}

async function connect(owner: string, company: string): Promise<ConnectionId> {
  const made = await api(bench, key, 'connect/sessions', { integration: 'books', owner, return_url: RETURN_URL })
  return finish((await come(new Visitor(bench), String(made.body['url']), owner, company)).location, owner)
}

async function breakIt(id: ConnectionId, person: string) {
  bench.advance(150_000)
  for (const grant of bench.practice.control.grants({ account: person })) if (grant.state === 'live') bench.practice.control.revoke(grant.id)
  return api(bench, key, `connections/${id}/refresh`, {})
}

const stored = async (id: ConnectionId) => (await bench.store.connections.get(organization, id)) ?? expect.fail()

test('a broken connection has no link that anybody may hold, and a reconnect without a known person is refused with what to send', async () => {
  const id = await connect('ada', '7')
  expect(await breakIt(id, 'ada')).toMatchObject({ status: 409, body: { code: 'connection_revoked', reconnect_url: null } })
  const refused = await api(bench, key, `connections/${id}/reconnect`, {})
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request', field: '/mode' } })
  expect(String(refused.body['detail'])).toContain("Books names the account in the browser's address alone")
  expect(String(refused.body['detail'])).toContain('Use `verified` with `return_url`, or `signed_in`')
})

test('such a connection says beforehand that no link repairs it', async () => {
  const id = await connect('fay', '12')
  const { body } = await bench.app.inject({ url: `/api/v1/connections/${id}`, headers: { authorization: `Bearer ${key}` } })
  expect(JSON.parse(body)).toMatchObject({ reconnect_modes: ['verified', 'signed_in'] })
})

test('links for many at once say of such a connection why it has none, and what its application sends', async () => {
  const id = await connect('eva', '11')
  await breakIt(id, 'eva')
  const { body } = await api(bench, key, 'connections/bulk', { action: 'reconnect_links', ids: [id] })
  const detail =
    "Its provider names the account in the browser's address alone, so no link repairs it. Its owner reconnects from the application: POST connections/{id}/reconnect with mode `verified` and `return_url`."
  expect(body).toMatchObject({ results: [{ connection_id: id, outcome: 'refused', url: null, detail }] })
})

test('a link that an earlier version mailed opens nothing any more', async () => {
  const id = await connect('ben', '8')
  await breakIt(id, 'ben')
  const link = repairLink((await stored(id)).connection, bench.publicUrl, bench.ports) ?? ''
  const seen = await new Visitor(bench).get(new URL(link).pathname)
  expect([seen.status, seen.body.includes('Connect')]).toEqual([404, false])
})

test('a session that an earlier version opened for such a link takes no tokens of a stranger who names the stored company', async () => {
  const id = await connect('cleo', '9')
  await breakIt(id, 'cleo')
  const before = await stored(id)
  const made = await api(bench, key, `connections/${id}/reconnect`, { return_url: RETURN_URL })
  const session = (await bench.store.connectSessions.load(made.body['id'] ?? 'cs_')) ?? expect.fail()
  const token = randomToken(bench.ports.entropy)
  const old = {
    ...session,
    id: 'cs_019b0000-0000-7000-8000-000000000009' as const,
    mode: 'link' as const,
    returnUrl: null,
    tokenHash: bench.ports.seal.digest(token),
  }
  await bench.store.connectSessions.insert(old, { ...(await anEvent()), subject: old.id })
  const seen = await come(new Visitor(bench), `${bench.publicUrl}/connect/${token}`, 'stranger', '9')
  expect(seen.body).toContain('another account')
  expect((await stored(id)).credential).toEqual(before.credential)
})

async function anEvent() {
  const { items } = await bench.store.events.list(organization, { type: 'connect.session_created' }, { limit: 1, cursor: null })
  const [event] = items
  if (event === undefined) return expect.unreachable('no session was made')
  return { ...event, id: 'evt_019b0000-0000-7000-8000-000000000009' as const }
}

test('the application, which knows its own people, repairs it under the same id', async () => {
  const id = await connect('dora', '10')
  await breakIt(id, 'dora')
  const made = await api(bench, key, `connections/${id}/reconnect`, { return_url: RETURN_URL })
  expect(await finish((await come(new Visitor(bench), String(made.body['url']), 'dora', '10')).location, 'dora')).toBe(id)
  expect((await stored(id)).connection).toMatchObject({ state: 'active', account: '10' })
})

test('of the shipped providers these three are such', () => {
  expect(
    catalogue
      .filter(isNamedByBrowser)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['amazon-sp-api', 'intuit', 'netsuite'])
})
