import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConnectSessionId, OrganizationId } from '../../core/ids.ts'
import { MINUTE } from '../../core/time.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

const RETURN_URL = 'https://app.example.com/connected'

let bench: ConnectBench
let organization: OrganizationId
let key: string

beforeAll(async () => {
  bench = await startConnectBench()
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  await bench.integration(organization, 'notes')
  await bench.integration(organization, 'other')
})
afterAll(() => bench.close())

async function newLink(more: Record<string, unknown> = {}, by = key): Promise<{ readonly id: ConnectSessionId; readonly url: string }> {
  const { status, body } = await api(bench, by, 'connect/sessions', { integration: 'notes', owner: 'user-1', return_url: RETURN_URL, ...more })
  expect(status).toBe(201)
  return { id: body['id'] ?? 'cs_', url: body['url'] ?? '' }
}

const exchanges = () => bench.practice.control.counts('p4').exchange
const sessionState = async (id: ConnectSessionId) => (await bench.store.connectSessions.load(id))?.state
const refusals = async (id: ConnectSessionId) =>
  (await bench.store.events.list(organization, { subject: id, type: 'connect.refused' }, { limit: 10, cursor: null })).items

async function connected(visitor: Visitor, owner: string, account: string): Promise<{ connection: string; session: string; code: string }> {
  const link = await newLink({ owner })
  const back = await visitor.follow(await visitor.consent(await visitor.start(link.url), account))
  const query = new URL(back.location ?? '').searchParams
  const done = await api(bench, key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner })
  expect(done.status).toBe(200)
  return { connection: done.body['connection_id'] ?? '', session: query.get('session') ?? '', code: query.get('code') ?? '' }
}

test('a flow begun in one browser cannot be finished in another: refused, nothing stored, an event (S1)', async () => {
  const [attacker, victim] = [new Visitor(bench), new Visitor(bench)]
  await victim.start((await newLink()).url)
  const link = await newLink()
  const callback = await attacker.consent(await attacker.start(link.url), 'ada')
  const before = exchanges()
  const seen = await victim.follow(callback)
  expect(seen.status).toBe(403)
  expect(seen.body).toContain('started in another browser')
  expect(exchanges()).toBe(before)
  expect(await sessionState(link.id)).toBe('started')
  expect((await refusals(link.id)).map((event) => event.data['why'])).toEqual(['other_browser'])
})

test('a callback without the cookie is refused with words for people (S2)', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink()
  const callback = await visitor.consent(await visitor.start(link.url), 'ada')
  const seen = await new Visitor(bench).follow(callback)
  expect(seen.status).toBe(403)
  expect(seen.body).toContain('allow cookies')
  expect((await refusals(link.id)).map((event) => event.data['why'])).toEqual(['no_cookie'])
})

test('twenty callbacks at once and one after success make one exchange (S3)', async () => {
  const visitor = new Visitor(bench)
  const callback = await visitor.consent(await visitor.start((await newLink()).url), 'twenty')
  const before = exchanges()
  const all = await Promise.all(Array.from({ length: 20 }, () => visitor.get(callback)))
  expect(new Set(all.map((seen) => seen.location)).size).toBe(1)
  expect(all[0]?.location).toMatch(/^https:\/\/app\.example\.com\/connected\?session=cs_/)
  expect((await visitor.get(callback)).location).toBe(all[0]?.location)
  expect(exchanges()).toBe(before + 1)
})

test('a state replayed after a failure shows that failure again and exchanges nothing (S3)', async () => {
  const visitor = new Visitor(bench)
  const callback = await visitor.consent(await visitor.start((await newLink()).url), 'ada', 'deny')
  const before = exchanges()
  expect((await visitor.follow(callback)).body).toContain('Access was not granted')
  const replay = callback.replace('error=access_denied', 'code=stolen').replace(/&error_description=[^&]*/, '')
  expect((await visitor.follow(replay)).status).toBe(400)
  expect(exchanges()).toBe(before)
})

