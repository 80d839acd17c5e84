import { expect, test } from 'vitest'
import { createBrowserLab, forget, recordEvents, times } from './testing/browser-lab.ts'
import { settled } from './testing/held-time.ts'
import { API, gate, type Script } from './testing/strict-server.ts'

const cut: Script = () => {
  throw new TypeError('Failed to fetch')
}
/** The server's answer, and its cookie, never arrive. */
const lost: Script = (commit, jar) => {
  const before = jar.cookie
  commit()
  jar.cookie = before
  throw new TypeError('net::ERR_NETWORK_CHANGED')
}

test('I1: whoever asks during a refresh joins it', async () => {
  const lab = createBrowserLab()
  const client = lab.page(lab.server.signedIn())
  const results = await Promise.all([client.refresh(), client.refresh({ force: true }), client.accessToken(), client.refresh()])
  expect(results[0]).toEqual({ kind: 'ok', generation: 2 })
  expect(lab.server.counts.refreshes).toBe(1)
})

test('a refresh that is not due asks nobody, a forced one does', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  expect(await client.refresh()).toEqual({ kind: 'ok', generation: 2 })
  expect(lab.server.counts.refreshes).toBe(0)
  expect(await client.refresh({ force: true })).toEqual({ kind: 'ok', generation: 3 })
})

const terminal = ['session_missing', 'session_expired', 'session_signed_out', 'session_revoked', 'session_reuse_detected']
for (const code of terminal) {
  test(`C24 and I4: ${code} signs out, once, with one event`, async () => {
    const lab = createBrowserLab()
    const ends: string[] = []
    const { client } = await lab.signedIn({ onSignedOut: (detail) => ends.push(detail.code) })
    lab.server.expireTokens()
    lab.server.onRefresh(() => lab.server.refusal(code, 'revoked'))
    expect(await lab.outcomes(times(5, () => client.fetch(`${API}/a`)))).toEqual(times(5, () => 'SignedOutError'))
    await settled()
    expect(ends).toEqual([code])
    expect(client.getState()).toMatchObject({ status: 'signed_out', code, user: null })
  })
}

const trouble: readonly (readonly [string, Script])[] = [
  ['C20: a connection that breaks', cut],
  ['C20: a connection that breaks after the server committed', lost],
  ['C21: 500', () => new Response('oops', { status: 500 })],
  ['C21: 502 of a proxy', () => new Response('<html>Bad gateway</html>', { status: 502 })],
  ['C21: 503', () => new Response(null, { status: 503 })],
  ['C21: 504', () => new Response(null, { status: 504 })],
  ['C21: 525 of a CDN', () => new Response(null, { status: 525 })],
  ['C22: 429', () => new Response(null, { status: 429, headers: { 'retry-after': '9' } })],
  ['C23: 403 with a page of a firewall', () => new Response('<html>Access denied</html>', { status: 403 })],
  ['403 in JSON', () => Response.json({ code: 'forbidden' }, { status: 403 })],
  ['401 of a proxy, in HTML', () => new Response('<html>Log in</html>', { status: 401 })],
  ['401 with a code that is not on the list', () => Response.json({ code: 'unauthenticated' }, { status: 401 })],
  ['a code of the list with another status', () => Response.json({ code: 'session_revoked' }, { status: 400 })],
  ['404 during a deployment', () => new Response(null, { status: 404 })],
  ['200 of a captive portal', () => new Response('<html>Welcome</html>')],
]
for (const [what, script] of trouble) {
  test(`${what} at the refresh signs nobody out, and heals by itself`, async () => {
    const lab = createBrowserLab()
    const { client } = await lab.signedIn()
    lab.server.expireTokens()
    // Twice, because a broken connection is tried a second time at once.
    lab.server.onRefresh(script, script)
    const [outcome] = await lab.outcomes([client.fetch(`${API}/a`)])
    expect(['RefreshUnavailableError', 'ConfigurationError']).toContain(outcome)
    expect(client.getState()).toMatchObject({ status: 'degraded', user: { id: 'usr_ana' } })
    await lab.time.advance(61_000)
    lab.server.onRefresh()
    for (let call = 0; call < 2 && client.getState().status !== 'authenticated'; call += 1) {
      await lab.outcomes([client.fetch(`${API}/a`)])
      await lab.time.advance(61_000)
    }
    expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
    expect(lab.server.counts.reuses).toBe(0)
  })
}

