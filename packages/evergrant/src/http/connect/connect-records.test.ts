import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createConnectService } from '../../core/connect/connect-service.ts'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import { createCodeExchange } from '../../core/refresh/code-exchange.ts'
import { type JournalRecord, NO_JOURNAL } from '../../core/refresh/journal.ts'
import { protocolTimes } from '../../core/refresh/protocol-times.ts'
import { createAddressGuard } from '../../outbound/address-guard.ts'
import { createTokenEndpoint } from '../../outbound/token-endpoint.ts'
import { defineProvider } from '../../providers/define.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'
import { type SideServer, startSideServer } from '../../testing/side-server.ts'

const RETURN_URL = 'https://app.example.com/connected'
const LOOPBACK = 'http://127\\.0\\.0\\.1:[0-9]+'

/** The practice provider's own endpoints, with everything around them that a record can ask for. */
const AROUND = defineProvider({
  id: 'around',
  name: 'Around',
  variables: {
    home: { label: 'Home', pattern: LOOPBACK, example: 'http://127.0.0.1:1' },
    side: { label: 'Side', pattern: LOOPBACK, example: 'http://127.0.0.1:1' },
    cell: { label: 'Cell', pattern: 'c-[0-9]+', example: 'c-7', askedOf: 'provider' },
    centre: { label: 'Data centre', pattern: LOOPBACK, example: 'http://127.0.0.1:1', default: 'http://127.0.0.1:9', askedOf: 'provider' },
  },
  authorize: {
    url: '{home}/p4/authorize',
    defaultScopes: ['notes:read'],
    chooseAccount: { prompt: 'select_account' },
    callback: { hmac: 'hmac', facts: { centre: 'accounts-server' } },
  },
  token: { url: '{centre}/p4/token', clientAuth: 'basic' },
  chain: [
    {
      request: { url: '{side}/long', headers: null, parameters: { grant: 'long', short: '{access_token}', secret: '{client_secret}' } },
      accessToken: 'data.token',
      expiresIn: 'data.days',
      expiresInUnit: 'minutes',
      facts: { cell: 'data.cell' },
    },
  ],
  afterConnect: [
    { finds: 'the site', request: { url: '{side}/sites' }, from: { list: 'sites', where: { kind: 'main' } }, facts: { site: 'id' } },
    { finds: 'the registration', request: { method: 'POST', format: 'json', url: '{side}/{cell}/register', parameters: { who: '{site}' } }, done: [409] },
    { finds: 'the colour', request: { url: '{side}/colour' }, facts: { colour: 'colour' }, needed: false },
    { finds: 'the permissions', request: { url: '{side}/permissions' }, scopes: 'granted', needed: false },
  ],
  revoke: { url: '{centre}/p4/revoke' },
  account: [{ from: 'request', url: '{side}/me', path: 'id' }],
})

let bench: ConnectBench
let side: SideServer
let organization: OrganizationId
let key: string

beforeAll(async () => {
  bench = await startConnectBench({ records: [AROUND] })
  side = await startSideServer()
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  const variables = { home: bench.practice.url, side: side.url }
  await bench.integration(organization, 'around', { provider: 'around', scopes: ['notes:read'], variables })
})
afterAll(async () => {
  await bench.close()
  await side.close()
})
beforeEach(() => {
  side.asked.length = 0
  side.bodies.length = 0
  side.headers.length = 0
  side.answer('/long', { body: { data: { token: 'long-token', days: 60, cell: 'c-7' } } })
  side.answer('/sites', {
    body: {
      sites: [
        { kind: 'old', id: 'one' },
        { kind: 'main', id: 'two' },
      ],
    },
  })
  side.answer('/c-7/register', { status: 409, body: { error: 'registered already' } })
  side.answer('/colour', { status: 404, body: {} })
  side.answer('/permissions', { status: 404, body: {} })
  side.answer('/me', { body: { id: 'ada' } })
})

/** What the provider adds to its answer: the data centre, and a signature over all of it. */
function signed(path: string, more: Readonly<Record<string, string>> = {}, secret = 'practice-secret'): string {
  const [where, query] = path.split('?')
  const parameters = new URLSearchParams(query)
  for (const [name, value] of Object.entries({ 'accounts-server': bench.practice.url, timestamp: '1337178173', ...more })) parameters.set(name, value)
  parameters.sort()
  parameters.set('hmac', createHmac('sha256', secret).update(parameters.toString()).digest('hex'))
  return `${where}?${parameters.toString()}`
}

async function link(owner: string): Promise<string> {
  const answer = await api(bench, key, 'connect/sessions', { integration: 'around', owner, return_url: RETURN_URL })
  expect(answer.status).toBe(201)
  return String(answer.body['url'])
}

