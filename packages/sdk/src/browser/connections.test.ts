import { afterEach, expect, test, vi } from 'vitest'
import { isEvergrantError } from '../evergrant-error.ts'
import type { ConnectionReport } from './answers.ts'
import { createBrowserLab, forget } from './testing/browser-lab.ts'
import { settled } from './testing/held-time.ts'
import { gate } from './testing/strict-server.ts'

/** Whether the part that is loaded by the first use can be had, and how often it was asked for. */
const network = vi.hoisted(() => ({ broken: false, loads: 0 }))
vi.mock('./connections-part.ts', async (original) => {
  const { connectionsPart } = await original<typeof import('./connections-part.ts')>()
  return {
    get connectionsPart() {
      network.loads += 1
      if (network.broken) throw new TypeError('Failed to fetch dynamically imported module')
      return connectionsPart
    },
  }
})

afterEach(() => {
  vi.unstubAllGlobals()
  Object.assign(network, { broken: false, loads: 0 })
})

const report = (id: string, status: ConnectionReport['status'], more: Partial<ConnectionReport> = {}): ConnectionReport => ({
  id,
  integration: 'google',
  provider: 'Google',
  account: 'ana@example.com',
  status,
  connection_status: status === 'valid' ? 'active' : status,
  code: null,
  title: null,
  message: null,
  action: 'none',
  expires_at: null,
  reconnect_url: null,
  retry_at: null,
  ...more,
})

/** A window that records where it was sent. */
function stubWindows(opens = true) {
  const window = { location: { href: 'about:blank' }, closed: true, opener: {}, close: vi.fn() }
  const open = vi.fn(() => (opens ? window : null))
  vi.stubGlobal('open', open)
  return { window, open }
}

test('connections are listed, found, and known afterwards', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  expect(client.connections.known()).toBe(null)
  lab.server.reports.push(report('con_1', 'valid'), report('con_2', 'needs_reauth'))
  expect(await client.connections.list()).toHaveLength(2)
  expect(await client.connections.get('con_2')).toMatchObject({ status: 'needs_reauth' })
  expect(await client.connections.get('con_9')).toBe(null)
  const known = client.connections.known()
  await client.connections.list()
  expect(client.connections.known()).toBe(known)
})

test('a watcher is told what is, and every change, once; it asks every half minute and stops when it is not wanted', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'valid'))
  const seen: (string | undefined)[] = []
  const stop = client.connections.watch('con_1', (connection) => seen.push(connection?.status))
  await lab.time.advance(65_000)
  lab.server.reports[0] = report('con_1', 'needs_reauth')
  await lab.time.advance(65_000)
  expect(seen).toEqual(['valid', 'needs_reauth'])
  stop()
  await lab.time.advance(31_000)
  forget(lab.server)
  await lab.time.advance(300_000)
  expect(lab.server.sent).toEqual([])
})

test('what a refresh reports reaches the watchers without another question', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'valid'), report('con_2', 'valid'))
  const seen: string[] = []
  client.connections.watchAll((all) => seen.push(all.map(({ status }) => status).join()))
  await lab.time.advance(1_000)
  lab.server.reports.splice(0, 2, report('con_1', 'expiring'))
  await client.refresh({ force: true })
  await settled()
  expect(seen).toEqual(['valid,valid', 'expiring,valid'])
})

test('connections are forgotten with the person they belong to', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'valid'))
  await client.connections.list()
  await client.signOut()
  await settled()
  expect(client.connections.known()).toBe(null)
})

test('an answer that comes after somebody else signed in tells nothing about who is here now', async () => {
  const lab = createBrowserLab()
  const jar = lab.server.signedIn()
  const held = gate()
  let holds = false
  const client = lab.page(jar, {
    fetch: async (input, init) => {
      const answer = await lab.server.fetchOf(jar)(input, init)
      if (!holds || !new Request(input, init).url.endsWith('token-status')) return answer
      holds = false
      await held.opened
      return answer
    },
  })
  await client.refresh()
  lab.server.reports.push(report('con_of_ana', 'valid'))
  const seen: string[] = []
  holds = true
  client.connections.watchAll((all) => seen.push(all.map(({ id }) => id).join()))
  await expect.poll(() => holds).toBe(false)
  lab.server.reports.splice(0, 1, report('con_of_bob', 'valid'))
  await client.signIn({ email: 'bob@example.com', password: 'right' })
  held.open()
  await settled()
  expect(seen).toEqual(['con_of_bob'])
  expect(client.connections.known()?.map(({ id }) => id)).toEqual(['con_of_bob'])
})

test('an answer that comes after a later one takes nothing back of what that one told', async () => {
  const lab = createBrowserLab()
  const jar = lab.server.signedIn()
  const held = gate()
  let holds = true
  const client = lab.page(jar, {
    fetch: async (input, init) => {
      const answer = await lab.server.fetchOf(jar)(input, init)
      if (!holds || !new Request(input, init).url.endsWith('token-status')) return answer
      holds = false
      await held.opened
      return answer
    },
  })
  await client.refresh()
  lab.server.reports.push(report('con_1', 'needs_reauth'))
  const late = client.connections.list()
  await expect.poll(() => holds).toBe(false)
  lab.server.reports.splice(0, 1, report('con_1', 'valid'))
  expect(await client.connections.list()).toMatchObject([{ status: 'valid' }])
  held.open()
  expect(await late).toMatchObject([{ status: 'valid' }])
  expect(client.connections.known()).toMatchObject([{ status: 'valid' }])
})

