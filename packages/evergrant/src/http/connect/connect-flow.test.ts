import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConnectPorts } from '../../core/connect/connect-ports.ts'
import { createConnectService } from '../../core/connect/connect-service.ts'
import { openHeldGrant, sealHeldGrant } from '../../core/connect/staged-grant.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { ConnectionId, ConnectSessionId, OrganizationId } from '../../core/ids.ts'
import { createCodeExchange } from '../../core/refresh/code-exchange.ts'
import { type JournalRecord, NO_JOURNAL } from '../../core/refresh/journal.ts'
import { protocolTimes } from '../../core/refresh/protocol-times.ts'
import { MINUTE } from '../../core/time.ts'
import { createAddressGuard } from '../../outbound/address-guard.ts'
import { createTokenEndpoint } from '../../outbound/token-endpoint.ts'
import { defineProvider } from '../../providers/define.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

const RETURN_URL = 'https://app.example.com/connected'
/** Asks the end user for the path of an issuer, so that a wrong answer can be corrected. */
const SHOPS = defineProvider({
  id: 'shops',
  name: 'Shops',
  variables: {
    base: { label: 'Base', pattern: 'https?://[^?#@\\s]+', example: 'https://shops.example.com' },
    shop: { label: 'Your shop', pattern: '[a-z0-9-]{1,20}', example: 'p4', askedOf: 'connection' },
  },
  authorize: { url: '{base}/{shop}/authorize', defaultScopes: ['notes:read'] },
  token: { url: '{base}/{shop}/token', clientAuth: 'basic' },
  sources: [],
})

let bench: ConnectBench
let organization: OrganizationId
let key: string

beforeAll(async () => {
  bench = await startConnectBench({ records: [SHOPS] })
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  await bench.integration(organization, 'notes')
})
afterAll(() => bench.close())

interface Link {
  readonly id: ConnectSessionId
  readonly url: string
  readonly path: string
}

async function ask(path: string, body: Record<string, unknown>): Promise<Link> {
  const answer = await api(bench, key, path, body)
  expect(answer.status).toBe(201)
  const url = String(answer.body['url'])
  return { id: answer.body['id'] ?? 'cs_', url, path: new URL(url).pathname }
}

const newLink = (owner: string, more: Record<string, unknown> = {}) => ask('connect/sessions', { integration: 'notes', owner, return_url: RETURN_URL, ...more })
const reconnectLink = (connection: string, more: Record<string, unknown> = {}) => ask(`connections/${connection}/reconnect`, more)

function codeOf(location: string | null): { readonly session: string; readonly code: string } {
  const { searchParams } = new URL(location ?? '')
  return { session: searchParams.get('session') ?? '', code: searchParams.get('code') ?? '' }
}

async function granted(link: Link, account: string, visitor = new Visitor(bench)): Promise<{ readonly session: string; readonly code: string }> {
  return codeOf((await visitor.follow(await visitor.consent(await visitor.start(link.url), account))).location)
}

async function connect(owner: string, account: string): Promise<ConnectionId> {
  const done = await api(bench, key, 'connect/complete', { ...(await granted(await newLink(owner), account)), owner })
  expect(done.status).toBe(200)
  bench.advance(1_000)
  return done.body['connection_id'] ?? 'con_'
}

const stored = async (id: ConnectionId) => bench.store.connections.get(organization, id)
const tokenOf = (connection: ConnectionId) => bench.engine.token({ organization, connection, minTtlMs: 0, rejectedGeneration: null })

test('a link, a consent and a completion make a connection with a working token, and repeating the completion gives the same answer', async () => {
  const link = await newLink('user-1')
  const visitor = new Visitor(bench)
  expect((await visitor.get(link.path)).body).toContain('Acme Reports')
  const proof = await granted(link, 'ada', visitor)
  const done = await api(bench, key, 'connect/complete', { ...proof, owner: 'user-1' })
  expect(done).toMatchObject({ status: 200, body: { created: true, owner: 'user-1', missing_scopes: [] } })
  expect((await tokenOf(done.body['connection_id'] ?? 'con_')).generation).toBe(1)
  expect(await api(bench, key, 'connect/complete', { ...proof, owner: 'user-1' })).toEqual(done)
  expect((await stored(done.body['connection_id'] ?? 'con_'))?.credential.generation).toBe(1)
})