async function finish(location: string | null, owner: string): Promise<ConnectionId> {
  const { searchParams } = new URL(location ?? '')
  const done = await api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner })
  expect(done.status).toBe(200)
  bench.advance(1_000)
  return done.body['connection_id'] ?? 'con_'
}

async function connect(owner: string, visitor = new Visitor(bench)): Promise<ConnectionId> {
  const seen = await visitor.follow(signed(await visitor.consent(await visitor.start(await link(owner)), 'ada')))
  return finish(seen.location, owner)
}

const stored = async (id: ConnectionId) => (await bench.store.connections.get(organization, id))?.connection

test('a consent passes its signature, its data centre, its second exchange and its look-ups, and everything found is kept', async () => {
  const id = await connect('around-1')
  expect(await stored(id)).toMatchObject({ account: 'ada', facts: { centre: bench.practice.url, cell: 'c-7', site: 'two' } })
  const token = await bench.engine.token({ organization, connection: id, minTtlMs: 0, rejectedGeneration: null })
  expect(token.accessToken).toBe('long-token')
  expect((token.expiresAt ?? 0) - bench.ports.clock.wall()).toBeLessThanOrEqual(60 * 60_000)
  expect((token.expiresAt ?? 0) - bench.ports.clock.wall()).toBeGreaterThan(59 * 60_000)
  expect(side.asked.map((line) => line.split('?')[0])).toEqual(['GET /long', 'GET /sites', 'POST /c-7/register', 'GET /colour', 'GET /permissions', 'GET /me'])
  expect(side.asked[0]).toMatch(/grant=long&short=[^&]+&secret=practice-secret$/)
  expect(side.headers[0]?.authorization).toBeUndefined()
  expect(side.headers[1]?.authorization).toBe('Bearer long-token')
  expect(side.bodies[2]).toBe('{"who":"two"}')
})

test('scopes that only a later request tells are the ones that count', async () => {
  expect((await stored(await connect('scopes-of-answer')))?.scopes).toEqual(['notes:read'])
  side.answer('/permissions', { body: { granted: ['notes:read', 'notes:write'] } })
  expect((await stored(await connect('scopes-of-look-up')))?.scopes).toEqual(['notes:read', 'notes:write'])
})

test('a refresh goes to the data centre that the callback named', async () => {
  const id = await connect('around-refresh')
  const before = await stored(id)
  expect((await bench.engine.refresh(organization, id)).generation).toBe(2)
  expect((await stored(id))?.facts).toEqual(before?.facts)
})

test('a callback whose signature is wrong, missing or of another secret spends no code, and the genuine one still works', async () => {
  const visitor = new Visitor(bench)
  const callback = await visitor.consent(await visitor.start(await link('forged')), 'ada')
  const genuine = signed(callback)
  const forgeries = [
    callback,
    signed(callback, {}, 'another-secret'),
    genuine.replace('timestamp=1337178173', 'timestamp=1337178174'),
    `${genuine}&extra=1`,
    genuine.replace(/hmac=(.)/, (_, digit) => `hmac=${digit === '0' ? '1' : '0'}`),
  ]
  for (const forged of forgeries) {
    const seen = await visitor.follow(forged)
    expect([seen.status, side.asked]).toEqual([400, []])
  }
  const refusals = (await bench.store.events.list(organization, {}, { limit: 20, cursor: null })).items.filter(({ type }) => type === 'connect.refused')
  expect(refusals.map(({ data }) => data['why'])).toEqual(forgeries.map(() => 'signature'))
  await finish((await visitor.follow(genuine)).location, 'forged')
})

test('a callback that names a data centre which does not look like one is refused before its code is sent anywhere', async () => {
  const visitor = new Visitor(bench)
  const callback = await visitor.consent(await visitor.start(await link('elsewhere')), 'ada')
  const seen = await visitor.follow(signed(callback, { 'accounts-server': 'https://evil.example' }))
  expect(seen.status).toBe(502)
  expect(seen.body).toContain('does not look like')
  expect(side.asked).toEqual([])
})

test('what a second exchange tells is checked like what a callback tells', async () => {
  side.answer('/long', { body: { data: { token: 'long-token', days: 60, cell: '../elsewhere' } } })
  const visitor = new Visitor(bench)
  const seen = await visitor.follow(signed(await visitor.consent(await visitor.start(await link('misled')), 'ada')))
  expect([seen.status, side.asked.length]).toEqual([502, 1])
  expect(seen.body).toContain('does not look like c-7')
})

