import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OrganizationId } from '../../core/ids.ts'
import { MINUTE } from '../../core/time.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, type Seen, Visitor } from '../../testing/connect-visitor.ts'
import { LANGUAGES } from './words/languages.ts'

const RETURN_URL = 'https://app.example.com/connected'

let bench: ConnectBench
let organization: OrganizationId
let key: string

beforeAll(async () => {
  bench = await startConnectBench({ publicUrl: 'https://connect.example.com/grants' })
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  const redirectUris = ['notes', 'tasks'].map((slug) => `https://connect.example.com/grants/connect/callback/${slug}`)
  bench.practice.control.registerClient({ clientId: 'practice', clientSecret: 'practice-secret', redirectUris })
  await bench.integration(organization, 'notes', { name: 'Notes' })
  await bench.integration(organization, 'tasks', { name: 'Tasks & <more>' })
  await bench.integration(organization, 'elsewhere', { name: 'Elsewhere', settings: { returnUrls: [] } })
})
afterAll(() => bench.close())

interface Link {
  readonly id: string
  readonly url: string
  /** As we see it: a proxy in front has taken the path of the public address off. */
  readonly path: string
}

async function ask(path: string, body: Record<string, unknown>): Promise<Link> {
  const answer = await api(bench, key, path, body)
  expect(answer.status).toBe(201)
  const url = String(answer.body['url'])
  return { id: String(answer.body['id']), url, path: stripped(url) }
}

const newLink = (more: Record<string, unknown> = {}) => ask('connect/sessions', { integration: 'notes', owner: 'user-1', return_url: RETURN_URL, ...more })
const stripped = (url: string): string =>
  new URL(url, 'https://connect.example.com').pathname.replace(/^\/grants/, '') + new URL(url, 'https://connect.example.com').search

async function start(visitor: Visitor, path: string, form: Record<string, string> = {}): Promise<string> {
  const seen = await visitor.post(path, form, { origin: 'https://connect.example.com' })
  expect(seen.status, seen.body).toBe(303)
  return seen.location ?? ''
}

/** Back from the provider, through our redirects. */
async function back(visitor: Visitor, authorize: string, account: string, decision: 'allow' | 'deny' = 'allow'): Promise<Seen> {
  let seen = await visitor.get(stripped(await visitor.consent(authorize, account, decision)))
  while (seen.status === 303 && seen.location?.startsWith('/grants/')) seen = await visitor.get(stripped(seen.location))
  return seen
}

async function status(id: string, headers: Record<string, string> = { authorization: `Bearer ${key}` }) {
  const answer = await bench.app.inject({ method: 'GET', url: `/api/v1/connect/sessions/${id}/status`, headers })
  return { status: answer.statusCode, body: answer.json() }
}

async function complete(seen: Seen, owner = 'user-1') {
  const query = new URL(seen.location ?? '').searchParams
  return api(bench, key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner })
}

test.each(LANGUAGES.map(({ tag, continueTo }) => [tag, continueTo] as const))('a browser that asks for %s gets the page in it', async (tag, continueTo) => {
  const { path } = await newLink()
  const seen = await new Visitor(bench).get(path, { 'accept-language': `${tag}-XX,nl;q=0.9` })
  expect(seen.headers['content-language']).toBe(tag)
  expect(seen.body).toContain(`<html lang="${tag}">`)
  expect(seen.body).toContain(continueTo.split('{P}')[0]?.trim())
})

test('a language in the address wins, and lasts through the provider to the page after it', async () => {
  const { path } = await newLink()
  const visitor = new Visitor(bench)
  const page = await visitor.get(`${path}?lang=de`, { 'accept-language': 'fr' })
  expect(page.body).toContain('Acme Reports bittet um Zugriff')
  expect(page.body).toContain(`action="/grants${path}?lang=de"`)
  expect(page.headers['set-cookie']).toBeUndefined()
  const started = await bench.app.inject({
    method: 'POST',
    url: `${path}?lang=de`,
    headers: { origin: 'https://connect.example.com', 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' },
    payload: '',
  })
  const cookies = [started.headers['set-cookie']].flat()
  expect(cookies).toContainEqual(expect.stringMatching(/^evergrant_language=de; Path=\/grants\/; .*HttpOnly; SameSite=Lax; Secure$/))
  visitor.cookie = cookies.map((cookie) => cookie?.split(';')[0]).join('; ')
  const refused = await back(visitor, String(started.headers.location), 'ada', 'deny')
  expect(refused.body).toContain('Der Zugriff wurde nicht erlaubt')
})

test('below a path, every address on every page begins with it', async () => {
  const { path } = await newLink()
  const visitor = new Visitor(bench)
  const page = await visitor.get(path)
  const refused = await back(visitor, await start(visitor, path), 'ada', 'deny')
  const lost = await visitor.get('/connect/nothing')
  for (const { body } of [page, refused, lost]) {
    const own = [...body.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)].map(([, address]) => address)
    expect(own.length).toBeGreaterThan(3)
    expect(own.filter((address) => !address?.startsWith('/grants/'))).toEqual([])
  }
})

