// A server whose public address has a path: whatever a browser is led to begins with it, and nothing is prefixed twice.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PageSeen, PageVisitor } from '../testing/page-visitor.ts'
import { connectionOf } from '../testing/people.ts'
import { APP_RETURN, openPeoplePages, type PeoplePages } from '../testing/people-place.ts'
import { basePath } from './below-path.ts'
import { routesOf } from './route-table.ts'

// A name of pages of ours, too: whoever prefixes by looking whether it is there already, goes wrong here.
const BASE = '/me'
const ORIGIN = 'http://localhost:4400'
const PUBLIC_URL = `${ORIGIN}${BASE}`

let place: PeoplePages
let integration: `int_${string}`
let key: string
beforeAll(async () => {
  place = await openPeoplePages({ env: { EVERGRANT_PUBLIC_URL: PUBLIC_URL } })
  integration = await place.integrate('notes')
  key = (await place.parts.services.apiKeys.create(place.organization, { name: 'k', scopes: ['connect'], expiresAt: null }, { kind: 'cli', id: null })).text
}, 60_000)
afterAll(() => place.close())

/** As the proxy in front hands it on: without the path of the public address. */
function handedOn(address: string | null): string {
  const path = address?.startsWith(PUBLIC_URL) === true ? address.slice(ORIGIN.length) : (address ?? '')
  expect(path).toMatch(new RegExp(`^${BASE}/`))
  return path.slice(BASE.length)
}

/** Own addresses of a page that a browser would send elsewhere, or twice below. */
function strays({ body, location }: Pick<PageSeen, 'body' | 'location'>): string[] {
  const named = [...body.matchAll(/ (?:href|src|action|formaction|data-options)="(\/[^"]*)"/g)].map(([, address]) => address ?? '')
  return [...named, ...(location?.startsWith('/') === true ? [location] : [])].filter((address) => !address.startsWith(`${BASE}/`))
}

const pages = () =>
  routesOf(place.app)
    .filter(({ method, path }) => method === 'GET' && !/[:*]|^\/api\//.test(path))
    .map(({ path }) => path)

async function strayOnPages(visitor: PageVisitor): Promise<{ stray: string[]; seen: number }> {
  const stray: string[] = []
  let seen = 0
  for (const path of pages()) {
    const answer = await visitor.get(path)
    if (!String(answer.headers['content-type']).startsWith('text/html') && answer.location === null) continue
    seen += 1
    stray.push(...strays(answer).map((address) => `${path} -> ${address}`))
  }
  return { stray, seen }
}

test('every page and every redirect names addresses below the path, signed out', async () => {
  const { stray, seen } = await strayOnPages(place.browser())
  expect(stray).toEqual([])
  expect(seen).toBeGreaterThan(20)
})

test('the same for somebody who is signed in and has a connection', async () => {
  const { id } = await place.person('ana@example.com')
  await connectionOf(place.store, { organization: place.organization, integration, owner: id, account: 'ada' })
  const visitor = await place.signedIn('ana@example.com')
  expect((await strayOnPages(visitor)).stray).toEqual([])
  expect((await visitor.get('/me')).body).toContain(`action="${BASE}/auth/sign-out"`)
})

test('an address that is not prefixed is found', () => {
  expect(strays({ body: '<a href="/me/devices">', location: '/auth/sign-in' })).toEqual(['/auth/sign-in'])
  expect(strays({ body: '<form action="/device">', location: null })).toEqual(['/device'])
})

test('signing in leads back to the page that was asked for', async () => {
  await place.person('ben@example.com')
  const visitor = place.browser()
  const away = await visitor.get('/me/devices')
  expect(away.location).toBe(`${BASE}/auth/sign-in?return_url=%2Fme%2Fdevices`)
  const form = await visitor.get(handedOn(away.location))
  expect(form.body).toContain('name="return_url" value="/me/devices"')
  const back = await visitor.post('/auth/sign-in', { email: 'ben@example.com', password: 'correct kettle battery orbit', return_url: '/me/devices' })
  expect(back.location).toBe(`${BASE}/me/devices`)
  expect((await visitor.get(handedOn(back.location))).status).toBe(200)
})

test('signing in through a provider goes there with a redirect URI below the path, and comes back', async () => {
  const visitor = place.browser()
  const going = await visitor.post(`/auth/sign-in/${integration}`, { return_url: APP_RETURN })
  expect(new URL(going.location ?? '').searchParams.get('redirect_uri')).toBe(`${PUBLIC_URL}/connect/callback/notes`)
  const back = await visitor.get(handedOn(await visitor.consent(going.location ?? '', 'grace')))
  expect(back.location).toBe(APP_RETURN)
  expect((await visitor.get('/me')).body).toContain('grace')
})

test('a broken connection is mended from the page of its owner', async () => {
  const { id } = await place.person('cleo@example.com')
  const connection = await connectionOf(place.store, { organization: place.organization, integration, owner: id, account: 'cleo' })
  const visitor = await place.signedIn('cleo@example.com')
  const link = await visitor.post(`/me/connections/${connection}/reconnect`)
  expect(link.location).toMatch(new RegExp(`^${BASE}/connect/[\\w-]+$`))
  const landing = await visitor.get(handedOn(link.location))
  expect([landing.status, strays(landing)]).toEqual([200, []])
})

test('a connect session, its pages and its end are below the path', async () => {
  const asked = await place.ask('POST', '/api/v1/connect/sessions', key, { integration: 'notes', owner: 'somebody', return_url: APP_RETURN })
  expect(asked.json.url).toMatch(new RegExp(`^${PUBLIC_URL}/connect/`))
  const visitor = place.browser()
  const landing = await visitor.get(handedOn(asked.json.url))
  expect([landing.status, strays(landing)]).toEqual([200, []])
  const started = await visitor.post(handedOn(asked.json.url))
  const refused = await visitor.get(handedOn(await visitor.consent(started.location ?? '', 'ada', 'deny')))
  const said = await visitor.get(handedOn(refused.location))
  expect([strays(said), said.body.includes('<form')]).toEqual([[], true])
})

test('what a provider answers through the proxy, and what the API answers, is not touched', async () => {
  const document = await place.ask('GET', '/api/v1/openapi.json', null)
  expect(document.json.servers).toEqual([{ url: PUBLIC_URL }])
  expect(Object.keys(document.json.paths)).toContain('/api/v1/connections')
})

test('a proxy that leaves the path on is told to take it off', async () => {
  const node = await openPeoplePages({ env: { EVERGRANT_PUBLIC_URL: 'https://example.com/evergrant' } })
  const { status, json } = await node.ask('GET', '/evergrant/api/v1/connections', null)
  expect([status, json.code]).toEqual([404, 'not_found'])
  expect(json.detail).toContain('has to take /evergrant off the path')
  await node.close()
})

test('a public address without a path adds nothing', () => {
  expect(['https://example.com', 'https://example.com/', 'https://example.com/a/b'].map(basePath)).toEqual(['', '', '/a/b'])
})
