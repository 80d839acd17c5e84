import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FaultCode } from '../../core/fault/fault.ts'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import { DAY, MINUTE } from '../../core/time.ts'
import { defineProvider } from '../../providers/define.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, type Seen, Visitor } from '../../testing/connect-visitor.ts'
import { calendarFile } from './calendar-entry.ts'
import { CAUSES } from './words/causes.ts'
import { LANGUAGES } from './words/languages.ts'

const RETURN_URL = 'https://app.example.com/connected'

/** The practice provider, with a page where administrators approve. */
const OFFICE = defineProvider({
  id: 'office',
  name: 'Office',
  variables: {
    home: { label: 'Home', pattern: 'http://127\\.0\\.0\\.1:[0-9]+', example: 'http://127.0.0.1:1' },
    tenant: { label: 'Tenant', pattern: '[a-z0-9-]+', example: 'common', default: 'common' },
  },
  authorize: {
    url: '{home}/p4/authorize',
    defaultScopes: ['notes:read'],
    chooseAccount: { prompt: 'select_account' },
    adminConsent: { url: '{home}/{tenant}/adminconsent', instead: { tenant: { common: 'organizations' } }, approved: 'admin_consent' },
  },
  token: { url: '{home}/p4/token', clientAuth: 'basic' },
  account: [{ from: 'answer', path: 'account' }],
})

let bench: ConnectBench
let organization: OrganizationId
let key: string
let mailed: ConnectionId
/** What the stored connections are said to have died of; null: what they have. */
let said: FaultCode | null = null
/** What the next reader of a connection still sees, though it is over. */
let stale: GrantRow | undefined

beforeAll(async () => {
  const read: ConnectBench['ports']['credentials']['read'] = async (id) => {
    const row = stale ?? (await bench.store.credentials.read(id))
    stale = undefined
    const fault = row?.connection.fault
    return row === undefined || fault == null || said === null ? row : { ...row, connection: { ...row.connection, fault: { ...fault, code: said } } }
  }
  bench = await startConnectBench({ records: [OFFICE], ports: { credentials: { read } } })
  ;({ id: organization, key } = await bench.organization('Acme Reports'))
  await bench.integration(organization, 'notes', { name: 'Notes' })
  await bench.integration(organization, 'office', { provider: 'office', name: 'Office', scopes: ['notes:read'], variables: { home: bench.practice.url } })
  mailed = await connect('mailed')
})
afterAll(() => bench.close())

async function link(path: string, body: Record<string, unknown>): Promise<string> {
  const made = await api(bench, key, path, body)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return String(made.body['url'])
}
const complete = (seen: Seen, owner: string) => {
  const { searchParams } = new URL(seen.location ?? '')
  return api(bench, key, 'connect/complete', { session: searchParams.get('session'), code: searchParams.get('code'), owner })
}

async function connect(account: string): Promise<ConnectionId> {
  const owner = `owner-${account}`
  const visitor = new Visitor(bench)
  const authorize = await visitor.start(await link('connect/sessions', { integration: 'notes', owner, return_url: RETURN_URL }))
  const done = await complete(await visitor.follow(await visitor.consent(authorize, account)), owner)
  expect(done.status).toBe(200)
  return done.body['connection_id'] ?? 'con_'
}

/** The path of its repair link. */
async function broken(account: string): Promise<{ readonly id: ConnectionId; readonly path: string }> {
  const id = await connect(account)
  // Deaths that come faster than this would be held.
  bench.advance(150_000)
  for (const grant of bench.practice.control.grants({ account })) bench.practice.control.revoke(grant.id)
  const refused = await api(bench, key, `connections/${id}/refresh`, {})
  expect(refused.status, JSON.stringify(refused.body)).toBe(409)
  return { id, path: new URL(String(refused.body['reconnect_url'])).pathname }
}

/** Many deaths would be held: pages that change nothing share one. */
let shared: ReturnType<typeof broken> | undefined
const oneBroken = () => {
  shared ??= broken('shared')
  return shared
}

async function saying<Outcome>(code: FaultCode, act: () => Promise<Outcome>): Promise<Outcome> {
  said = code
  try {
    return await act()
  } finally {
    said = null
  }
}

const unfolded = (text: string) => text.replaceAll('\r\n ', '')
const stored = async (id: ConnectionId) => (await bench.store.connections.get(organization, id))?.connection