test('without an integration the end user chooses among those that may end at the return URL', async () => {
  const link = await newLink({ integration: undefined })
  const visitor = new Visitor(bench)
  const choice = (await visitor.get(link.path)).body
  expect(choice).toContain('What do you want to connect to Acme Reports?')
  expect(choice).toContain('Tasks &amp; &lt;more&gt;')
  expect(choice).not.toContain('Elsewhere')
  expect(choice).toContain(`href="/grants${link.path}?integration=tasks"`)
  expect((await visitor.get(`${link.path}?integration=elsewhere`)).body).toBe((await visitor.get(link.path)).body)
  const landing = (await visitor.get(`${link.path}?integration=tasks`)).body
  expect(landing).toContain('<input type="hidden" name="integration" value="tasks">')
  expect(landing).toContain('Choose something else')
  const skipped = await visitor.post(link.path, {}, { origin: 'https://connect.example.com' })
  expect([skipped.status, skipped.location]).toEqual([303, `/grants${link.path}`])
  const authorize = await start(visitor, link.path, { integration: 'tasks' })
  expect(authorize).toContain(encodeURIComponent('/connect/callback/tasks'))
  const done = await complete(await back(visitor, authorize, 'grace'))
  expect(done.status).toBe(200)
  const row = await bench.store.connections.get(organization, done.body['connection_id'] ?? 'con_')
  expect((await bench.store.integrations.load(row?.connection.integration ?? 'int_'))?.slug).toBe('tasks')
})

test('whoever turns one provider down may choose another, from the page that says so', async () => {
  const link = await newLink({ integration: undefined, integrations: ['notes', 'tasks'] })
  const visitor = new Visitor(bench)
  const refused = await back(visitor, await start(visitor, link.path, { integration: 'notes' }), 'ada', 'deny')
  const [, action = ''] = /href="(\/grants\/connect\/done\/[^"]+\?choose)"/.exec(refused.body) ?? []
  expect((await visitor.get(stripped(action))).body).toContain('What do you want to connect')
  const ticket = stripped(action).replace('?choose', '')
  const landing = (await visitor.get(`${ticket}?integration=tasks`)).body
  expect(landing).toContain('name="step" value="retry"')
  const authorize = await start(visitor, ticket, { step: 'retry', integration: 'tasks' })
  expect((await complete(await back(visitor, authorize, 'linus'))).status).toBe(200)
})

test.each([
  [{ integration: undefined, scopes: ['notes:read'] }, '/scopes'],
  [{ integration: undefined, variables: { realm: 'p4' } }, '/variables'],
  [{ integration: undefined, integrations: ['elsewhere'] }, '/integrations/0'],
  [{ integrations: ['notes'] }, '/integrations'],
])('a choice that cannot be is refused: %j', async (more, field) => {
  const answer = await api(bench, key, 'connect/sessions', { integration: 'notes', owner: 'o', return_url: RETURN_URL, ...more })
  expect(answer).toMatchObject({ status: 400, body: { field } })
})

