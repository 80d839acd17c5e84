import { afterAll, beforeAll, expect, test } from 'vitest'
import { repairLink } from '../../core/connect/repair-link.ts'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import { DAY } from '../../core/time.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

const RETURN_URL = 'https://app.example.com/connected'

let bench: ConnectBench
let organization: OrganizationId
let key: string

beforeAll(async () => {
  bench = await startConnectBench()
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  await bench.integration(organization, 'notes', { name: 'Notes' })
})
afterAll(() => bench.close())

async function connect(account: string, at = bench, by = key, owner = `owner-${account}`): Promise<ConnectionId> {
  const made = await api(at, by, 'connect/sessions', { integration: 'notes', owner, return_url: RETURN_URL })
  const visitor = new Visitor(at)
  const back = await visitor.follow(await visitor.consent(await visitor.start(String(made.body['url'])), account))
  const { searchParams } = new URL(back.location ?? '')
  const proof = { session: searchParams.get('session'), code: searchParams.get('code'), owner }
  const done = await api(at, by, 'connect/complete', proof)
  expect(done.status).toBe(200)
  at.advance(1_000)
  return done.body['connection_id'] ?? 'con_'
}

async function get(path: string, at = bench, by = key): Promise<{ readonly status: number; readonly body: Record<string, unknown>; readonly text: string }> {
  const answer = await at.app.inject({ method: 'GET', url: `/api/v1/${path}`, headers: { authorization: `Bearer ${by}` } })
  return { status: answer.statusCode, body: answer.json(), text: answer.body }
}

function revoke(account: string, at = bench): void {
  for (const grant of at.practice.control.grants({ account })) if (grant.state === 'live') at.practice.control.revoke(grant.id)
}

/** Ends the grant at the provider, lets a refresh find out, and answers the link of the next read. */
async function broken(id: ConnectionId, account: string, at = bench, by = key): Promise<string> {
  // Deaths that come faster than this would be held: here each is meant.
  at.advance(150_000)
  revoke(account, at)
  const refused = await api(at, by, `connections/${id}/refresh`, {})
  expect(refused).toMatchObject({ status: 409, body: { code: 'connection_revoked', needs_reauth: true } })
  return String(refused.body['reconnect_url'])
}

const pathOf = (url: string) => new URL(url).pathname
const stored = (id: ConnectionId) => bench.store.connections.get(organization, id)
const sessionsMade = async (id: ConnectionId) =>
  (await bench.store.events.list(organization, { connection: id, type: 'connect.session_created' }, { limit: 50, cursor: null })).items.length

test('one link in the refusal repairs the same connection', async () => {
  const id = await connect('whole')
  const url = await broken(id, 'whole')
  expect(url).toMatch(new RegExp(`^${bench.publicUrl}/connect/repair/${id}\\.`))
  const visitor = new Visitor(bench)
  const done = await visitor.follow(await visitor.consent(await visitor.start(url), 'whole'))
  expect(done.body).toContain('Notes is connected again')
  bench.engine.forget(id)
  expect(await get(`connections/${id}/token`)).toMatchObject({ status: 200, body: { connection_id: id, status: 'active', generation: 2 } })
  expect((await get(`connections/${id}`)).body).toMatchObject({ id, status: 'active', fault: null, reconnect_url: null })
})

test('token reads, refreshes, the connection and its lists give the same link all day', async () => {
  const id = await connect('same')
  const healthy = await get(`connections/${id}`)
  expect(healthy.body).toMatchObject({ status: 'active', reconnect_url: null })
  const url = await broken(id, 'same')
  const owners = await get('owners/owner-same/connections')
  const links = [
    (await get(`connections/${id}/token`)).body['reconnect_url'],
    (await get('token?integration=notes&owner=owner-same')).body['reconnect_url'],
    (await api(bench, key, `connections/${id}/refresh`, {})).body['reconnect_url'],
    (await get(`connections/${id}`)).body['reconnect_url'],
  ]
  expect(links).toEqual([url, url, url, url])
  expect(owners.body['items']).toMatchObject([{ id, reconnect_url: url }])
})

