import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from './clock.ts'
import { createBrowserLab, forget, recordEvents, times } from './testing/browser-lab.ts'
import { type FakePlatform, stubPlatform } from './testing/fake-platform.ts'
import { settled } from './testing/held-time.ts'
import { API, type Script } from './testing/strict-server.ts'

let platform: FakePlatform
beforeEach(() => {
  platform = stubPlatform({ page: true })
})
afterEach(() => void vi.unstubAllGlobals())

const MINUTE = 60_000
const offline = (): void => {
  vi.stubGlobal('navigator', { onLine: false })
}
const online = (): void => {
  vi.stubGlobal('navigator', { onLine: true })
  platform.dispatch('online')
}
const cut: Script = () => {
  throw new TypeError('Failed to fetch')
}

test('I12 and I13: a page that is seen renews its token a tenth of its life, and a little drawn, before its end', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await lab.time.advance(536_000)
  expect(lab.server.counts.refreshes).toBe(0)
  await lab.time.advance(2_000)
  expect(lab.server.counts.refreshes).toBe(1)
  await lab.time.advance(30 * MINUTE)
  expect(lab.server.counts.refreshes).toBe(4)
  expect(client.getState().status).toBe('authenticated')
})

test('C44: a hidden page renews nothing until it is used or seen', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  platform.page.hidden = true
  platform.dispatch('visibilitychange')
  await lab.time.advance(60 * MINUTE)
  expect(lab.server.counts.refreshes).toBe(0)
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.counts).toMatchObject({ refreshes: 1, refused: 0 })
  await lab.time.advance(60 * MINUTE)
  platform.page.hidden = false
  platform.dispatch('visibilitychange')
  await settled()
  expect(lab.server.counts.refreshes).toBe(2)
})

for (const by of [60 * MINUTE, -60 * MINUTE, 10 * MINUTE, -10 * MINUTE]) {
  test(`C40: a device clock that is ${by / MINUTE} minutes off causes no storm and sends no expired token`, async () => {
    const lab = createBrowserLab()
    lab.time.setClock(by)
    const { client } = await lab.signedIn()
    expect(client.getState().clockSkewMs).toBe(-by)
    for (let call = 0; call < 20; call += 1) {
      await lab.time.advance(MINUTE)
      expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
    }
    expect(lab.server.counts).toMatchObject({ refreshes: 2, refused: 0 })
  })

  test(`C41 and I12: a device clock that is set by ${by / MINUTE} minutes costs one refresh at most`, async () => {
    const lab = createBrowserLab()
    const { client } = await lab.signedIn()
    lab.time.setClock(by)
    expect(await lab.outcomes(times(5, () => client.fetch(`${API}/a`)))).toEqual(times(5, () => 200))
    expect(lab.server.counts.refreshes).toBeLessThanOrEqual(1)
    expect(lab.server.counts.refused).toBe(0)
    platform.page.hidden = true
    await lab.time.advance(11 * MINUTE)
    expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
    expect(lab.server.counts.refused).toBe(0)
  })
}

test('C42 and I12: after a sleep that stopped the timers the first request costs one refresh, and no 401', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.time.sleep(8 * 60 * MINUTE)
  expect(await lab.outcomes(times(10, () => client.fetch(`${API}/a`)))).toEqual(times(10, () => 200))
  expect(lab.server.counts).toMatchObject({ refreshes: 1, refused: 0 })
})

test('C31: a network that is back only seconds after the wake signs nobody out', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const events = recordEvents(client)
  lab.time.sleep(8 * 60 * MINUTE)
  lab.server.onRefresh(cut, cut, cut)
  platform.dispatch('visibilitychange')
  await lab.time.advance(3_000)
  platform.dispatch('focus')
  await lab.time.advance(10_000)
  expect(client.getState()).toMatchObject({ status: 'authenticated', user: { id: 'usr_ana' } })
  expect(events).not.toContain('signed_out')
  expect(events.filter((name) => name === 'refreshed')).toHaveLength(1)
})

test('C30: offline at the start is offline and not signed out, and one refresh mends it', async () => {
  offline()
  const lab = createBrowserLab()
  const client = lab.page(lab.server.signedIn())
  lab.server.onRefresh(cut, cut)
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual(['RefreshUnavailableError'])
  expect(client.getState().status).toBe('offline')
  forget(lab.server)
  online()
  await settled()
  expect(client.getState()).toMatchObject({ status: 'authenticated', user: { id: 'usr_ana' } })
  expect(lab.server.counts.refreshes).toBe(1)
})