test('looking at a link changes nothing and sets nothing, however often a mail scanner looks', async () => {
  const link = await newLink('scanned')
  const before = await bench.store.connectSessions.load(link.id)
  for (let round = 0; round < 3; round++) {
    const seen = await new Visitor(bench).get(link.path)
    expect([seen.status, seen.headers['set-cookie']]).toEqual([200, undefined])
  }
  expect(await bench.store.connectSessions.load(link.id)).toEqual(before)
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['a sibling host', { 'sec-fetch-site': 'same-site', origin: 'http://other.localhost:3900' }],
  ['an old browser on another site', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
])('the Continue button pressed from %s starts nothing', async (_where, headers) => {
  const link = await newLink('forged')
  const own: Record<string, string> = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''))
  const answer = await bench.app.inject({
    method: 'POST',
    url: link.path,
    headers: { ...own, 'content-type': 'application/x-www-form-urlencoded' },
    payload: '',
  })
  expect(answer.statusCode).toBe(403)
  expect((await bench.store.connectSessions.load(link.id))?.state).toBe('open')
})

test('two flows in one browser do not disturb each other', async () => {
  const visitor = new Visitor(bench)
  const [first, second] = [await newLink('parallel-1'), await newLink('parallel-2')]
  const consents = [await visitor.start(first.url), await visitor.start(second.url)]
  for (const [index, owner] of [
    [1, 'parallel-2'],
    [0, 'parallel-1'],
  ] as const) {
    const back = await visitor.follow(await visitor.consent(consents[index] ?? '', `account-${owner}`))
    expect((await api(bench, key, 'connect/complete', { ...codeOf(back.location), owner })).status).toBe(200)
  }
})

test('a refusal at the provider is explained, and the same page tries again', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink('hesitant')
  const callback = await visitor.get(await visitor.consent(await visitor.start(link.url), 'ada', 'deny'))
  const page = await visitor.get(callback.location ?? '')
  expect(page.body).toContain('You did not allow access')
  const again = await visitor.post(callback.location ?? '', { step: 'retry' })
  expect(again.status).toBe(303)
  const back = await visitor.follow(await visitor.consent(again.location ?? '', 'ada'))
  expect((await api(bench, key, 'connect/complete', { ...codeOf(back.location), owner: 'hesitant' })).status).toBe(200)
})

test('whoever comes back to the page of a try that failed, after one that did not, is sent on to the application as before', async () => {
  const visitor = new Visitor(bench)
  const link = await newLink('back')
  const page = (await visitor.get(await visitor.consent(await visitor.start(link.url), 'back', 'deny'))).location ?? ''
  const authorize = (await visitor.post(page, { step: 'retry' })).location ?? ''
  const done = await visitor.follow(await visitor.consent(authorize, 'back'))
  expect(done.location).toMatch(/^https:\/\/app\.example\.com\/connected\?session=cs_/)
  const again = await visitor.get(page)
  expect([again.status, again.location]).toEqual([303, done.location])
  expect((await api(bench, key, 'connect/complete', { ...codeOf(done.location), owner: 'back' })).status).toBe(200)
  expect((await visitor.get(page)).body).toContain('is connected')
})

test('an outcome page opens only in the browser whose flow it was', async () => {
  const visitor = new Visitor(bench)
  const callback = await visitor.get(await visitor.consent(await visitor.start((await newLink('private')).url), 'ada', 'deny'))
  expect((await new Visitor(bench).get(callback.location ?? '')).status).toBe(403)
  const stranger = new Visitor(bench)
  await stranger.start((await newLink('stranger')).url)
  expect((await stranger.post(callback.location ?? '', { step: 'retry' })).status).toBe(403)
})

test('an answer posted by the provider arrives without our cookie and finishes with it', async () => {
  await bench.integration(organization, 'posted', { settings: { authorizeParameters: { response_mode: 'form_post' } } })
  const visitor = new Visitor(bench)
  const link = await newLink('posted', { integration: 'posted' })
  const authorize = new URL(await visitor.start(link.url))
  authorize.searchParams.delete('response_mode')
  const [path, query] = (await visitor.consent(authorize.href, 'ada')).split('?')
  const posted = await new Visitor(bench).post(path ?? '', Object.fromEntries(new URLSearchParams(query)), { 'sec-fetch-site': 'cross-site', origin: 'null' })
  expect(posted.location).toMatch(/^\/connect\/callback\/posted\?answer=/)
  expect(posted.location).not.toContain(new URLSearchParams(query).get('code'))
  expect((await new Visitor(bench).follow(posted.location ?? '')).status).toBe(403)
  const back = await visitor.follow(posted.location ?? '')
  expect((await api(bench, key, 'connect/complete', { ...codeOf(back.location), owner: 'posted' })).status).toBe(200)
})