describe.each(LANGUAGES.map(({ tag }) => tag))('a repair page in %s', (tag) => {
  test.each([
    ['connection_expired', 'remind'],
    ['refresh_outcome_lost', 'remind'],
    ['rotated_after_backup', 'remind'],
    ['grant_kept_elsewhere', 'remind'],
    ['connection_revoked', 'disconnect'],
    ['scope_missing', 'later'],
  ] as const)('has one main step and one other for %s: %s', async (code, aside) => {
    const { path } = await oneBroken()
    const { body } = await saying(code, () => new Visitor(bench).get(`${path}?lang=${tag}`))
    expect(body).toContain(`type="submit">${CAUSES[tag][code].primary?.replace('{P}', 'Notes')}</button>`)
    const cause = ({ remind: 'connection_expired', disconnect: 'connection_revoked', later: 'scope_missing' } as const)[aside]
    const address = { remind: `${path}/reminder.ics?lang=${tag}`, disconnect: `${path}?disconnect&amp;lang=${tag}`, later: `${path}?later&amp;lang=${tag}` }[
      aside
    ]
    expect(body).toContain(`<a class="button" href="${address}">${CAUSES[tag][cause].secondary}</a>`)
  })
})

test('a link of a new connection has no reminder: it ends in half an hour', async () => {
  const { pathname } = new URL(await link('connect/sessions', { integration: 'notes', owner: 'new', return_url: RETURN_URL }))
  expect((await new Visitor(bench).get(pathname)).body).not.toContain('reminder.ics')
  expect((await new Visitor(bench).get(`${pathname}/reminder.ics`)).status).toBe(404)
})

test('whoever does not want a revoked connection back says so on a page of its own, and the application hears of it', async () => {
  const { id, path } = await broken('unwanted')
  const visitor = new Visitor(bench)
  const asked = await visitor.get(`${path}?disconnect`)
  expect(asked.body).toContain('<h1>Disconnect Notes?</h1>')
  expect((await stored(id))?.state).toBe('needs_reauth')
  const done = await visitor.post(path, { step: 'disconnect' })
  expect([done.status, done.body.includes('Notes is disconnected')]).toEqual([200, true])
  expect((await stored(id))?.state).toBe('disconnected')
  const { items } = await bench.store.events.list(organization, { connection: id, type: 'connection.disconnected' }, { limit: 5, cursor: null })
  expect(items.map(({ actor }) => actor)).toEqual([{ kind: 'browser', id: null }])
  expect((await visitor.get(path)).status).toBe(410)
  expect((await visitor.post(path, { step: 'disconnect' })).status).toBe(410)
})

test.each(['connection_expired', 'refresh_outcome_lost', 'scope_missing'] as const)(
  'a link alone ends no connection whose provider has not ended it: %s',
  async (code) => {
    const { id, path } = await oneBroken()
    const [page, pressed] = await saying(code, async () => [
      await new Visitor(bench).get(`${path}?disconnect`),
      await new Visitor(bench).post(path, { step: 'disconnect' }),
    ])
    expect(page.body).not.toContain('value="disconnect"')
    expect(pressed.status).toBe(403)
    expect((await stored(id))?.state).toBe('needs_reauth')
  },
)

test('a connection that was reconnected while somebody gave it up stays, and its page says that it works', async () => {
  const { id, path } = await broken('both')
  const seen = await bench.store.credentials.read(id)
  const visitor = new Visitor(bench)
  await visitor.follow(await visitor.consent(await visitor.start(`${bench.publicUrl}${path}`), 'both'))
  stale = seen
  const done = await new Visitor(bench).post(path, { step: 'disconnect' })
  expect([done.status, done.body.includes('Notes is connected')]).toEqual([200, true])
  expect((await stored(id))?.state).toBe('active')
})

test("another site's form disconnects nothing", async () => {
  const { id, path } = await oneBroken()
  const seen = await new Visitor(bench).post(path, { step: 'disconnect' }, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })
  expect(seen.status).toBe(403)
  expect((await stored(id))?.state).toBe('needs_reauth')
})

test('whoever would rather not allow more now reads that nothing happened, and how long there is time', async () => {
  const { id, path } = await oneBroken()
  const seen = await saying('scope_missing', () => new Visitor(bench).get(`${path}?later`))
  expect(seen.body).toContain('Nothing was changed')
  expect(seen.body).toMatch(/This link works until \w+ \d{1,2}, 20\d\d\./)
  expect(seen.body).toContain(`href="${path}"`)
  expect((await stored(id))?.state).toBe('needs_reauth')
})

