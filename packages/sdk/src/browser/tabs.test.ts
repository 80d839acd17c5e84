import { afterEach, expect, test, vi } from 'vitest'
import type { Evergrant } from './create.ts'
import { type BrowserLab, createBrowserLab, forget, recordEvents, times } from './testing/browser-lab.ts'
import { stubPlatform } from './testing/fake-platform.ts'
import { settled } from './testing/held-time.ts'
import { API, gate, type Jar } from './testing/strict-server.ts'

afterEach(() => vi.unstubAllGlobals())

/** Tabs of one browser, signed in, each with its token expired. */
async function tabsOf(lab: BrowserLab, count: number): Promise<{ readonly jar: Jar; readonly tabs: readonly Evergrant[] }> {
  const jar = lab.server.signedIn()
  const tabs = times(count, () => lab.page(jar, { coordination: 'auto' }))
  for (const tab of tabs) await lab.time.run(tab.refresh())
  await settled()
  lab.server.expireTokens()
  forget(lab.server)
  return { jar, tabs }
}

test('C50 and I1: five tabs with five requests each cost one refresh where there are locks', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 5)
  const outcomes = await lab.outcomes(tabs.flatMap((tab) => times(5, () => tab.fetch(`${API}/a`))))
  expect(outcomes).toEqual(times(25, () => 200))
  expect(lab.server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
})

test('C50 and I1: without locks, channel and storage all twenty-five are answered, because the server replays', async () => {
  stubPlatform({ locks: false, channels: false, storage: false })
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 5)
  const outcomes = await lab.outcomes(tabs.flatMap((tab) => times(5, () => tab.fetch(`${API}/a`))))
  expect(outcomes).toEqual(times(25, () => 200))
  expect(lab.server.counts.refreshes).toBeLessThanOrEqual(5)
  expect(lab.server.counts.reuses).toBe(0)
})

test('C14: two clients of one page share the refresh', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 2)
  await lab.outcomes(tabs.map((tab) => tab.fetch(`${API}/a`)))
  expect(lab.server.counts.refreshes).toBe(1)
})

test('C45: windows side by side renew ahead of time once', async () => {
  stubPlatform({ page: true })
  const lab = createBrowserLab()
  await tabsOf(lab, 4)
  await lab.time.advance(560_000)
  expect(lab.server.counts.refreshes).toBe(1)
})

test('C53 and I9: a lock that is never given back costs five seconds, and is not stolen', async () => {
  const platform = stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 1)
  platform.hangLock('any')
  const answer = tabs[0]!.fetch(`${API}/a`).then(({ status }) => status)
  await lab.time.advance(4_900)
  expect(lab.server.counts.refreshes).toBe(0)
  await lab.time.advance(600)
  expect(await answer).toBe(200)
  expect(platform.locks()).toBe(1)
})

test('I9 and C59: no lock is held when nothing is refreshed', async () => {
  const platform = stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 2)
  await lab.outcomes(tabs.map((tab) => tab.fetch(`${API}/a`)))
  expect(platform.locks()).toBe(0)
})

test('C70: handlers run after the lock is given back, and may call anything', async () => {
  const platform = stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 1)
  const held: number[] = []
  const done = gate()
  tabs[0]!.on('refreshed', async () => {
    held.push(platform.locks())
    if (held.length === 1) await tabs[0]!.refresh({ force: true })
    else await tabs[0]!.signOut()
    if (held.length === 2) done.open()
  })
  await lab.outcomes([tabs[0]!.fetch(`${API}/a`)])
  await lab.time.run(done.opened)
  expect(tabs[0]!.getState().status).toBe('signed_out')
})

test('C54: signing out in one tab signs the others out, and each says so once', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 3)
  const events = tabs.map(recordEvents)
  await tabs[0]!.signOut()
  await settled()
  expect(tabs.map((tab) => tab.getState().status)).toEqual(times(3, () => 'signed_out'))
  expect(events.map((seen) => seen.filter((name) => name === 'signed_out').length)).toEqual([1, 1, 1])
  expect(lab.server.counts.logouts).toBe(1)
})

test('C54: a tab that heard nothing learns of the sign-out when it is looked at', async () => {
  const platform = stubPlatform({ channels: false, page: true })
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 2)
  await tabs[0]!.signOut()
  await settled()
  expect(tabs[1]!.getState().status).toBe('authenticated')
  platform.dispatch('focus')
  expect(tabs[1]!.getState()).toMatchObject({ status: 'signed_out', code: 'session_signed_out' })
})

test('I11: the storage event stands in for the channel', async () => {
  const platform = stubPlatform({ channels: false, page: true })
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 2)
  await tabs[0]!.signIn({ email: 'usr_eve@example.com', password: 'right' })
  platform.dispatch('storage')
  await lab.time.advance(300)
  expect(tabs[1]!.getState()).toMatchObject({ status: 'authenticated', user: { id: 'usr_eve' } })
})

test('C55: somebody else signs in in one tab, and the others follow and say so', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 3)
  const events = recordEvents(tabs[2]!)
  await tabs[0]!.signIn({ email: 'usr_eve@example.com', password: 'right' })
  await settled()
  expect(tabs.map((tab) => tab.getState().user?.id)).toEqual(times(3, () => 'usr_eve'))
  expect(events).toContain('signed_in')
  expect(await lab.outcomes([tabs[2]!.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.counts.refreshes).toBe(0)
})