test('an outage is over for a page that is seen without anybody asking', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.onRefresh(...times(4, (): Script => () => new Response(null, { status: 503 })))
  await client.refresh({ force: true })
  await lab.time.advance(MINUTE)
  expect(client.getState().status).toBe('authenticated')
})

test('pain 4: no delay of nothing, however long the trouble lasts', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.onRefresh(...times(500, () => cut))
  await lab.time.run(client.refresh({ force: true }))
  await lab.time.advance(60 * MINUTE)
  const asked = lab.server.sent.filter(({ url }) => url.endsWith('/auth/refresh')).length
  expect(asked).toBeGreaterThan(20)
  expect(asked).toBeLessThan(250)
})

test('C46: the timer follows the life of the token that is held', async () => {
  const lab = createBrowserLab({ lifetimeSeconds: 200 })
  const jar = lab.server.signedIn()
  const client = lab.page(jar)
  const lives = [60, 200, 60]
  lab.server.onRefresh(
    ...lives.map(
      (expires_in): Script =>
        async (commit) =>
          Response.json({ ...(await commit().json()), expires_in }),
    ),
  )
  await client.refresh()
  const renewedAt: number[] = []
  const start = lab.time.now()
  client.on('refreshed', () => renewedAt.push(Math.round((lab.time.now() - start) / 1000)))
  await lab.time.advance(5 * MINUTE)
  // Half of 60 s; then 200 s less 31.5; then half of 60 s.
  expect(renewedAt.slice(0, 3)).toEqual([30, 199, 229])
  expect(lab.time.waiting()).toBe(1)
})

test('a very short life is renewed at its half, and not for ever', async () => {
  const lab = createBrowserLab({ lifetimeSeconds: 10 })
  const { client } = await lab.signedIn()
  for (let call = 0; call < 20; call += 1) {
    await lab.time.advance(1_000)
    await lab.outcomes([client.fetch(`${API}/a`)])
  }
  expect(lab.server.counts.refreshes).toBeLessThanOrEqual(5)
  expect(lab.server.counts.refused).toBe(0)
})

test('C43: a delay above what browsers count is not a delay of nothing', async () => {
  const waits: number[] = []
  vi.stubGlobal('setTimeout', (_task: unknown, ms: number) => waits.push(ms))
  systemClock.after(90 * 24 * 60 * MINUTE, () => {})
  expect(waits).toEqual([2 ** 31 - 1])
})

test('C59: a page that comes back from the cache of the back button asks who is signed in', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  platform.dispatch('pageshow')
  await settled()
  expect(lab.server.counts.refreshes).toBe(0)
  lab.server.endAll('session_signed_out')
  platform.dispatch('pageshow', { persisted: true })
  await settled()
  expect(client.getState()).toMatchObject({ status: 'signed_out', code: 'session_signed_out' })
})

test('C74: a first look by a stranger is no event, a protected call is one', async () => {
  const lab = createBrowserLab()
  const client = lab.page()
  const events = recordEvents(client)
  expect(await client.refresh()).toEqual({ kind: 'rejected', code: 'session_missing' })
  platform.dispatch('focus')
  await settled()
  expect(client.getState()).toMatchObject({ status: 'signed_out', code: 'session_missing' })
  expect(events).toEqual([])
  expect(await lab.outcomes([client.fetch(`${API}/public`)])).toEqual([200])
  expect(await lab.outcomes([client.fetch(`${API}/a`), client.fetch(`${API}/b`)])).toEqual(['SignedOutError', 'SignedOutError'])
  await settled()
  expect(events).toEqual(['signed_out'])
  expect(lab.server.counts.refreshes).toBe(1)
})

test('C71: dispose ends timers, listeners and channels, twice as well, and signs nobody out', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn({ coordination: 'auto' })
  const events = recordEvents(client)
  client.dispose()
  client.dispose()
  expect(lab.time.waiting()).toBe(0)
  platform.dispatch('focus')
  await lab.time.advance(60 * MINUTE)
  expect(lab.server.counts.refreshes).toBe(0)
  expect(events).toEqual([])
  {
    using scoped = (await lab.signedIn()).client
    expect(scoped.getState().status).toBe('authenticated')
  }
  expect(lab.time.waiting()).toBe(0)
})
