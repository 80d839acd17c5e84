import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import { MINUTE } from '../../core/time.ts'
import { defineProvider } from '../../providers/define.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'
import { type SideServer, startSideServer } from '../../testing/side-server.ts'

const RETURN_URL = 'https://app.example.com/connected'
const variable = (label: string) => ({ label, pattern: 'http://127\\.0\\.0\\.1:[0-9]+', example: 'http://127.0.0.1:1' })

/** The practice provider, said to keep one grant per account (Zoom), or three (Zoho has twenty). */
const [ALONE, CAPPED] = (['alone', 'capped'] as const).map((id) =>
  defineProvider({
    id,
    name: id === 'alone' ? 'Alone' : 'Capped',
    variables: { home: variable('Home'), side: variable('Side') },
    authorize: { url: '{home}/p4/authorize', defaultScopes: ['notes:read'] },
    token: { url: '{home}/p4/token', clientAuth: 'basic' },
    lifetimes: { accessSeconds: 3_600, onePerAccount: id === 'alone', cap: id === 'alone' ? null : { grants: 3, next: 'oldest_ends' } },
    account: [{ from: 'request', url: '{side}/me', path: 'id' }],
    sunsets: [
      { what: 'v1 tokens', on: inDays(200), instead: 'ask for v2' },
      { what: 'the old address', on: inDays(90), instead: 'api2.example.com' },
    ],
  }),
)

function inDays(days: number): string {
  return new Date(Date.now() + days * 24 * 60 * MINUTE).toISOString().slice(0, 10)
}

/** Its account is told before the flow (Shopify's shop). */
const SHOPS = defineProvider({
  id: 'shops',
  name: 'Shops',
  variables: { home: variable('Home'), shop: { label: 'Shop', pattern: '[a-z0-9-]{1,20}', example: 'p4', askedOf: 'connection' } },
  authorize: { url: '{home}/{shop}/authorize', defaultScopes: ['notes:read'] },
  token: { url: '{home}/{shop}/token', clientAuth: 'basic' },
  lifetimes: { accessSeconds: 3_600, onePerAccount: true },
  account: [{ from: 'variable', name: 'shop' }],
})

let bench: ConnectBench
let side: SideServer
let organization: OrganizationId
let key: string

beforeAll(async () => {
  if (ALONE === undefined || CAPPED === undefined) throw new Error('no records')
  bench = await startConnectBench({ records: [ALONE, CAPPED, SHOPS] })
  side = await startSideServer()
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  const variables = { home: bench.practice.url, side: side.url }
  await bench.integration(organization, 'shops', { provider: 'shops', scopes: ['notes:read'], variables: { home: bench.practice.url } })
  for (const slug of ['alone', 'capped']) await bench.integration(organization, slug, { provider: slug, scopes: ['notes:read'], variables })
})
afterAll(async () => {
  await bench.close()
  await side.close()
})
beforeEach((context) => side.answer('/me', { body: { id: `account-${context.task.id}` } }))

async function link(integration: string, owner: string, variables = {}): Promise<string> {
  const answer = await api(bench, key, 'connect/sessions', { integration, owner, return_url: RETURN_URL, variables })
  return String(answer.body['url'])
}

async function granted(url: string): Promise<URLSearchParams> {
  const visitor = new Visitor(bench)
  const seen = await visitor.follow(await visitor.consent(await visitor.start(url), 'ada'))
  return new URL(seen.location ?? '').searchParams
}

async function connect(integration: string, owner: string, variables = {}): Promise<ConnectionId> {
  const proof = await granted(await link(integration, owner, variables))
  const done = await api(bench, key, 'connect/complete', { session: proof.get('session'), code: proof.get('code'), owner })
  expect(done.status).toBe(200)
  bench.advance(1_000)
  return done.body['connection_id'] ?? 'con_'
}

const stored = async (id: ConnectionId) => bench.store.connections.get(organization, id)
const eventsOf = async (connection: ConnectionId, type: 'connection.superseded' | 'connection.cap_near' | 'connection.refreshed') =>
  (await bench.store.events.list(organization, { connection, type }, { limit: 50, cursor: null })).items

test('a consent for an account that another owner holds is told to that connection, which is presented at once and lives on if the provider says so', async () => {
  const first = await connect('alone', 'lives-1')
  const second = await connect('alone', 'lives-2')
  await vi.waitFor(async () => expect(await eventsOf(first, 'connection.refreshed')).toHaveLength(1))
  expect(await eventsOf(first, 'connection.superseded')).toMatchObject([{ data: { owner: 'lives-1' } }])
  expect((await stored(first))?.connection.state).toBe('active')
  expect([await eventsOf(second, 'connection.superseded'), (await stored(second))?.credential.generation]).toEqual([[], 1])
})

