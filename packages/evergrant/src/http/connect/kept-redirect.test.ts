// A migration keeps the client id and the redirect URI that are registered at the provider. The old address then only hands on.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

const RETURN_URL = 'https://app.example.com/connected'
const REGISTERED = 'http://127.0.0.1:9/old/oauth/callback'

let bench: ConnectBench
let organization: OrganizationId
let key: string
const ids = new Map<string, IntegrationId>()

beforeAll(async () => {
  bench = await startConnectBench()
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  for (const slug of ['first', 'second']) ids.set(slug, (await bench.integration(organization, slug, { settings: { redirectUri: REGISTERED } })).id)
  ids.set('ours', (await bench.integration(organization, 'ours')).id)
})
afterAll(() => bench.close())

/** To the provider and back to the address that is registered there. */
async function answered(visitor: Visitor, integration: string, owner: string): Promise<{ readonly authorize: URL; readonly back: string }> {
  const { body } = await api(bench, key, 'connect/sessions', { integration, owner, return_url: RETURN_URL })
  const authorize = await visitor.start(body['url'] ?? '')
  return { authorize: new URL(authorize), back: await visitor.consent(authorize, `account-of-${owner}`) }
}

/** What the application's old address does: 303 to our callback, with the query as it came. */
const handedOn = (back: string): string => `/connect/callback${new URL(back, REGISTERED).search}`

test('the provider is sent the redirect URI that is registered, and the code is exchanged with the same', async () => {
  const visitor = new Visitor(bench)
  const { authorize, back } = await answered(visitor, 'first', 'ada')
  expect(authorize.searchParams.get('redirect_uri')).toBe(REGISTERED)
  expect(new URL(back, REGISTERED).pathname).toBe('/old/oauth/callback')
  const query = new URL((await visitor.follow(handedOn(back))).location ?? '').searchParams
  const done = await api(bench, key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner: 'ada' })
  expect(done.status).toBe(200)
  const [row] = await bench.store.connections.byOwner(organization, ids.get('first') ?? 'int_', 'ada')
  expect(row?.connection.state).toBe('active')
})

test('of two integrations that share one redirect URI, state says which one an answer is for', async () => {
  const visitor = new Visitor(bench)
  const [first, second] = [await answered(visitor, 'first', 'bob'), await answered(visitor, 'second', 'bob')]
  for (const { back } of [second, first]) {
    const query = new URL((await visitor.follow(handedOn(back))).location ?? '').searchParams
    const done = await api(bench, key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner: 'bob' })
    expect(done.status).toBe(200)
  }
  for (const slug of ['first', 'second']) expect(await bench.store.connections.byOwner(organization, ids.get(slug) ?? 'int_', 'bob')).toHaveLength(1)
})

test('an answer for an integration without such a redirect URI is not taken where any answer would do', async () => {
  const visitor = new Visitor(bench)
  const { back } = await answered(visitor, 'ours', 'cy')
  expect((await visitor.follow(handedOn(back))).status).toBe(400)
  expect(await bench.store.connections.byOwner(organization, ids.get('ours') ?? 'int_', 'cy')).toHaveLength(0)
})

test('an answer that was handed on to the path of another integration is refused', async () => {
  const visitor = new Visitor(bench)
  const { back } = await answered(visitor, 'first', 'dan')
  expect((await visitor.follow(handedOn(back).replace('/callback', '/callback/second'))).status).toBe(400)
})

test('after a change of its slug an integration keeps the address that is registered, and its answers are taken there and nowhere else', async () => {
  const { id } = await bench.integration(organization, 'renamed', { settings: { redirectUri: `${bench.publicUrl}/connect/callback/name-before` } })
  const visitor = new Visitor(bench)
  const { authorize, back } = await answered(visitor, 'renamed', 'eve')
  expect(authorize.searchParams.get('redirect_uri')).toBe(`${bench.publicUrl}/connect/callback/name-before`)
  const { pathname, search } = new URL(back, bench.publicUrl)
  expect((await visitor.follow(`/connect/callback/second${search}`)).status).toBe(400)
  const query = new URL((await visitor.follow(pathname + search)).location ?? '').searchParams
  const done = await api(bench, key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner: 'eve' })
  expect(done.status).toBe(200)
  expect(await bench.store.connections.byOwner(organization, id, 'eve')).toHaveLength(1)
})