test('a stashed answer is refused when altered, at another path, and after two minutes', () => {
  const stash = bench.connect.stash('notes', new Map([['code', ['c']]])) ?? ''
  expect(bench.connect.unstash('notes', stash)).toEqual(new Map([['code', ['c']]]))
  expect(bench.connect.unstash('other', stash)).toBeNull()
  expect(bench.connect.unstash('notes', `${stash.slice(0, -2)}AA`)).toBeNull()
  expect(bench.connect.unstash('notes', 'x'.repeat(50))).toBeNull()
  bench.advance(2 * MINUTE)
  expect(bench.connect.unstash('notes', stash)).toBeNull()
})

test('a variable of the end user is checked, and can be corrected after a failure', async () => {
  await bench.integration(organization, 'shops', { provider: 'shops', scopes: ['notes:read'], variables: { base: bench.practice.url } })
  const visitor = new Visitor(bench)
  const link = await newLink('shopper', { integration: 'shops' })
  const wrong = await visitor.post(link.path, { shop: 'https://evil.example/' })
  expect(wrong.status).toBe(400)
  expect(wrong.body).toContain('should look like this: p4')
  expect((await bench.store.connectSessions.load(link.id))?.state).toBe('open')
  expect(new URL(await visitor.start(link.url, { shop: 'p3' })).pathname).toBe('/p3/authorize')
  expect((await visitor.get(link.path)).body).toContain('value="p3"')
  expect(new URL(await visitor.start(link.url, { shop: ' p4 ' })).pathname).toBe('/p4/authorize')
  const missing = await api(bench, key, 'connect/sessions', { integration: 'shops', owner: 'o', return_url: RETURN_URL, variables: { shop: '../x' } })
  expect(missing).toMatchObject({ status: 400, body: { field: '/variables/shop' } })
})

test('connecting the same account of the same owner again repairs that connection', async () => {
  const first = await connect('twice', 'twin')
  const done = await api(bench, key, 'connect/complete', { ...(await granted(await newLink('twice'), 'twin')), owner: 'twice' })
  expect(done.body).toMatchObject({ connection_id: first, created: false })
  expect((await stored(first))?.credential.generation).toBe(2)
})

test('a reconnect after the grant ended repairs the same id, and its token works', async () => {
  const id = await connect('ended', 'ended')
  for (const grant of bench.practice.control.grants({ account: 'ended' })) bench.practice.control.revoke(grant.id)
  await expect(bench.engine.refresh(organization, id)).rejects.toMatchObject({ code: 'connection_revoked' })
  expect((await stored(id))?.connection.state).toBe('needs_reauth')
  const proof = await granted(await reconnectLink(id, { return_url: RETURN_URL }), 'ended')
  const done = await api(bench, key, 'connect/complete', { ...proof, owner: 'ended' })
  expect(done.body).toMatchObject({ connection_id: id, created: false })
  bench.engine.forget(id)
  expect((await tokenOf(id)).status).toBe('active')
  expect((await bench.engine.refresh(organization, id)).changed).toBe(true)
})

test('mode link needs a known account and an existing connection; mode verified needs a return URL', async () => {
  const fresh = await api(bench, key, 'connect/sessions', { integration: 'notes', owner: 'o', return_url: RETURN_URL, mode: 'link' })
  expect(fresh).toMatchObject({ status: 400, body: { field: '/mode' } })
  const id = await connect('modes', 'modes')
  expect(await api(bench, key, `connections/${id}/reconnect`, { mode: 'verified' })).toMatchObject({ status: 400, body: { field: '/return_url' } })
  const link = await reconnectLink(id)
  expect(await api(bench, key, 'connect/complete', { session: link.id, code: 'x', owner: 'modes' })).toMatchObject({
    status: 400,
    body: { code: 'connect_code_invalid' },
  })
  expect(await api(bench, key, 'connections/con_00000000-0000-7000-8000-000000000000/reconnect', {})).toMatchObject({ status: 404 })
})