test('the other account of a reconnect becomes a connection of its own, and the first stays to be repaired', async () => {
  const id = await connect('first')
  const visitor = new Visitor(bench)
  const reconnect = await link(`connections/${id}/reconnect`, { return_url: RETURN_URL, mode: 'verified' })
  const page = await visitor.get(await visitor.consent(await visitor.start(reconnect), 'second'))
  const mismatch = await visitor.get(page.location ?? '')
  expect(mismatch.body).toContain('Connect second@practice.example as a new connection</button>')
  const pressed = await visitor.post(page.location ?? '', { step: 'new' })
  expect(pressed.status).toBe(303)
  expect((await visitor.post(page.location ?? '', { step: 'new' })).location).toBe(pressed.location)
  const landing = await visitor.get(pressed.location ?? '')
  expect(landing.body).toContain('<h1>Connect Notes to Acme Reports</h1>')
  const authorize = (await visitor.post(pressed.location ?? '')).location ?? ''
  const done = await complete(await visitor.follow(await visitor.consent(authorize, 'second')), 'owner-first')
  expect(done).toMatchObject({ status: 200, body: { created: true } })
  expect(done.body['connection_id']).not.toBe(id)
  expect((await stored(done.body['connection_id'] ?? 'con_'))?.owner).toBe('owner-first')
  expect(await stored(id)).toMatchObject({ state: 'active', accountLabel: 'first@practice.example' })
})

test('a bare link makes no new connection: nobody vouches for the owner', async () => {
  const { path } = await broken('bare')
  const visitor = new Visitor(bench)
  const authorize = (await visitor.post(path)).location ?? ''
  const page = await visitor.get(await visitor.consent(authorize, 'somebody-else'))
  const mismatch = await visitor.get(page.location ?? '')
  expect(mismatch.body).toContain('That was a different Notes account')
  expect(mismatch.body).not.toContain('as a new connection')
  expect((await visitor.post(page.location ?? '', { step: 'new' })).status).toBe(409)
})

describe('where an administrator has to approve', () => {
  async function refused(integration: string): Promise<{ readonly visitor: Visitor; readonly seen: Seen; readonly callback: string }> {
    const visitor = new Visitor(bench)
    const authorize = new URL(await visitor.start(await link('connect/sessions', { integration, owner: 'o', return_url: RETURN_URL })))
    const callback = `/connect/callback/${integration}?error=admin_policy_enforced&state=${authorize.searchParams.get('state')}&iss=${encodeURIComponent(`${bench.practice.url}/p4`)}`
    return { visitor, seen: await visitor.follow(callback), callback }
  }

  test('the page has the address to send, by mail or by hand, and the way for whoever is one', async () => {
    const { seen } = await refused('office')
    const [, address = ''] = /id="admin-link" value="([^"]+)"/.exec(seen.body) ?? []
    const url = new URL(address.replaceAll('&amp;', '&'))
    expect(url.pathname).toBe('/organizations/adminconsent')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'practice',
      redirect_uri: `${bench.publicUrl}/connect/callback/office`,
      scope: 'notes:read',
      state: expect.stringMatching(/^admin\.int_/),
    })
    expect(seen.body).toContain('mailto:?subject=Please%20approve%20Acme%20Reports%20for%20Office')
    expect(seen.body).toContain('>I am an admin</a>')
    const state = encodeURIComponent(url.searchParams.get('state') ?? '')
    const approved = await new Visitor(bench).get(`/connect/callback/office?admin_consent=True&tenant=t&state=${state}`)
    expect([approved.status, approved.body.includes('Office has been approved')]).toEqual([200, true])
    const not = await new Visitor(bench).get(`/connect/callback/office?error=access_denied&state=${state}`)
    expect(not.body).toContain('Office has not been approved')
    const forged = await new Visitor(bench).follow(`/connect/callback/office?admin_consent=True&state=${state.slice(0, -1)}${state.endsWith('A') ? 'E' : 'A'}`)
    expect([forged.status, forged.body.includes('approved')]).toEqual([400, false])
  })

  test('a provider without such an address lets them choose an account that may', async () => {
    const { visitor, seen } = await refused('notes')
    expect(seen.body).not.toContain('admin-link')
    const [, action = ''] =
      /<form method="post" action="([^"]+)"><input type="hidden" name="step" value="retry"><button class="button" type="submit">I am an admin</.exec(
        seen.body,
      ) ?? []
    expect((await visitor.post(action, { step: 'retry' })).status).toBe(303)
  })
})

test('a calendar file folds long lines between signs and escapes what would end a value', () => {
  const file = calendarFile({ uid: 'u', madeAt: 0, at: DAY, title: 'a;b,c\\d', text: 'あ'.repeat(60), url: 'https://x.example/' })
  const lines = file.split('\r\n')
  expect(lines.every((line) => Buffer.byteLength(line) <= 75)).toBe(true)
  expect(unfolded(file)).toContain('SUMMARY:a\\;b\\,c\\\\d')
  expect(unfolded(file)).toContain('あ'.repeat(60))
})