test('a second exchange that meets an error once is asked again; one that keeps failing ends the flow, gives the tokens back, and the link works later', async () => {
  const visitor = new Visitor(bench)
  const url = await link('hiccup')
  side.answer('/long', { status: 500, body: {} })
  const seen = await visitor.follow(signed(await visitor.consent(await visitor.start(url), 'ada')))
  expect(seen.status).toBe(502)
  expect(seen.body).toContain('did not exchange the first token for the one to keep (HTTP 500)')
  expect(side.asked).toHaveLength(2)
  expect(bench.discarded.at(-1)?.context.endpoints.revoke).toBe(`${bench.practice.url}/p4/revoke`)
  side.answer('/long', 'cut', { body: { data: { token: 'long-token', days: 60, cell: 'c-7' } } })
  await finish((await visitor.follow(signed(await visitor.consent(await visitor.start(url), 'ada')))).location, 'hiccup')
})

test.each([
  ['an error', { status: 503, body: {} }, 'HTTP 503', 2],
  ['a refusal', { status: 403, body: {} }, 'HTTP 403', 1],
  ['a list without the element', { body: { sites: [{ kind: 'old', id: 'one' }] } }, 'has no site', 1],
] as const)('a look-up that is needed and meets %s fails the consent in words, and nothing is stored', async (_what, answer, words, requests) => {
  side.answer('/sites', answer)
  const visitor = new Visitor(bench)
  const seen = await visitor.follow(signed(await visitor.consent(await visitor.start(await link(`needed-${words}`)), 'ada')))
  expect(seen.status).toBe(502)
  expect(seen.body).toContain('the site')
  expect(seen.body).toContain(words)
  expect(side.asked.filter((line) => line === 'GET /sites')).toHaveLength(requests)
})

test('a reconnect merges what it finds now over what was known', async () => {
  side.answer('/colour', { body: { colour: 'green' } })
  const id = await connect('merged')
  side.answer('/colour', { status: 404, body: {} })
  side.answer('/sites', { body: { sites: [{ kind: 'main', id: 'three' }] } })
  expect(await connect('merged')).toBe(id)
  expect((await stored(id))?.facts).toMatchObject({ colour: 'green', site: 'three' })
})

test('after a sign-in with another account, the next one asks the provider for the account chooser', async () => {
  const id = await connect('chooser')
  const answer = await api(bench, key, `connections/${id}/reconnect`, { return_url: RETURN_URL })
  const visitor = new Visitor(bench)
  const first = await visitor.start(String(answer.body['url']))
  expect(new URL(first).searchParams.get('prompt')).toBeNull()
  side.answer('/me', { body: { id: 'bob' } })
  expect((await visitor.follow(signed(await visitor.consent(first, 'bob')))).body).toContain('different')
  const second = await visitor.start(String(answer.body['url']))
  expect(new URL(second).searchParams.get('prompt')).toBe('select_account')
})

test("a process that dies between the two exchanges does the second one at its next start, from the first one's stored answer", async () => {
  const records: JournalRecord[] = []
  const settled: string[] = []
  const journal = { ...NO_JOURNAL, append: async (record: JournalRecord) => void records.push(record), settle: (intent: string) => void settled.push(intent) }
  const endpoint = createTokenEndpoint({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: bench.ports.timers })
  const exchange = createCodeExchange({ ...bench.ports, endpoint, journal, times: protocolTimes(), observe: () => {} })
  const visitor = new Visitor(bench)
  const path = signed(await visitor.consent(await visitor.start(await link('crashed')), 'ada'))
  const parameters = new Map([...new URLSearchParams(path.split('?')[1])].map(([name, value]) => [name, [value]]))
  const input = { slug: 'around', parameters, browserId: (visitor.cookie ?? '').split('=')[1] ?? '' }
  let dying: () => void = () => {}
  const died = new Promise<void>((resolve) => {
    dying = resolve
  })
  // The second request is where the process ends.
  const ask = () => {
    dying()
    return new Promise<never>(() => {})
  }
  void createConnectService({ ...bench.ports, exchange, ask }).callback(input)
  await died
  expect([side.asked, settled]).toEqual([[], []])
  const restarted = createConnectService({ ...bench.ports, exchange })
  const [record] = records
  if (record === undefined) throw new Error('nothing was journaled before the second exchange')
  expect(await restarted.resumeStaged(record, (body) => new TextDecoder().decode(body))).toBe('settled')
  expect(side.asked.map((line) => line.split('?')[0])).toEqual(['GET /long', 'GET /sites', 'POST /c-7/register', 'GET /colour', 'GET /permissions', 'GET /me'])
  const outcome = await restarted.callback(input)
  if (outcome.kind !== 'return') throw new Error(outcome.kind)
  expect(await stored(await finish(outcome.url, 'crashed'))).toMatchObject({ facts: { centre: bench.practice.url, cell: 'c-7', site: 'two' } })
  endpoint.close()
})