test('problems and connections name provider and account; no place of a text is left open', async () => {
  const id = await connect('named')
  await broken(id, 'named')
  const [problem, shown] = [await get(`connections/${id}/token`), await get(`connections/${id}`)]
  expect(problem.body['title']).toBe('Notes access was removed')
  expect(shown.body['fault']).toMatchObject({ title: 'Notes access was removed' })
  expect(JSON.stringify(shown.body['fault'])).toContain('Someone removed our access to named@')
  for (const { text } of [problem, shown]) expect(text).not.toMatch(/\{[PAT]\}/)
})

test('the page says what stopped and for whom, and looking at it twice changes nothing', async () => {
  const id = await connect('looked')
  const url = await broken(id, 'looked')
  const before = [await stored(id), await sessionsMade(id)]
  const [first, second] = [await new Visitor(bench).get(pathOf(url)), await new Visitor(bench).get(pathOf(url))]
  for (const seen of [first, second]) {
    expect(seen.status).toBe(200)
    for (const text of ['Acme Reports', 'Reconnect Notes', 'owner-looked', 'looked@', 'Nothing was deleted', 'Someone removed our access'])
      expect(seen.body).toContain(text)
    expect(seen.headers['set-cookie']).toBeUndefined()
    expect(seen.headers['cache-control']).toBe('no-store')
  }
  expect([await stored(id), await sessionsMade(id)]).toEqual(before)
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['a sibling domain', { 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' }],
  ['nowhere', { 'sec-fetch-site': 'none', origin: 'null' }],
])('the button pressed from %s starts nothing', async (from, headers) => {
  const account = `cross-${from.replaceAll(' ', '-')}`
  const id = await connect(account)
  const url = await broken(id, account)
  const before = await sessionsMade(id)
  expect((await new Visitor(bench).post(pathOf(url), {}, headers)).status).toBe(403)
  expect(await sessionsMade(id)).toBe(before)
})

test('a forged, altered or borrowed link is not known, and neither button nor page does anything', async () => {
  const [one, two] = [await connect('forged-one'), await connect('forged-two')]
  const [first, second] = [await broken(one, 'forged-one'), await broken(two, 'forged-two')]
  const [id = '', brokenAt = '', madeOn = '', mac = ''] = pathOf(first).replace('/connect/repair/', '').split('.')
  const other = pathOf(second).split('.').at(-1) ?? ''
  const row = (await stored(one))?.connection
  const elsewhere = repairLink({ ...(row ?? ({} as never)), organization: 'org_01890a5d-ac96-774b-bcce-b302099a8057' }, '', bench.ports)
  const wrong = [
    [id, brokenAt, madeOn, 'A'.repeat(43)],
    [id, brokenAt, madeOn, other],
    [two, brokenAt, madeOn, mac],
    [id, (Number.parseInt(brokenAt, 36) + 1).toString(36), madeOn, mac],
    [id, brokenAt, (Number.parseInt(madeOn, 36) + 1).toString(36), mac],
    [id, brokenAt, madeOn, `${mac.slice(0, -1)}${mac.endsWith('A') ? 'E' : 'A'}`],
    [id, brokenAt, mac],
    ['con_01890a5d-ac96-774b-bcce-b302099a8057', brokenAt, madeOn, mac],
    [id],
  ].map((parts) => `/connect/repair/${parts.join('.')}`)
  const before = [await stored(one), await sessionsMade(one), await sessionsMade(two)]
  for (const path of [...wrong, elsewhere ?? '', '/connect/repair/%00', `/connect/repair/${'a'.repeat(300)}`]) {
    const [seen, pressed] = [await new Visitor(bench).get(path), await new Visitor(bench).post(path)]
    expect([seen.status, pressed.status], path).toEqual([404, 404])
    expect(seen.body).not.toContain('forged-one')
    expect(seen.body).toContain('This link does not work')
  }
  expect([await stored(one), await sessionsMade(one), await sessionsMade(two)]).toEqual(before)
  expect((await new Visitor(bench).get(pathOf(first))).status).toBe(200)
})

test('after the repair the link says so and starts nothing; after the next break it is not known', async () => {
  const id = await connect('again')
  const url = await broken(id, 'again')
  const visitor = new Visitor(bench)
  await visitor.follow(await visitor.consent(await visitor.start(url), 'again'))
  const before = await sessionsMade(id)
  for (const seen of [await visitor.get(pathOf(url)), await new Visitor(bench).post(pathOf(url))]) {
    expect(seen.status).toBe(200)
    expect(seen.body).toContain('This connection was repaired already')
  }
  expect(await sessionsMade(id)).toBe(before)
  bench.advance(1_000)
  const next = await broken(id, 'again')
  expect(next).not.toBe(url)
  expect((await new Visitor(bench).get(pathOf(url))).status).toBe(404)
  expect((await new Visitor(bench).get(pathOf(next))).status).toBe(200)
})

test('another account at the provider is refused, changes nothing, and the same link still works', async () => {
  const id = await connect('right')
  const url = await broken(id, 'right')
  const before = await stored(id)
  const visitor = new Visitor(bench)
  const seen = await visitor.follow(await visitor.consent(await visitor.start(url), 'wrong'))
  expect(seen.status).toBe(409)
  expect(seen.body).toContain('That was a different Notes account')
  expect(await stored(id)).toEqual(before)
  expect((await visitor.follow(await visitor.consent(await visitor.start(url), 'right'))).body).toContain('is connected again')
})

test('the flow belongs to the browser that pressed the button', async () => {
  const id = await connect('bound')
  const url = await broken(id, 'bound')
  const callback = await new Visitor(bench).consent(await new Visitor(bench).start(url), 'bound')
  expect((await new Visitor(bench).follow(callback)).status).toBe(403)
  expect((await stored(id))?.connection.state).toBe('needs_reauth')
})

test("an account of the owner's other connection is offered to that one, and the link stays good for its own", async () => {
  const [one, two] = [await connect('kin-one', bench, key, 'kin'), await connect('kin-two', bench, key, 'kin')]
  const url = await broken(one, 'kin-one')
  const visitor = new Visitor(bench)
  const offered = await visitor.get(await visitor.consent(await visitor.start(url), 'kin-two'))
  const taken = await visitor.post(offered.location ?? '', { step: 'sibling' })
  expect((await visitor.follow(taken.location ?? '')).body).toContain('is connected again')
  expect([(await stored(one))?.connection.state, (await stored(two))?.credential.generation]).toEqual(['needs_reauth', 2])
  expect((await visitor.follow(await visitor.consent(await visitor.start(url), 'kin-one'))).body).toContain('is connected again')
  expect((await stored(one))?.connection.state).toBe('active')
})

test('however often and from wherever the button is pressed on one day, there is one session', async () => {
  const id = await connect('often')
  const url = await broken(id, 'often')
  const before = await sessionsMade(id)
  const started = await Promise.all(Array.from({ length: 8 }, () => new Visitor(bench).post(pathOf(url))))
  expect(started.map((seen) => seen.status)).toEqual(Array.from({ length: 8 }, () => 303))
  expect(await sessionsMade(id)).toBe(before + 1)
})

test('a link works for seven days and not for nine; a later read gives a new one', async () => {
  const own = await startConnectBench()
  try {
    const { id: home, key: ownKey } = await own.organization('Acme')
    await own.integration(home, 'notes')
    const id = await connect('aged', own, ownKey)
    const url = await broken(id, 'aged', own, ownKey)
    own.advance(7 * DAY)
    expect((await new Visitor(own).get(pathOf(url))).status).toBe(200)
    expect((await new Visitor(own).post(pathOf(url))).status).toBe(303)
    own.advance(2 * DAY)
    expect((await new Visitor(own).get(pathOf(url))).status).toBe(404)
    const next = String((await get(`connections/${id}/token`, own, ownKey)).body['reconnect_url'])
    expect((await new Visitor(own).post(pathOf(next))).status).toBe(303)
  } finally {
    await own.close()
  }
})

test('a disconnected connection is not repaired by an older link', async () => {
  const id = await connect('left')
  const url = await broken(id, 'left')
  expect((await api(bench, key, `connections/${id}/disconnect`, {})).status).toBe(200)
  const seen = await new Visitor(bench).post(pathOf(url))
  expect(seen.status).toBe(410)
  expect(seen.body).toContain('disconnected')
})