test('the server says how a flow stands, to the backend and to whoever holds the link', async () => {
  const link = await newLink()
  const byLink = { 'evergrant-connect-link': link.url.split('/').at(-1) ?? '' }
  expect(await status(link.id)).toMatchObject({ status: 200, body: { id: link.id, state: 'open', connection_id: null, code: null, startable: true } })
  const visitor = new Visitor(bench)
  const authorize = await start(visitor, link.path)
  expect((await status(link.id, byLink)).body.state).toBe('started')
  await back(visitor, authorize, 'ada', 'deny')
  expect((await status(link.id, byLink)).body).toMatchObject({ state: 'open', code: 'connect_cancelled', startable: true })
  const granted = await back(visitor, await start(visitor, link.path), 'margaret')
  expect((await status(link.id, byLink)).body).toMatchObject({ state: 'staged', connection_id: null })
  const done = await complete(granted)
  expect((await status(link.id, byLink)).body).toMatchObject({ state: 'completed', connection_id: done.body['connection_id'], startable: false })
})

test("a flow's status is for nobody else", async () => {
  const [one, other] = [await newLink(), await newLink()]
  const stranger = await bench.organization('Others')
  expect((await status(one.id, { 'evergrant-connect-link': other.url.split('/').at(-1) ?? '' })).status).toBe(404)
  expect((await status(one.id, { 'evergrant-connect-link': 'x' })).status).toBe(404)
  expect((await status(one.id, { authorization: `Bearer ${stranger.key}` })).status).toBe(404)
  expect((await status(one.id, {})).status).toBe(401)
})

test('a link that ended without success is expired, and its page says so', async () => {
  const link = await newLink()
  bench.advance(31 * MINUTE)
  expect((await status(link.id)).body).toMatchObject({ state: 'expired', startable: false })
  const seen = await new Visitor(bench).get(`${link.path}?lang=fr`)
  expect(seen.status).toBe(410)
  expect(seen.body).toContain('Ce lien a expiré')
})

test('a page carries the branding of its organization, and nothing inline', async () => {
  const logo = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const own = await bench.organization('Branded')
  await bench.integration(own.id, 'branded')
  const before = await bench.store.organizations.settings(own.id)
  const settings = {
    ...before,
    applicationName: 'Acme & Sons',
    logo,
    accent: '#7a1f5c',
    supportEmail: 'help@acme.example',
    privacyUrl: 'https://acme.example/p',
    statusText: 'Notes is slow today.',
  }
  const at = bench.ports.clock.wall()
  const event = {
    id: 'evt_0' as const,
    organization: own.id,
    type: 'organization.updated' as const,
    at,
    actor: { kind: 'cli' as const, id: null },
    connection: null,
    subject: null,
    data: {},
  }
  await bench.store.organizations.saveSettings(own.id, settings, event)
  const made = await api(bench, own.key, 'connect/sessions', { integration: 'branded', owner: 'o', return_url: RETURN_URL })
  const { body } = await new Visitor(bench).get(stripped(String(made.body['url'])))
  for (const part of [
    `src="${logo}" alt="Acme &amp; Sons"`,
    '/grants/connect/accent/7a1f5c.css',
    'mailto:help@acme.example',
    'https://acme.example/p',
    'Notes is slow today.',
  ])
    expect(body).toContain(part)
  expect(body).not.toMatch(/<style|style=|<script/)
  const sheet = await bench.app.inject({ method: 'GET', url: '/connect/accent/7a1f5c.css' })
  expect([sheet.headers['content-type'], sheet.body.startsWith(':root { --accent: #7a1f5c;')]).toEqual(['text/css; charset=utf-8', true])
  expect((await bench.app.inject({ method: 'GET', url: '/connect/accent/nothing.css' })).statusCode).toBe(404)
})

test('the page that ends a flow without a return URL tells our other tabs, by a script of our own', async () => {
  const first = await newLink()
  const before = new Visitor(bench)
  const done = await complete(await back(before, await start(before, first.path), 'hedy'))
  const link = await ask(`connections/${done.body['connection_id']}/reconnect`, {})
  const visitor = new Visitor(bench)
  const landing = await visitor.get(`${link.path}?lang=de`)
  expect(landing.body).toMatch(/Dieser Link gilt bis zum \d{1,2}\. \S+ 20\d\d\./)
  const seen = await back(visitor, await start(visitor, link.path), 'hedy')
  expect(seen.body).toContain(`data-session="${link.id}"`)
  expect(seen.body).toContain('You can close this tab.')
  expect(seen.headers['content-security-policy']).toContain("script-src 'self'")
  const script = await bench.app.inject({ method: 'GET', url: '/connect/ended.js' })
  expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
  expect(script.body).toContain("new BroadcastChannel('evergrant-connect')")
})