test('a refusal of the server is a typed error', async () => {
  const lab = createBrowserLab()
  const jar = lab.server.signedIn()
  const client = lab.page(jar, {
    fetch: async (input, init) => {
      const { url } = new Request(input, init)
      if (!url.endsWith('/reconnect')) return lab.server.fetchOf(jar)(input, init)
      return lab.server.problem(409, 'connection_revoked', { action: 'reconnect', needs_reauth: true, reconnect_url: 'https://auth.test/repair' })
    },
  })
  const { window } = stubWindows()
  const failure = await lab.time.run(client.connections.reconnect('con_1').catch((error: unknown) => error))
  expect(failure).toMatchObject({ name: 'ReconnectRequiredError', code: 'connection_revoked', reconnectUrl: 'https://auth.test/repair' })
  expect(window.close).toHaveBeenCalledOnce()
})

test('reconnect: the window opens in the click, the server says when it is done, and a window that looks closed is no end', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'needs_reauth'))
  const { window, open } = stubWindows()
  const steps: string[] = []
  await client.connections.list()
  const going = client.connections.reconnect('con_1', { onStep: (step) => steps.push(step) })
  expect(open).toHaveBeenCalledWith('about:blank', 'con_1', expect.not.stringContaining('noopener'))
  await lab.time.advance(60_000)
  expect(window).toMatchObject({ location: { href: 'https://auth.test/connect/x' }, opener: null })
  expect(steps).toEqual(['opening', 'waiting'])
  lab.server.reports[0] = report('con_1', 'valid')
  expect(await lab.time.run(going)).toMatchObject({ kind: 'done', connection: { status: 'valid' } })
  expect(window.close).toHaveBeenCalledOnce()
  expect(JSON.parse(lab.server.sent.find(({ url }) => url.endsWith('/reconnect'))?.body ?? '')).toEqual({ mode: 'link' })
})

test('reconnect: where a link alone proves nothing, the person signs in to Evergrant in the window', async () => {
  const lab = createBrowserLab()
  const jar = lab.server.signedIn()
  const modes: string[] = []
  const client = lab.page(jar, {
    fetch: async (input, init) => {
      const request = new Request(input, init)
      if (!request.url.endsWith('/reconnect')) return lab.server.fetchOf(jar)(input, init)
      const { mode } = await request.clone().json()
      modes.push(mode)
      return mode === 'link'
        ? Response.json({ status: 400, code: 'invalid_request', field: '/mode' }, { status: 400, headers: { 'content-type': 'application/problem+json' } })
        : Response.json({ id: 'cs_1', url: 'https://auth.test/connect/y' }, { status: 201 })
    },
  })
  lab.server.reports.push(report('con_1', 'needs_reauth'))
  const { window } = stubWindows()
  const going = client.connections.reconnect('con_1')
  await lab.time.advance(10_000)
  expect([modes, window.location.href]).toEqual([['link', 'signed_in'], 'https://auth.test/connect/y'])
  lab.server.reports[0] = report('con_1', 'valid')
  expect(await lab.time.run(going)).toMatchObject({ kind: 'done' })
})

test('reconnect: a connection that worked all the time is done when its flow is', async () => {
  const lab = createBrowserLab()
  const jar = lab.server.signedIn()
  let state = 'started'
  const asked: string[] = []
  const client = lab.page(jar, {
    fetch: (input, init) => {
      const { url } = new Request(input, init)
      if (url.endsWith('/reconnect')) return Promise.resolve(Response.json({ id: 'cs_1', url: 'https://auth.test/connect/x' }, { status: 201 }))
      if (!url.endsWith('/status')) return lab.server.fetchOf(jar)(input, init)
      asked.push(new URL(url).pathname)
      return Promise.resolve(Response.json({ id: 'cs_1', state }))
    },
  })
  lab.server.reports.push(report('con_1', 'valid'))
  const { window } = stubWindows()
  const steps: string[] = []
  await client.connections.list()
  const going = client.connections.reconnect('con_1', { onStep: (step) => steps.push(step) })
  await lab.time.advance(20_000)
  expect([steps, new Set(asked)]).toEqual([['opening', 'waiting'], new Set(['/api/v1/connect/sessions/cs_1/status'])])
  state = 'completed'
  expect(await lab.time.run(going)).toMatchObject({ kind: 'done', connection: { status: 'valid' } })
  expect(window.close).toHaveBeenCalledOnce()
})