test('a reconnect link lives seven days and is spent only by success', async () => {
  const id = await connect('mailed', 'mailed')
  const link = await reconnectLink(id)
  const session = await bench.store.connectSessions.load(link.id)
  expect((session?.expiresAt ?? 0) - (session?.createdAt ?? 0)).toBe(7 * 24 * 60 * MINUTE)
  const visitor = new Visitor(bench)
  await visitor.follow(await visitor.consent(await visitor.start(link.url), 'mailed', 'deny'))
  expect((await visitor.follow(await visitor.consent(await new Visitor(bench).start(link.url), 'mailed'))).status).toBe(403)
  expect((await visitor.follow(await visitor.consent(await visitor.start(link.url), 'mailed'))).body).toContain('is connected again')
  expect((await visitor.get(link.path)).status).toBe(409)
  expect((await visitor.post(link.path)).status).toBe(409)
})

test('a link whose grant the application never confirmed works again after ten minutes', async () => {
  const id = await connect('forgotten', 'forgotten')
  const link = await reconnectLink(id, { return_url: RETURN_URL })
  const first = await granted(link, 'forgotten')
  const visitor = new Visitor(bench)
  expect((await visitor.get(link.path)).status).toBe(409)
  bench.advance(10 * MINUTE)
  expect((await visitor.get(link.path)).status).toBe(200)
  const second = await granted(link, 'forgotten', visitor)
  expect(await api(bench, key, 'connect/complete', { ...first, owner: 'forgotten' })).toMatchObject({ status: 400 })
  expect(await api(bench, key, 'connect/complete', { ...second, owner: 'forgotten' })).toMatchObject({ status: 200, body: { connection_id: id } })
})

test('a consent that a wrong clock dated into the future does not stop the next reconnect', async () => {
  const id = await connect('clock', 'clock')
  const link = await reconnectLink(id, { return_url: RETURN_URL })
  const proof = await granted(link, 'clock')
  const behind = { wall: () => bench.ports.clock.wall() - 24 * 60 * MINUTE, mono: () => bench.ports.clock.mono() }
  const request = { organization, actor, session: `cs_${proof.session.slice(3)}`, code: proof.code, owner: 'clock' } as const
  const session = await bench.store.connectSessions.load(request.session)
  const grant = openHeldGrant(session?.staged?.grant ?? new Uint8Array(), { id: request.session, organization }, bench.ports.seal)
  const earlier = sealHeldGrant({ ...grant, obtainedAt: behind.wall() }, { id: request.session, organization }, bench.ports.seal)
  const sessions = { ...bench.ports.sessions, get: async () => (session?.staged ? { ...session, staged: { ...session.staged, grant: earlier } } : undefined) }
  await altered({ clock: behind, sessions }).complete(request)
  expect((await stored(id))?.credential.generation).toBe(2)
})

test("an account of the owner's other connection is offered to that one, and taken only by its button", async () => {
  const [one, two] = [await connect('pair', 'pair-one'), await connect('pair', 'pair-two')]
  const before = [await stored(one), await stored(two)]
  const visitor = new Visitor(bench)
  const callback = await visitor.get(await visitor.consent(await visitor.start((await reconnectLink(one)).url), 'pair-two'))
  expect((await visitor.get(callback.location ?? '')).body).toContain('also has a connection for')
  expect([await stored(one), await stored(two)]).toEqual(before)
  const taken = await visitor.post(callback.location ?? '', { step: 'sibling' })
  expect((await visitor.follow(taken.location ?? '')).body).toContain('is connected again')
  expect(await stored(one)).toEqual(before[0])
  expect((await stored(two))?.credential.generation).toBe(2)
})

