import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { cookieSession, createEvergrant, EvergrantError, installGlobalFetch, isEvergrantError, SignedOutError } from './index.ts'
import { createBrowserLab, recordEvents, times } from './testing/browser-lab.ts'
import { settled } from './testing/held-time.ts'
import { API, type Script } from './testing/strict-server.ts'

afterEach(() => vi.unstubAllGlobals())

test('signing in gives the person, and the session goes on', async () => {
  const lab = createBrowserLab()
  const client = lab.page()
  const events = recordEvents(client)
  expect(await client.signIn({ email: 'usr_eve@example.com', password: 'right' })).toMatchObject({ kind: 'signed_in', user: { id: 'usr_eve' } })
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  expect(events).toEqual(['signed_in', 'refreshed'])
  expect(JSON.parse(lab.server.sent[0]?.body ?? '')).toEqual({ email: 'usr_eve@example.com', password: 'right', mode: 'cookie' })
})

test('a second factor is asked for by type, and its answer signs in', async () => {
  const lab = createBrowserLab()
  const client = lab.page()
  const asked = await client.signIn({ email: 'usr_two@example.com', password: 'two' })
  expect(asked).toEqual({ kind: 'second_factor', ticket: 't1', methods: ['totp'] })
  if (asked.kind !== 'second_factor') throw new Error('unreachable')
  await expect(client.signIn({ ticket: asked.ticket, code: '000000' })).rejects.toMatchObject({ code: 'sign_in_refused' })
  expect(await client.signIn({ ticket: asked.ticket, code: '123456' })).toMatchObject({ kind: 'signed_in', user: { id: 'usr_two' } })
})

test('a sign-in that is refused, throttled or not answered changes nothing and says why', async () => {
  const lab = createBrowserLab()
  const client = lab.page()
  await expect(client.signIn({ email: 'a@example.com', password: 'wrong' })).rejects.toMatchObject({ code: 'sign_in_refused', status: 401, requestId: 'r1' })
  const proxied = lab.page(undefined, { fetch: async () => new Response('<html>', { status: 502 }) })
  await expect(proxied.signIn({ email: 'a@example.com', password: 'right' })).rejects.toMatchObject({ code: 'invalid_answer', status: 502 })
  const broken = lab.page(undefined, { fetch: () => Promise.reject(new TypeError('Failed to fetch')) })
  await expect(broken.signIn({ email: 'a@example.com', password: 'right' })).rejects.toMatchObject({ code: 'connection_failed', status: 0 })
  expect([client, proxied, broken].map((each) => each.getState().status)).toEqual(['unknown', 'unknown', 'unknown'])
})

test('signing out is at once here, and says when the server could not be told', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await client.signOut()
  expect(client.getState()).toMatchObject({ status: 'signed_out', code: 'session_signed_out', user: null })
  await expect(client.accessToken()).rejects.toBeInstanceOf(SignedOutError)
  const jar = lab.server.signedIn()
  const broken = lab.page(jar, {
    fetch: (input, init) => (String(input).endsWith('/logout') ? Promise.reject(new TypeError('Failed to fetch')) : lab.server.fetchOf(jar)(input, init)),
  })
  await broken.refresh()
  await expect(broken.signOut()).rejects.toMatchObject({ code: 'connection_failed' })
  expect(broken.getState().status).toBe('signed_out')
})

test('signing out the others keeps this one', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await client.signOut({ scope: 'others' })
  expect(client.getState().status).toBe('authenticated')
  expect(JSON.parse(lab.server.sent.at(-1)?.body ?? '')).toEqual({ scope: 'others' })
})

test('I14: the state is settled when handlers run, and the failure of one reaches no other', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const seen: string[] = []
  client.on('signed_out', () => {
    throw new Error('a handler of the application')
  })
  client.on('signed_out', () => seen.push(client.getState().status))
  client.subscribe(() => seen.push('changed'))
  const leaving = client.signOut()
  expect(seen).toEqual([])
  await leaving
  expect(seen).toEqual(['changed', 'signed_out'])
  expect(logged).toHaveBeenCalledOnce()
  logged.mockRestore()
})

test('the snapshot is the same object until something changes', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const before = client.getState()
  await lab.outcomes([client.fetch(`${API}/a`)])
  expect(client.getState()).toBe(before)
  await client.refresh({ force: true })
  expect(client.getState()).not.toBe(before)
})

test('whoever unsubscribed hears nothing more, and one function may listen twice', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  let heard = 0
  const listen = (): void => {
    heard += 1
  }
  const stops = [client.on('refreshed', listen), client.on('refreshed', listen)]
  stops[0]?.()
  await client.refresh({ force: true })
  await settled()
  expect(heard).toBe(1)
  // Also what was on its way already.
  stops[1]?.()
  client.on('refreshed', () => stops[2]?.())
  stops.push(client.on('refreshed', listen))
  await client.refresh({ force: true })
  await settled()
  expect(heard).toBe(1)
})