test('C57: an older generation, an older epoch and nonsense on the channel change nothing', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 1)
  const heard: unknown[] = []
  const spy = new BroadcastChannel('evergrant:https://auth.test/api/v1/')
  spy.addEventListener('message', ({ data }) => heard.push(data))
  await tabs[0]!.refresh({ force: true })
  await settled()
  await tabs[0]!.refresh({ force: true })
  await settled()
  const before = tabs[0]!.getState()
  const [older] = heard as { epoch: number }[]
  for (const message of [
    older,
    { ...older, epoch: -1 },
    null,
    'x',
    7,
    [],
    { answer: {} },
    { answer: { access_token: 1 }, left: 1 },
    { out: 'session_revoked', epoch: -1 },
  ])
    spy.postMessage(message)
  await settled()
  expect(tabs[0]!.getState()).toBe(before)
})

test('C57: a channel that throws costs nothing but the message', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  vi.spyOn(BroadcastChannel.prototype, 'postMessage').mockImplementation(() => {
    throw new DOMException('closed', 'InvalidStateError')
  })
  const client = lab.page(lab.server.signedIn(), { coordination: 'auto' })
  expect(await lab.time.run(client.refresh())).toMatchObject({ kind: 'ok' })
})

for (const missing of ['locks', 'channels', 'storage'] as const) {
  test(`C58: without ${missing} everything goes on`, async () => {
    stubPlatform({ [missing]: false })
    const lab = createBrowserLab()
    const { tabs } = await tabsOf(lab, 3)
    expect(await lab.outcomes(tabs.map((tab) => tab.fetch(`${API}/a`)))).toEqual([200, 200, 200])
    expect(lab.server.counts.reuses).toBe(0)
  })
}

test('C51 and C52: a tab that dies during its refresh takes nobody with it', async () => {
  stubPlatform({ locks: false })
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 2)
  // The server commits, and the browser that asked is gone: the cookie of the answer never arrives.
  lab.server.onRefresh((commit, jar) => {
    const before = jar.cookie
    commit()
    jar.cookie = before
    return new Promise(() => {})
  })
  tabs[0]!.fetch(`${API}/a`).catch(() => {})
  await settled()
  tabs[0]!.dispose()
  expect(await lab.outcomes([tabs[1]!.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.counts).toMatchObject({ reuses: 0, replays: 1 })
})

test('a session that the server ended ends in every tab that shares it, and in no other', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { tabs, jar } = await tabsOf(lab, 2)
  lab.server.onRefresh(() => lab.server.refusal('session_revoked', 'revoked'))
  await lab.time.run(tabs[0]!.refresh({ force: true }))
  await settled()
  expect(tabs[1]!.getState()).toMatchObject({ status: 'signed_out', code: 'session_revoked' })
  const later = lab.page(jar, { coordination: 'auto' })
  await later.signIn({ email: 'usr_eve@example.com', password: 'right' })
  await settled()
  expect(tabs.map((tab) => tab.getState().user?.id)).toEqual(['usr_eve', 'usr_eve'])
})

test('C16 of the pains: a tab tells what it has, and a message makes nobody ask the server', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 10)
  await lab.time.run(tabs[0]!.refresh({ force: true }))
  await lab.time.advance(1_000)
  expect(lab.server.counts.refreshes).toBe(1)
  expect(new Set(await Promise.all(tabs.map((tab) => tab.accessToken()))).size).toBe(1)
})

test('an answer that another tab has overtaken is no trouble', async () => {
  stubPlatform({ locks: false })
  const lab = createBrowserLab()
  const { tabs } = await tabsOf(lab, 2)
  const events = recordEvents(tabs[1]!)
  const held = gate()
  lab.server.onRefresh(async (commit) => {
    const late = commit()
    await held.opened
    return late
  })
  const slow = tabs[1]!.refresh({ force: true })
  await settled()
  // Another tab is quicker, and tells.
  await tabs[0]!.refresh({ force: true })
  await settled()
  held.open()
  expect(await slow).toMatchObject({ kind: 'ok' })
  expect(events).not.toContain('refresh_ineffective')
  expect(tabs[1]!.getState().status).toBe('authenticated')
})

test('a page that opens after a sign-in knows of it, and asks nobody again when it is looked at', async () => {
  const platform = stubPlatform({ page: true })
  const lab = createBrowserLab()
  const { tabs, jar } = await tabsOf(lab, 1)
  await tabs[0]!.signIn({ email: 'usr_eve@example.com', password: 'right' })
  const later = lab.page(jar, { coordination: 'auto' })
  await lab.time.run(later.refresh())
  forget(lab.server)
  platform.dispatch('focus')
  await lab.time.advance(1_000)
  expect(lab.server.counts.refreshes).toBe(0)
})

test('C42 and I12: a frozen tab that is told late of a token does not send it past its end', async () => {
  stubPlatform()
  const lab = createBrowserLab()
  const { jar, tabs } = await tabsOf(lab, 1)
  const hear: ((message: unknown) => void)[] = []
  const frozen = lab.page(jar, {
    coordination: {
      exclusive: (work) => work(false),
      post: () => {},
      listen: (handler) => void hear.push(handler),
      read: () => null,
      write: () => {},
      close: () => {},
    },
  })
  await lab.time.run(frozen.refresh())
  const waiting: unknown[] = []
  new BroadcastChannel('evergrant:https://auth.test/api/v1/').addEventListener('message', ({ data }) => waiting.push(data))
  await lab.time.run(tabs[0]!.refresh({ force: true }))
  await settled()
  expect(waiting).toHaveLength(1)
  // It is thawed eleven minutes later, and what was said meanwhile reaches it then.
  lab.time.sleep(11 * 60_000)
  for (const message of waiting) for (const handler of hear) handler(message)
  forget(lab.server)
  expect(await lab.outcomes([frozen.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.counts).toMatchObject({ refused: 0, refreshes: 1 })
})