test('a state is refused once its flow is older than thirty minutes (S3)', async () => {
  const own = await startConnectBench()
  const { id, key: ownKey } = await own.organization('Acme')
  await own.integration(id, 'notes')
  const created = await api(own, ownKey, 'connect/sessions', { integration: 'notes', owner: 'u', return_url: RETURN_URL })
  const visitor = new Visitor(own)
  const callback = await visitor.consent(await visitor.start(created.body['url'] ?? ''), 'ada')
  own.advance(30 * MINUTE)
  expect((await visitor.follow(callback)).status).toBe(410)
  expect(own.practice.control.counts('p4').exchange).toBe(0)
  await own.close()
})

test('the state of one integration is refused at the callback of another, before any exchange (S4)', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink()
  const callback = await visitor.consent(await visitor.start(link.url), 'ada')
  const before = exchanges()
  for (const path of ['/connect/callback/other', '/connect/callback/unknown', '/connect/callback']) {
    expect((await visitor.follow(callback.replace('/connect/callback/notes', path))).status).toBe(400)
  }
  expect(exchanges()).toBe(before)
  expect(await sessionState(link.id)).toBe('started')
})

test.each([
  ['wrong', (query: URLSearchParams) => query.set('iss', 'https://evil.example')],
  ['missing although promised', (query: URLSearchParams) => query.delete('iss')],
  ['given twice', (query: URLSearchParams) => query.append('iss', query.get('iss') ?? '')],
  ['given twice with another one', (query: URLSearchParams) => query.append('iss', 'https://evil.example')],
])('an issuer that is %s is refused (S5)', async (_what, change) => {
  const visitor = new Visitor(bench)
  const [path, query] = (await visitor.consent(await visitor.start((await newLink()).url), 'ada')).split('?')
  const parameters = new URLSearchParams(query)
  change(parameters)
  const before = exchanges()
  expect((await visitor.follow(`${path}?${parameters}`)).status).toBe(400)
  expect(exchanges()).toBe(before)
})

test('a code goes only to the issuer that the flow was started with (S6)', async () => {
  const integration = await bench.integration(organization, 'moving')
  const visitor = new Visitor(bench)
  const callback = await visitor.consent(await visitor.start((await newLink({ integration: 'moving' })).url), 'ada')
  const moved = { ...integration, variables: { issuer: `${bench.practice.url}/p3` }, version: 2 }
  const event = {
    id: 'evt_00000000-0000-7000-8000-000000000001',
    organization,
    type: 'integration.updated',
    at: 1,
    actor: { kind: 'system', id: null },
    connection: null,
    subject: null,
    data: {},
  } as const
  expect(await bench.store.integrations.update(moved, event)).toBe('updated')
  expect((await visitor.follow(callback)).status).toBe(400)
  expect(bench.practice.control.counts('p3').exchange).toBe(0)
})

test('an integration is looked for by a name that every database keeps, and by no other', async () => {
  for (const named of [{ integration: 'notes\u0000' }, { integrations: ['notes', 'notes\u0000'] }]) {
    const { status, body } = await api(bench, key, 'connect/sessions', { ...named, owner: 'user-1', return_url: RETURN_URL })
    expect([status, body['code']]).toEqual([400, 'invalid_request'])
  }
})

test('a link of one organization cannot be completed with the key of another (S7)', async () => {
  const stranger = await bench.organization('Stranger')
  const visitor = new Visitor(bench)
  const link = await newLink()
  const back = await visitor.follow(await visitor.consent(await visitor.start(link.url), 'ada'))
  const query = new URL(back.location ?? '').searchParams
  const answer = await api(bench, stranger.key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner: 'user-1' })
  expect(answer.status).toBe(404)
  expect(await sessionState(link.id)).toBe('staged')
})

test('another owner burns the session and gives the grant back (S7)', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink({ owner: 'victim' })
  const back = await visitor.follow(await visitor.consent(await visitor.start(link.url), 'burned'))
  const code = new URL(back.location ?? '').searchParams.get('code')
  const before = bench.discarded.length
  expect(await api(bench, key, 'connect/complete', { session: link.id, code, owner: 'attacker' })).toMatchObject({
    status: 403,
    body: { code: 'connect_owner_mismatch' },
  })
  expect(await api(bench, key, 'connect/complete', { session: link.id, code, owner: 'victim' })).toMatchObject({
    status: 409,
    body: { code: 'connect_session_used' },
  })
  expect(bench.discarded.length).toBe(before + 1)
  expect((await bench.store.connectSessions.load(link.id))?.staged).toBeNull()
})