test('C70: handlers may fetch, refresh and sign out', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const statuses: number[] = []
  client.on('refreshed', () => {
    void client.fetch(`${API}/a`).then(({ status }) => {
      statuses.push(status)
      return client.signOut()
    })
  })
  lab.server.expireTokens()
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  await settled()
  expect(statuses).toEqual([200])
  expect(client.getState().status).toBe('signed_out')
})

test('I15: the page’s own fetch is touched only by installGlobalFetch, and given back', async () => {
  const lab = createBrowserLab()
  const before = globalThis.fetch
  const { client } = await lab.signedIn()
  expect(globalThis.fetch).toBe(before)
  const giveBack = installGlobalFetch(client)
  expect((await fetch(`${API}/a`)).status).toBe(200)
  giveBack()
  expect(globalThis.fetch).toBe(before)
})

test('I15: a client made without a fetch of its own does not call itself through the global one', async () => {
  const lab = createBrowserLab()
  vi.stubGlobal('fetch', lab.server.fetchOf(lab.server.signedIn()))
  const client = createEvergrant({ baseUrl: lab.server.urls.base, session: cookieSession(), origins: [API], clock: lab.time.clock })
  const giveBack = installGlobalFetch(client)
  expect((await fetch(`${API}/a`)).status).toBe(200)
  giveBack()
})

test('C72: the module loads and a client is made where there is no window, and two of them share nothing', () => {
  const index = fileURLToPath(new URL('./index.ts', import.meta.url))
  const program = `
    for (const name of ['navigator', 'BroadcastChannel', 'localStorage']) Object.defineProperty(globalThis, name, { get() { throw new Error(name) } })
    const { createEvergrant, bearerSession } = await import(${JSON.stringify(index)})
    const make = (id) => createEvergrant({ baseUrl: 'https://auth.test', session: bearerSession({ refreshToken: id }), fetch: async (url, init) => Response.json({
      access_token: 'at.' + JSON.parse(init.body).refresh_token, expires_in: 600, generation: 1, server_time: new Date().toISOString(), session: { id }, user: { id }, refresh_token: id }) })
    const [one, other] = [make('ana'), make('eve')]
    console.log(await one.accessToken(), await other.accessToken(), one.getState().user.id)`
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })).toBe('at.ana at.eve ana\n')
})

test('C73: two clients in one page are harmless', async () => {
  const lab = createBrowserLab()
  const jar = lab.server.signedIn()
  const [one, other] = [lab.page(jar), lab.page(jar)]
  expect(await lab.outcomes([one.fetch(`${API}/a`), other.fetch(`${API}/a`)])).toEqual([200, 200])
  expect(lab.server.counts.reuses).toBe(0)
})

test('C75: no token and no password is in the state, an event, an error or a text of the client', async () => {
  const lab = createBrowserLab()
  const { client, jar } = await lab.signedIn()
  const seen: unknown[] = []
  for (const name of ['signed_in', 'signed_out', 'refreshed', 'degraded', 'recovered', 'queued', 'replayed', 'refresh_ineffective'] as const)
    client.on(name, (detail) => seen.push(detail))
  const secrets = [await client.accessToken(), jar.cookie ?? '', 'pass-word-1']
  lab.server.expireTokens()
  const down: Script = () => new Response(null, { status: 503 })
  const refused: Script = (commit) => {
    commit()
    return lab.server.refusal('session_revoked', 'revoked')
  }
  const scripts = [down, refused]
  lab.server.onRefresh(...scripts)
  for (const _ of scripts) {
    seen.push(await lab.time.run(client.fetch(`${API}/a`).catch((error: unknown) => error)))
    await lab.time.advance(2_000)
  }
  seen.push(await client.signIn({ email: 'a@example.com', password: 'pass-word-1' }).catch((error: unknown) => error), client.getState(), String(client))
  const text = seen.map((value) => JSON.stringify(value) + (value instanceof Error ? `${value.stack}${JSON.stringify(value.cause)}` : '')).join('\n')
  for (const secret of secrets) expect(text).not.toContain(secret)
  expect(seen.length).toBeGreaterThan(6)
})

test('errors are recognised across copies of the package', async () => {
  vi.resetModules()
  const copy = await import('./index.ts')
  const foreign = new copy.SignedOutError({ code: 'session_expired', status: 401 })
  expect(foreign).not.toBeInstanceOf(EvergrantError)
  expect(isEvergrantError(foreign)).toBe(true)
  expect(foreign.name).toBe('SignedOutError')
  expect([new Error('x'), null, 'x', { code: 'x' }].map(isEvergrantError)).toEqual([false, false, false, false])
})

test('a token for a WebSocket is fresh, one for all who ask, and its wait can be ended', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const old = await client.accessToken()
  await lab.time.advance(599_000)
  const [one, ...others] = await Promise.all(times(5, () => client.accessToken()))
  expect(one).not.toBe(old)
  expect(new Set(others)).toEqual(new Set([one]))
  await lab.time.advance(599_000)
  const abort = new AbortController()
  const waiting = client.accessToken({ signal: abort.signal })
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
})