test('the button for a new connection still leads somewhere when the link that it led to has ended, and from two windows to one link', async () => {
  const id = await connect('late')
  const visitor = new Visitor(bench)
  const reconnect = await link(`connections/${id}/reconnect`, { return_url: RETURN_URL, mode: 'verified' })
  const page = await visitor.get(await visitor.consent(await visitor.start(reconnect), 'later'))
  const press = async () => (await visitor.post(page.location ?? '', { step: 'new' })).location ?? ''
  const both = await Promise.all([press(), press()])
  expect(both[0]).toMatch(/^\/connect\/[\w-]{43}$/)
  expect(both[1]).toBe(both[0])
  bench.advance(31 * MINUTE)
  expect((await visitor.get(both[0] ?? '')).status).toBe(410)
  const again = await press()
  expect((await visitor.get(again)).body).toContain('<h1>Connect Notes to Acme Reports</h1>')
})

// From here on the clock is days ahead, and the provider's identity tokens are too old to connect anything new.
test('a reminder is a calendar entry for tomorrow, with a link that works then, and looking at it changes nothing', async () => {
  const { id, path } = await oneBroken()
  const before = await stored(id)
  const seen = await saying('connection_expired', () => new Visitor(bench).get(`${path}/reminder.ics?lang=de`))
  expect([seen.status, seen.headers['content-type'], seen.headers['content-disposition']]).toEqual([
    200,
    'text/calendar; charset=utf-8',
    'attachment; filename="reminder.ics"',
  ])
  const file = unfolded(seen.body)
  const start = /DTSTART:(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(file)?.slice(1).map(Number) ?? []
  const at = Date.UTC(start[0] ?? 0, (start[1] ?? 0) - 1, start[2], start[3], start[4], start[5])
  expect(Math.abs(at - bench.ports.clock.wall() - DAY)).toBeLessThan(5_000)
  expect(file).toContain('SUMMARY:Notes für Acme Reports neu verbinden')
  const [, url = ''] = /\r\nURL:(\S+)\r\n/.exec(file) ?? []
  expect(url.startsWith(`${bench.publicUrl}/connect/repair/${id}.`)).toBe(true)
  bench.advance(6 * DAY)
  expect((await new Visitor(bench).get(new URL(url).pathname)).status).toBe(200)
  expect(await stored(id)).toEqual(before)
})

test('a link that was sent offers a reminder while it works tomorrow, and not after', async () => {
  const url = await link(`connections/${mailed}/reconnect`, {})
  const { pathname } = new URL(url)
  const visitor = new Visitor(bench)
  expect((await visitor.get(pathname)).body).toContain(`href="${pathname}/reminder.ics">Remind me tomorrow</a>`)
  const file = await visitor.get(`${pathname}/reminder.ics`)
  expect(unfolded(file.body)).toContain(`\r\nURL:${url}\r\n`)
  bench.advance(6 * DAY + DAY / 2)
  expect((await visitor.get(pathname)).body).not.toContain('reminder.ics')
  bench.advance(DAY)
  expect((await visitor.get(`${pathname}/reminder.ics`)).status).toBe(404)
})

test('what its owner unticked is told as missing, also where the integration says no scopes and those of the record are asked for', async () => {
  const wide = { ...OFFICE, id: 'wide', account: [], authorize: { ...OFFICE.authorize, defaultScopes: ['notes:read', 'notes:write'] } }
  const own = await startConnectBench({ records: [wide] })
  const { id, key: ownKey } = await own.organization('Acme Reports')
  await own.integration(id, 'wide', { provider: 'wide', scopes: [], variables: { home: own.practice.url } })
  const made = await api(own, ownKey, 'connect/sessions', { integration: 'wide', owner: 'ada', return_url: RETURN_URL })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  const visitor = new Visitor(own)
  const back = await visitor.follow(await visitor.consent(await visitor.start(String(made.body['url'])), 'ada', 'allow', ['notes:read']))
  const query = new URL(back.location ?? '').searchParams
  const proof = { session: query.get('session'), code: query.get('code'), owner: 'ada' }
  const told = { scopes: ['notes:read'], missing_scopes: ['notes:write'] }
  expect((await api(own, ownKey, 'connect/complete', proof)).body).toMatchObject(told)
  expect((await api(own, ownKey, 'connect/complete', proof)).body).toMatchObject(told)
  const events = await own.store.events.list(id, { type: 'connect.completed' }, { limit: 10, cursor: null })
  expect(events.items.map((event) => event.data['missing_scopes'])).toEqual([['notes:write']])
  await own.close()
})