test('PKCE is always S256, with a new verifier for every flow, and no verifier is logged or stored in clear (S8)', async () => {
  expect(bench.ports.seal.digest('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  const challenges = new Set<string>()
  const link = await newLink()
  for (let round = 0; round < 3; round++) {
    const url = new URL(await new Visitor(bench).start(link.url))
    expect(url.searchParams.get('code_challenge_method')).toBe('S256')
    challenges.add(url.searchParams.get('code_challenge') ?? '')
  }
  expect(challenges.size).toBe(3)
  const session = await bench.store.connectSessions.load(link.id)
  const text = new TextDecoder('latin1').decode(session?.flow?.secret ?? new Uint8Array())
  expect(text.length).toBeGreaterThan(40)
  expect(text).not.toContain('verifier')
})

test('a provider without PKCE leaves the flow bound by state and cookie, and the start is recorded as such (S9)', async () => {
  const own = await startConnectBench({ ports: {} })
  const resolve = own.ports.providers.resolve
  Object.assign(own.ports.providers, { resolve: async (...given: Parameters<typeof resolve>) => ({ ...(await resolve(...given)), pkce: false }) })
  const { id, key: ownKey } = await own.organization('Acme')
  await own.integration(id, 'notes')
  const created = await api(own, ownKey, 'connect/sessions', { integration: 'notes', owner: 'u', return_url: RETURN_URL })
  const visitor = new Visitor(own)
  const authorize = new URL(await visitor.start(created.body['url'] ?? ''))
  expect(authorize.searchParams.has('code_challenge')).toBe(false)
  const callback = `/connect/callback/notes?code=x&state=${authorize.searchParams.get('state')}`
  expect((await new Visitor(own).follow(callback)).status).toBe(403)
  const started = await own.store.events.list(id, { type: 'connect.started' }, { limit: 10, cursor: null })
  expect(started.items.map((event) => event.data['pkce'])).toEqual([false])
  await own.close()
})

test("an attacker's code in the victim's callback is refused (S10)", async () => {
  const [attacker, victim] = [new Visitor(bench), new Visitor(bench)]
  const stolen = new URLSearchParams((await attacker.consent(await attacker.start((await newLink()).url), 'mallory')).split('?')[1])
  const link = await newLink()
  const own = (await victim.consent(await victim.start(link.url), 'ada')).split('?')
  const parameters = new URLSearchParams(own[1])
  parameters.set('code', stolen.get('code') ?? '')
  const seen = await victim.follow(`${own[0]}?${parameters}`)
  expect(seen.status).toBe(502)
  expect(await sessionState(link.id)).toBe('open')
})

test('an error with markup, newlines and ten kilobytes is typed, cut and escaped (S11)', async () => {
  const visitor = new Visitor(bench)
  const state = new URL(await visitor.start((await newLink()).url)).searchParams.get('state') ?? ''
  const query = new URLSearchParams({
    state,
    error: '<script>alert(1)</script>',
    error_description: `<img src=x onerror=alert(1)>\r\nSet-Cookie: a=b\n${'long words '.repeat(1_000)}`,
    iss: `${bench.practice.url}/p4`,
  })
  const seen = await visitor.follow(`/connect/callback/notes?${query}`)
  expect(seen.status).toBe(502)
  expect(seen.body).not.toMatch(/<script|<img|\r|Set-Cookie: a=b\n/)
  expect(seen.body).toContain('&lt;img src=x onerror=alert(1)&gt;')
  expect(seen.body).toContain('unrecognised')
  expect(seen.body.length).toBeLessThan(5_000)
})

const BAD_RETURN_URLS = [
  `${RETURN_URL}/more`,
  `${RETURN_URL}?a=b`,
  'https://app.example.com',
  'https://app.example.com.evil.com/connected',
  'https://user@app.example.com/connected',
  '//app.example.com/connected',
  'https:\\\\app.example.com\\connected',
  'https://app%2eexample.com/connected',
  'https://APP.example.com/connected',
  'javascript:alert(1)',
  'http://app.example.com/connected',
  `${RETURN_URL}#x`,
  `${RETURN_URL}\n`,
  ` ${RETURN_URL}`,
  'data:text/html,x',
]

test.each(BAD_RETURN_URLS)('the return URL %j is refused: only an exact match is allowed (S12)', async (returnUrl) => {
  const answer = await api(bench, key, 'connect/sessions', { integration: 'notes', owner: 'user-1', return_url: returnUrl })
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', field: '/return_url' } })
})

test('a dangerous return URL stays refused when an operator listed it (S12)', async () => {
  const listed = ['javascript:alert(1)', 'https://user@app.example.com/', 'http://app.example.com/', 'https://app.example.com\\@evil.example/']
  await bench.integration(organization, 'listed', { settings: { returnUrls: listed } })
  for (const returnUrl of listed) {
    expect((await api(bench, key, 'connect/sessions', { integration: 'listed', owner: 'u', return_url: returnUrl })).status).toBe(400)
  }
})

test('no error path sends a browser to an address of its own choosing (S13)', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink()
  const state = new URL(await visitor.start(link.url)).searchParams.get('state') ?? ''
  const evil = 'https://evil.example/'
  for (const name of ['return_url', 'redirect_uri', 'redirect_to', 'error_uri', 'next']) {
    const seen = await visitor.follow(
      `/connect/callback/notes?${new URLSearchParams({ state, error: 'access_denied', iss: `${bench.practice.url}/p4`, [name]: evil })}`,
    )
    expect(seen.location).toBeNull()
    expect(seen.body).not.toContain('evil.example')
  }
  expect((await visitor.get(`/connect/problem/connect_failed?return_url=${encodeURIComponent(evil)}`)).body).not.toContain('evil.example')
})

test('every redirect of the flow is a 303, so that no posted form is repeated elsewhere (S14)', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink()
  const started = await visitor.post(new URL(link.url).pathname)
  const callback = await visitor.get(await visitor.consent(started.location ?? '', 'ada'))
  const posted = await new Visitor(bench).post(
    '/connect/callback/notes',
    { code: 'c', state: 's' },
    { 'sec-fetch-site': 'cross-site', origin: 'https://p.example' },
  )
  expect([started.status, callback.status, posted.status]).toEqual([303, 303, 303])
})