test('reconnect: trouble while it waits is waited out', async () => {
  const lab = createBrowserLab()
  const jar = lab.server.signedIn()
  let broken = false
  const client = lab.page(jar, { fetch: (input, init) => (broken ? Promise.reject(new TypeError('Failed to fetch')) : lab.server.fetchOf(jar)(input, init)) })
  lab.server.reports.push(report('con_1', 'needs_reauth'))
  stubWindows()
  const going = client.connections.reconnect('con_1')
  await lab.time.advance(1_500)
  broken = true
  await lab.time.advance(60_000)
  broken = false
  lab.server.reports[0] = report('con_1', 'valid')
  expect(await lab.time.run(going)).toMatchObject({ kind: 'done' })
})

test('reconnect: a blocked window gives the address for this tab', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  stubWindows(false)
  expect(await client.connections.reconnect('con_1')).toEqual({ kind: 'blocked', url: 'https://auth.test/connect/x' })
})

test('reconnect: in this tab, on demand', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const { open } = stubWindows()
  const assign = vi.fn()
  vi.stubGlobal('location', { assign })
  await client.connections.reconnect('con_1', { target: 'tab', returnUrl: 'https://app.test/back' })
  expect(open).not.toHaveBeenCalled()
  expect(assign).toHaveBeenCalledWith('https://auth.test/connect/x')
  expect(JSON.parse(lab.server.sent.at(-1)?.body ?? '')).toEqual({ mode: 'link', return_url: 'https://app.test/back' })
})

test('reconnect: cancelling ends the wait and not the window, and a late success is seen by who watches', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'needs_reauth'))
  const { window } = stubWindows()
  const seen: (string | undefined)[] = []
  client.connections.watch('con_1', (connection) => seen.push(connection?.status))
  const abort = new AbortController()
  const going = client.connections.reconnect('con_1', { signal: abort.signal })
  await lab.time.advance(3_000)
  abort.abort()
  expect(await going).toEqual({ kind: 'cancelled' })
  expect(window.close).not.toHaveBeenCalled()
  lab.server.reports[0] = report('con_1', 'valid')
  await lab.time.advance(31_000)
  expect(seen).toEqual(['needs_reauth', 'valid'])
})

test('reconnect: after half an hour nobody waits any more', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'needs_reauth'))
  stubWindows()
  const going = client.connections.reconnect('con_1')
  await lab.time.advance(31 * 60_000)
  expect(await going).toEqual({ kind: 'expired' })
})

test('first uses share one load, and the page that uses nothing loads nothing', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'valid'))
  await client.fetch('https://api.test/orders')
  expect(network.loads).toBe(0)
  const stop = client.connections.watchAll(() => undefined)
  await Promise.all([client.connections.list(), client.connections.get('con_1'), client.connections.list()])
  expect(network.loads).toBe(1)
  stop()
})

test('what a refresh reported is known before anything more is loaded', async () => {
  const lab = createBrowserLab()
  lab.server.reports.push(report('con_1', 'valid'))
  const { client } = await lab.signedIn()
  const known = client.connections.known()
  expect([known?.map(({ id }) => id), network.loads]).toEqual([['con_1'], 0])
  await client.connections.list()
  expect(client.connections.known()).toBe(known)
  await client.signOut()
  await settled()
  expect(client.connections.known()).toBe(null)
})

test('a part that does not load is a typed error with its remedy, no window is left, and the next use tries again', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'valid'))
  const { window, open } = stubWindows()
  network.broken = true
  const failures = await Promise.all([client.connections.list(), client.connections.reconnect('con_1')].map((use) => use.catch((error: unknown) => error)))
  for (const failure of failures) {
    expect(isEvergrantError(failure)).toBe(true)
    expect(failure).toMatchObject({ status: 0, code: 'part_not_loaded', message: expect.stringContaining('reload the page'), cause: expect.any(TypeError) })
  }
  expect([network.loads, open.mock.calls.length, window.close.mock.calls.length]).toEqual([1, 0, 0])
  network.broken = false
  expect(await client.connections.list()).toHaveLength(1)
})

test('who watches before the part can be loaded is told as soon as it can', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.reports.push(report('con_1', 'needs_reauth'))
  const seen: (string | undefined)[] = []
  network.broken = true
  client.connections.watch('con_1', (connection) => seen.push(connection?.status))
  await lab.time.advance(25_000)
  expect(network.loads).toBe(3)
  network.broken = false
  await lab.time.advance(10_000)
  expect(seen).toEqual(['needs_reauth'])
})

test.each([true, false])('a client that is disposed of before the part is there asks nothing and waits for nothing (broken: %s)', async (broken) => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  network.broken = broken
  client.connections.watchAll(() => undefined)
  const stop = client.connections.watch('con_1', () => undefined)
  client.dispose()
  await settled()
  await lab.time.advance(60_000)
  stop()
  expect([lab.server.sent.length, lab.time.waiting()]).toEqual([0, 0])
  expect(network.loads).toBe(1)
})

test('dispose ends a watch that runs, and one that waits for its part', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  network.broken = true
  client.connections.watchAll(() => undefined)
  await lab.time.advance(1_000)
  network.broken = false
  const running = lab.page(lab.server.signedIn())
  running.connections.watchAll(() => undefined)
  await lab.time.advance(1_000)
  client.dispose()
  running.dispose()
  forget(lab.server)
  await lab.time.advance(120_000)
  expect(lab.server.sent).toEqual([])
})