test('I4: degraded and recovered are each said once', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const events = recordEvents(client)
  lab.server.onRefresh(...times(3, (): Script => () => new Response(null, { status: 503 })))
  for (let call = 0; call < 4; call += 1) {
    await lab.time.run(client.refresh({ force: true }))
    await lab.time.advance(10_000)
  }
  expect(events).toEqual(['degraded', 'refreshed', 'recovered'])
})

test('C29: a lost answer heals inside the same wait, and nobody notices', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  lab.server.onRefresh(lost)
  expect(await lab.outcomes([client.fetch(`${API}/a`), client.fetch(`${API}/b`)])).toEqual([200, 200])
  expect(lab.server.counts).toMatchObject({ refreshes: 2, replays: 1, reuses: 0 })
  expect(client.getState().status).toBe('authenticated')
})

test('a lost answer heals an hour later as well', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  lab.server.onRefresh(lost, lost)
  await lab.outcomes([client.fetch(`${API}/a`)])
  lab.time.sleep(3_600_000)
  await lab.time.advance(2_000)
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.counts.reuses).toBe(0)
})

test('C26 and I5: a refresh that hangs ends after its own 10 s and lets the queue go', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  lab.server.onRefresh(() => new Promise(() => {}))
  const outcome = client.fetch(`${API}/a`).catch((error: Error) => error.name)
  await lab.time.advance(9_900)
  expect(client.getState().status).toBe('refreshing')
  await lab.time.advance(200)
  expect(await outcome).toBe('RefreshUnavailableError')
  expect(client.getState()).toMatchObject({ status: 'degraded', user: { id: 'usr_ana' } })
})

test('C10 and I7: fifty calls during an outage cost one refresh for each pause, and the pauses grow to a minute', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  lab.server.onRefresh(...times(50, (): Script => () => new Response(null, { status: 503 })))
  const refreshes = (): number => lab.server.sent.filter(({ url }) => url.endsWith('/auth/refresh')).length
  for (let call = 0; call < 50; call += 1) expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual(['RefreshUnavailableError'])
  expect(refreshes()).toBe(1)
  const pauses: number[] = []
  for (let round = 0; round < 9; round += 1) {
    const { retryAt } = client.getState()
    pauses.push((retryAt?.getTime() ?? 0) - lab.time.now())
    await lab.time.advance(pauses.at(-1) ?? 0)
    await lab.outcomes([client.fetch(`${API}/a`)])
  }
  expect(refreshes()).toBe(10)
  // With the draw held in the middle: three quarters of 1, 2, 4 ... 60 s.
  expect(pauses).toEqual([750, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000])
})

test('I7: during the pause a token that is still good is sent', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.onRefresh(() => new Response(null, { status: 503 }))
  await client.refresh({ force: true })
  expect(client.getState().status).toBe('degraded')
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  expect(await client.accessToken()).toMatch(/^at\./)
})

test('C22: what the server asked to wait is waited, even by force; our own pause is not', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.onRefresh(() => new Response(null, { status: 429, headers: { 'retry-after': '20' } }))
  const first = await client.refresh({ force: true })
  expect(first).toMatchObject({ kind: 'transient', retryAt: new Date(lab.time.now() + 20_000) })
  await lab.time.advance(19_000)
  expect(await client.refresh({ force: true })).toEqual(first)
  await lab.time.advance(1_001)
  lab.server.onRefresh(() => new Response(null, { status: 503 }))
  expect(await client.refresh({ force: true })).toMatchObject({ kind: 'transient' })
  expect(await client.refresh({ force: true })).toMatchObject({ kind: 'ok' })
})

test('a Retry-After may be a date, and is never believed for longer than an hour', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const wait = async (header: string): Promise<number> => {
    lab.server.onRefresh(() => new Response(null, { status: 503, headers: { 'retry-after': header } }))
    const result = await client.refresh({ force: true })
    const retryAt = result.kind === 'transient' ? result.retryAt.getTime() : 0
    const ms = retryAt - lab.time.now()
    await lab.time.advance(ms + 1)
    return ms
  }
  expect(await wait(new Date(lab.time.now() + 30_000).toUTCString())).toBe(30_000)
  expect(await wait('31536000')).toBe(3_600_000)
  expect(await wait('soon')).toBeLessThan(60_000)
})

test('C11: a success ends the pause, and so does signing in', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.onRefresh(() => new Response(null, { status: 503, headers: { 'retry-after': '600' } }))
  await client.refresh({ force: true })
  await client.signIn({ email: 'usr_eve@example.com', password: 'right' })
  lab.server.expireTokens()
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
})