test('a button pressed from another site is refused in words for the person at the browser (S52)', async () => {
  const link = await newLink()
  const posted = await new Visitor(bench).post(new URL(link.url).pathname, {}, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })
  expect(posted.status).toBe(403)
  expect(posted.body).toContain('<h1>That did not come from our page</h1>')
  expect(posted.body).not.toContain('key')
})

test('no code or state is left in a referrer, an address of ours, or the log (S15)', async () => {
  const visitor = new Visitor(bench)
  const callback = await visitor.consent(await visitor.start((await newLink()).url), 'ada', 'deny')
  const answered = await visitor.get(callback)
  const state = new URLSearchParams(callback.split('?')[1]).get('state') ?? ''
  expect(answered.headers['referrer-policy']).toBe('no-referrer')
  expect(answered.location).not.toContain('?')
  expect(answered.location).not.toContain(state)
  const page = await visitor.get(answered.location ?? '')
  expect(page.headers['cache-control']).toBe('no-store')
  const logged = JSON.stringify(bench.logs)
  expect(logged).toContain('/connect/callback/:integration')
  expect(logged).not.toContain(state)
})

test.each([
  ['names another issuer', (document: Record<string, unknown>) => ({ ...document, issuer: 'https://evil.example' })],
  ['has a token endpoint on plain http', (document: Record<string, unknown>) => ({ ...document, token_endpoint: 'http://id.example.com/token' })],
  [
    'has an authorization endpoint on plain http',
    (document: Record<string, unknown>) => ({ ...document, authorization_endpoint: 'http://id.example.com/authorize' }),
  ],
])('a discovery document that %s is refused, and the page says to try again later (S16)', async (_what, change) => {
  const { createProviderDirectory } = await import('../../providers/directory.ts')
  const { catalogue } = await import('../../providers/index.ts')
  const good = {
    issuer: 'https://id.example.com',
    authorization_endpoint: 'https://id.example.com/authorize',
    token_endpoint: 'https://id.example.com/token',
    response_types_supported: ['code'],
  }
  const directory = createProviderDirectory({ records: catalogue, clock: bench.ports.clock, fetchJson: async () => JSON.parse(JSON.stringify(change(good))) })
  const own = await startConnectBench({ ports: { providers: directory } })
  const { id, key: ownKey } = await own.organization('Acme')
  await own.integration(id, 'notes', { variables: { issuer: 'https://id.example.com' } })
  const created = await api(own, ownKey, 'connect/sessions', { integration: 'notes', owner: 'u', return_url: RETURN_URL })
  const seen = await new Visitor(own).post(new URL(created.body['url'] ?? '').pathname)
  expect(seen.status).toBe(503)
  expect(seen.location).toBeNull()
  await own.close()
})