test('with mode verified, the offered connection still needs the owner, and trying again takes the first account', async () => {
  const [one, two] = [await connect('couple', 'couple-one'), await connect('couple', 'couple-two')]
  const visitor = new Visitor(bench)
  const link = await reconnectLink(one, { return_url: RETURN_URL })
  const first = await visitor.get(await visitor.consent(await visitor.start(link.url), 'couple-two'))
  expect(first.location).toMatch(/^\/connect\/done\//)
  const again = await visitor.post(first.location ?? '', { step: 'retry' })
  const back = await visitor.get(await visitor.consent(again.location ?? '', 'couple-two'))
  const taken = await visitor.post(back.location ?? '', { step: 'sibling' })
  const done = await api(bench, key, 'connect/complete', { ...codeOf(taken.location), owner: 'couple' })
  expect(done.body).toMatchObject({ connection_id: two, created: false })
})

test('a completion code is wrong, too old or of another session: refused, and nothing is stored', async () => {
  const proof = await granted(await newLink('late'), 'late')
  expect(await api(bench, key, 'connect/complete', { ...proof, code: 'A'.repeat(43), owner: 'late' })).toMatchObject({
    status: 400,
    body: { code: 'connect_code_invalid', field: '/code' },
  })
  const other = await granted(await newLink('late-2'), 'late-2')
  expect(await api(bench, key, 'connect/complete', { session: proof.session, code: other.code, owner: 'late' })).toMatchObject({ status: 400 })
  bench.advance(10 * MINUTE)
  expect(await api(bench, key, 'connect/complete', { ...proof, owner: 'late' })).toMatchObject({ status: 410, body: { code: 'connect_session_expired' } })
  expect(bench.discarded.at(-1)?.organization).toBe(organization)
})

test.each([
  ['status', 502, 'could not finish'],
  ['invalid_client', 503, 'not available right now'],
  ['invalid_grant', 502, 'could not finish'],
  ['rate_limited', 503, 'slow down'],
  ['html', 502, 'could not finish'],
  ['reset', 502, 'could not finish'],
] as const)('when the exchange meets %s, the page answers %i, and the same link works afterwards', async (kind, status, words) => {
  const visitor = new Visitor(bench)
  const link = await newLink(`trouble-${kind}`)
  bench.practice.control.addFault({ profile: 'p4', step: 'token.exchange', kind })
  const seen = await visitor.follow(await visitor.consent(await visitor.start(link.url), 'trouble'))
  expect(seen.status).toBe(status)
  expect(seen.body).toContain(words)
  const proof = await granted(link, 'trouble', visitor)
  expect((await api(bench, key, 'connect/complete', { ...proof, owner: `trouble-${kind}` })).status).toBe(200)
})

/** The same server with some of its ports replaced. */
const altered = (ports: Partial<ConnectPorts>) => createConnectService({ ...bench.ports, ...ports })
const actor = { kind: 'system', id: null } as const

async function callbackOf(visitor: Visitor, owner: string): Promise<ReturnType<typeof inputOf>> {
  return inputOf(await visitor.consent(await visitor.start((await newLink(owner)).url), owner), visitor)
}

function inputOf(callback: string, visitor: Visitor): { slug: string; parameters: Map<string, string[]>; browserId: string } {
  const parameters = new Map([...new URLSearchParams(callback.split('?')[1])].map(([name, value]) => [name, [value]]))
  return { slug: 'notes', parameters, browserId: (visitor.cookie ?? '').split('=')[1] ?? '' }
}

test('a store that is away while the grant is staged costs nothing but time', async () => {
  let failures = 3
  const sessions = {
    ...bench.ports.sessions,
    stage: async (...given: Parameters<ConnectPorts['sessions']['stage']>) =>
      failures-- > 0 ? Promise.reject(new Error('away')) : bench.ports.sessions.stage(...given),
  }
  const outcome = await altered({ sessions }).callback(await callbackOf(new Visitor(bench), 'patient'))
  if (outcome.kind !== 'return') throw new Error(outcome.kind)
  expect((await api(bench, key, 'connect/complete', { ...codeOf(outcome.url), owner: 'patient' })).status).toBe(200)
})

test('a store that is away right after the grant was staged costs no second consent: the same callback goes on', async () => {
  let away = false
  const { sessions } = bench.ports
  const stage: typeof sessions.stage = async (...given) => {
    away = await sessions.stage(...given)
    return away
  }
  const load: typeof sessions.load = async (id) => {
    if (!away) return sessions.load(id)
    away = false
    throw new Fault('store_unavailable')
  }
  const input = await callbackOf(new Visitor(bench), 'hiccup')
  await expect(altered({ sessions: { ...sessions, stage, load } }).callback(input)).rejects.toMatchObject({ code: 'store_unavailable' })
  const outcome = await bench.connect.callback(input)
  if (outcome.kind !== 'return') throw new Error(outcome.kind)
  expect((await api(bench, key, 'connect/complete', { ...codeOf(outcome.url), owner: 'hiccup' })).status).toBe(200)
})

test('a grant that is completed while somebody gives it up stays with its connection, whoever of the two is first', async () => {
  const { sessions } = bench.ports
  const waiting = async (owner: string) => {
    const { session: id, code } = await granted(await newLink(owner), owner)
    const session = await bench.store.connectSessions.load(`cs_${id.slice(3)}`)
    if (session === undefined) throw new Error('nothing waits')
    return { session, request: { organization, actor, session: session.id, code, owner } }
  }
  const before = bench.discarded.length
  const first = await waiting('completed-first')
  const fail: typeof sessions.fail = async (...given) => {
    await bench.connect.complete(first.request)
    return sessions.fail(...given)
  }
  await altered({ sessions: { ...sessions, fail } }).giveUp(first.session)
  expect((await bench.store.connectSessions.load(first.session.id))?.state).toBe('completed')
  const second = await waiting('given-up-first')
  const complete: typeof sessions.complete = async (...given) => {
    await bench.connect.giveUp(second.session)
    return sessions.complete(...given)
  }
  const { connection } = await altered({ sessions: { ...sessions, complete } }).complete(second.request)
  expect((await tokenOf(connection.id)).accessToken).toBeTruthy()
  expect(bench.discarded).toHaveLength(before)
})

test('a callback that came with no code while its twin was at the exchange ends nothing of what the twin brings', async () => {
  const input = await callbackOf(new Visitor(bench), 'twin')
  const { sessions } = bench.ports
  let staged: unknown
  const byStateHash: typeof sessions.byStateHash = async (hash) => {
    const seen = await sessions.byStateHash(hash)
    staged = await bench.connect.callback(input)
    return seen
  }
  const refused = new Map([...input.parameters, ['error', ['access_denied']]])
  refused.delete('code')
  const outcome = await altered({ sessions: { ...sessions, byStateHash } }).callback({ ...input, parameters: refused })
  expect(outcome.kind).toBe('page')
  const { url } = staged as { readonly url: string }
  expect((await api(bench, key, 'connect/complete', { ...codeOf(url), owner: 'twin' })).status).toBe(200)
})

test('an exchange that fails when its link was already used again ends nothing of the newer run', async () => {
  const link = await reconnectLink(await connect('again', 'again'), { return_url: RETURN_URL })
  const visitor = new Visitor(bench)
  const input = inputOf(await visitor.consent(await visitor.start(link.url), 'again'), visitor)
  let proof: ReturnType<typeof codeOf> | undefined
  const run: ConnectPorts['exchange']['run'] = async () => {
    bench.advance(31 * MINUTE)
    proof = await granted(link, 'again', visitor)
    throw new Fault('provider_unavailable')
  }
  expect((await altered({ exchange: { ...bench.ports.exchange, run } }).callback(input)).kind).toBe('page')
  expect((await api(bench, key, 'connect/complete', { ...proof, owner: 'again' })).status).toBe(200)
})

test('a grant whose connection got another account before it was completed is given back', async () => {
  const id = await connect('overtaken', 'overtaken')
  const proof = await granted(await reconnectLink(id, { return_url: RETURN_URL }), 'overtaken')
  const before = bench.discarded.length
  const get: ConnectPorts['connections']['get'] = async (...asked) => {
    const row = await bench.ports.connections.get(...asked)
    return row === undefined ? row : { ...row, connection: { ...row.connection, account: 'somebody-else' } }
  }
  const request = { organization, actor, session: `cs_${proof.session.slice(3)}`, code: proof.code, owner: 'overtaken' } as const
  await expect(altered({ connections: { ...bench.ports.connections, get } }).complete(request)).rejects.toMatchObject({ code: 'account_mismatch' })
  expect(bench.discarded).toHaveLength(before + 1)
})

function withCallbackFact(record: ReturnType<ConnectPorts['providers']['get']>): typeof record {
  if (record === undefined) return record
  const { authorize } = record
  return { ...record, authorize: { ...authorize, callback: { ...authorize.callback, facts: { shard: 'shard' } } } }
}

function hang(signal: () => void): Promise<boolean> {
  signal()
  return new Promise(() => {})
}

test('a process that dies after the exchange goes on from the journal at its next start', async () => {
  const records: JournalRecord[] = []
  const settled: string[] = []
  const journal = { ...NO_JOURNAL, append: async (record: JournalRecord) => void records.push(record), settle: (intent: string) => void settled.push(intent) }
  const endpoint = createTokenEndpoint({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: bench.ports.timers })
  const exchange = createCodeExchange({ ...bench.ports, endpoint, journal, times: protocolTimes(), observe: () => {} })
  let dying: () => void = () => {}
  const died = new Promise<void>((resolve) => {
    dying = resolve
  })
  const sessions = { ...bench.ports.sessions, stage: () => hang(dying) }
  const plain = await callbackOf(new Visitor(bench), 'crashed')
  const input = { ...plain, parameters: new Map([...plain.parameters, ['shard', ['eu-7']]]) }
  // A provider that says only in the callback where the account lives.
  const providers = { ...bench.ports.providers, get: (id: string) => withCallbackFact(bench.ports.providers.get(id)) }
  void altered({ sessions, exchange, providers }).callback(input)
  await died
  const restarted = altered({ exchange, providers })
  const [record] = records
  if (record === undefined) throw new Error('nothing was journaled')
  expect(Object.keys(record.callback ?? {})).toContain('shard')
  for (const secret of ['code', 'state']) expect(Object.keys(record.callback ?? {})).not.toContain(secret)
  expect(await restarted.resumeStaged(record, (body) => new TextDecoder().decode(body))).toBe('settled')
  expect(settled).toEqual([record.intent])
  const outcome = await restarted.callback(input)
  if (outcome.kind !== 'return') throw new Error(outcome.kind)
  const completed = await api(bench, key, 'connect/complete', { ...codeOf(outcome.url), owner: 'crashed' })
  expect(completed.status).toBe(200)
  expect((await stored(completed.body['connection_id'] ?? 'con_'))?.connection.facts).toMatchObject({ shard: 'eu-7' })
  expect(await restarted.resumeStaged(record, (body) => new TextDecoder().decode(body))).toBe('settled')
  endpoint.close()
})

test('a completion repeated after a crash never puts back what was refreshed since', async () => {
  const id = await connect('crash', 'crash')
  const proof = await granted(await reconnectLink(id, { return_url: RETURN_URL }), 'crash')
  const sessions = { ...bench.ports.sessions, complete: () => Promise.reject(new Error('the process died here')) }
  const request = { organization, actor, session: `cs_${proof.session.slice(3)}`, code: proof.code, owner: 'crash' } as const
  await expect(altered({ sessions }).complete(request)).rejects.toThrow('died')
  bench.engine.forget(id)
  await bench.engine.refresh(organization, id)
  const before = await stored(id)
  expect((await bench.connect.complete(request)).connection.id).toBe(id)
  expect((await stored(id))?.credential).toEqual(before?.credential)
})

test('completing twice at once makes one connection', async () => {
  const proof = await granted(await newLink('double'), 'double')
  const both = await Promise.all([1, 2].map(() => api(bench, key, 'connect/complete', { ...proof, owner: 'double' })))
  expect(both.map((one) => one.status)).toEqual([200, 200])
  expect(both[0]?.body['connection_id']).toBe(both[1]?.body['connection_id'])
})

test('a second consent without a refresh token keeps the one that works', async () => {
  const id = await connect('keeps', 'keeps')
  const exchange: ConnectPorts['exchange'] = {
    settle: () => {},
    run: async (request) => {
      const result = await bench.ports.exchange.run(request)
      return result.verdict.kind === 'granted' ? { ...result, verdict: { ...result.verdict, grant: { ...result.verdict.grant, refreshToken: null } } } : result
    },
  }
  const visitor = new Visitor(bench)
  const outcome = await altered({ exchange }).callback(await callbackOf(visitor, 'keeps'))
  if (outcome.kind !== 'return') throw new Error(outcome.kind)
  const before = await stored(id)
  expect((await api(bench, key, 'connect/complete', { ...codeOf(outcome.url), owner: 'keeps' })).body).toMatchObject({ connection_id: id })
  const after = await stored(id)
  expect(after?.credential.generation).toBe(2)
  expect(after?.credential.fingerprint).toBe(before?.credential.fingerprint)
})

test('an end user who looks at an unknown or mangled link gets words, not an error', async () => {
  for (const path of ['/connect/unknown', `/connect/${'A'.repeat(43)}`, '/connect/problem/%3Cscript%3E', '/connect/done/x.y']) {
    const seen = await new Visitor(bench).get(path)
    expect(seen.headers['content-type']).toContain('text/html')
    expect([403, 404]).toContain(seen.status)
    expect(seen.body).not.toContain('<script')
  }
})