test('a connection whose grant the consent has ended at the provider needs its owner within moments, not at its next renewal', async () => {
  const first = await connect('alone', 'ends-1')
  for (const grant of bench.practice.control.grants({ account: 'ada' })) if (grant.state === 'live') bench.practice.control.revoke(grant.id)
  await connect('alone', 'ends-2')
  await vi.waitFor(async () => expect((await stored(first))?.connection.state).toBe('needs_reauth'))
  expect((await stored(first))?.connection.fault?.evidence.providerCode).toBe('invalid_grant')
})

test('a consent that nobody completes has ended the owner’s own grant all the same, and that one is looked at, too', async () => {
  const first = await connect('alone', 'own')
  const url = await link('alone', 'own')
  await granted(url)
  expect(await eventsOf(first, 'connection.superseded')).toEqual([])
  bench.advance(11 * MINUTE)
  await new Visitor(bench).start(url)
  await vi.waitFor(async () => expect(await eventsOf(first, 'connection.refreshed')).toHaveLength(1))
  expect(await eventsOf(first, 'connection.superseded')).toHaveLength(1)
})

test('a reconnect of the same account supersedes nothing of its own', async () => {
  const first = await connect('alone', 'again')
  expect(await connect('alone', 'again')).toBe(first)
  expect(await eventsOf(first, 'connection.superseded')).toEqual([])
})

test('the page says beforehand that another connection ends: perhaps for a new one, for certain where the account is known', async () => {
  const first = await connect('alone', 'page-1')
  const page = async (url: unknown) => (await new Visitor(bench).get(new URL(String(url)).pathname)).body
  expect(await page(await link('alone', 'page-2'))).toContain('If the account you choose is connected to Acme Reports already')
  const again = async () => page((await api(bench, key, `connections/${first}/reconnect`, {})).body['url'])
  expect(await again()).not.toContain('one connection per account')
  await connect('alone', 'page-2')
  expect(await again()).toContain('That one ends when you continue')
  expect(await page(await link('capped', 'page-3'))).not.toContain('one connection per account')
})

test('where the account is told before the flow, the page knows whether another connection ends', async () => {
  const page = async (owner: string, variables = {}) => (await new Visitor(bench).get(new URL(await link('shops', owner, variables)).pathname)).body
  expect(await page('shop-1', { shop: 'p4' })).not.toContain('one connection per account')
  await connect('shops', 'shop-1', { shop: 'p4' })
  expect(await page('shop-1', { shop: 'p4' })).not.toContain('one connection per account')
  expect(await page('shop-2', { shop: 'p4' })).toContain('That one ends when you continue')
  expect(await page('shop-2')).toContain('If the account you choose')
})

test('an account that comes near what the provider allows is told once per new connection', async () => {
  const [first, second, third] = [await connect('capped', 'cap-1'), await connect('capped', 'cap-2'), await connect('capped', 'cap-3')]
  expect(await eventsOf(first, 'connection.cap_near')).toEqual([])
  expect((await eventsOf(second, 'connection.cap_near')).map(({ data }) => [data['live'], data['cap'], data['next']])).toEqual([[2, 3, 'oldest_ends']])
  expect((await eventsOf(third, 'connection.cap_near')).map(({ data }) => data['live'])).toEqual([3])
  expect(await eventsOf(first, 'connection.superseded')).toEqual([])
})

test('one connection that is read says how many its account has and may have; a provider says what it has announced to end within half a year', async () => {
  const read = async (path: string) => {
    const answer = await bench.app.inject({ method: 'GET', url: `/api/v1/${path}`, headers: { authorization: `Bearer ${key}` } })
    return answer.json()
  }
  const [first] = [await connect('capped', 'read-1'), await connect('capped', 'read-2')]
  expect((await read(`connections/${first}`)).account_limit).toEqual({ live: 2, cap: 3, next: 'oldest_ends', near: true })
  expect((await read(`connections/${await connect('alone', 'read-3')}`)).account_limit).toBeNull()
  const { sunsets } = await read('providers/capped')
  expect(sunsets.map(({ what, instead }: { what: string; instead: string }) => [what, instead])).toEqual([['the old address', 'api2.example.com']])
  expect(sunsets[0].days_left).toBeGreaterThan(80)
})