test('a discovery document on a private address is refused (S16)', async () => {
  const { createAddressGuard } = await import('../../outbound/address-guard.ts')
  const { createProviderClient } = await import('../../outbound/provider-client.ts')
  const client = createProviderClient({ guard: createAddressGuard({ allowPrivateHosts: [], development: false }), timers: bench.ports.timers })
  await expect(client.fetchJson(`${bench.practice.url}/p4/.well-known/openid-configuration`)).rejects.toThrow(/private_address|https|plain/i)
})

test('scopes, token type and lifetimes in odd shapes are stored typed (S18)', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink({ owner: 'scopes' })
  const callback = await visitor.consent(await visitor.start(link.url), 'scoped', 'allow', ['openid', 'offline_access'])
  const query = new URL((await visitor.follow(callback)).location ?? '').searchParams
  const done = await api(bench, key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner: 'scopes' })
  expect(done.body).toMatchObject({ scopes: ['openid', 'offline_access'], missing_scopes: ['notes:read'] })
})

test('another account on a reconnect changes nothing, says so, and the same link works afterwards (S19)', async () => {
  const visitor = new Visitor(bench)
  const { connection } = await connected(visitor, 'mismatch', 'first')
  const id = `con_${connection.slice(4)}` as const
  const before = await bench.store.connections.get(organization, id)
  const { status, body } = await api(bench, key, `connections/${connection}/reconnect`, {})
  expect(status).toBe(201)
  const url = String(body['url'])
  const seen = await visitor.follow(await visitor.consent(await visitor.start(url), 'second'))
  expect(seen.status).toBe(409)
  expect(seen.body).toContain('you signed in as second')
  expect(await bench.store.connections.get(organization, id)).toEqual(before)
  bench.advance(1_000)
  const right = await visitor.follow(await visitor.consent(await visitor.start(url), 'first'))
  expect(right.body).toContain('is connected again')
  const after = await bench.store.connections.get(organization, id)
  expect(after?.credential.generation).toBe((before?.credential.generation ?? 0) + 1)
})

test('the same account connected in two organizations makes two connections that do not know each other (S20)', async () => {
  const mine = await connected(new Visitor(bench), 'shared', 'shared')
  const stranger = await bench.organization('Second')
  await bench.integration(stranger.id, 'notes')
  const visitor = new Visitor(bench)
  const link = await newLink({ owner: 'shared' }, stranger.key)
  const query = new URL((await visitor.follow(await visitor.consent(await visitor.start(link.url), 'shared'))).location ?? '').searchParams
  const done = await api(bench, stranger.key, 'connect/complete', { session: query.get('session'), code: query.get('code'), owner: 'shared' })
  expect(done.body).toMatchObject({ created: true })
  expect(done.body['connection_id']).not.toBe(mine.connection)
  const live = bench.practice.control.grants({ profile: 'p4', account: 'shared' }).filter((grant) => grant.state === 'live')
  expect(live).toHaveLength(2)
})

test('no page of ours can be framed, and none has a script or a message channel (S21, S22)', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink()
  const landing = await visitor.get(new URL(link.url).pathname)
  const failed = await visitor.follow(await visitor.consent(await visitor.start(link.url), 'ada', 'deny'))
  const problem = await visitor.get('/connect/problem/connect_state_mismatch')
  for (const seen of [landing, failed, problem]) {
    expect(seen.headers['content-security-policy']).toContain("default-src 'none'")
    expect(seen.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(seen.headers['content-security-policy']).not.toContain('script-src')
    expect(seen.headers['x-frame-options']).toBe('DENY')
    expect(seen.body).not.toMatch(/<script|postMessage|onclick|javascript:/i)
  }
})