test('C12: ten refreshes in half a minute are enough, and later it goes on', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await lab.time.advance(31_000)
  const kinds: string[] = []
  for (let call = 0; call < 12; call += 1) kinds.push((await client.refresh({ force: true })).kind)
  expect(kinds).toEqual([...times(10, () => 'ok'), 'transient', 'transient'])
  expect(lab.server.counts.refreshes).toBe(10)
  await lab.time.advance(30_000)
  expect(await client.refresh({ force: true })).toMatchObject({ kind: 'ok' })
})

test('C08: a refresh that gives the same session again says so and does not loop', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const events = recordEvents(client)
  lab.server.expireTokens()
  let stale: Response | undefined
  lab.server.onRefresh(
    (commit) => {
      stale = commit()
      return stale.clone()
    },
    () => stale?.clone() ?? new Response(),
  )
  await lab.outcomes([client.fetch(`${API}/a`)])
  lab.server.expireTokens()
  forget(lab.server)
  expect(await lab.outcomes([client.fetch(`${API}/a`), client.fetch(`${API}/b`)])).toEqual(['ConfigurationError', 'ConfigurationError'])
  expect(lab.server.sent.filter(({ url }) => url.endsWith('/auth/refresh'))).toHaveLength(1)
  expect(events).toContain('refresh_ineffective')
  expect(client.getState().status).toBe('degraded')
})

const stripped = ['access_token', 'expires_in', 'generation', 'session', 'user']
for (const member of stripped) {
  test(`C09: an answer without ${member} is a configuration error, and no loop`, async () => {
    const lab = createBrowserLab()
    const { client } = await lab.signedIn()
    lab.server.expireTokens()
    lab.server.onRefresh(async (commit) => {
      const { [member]: _, ...rest } = await commit().json()
      return Response.json(rest)
    })
    const failure = await lab.time.run(client.fetch(`${API}/a`).catch((error: unknown) => error))
    expect(failure).toMatchObject({ name: 'ConfigurationError', code: 'refresh_ineffective', action: 'contact_admin' })
    expect(lab.server.sent.filter(({ url }) => url.endsWith('/auth/refresh'))).toHaveLength(1)
    expect(client.getState().user?.id).toBe('usr_ana')
  })
}

test('I10: the refresh survives its page, goes with cookies, past caches, and follows no redirect', async () => {
  const lab = createBrowserLab()
  const seen: (RequestInit | undefined)[] = []
  const jar = lab.server.signedIn()
  const client = lab.page(jar, {
    fetch: (input, init) => {
      seen.push(init)
      return lab.server.fetchOf(jar)(input, init)
    },
  })
  await client.refresh()
  expect(seen[0]).toMatchObject({ method: 'POST', keepalive: true, credentials: 'include', cache: 'no-store', redirect: 'error' })
  expect(lab.server.sent[0]?.headers.get('evergrant-client')).toBe('1')
})

test('C56 and I11: what a refresh brings after sign-out is dropped, and nobody is signed in again', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const events = recordEvents(client)
  const held = gate()
  lab.server.onRefresh(async (commit) => {
    const late = commit()
    await held.opened
    return late
  })
  const refreshing = client.refresh({ force: true })
  await settled()
  const leaving = client.signOut()
  held.open()
  expect(await refreshing).toEqual({ kind: 'rejected', code: 'session_signed_out' })
  await leaving
  expect(client.getState()).toMatchObject({ status: 'signed_out', code: 'session_signed_out', user: null })
  expect(events.filter((name) => name === 'signed_out')).toHaveLength(1)
  expect(events).not.toContain('refreshed')
})

test('an old session’s refusal does not touch the session that was opened meanwhile', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const held = gate()
  lab.server.onRefresh(async () => {
    await held.opened
    return lab.server.refusal('session_expired', 'revoked')
  })
  const refreshing = client.refresh({ force: true })
  await settled()
  await client.signIn({ email: 'usr_eve@example.com', password: 'right' })
  held.open()
  expect(await refreshing).toMatchObject({ kind: 'ok' })
  expect(client.getState()).toMatchObject({ status: 'authenticated', user: { id: 'usr_eve' } })
})

test('C25: a renewal ahead of time that fails leaves a good token in use until its real end', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await lab.time.advance(545_000)
  lab.server.onRefresh(() => Response.json({ code: 'forbidden' }, { status: 403, headers: { 'retry-after': '30' } }))
  expect(await lab.outcomes([client.fetch(`${API}/a`), client.fetch(`${API}/b`)])).toEqual([200, 200])
  await lab.time.advance(20_000)
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.counts).toMatchObject({ refreshes: 0, refused: 0 })
})
