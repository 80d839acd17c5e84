import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bearerSession } from './branch.ts'
import type { Evergrant } from './create.ts'
import { type BrowserLab, createBrowserLab, forget, times } from './testing/browser-lab.ts'
import { stubPlatform } from './testing/fake-platform.ts'
import { settled } from './testing/held-time.ts'
import { API } from './testing/strict-server.ts'

beforeEach(() => void stubPlatform())
afterEach(() => vi.unstubAllGlobals())

let draws = 0
/** Each tab draws a number of its own. */
const draw = (): number => {
  draws += 0.001
  return draws % 1
}
const tabOf = (lab: BrowserLab, options: { readonly refreshToken?: string } = {}): Evergrant =>
  lab.page(undefined, { session: bearerSession(options), coordination: 'auto', clock: { ...lab.time.clock, random: draw } })

async function signedIn(lab: BrowserLab): Promise<Evergrant> {
  const tab = tabOf(lab)
  await tab.signIn({ email: 'usr_ana@example.com', password: 'right' })
  forget(lab.server)
  return tab
}

test('bearer: the refresh credential is in memory alone, and travels in the body without cookies', async () => {
  const lab = createBrowserLab()
  const tab = await signedIn(lab)
  expect(await tab.refresh({ force: true })).toMatchObject({ kind: 'ok', generation: 2 })
  expect(await tab.refresh({ force: true })).toMatchObject({ kind: 'ok', generation: 3 })
  expect(lab.server.sent.map(({ credentials }) => credentials)).toEqual(['omit', 'omit'])
  expect(JSON.stringify([...stubPlatform().storage])).toBe('[]')
})

test('bearer: a new tab gets a session of its own from one of the others, and nothing is spent twice', async () => {
  const lab = createBrowserLab()
  const first = await signedIn(lab)
  const second = tabOf(lab)
  expect(await lab.outcomes([second.fetch(`${API}/a`)])).toEqual([200])
  const third = tabOf(lab)
  expect(await lab.outcomes([third.fetch(`${API}/a`)])).toEqual([200])
  // Two tabs could have given, one did.
  expect(lab.server.counts).toMatchObject({ branches: 2, refreshes: 0, reuses: 0 })
  expect(new Set([first, second, third].map((tab) => tab.getState().session?.id)).size).toBe(3)
  lab.server.expireTokens()
  expect(await lab.outcomes([first, second, third].flatMap((tab) => times(5, () => tab.fetch(`${API}/a`))))).toEqual(times(15, () => 200))
  expect(lab.server.counts).toMatchObject({ refreshes: 3, reuses: 0 })
})

test('bearer: a tab that is alone is signed out after a third of a second, quietly', async () => {
  const lab = createBrowserLab()
  const tab = tabOf(lab)
  const start = lab.time.now()
  expect(await lab.time.run(tab.refresh())).toEqual({ kind: 'rejected', code: 'session_missing' })
  expect(lab.time.now() - start).toBeLessThan(500)
  expect(lab.server.sent).toEqual([])
})

test('bearer: signing out in one tab ends the others and their sessions', async () => {
  const lab = createBrowserLab()
  const first = await signedIn(lab)
  const second = tabOf(lab)
  await lab.outcomes([second.fetch(`${API}/a`)])
  await second.signOut()
  await settled()
  expect([first, second].map((tab) => tab.getState().status)).toEqual(['signed_out', 'signed_out'])
  expect(lab.server.counts.logouts).toBe(2)
})

test('bearer: the end of one tab’s session is not the end of the others', async () => {
  const lab = createBrowserLab()
  const first = await signedIn(lab)
  const second = tabOf(lab)
  await lab.outcomes([second.fetch(`${API}/a`)])
  lab.server.onRefresh(() => lab.server.refusal('session_expired', 'revoked'))
  await second.refresh({ force: true })
  await settled()
  expect(second.getState().status).toBe('signed_out')
  expect(first.getState().status).toBe('authenticated')
})

test('bearer: a credential that the application kept is used', async () => {
  const lab = createBrowserLab()
  const first = await signedIn(lab)
  const id = first.getState().session?.id
  const restored = tabOf(lab, { refreshToken: `${id}.1` })
  expect(await lab.time.run(restored.refresh())).toMatchObject({ kind: 'ok', generation: 2 })
})

const TROUBLES: readonly (readonly [string, () => Response | Promise<never>])[] = [
  ['a network that fails', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['a page of a proxy', () => new Response('<h1>502 Bad Gateway</h1>', { status: 502 })],
  ['a server that cannot tell', () => Response.json({ code: 'store_unavailable', status: 503 }, { status: 503 })],
]

test.each(TROUBLES)('bearer: %s between the tab that offered and the server signs the new tab out of nothing', async (_, trouble) => {
  const lab = createBrowserLab()
  const [wire, bare] = [{ broken: false }, lab.server.fetchOf()]
  const first = lab.page(undefined, {
    session: bearerSession(),
    coordination: 'auto',
    clock: { ...lab.time.clock, random: draw },
    fetch: async (input, init) => (wire.broken ? trouble() : bare(input, init)),
  })
  await first.signIn({ email: 'usr_ana@example.com', password: 'right' })
  wire.broken = true
  const second = tabOf(lab)
  expect(await lab.time.run(second.refresh())).toMatchObject({ kind: 'transient', error: { name: 'RefreshUnavailableError' } })
  expect(second.getState().status).toBe('degraded')
  wire.broken = false
  expect(await lab.time.run(second.refresh({ force: true }))).toMatchObject({ kind: 'ok' })
  expect(second.getState().user?.id).toBe(first.getState().user?.id)
})

test('bearer: a tab whose session turns out to be over gives none, and the one that asked it is not kept waiting', async () => {
  const lab = createBrowserLab()
  await signedIn(lab)
  lab.server.endAll('session_revoked')
  const tab = tabOf(lab)
  const start = lab.time.now()
  expect(await lab.time.run(tab.refresh())).toEqual({ kind: 'rejected', code: 'session_missing' })
  expect(lab.time.now() - start).toBeLessThan(5_000)
})

test('bearer: nonsense on the channel gives nobody a session', async () => {
  const lab = createBrowserLab()
  await signedIn(lab)
  const spy = new BroadcastChannel('evergrant:https://auth.test/api/v1/')
  for (const message of [null, 'give', { step: 'give', to: 0, gift: {} }, { step: 'take', to: 0 }]) spy.postMessage(message)
  await settled()
  expect(lab.server.counts.branches).toBe(0)
})

test('bearer: an offer that comes when nobody waits for it any more opens no session', async () => {
  const lab = createBrowserLab()
  const other = new BroadcastChannel('evergrant:https://auth.test/api/v1/')
  const heard: { readonly step: string; readonly from: number }[] = []
  other.addEventListener('message', ({ data }) => heard.push(data))
  const tab = tabOf(lab)
  expect(await lab.time.run(tab.refresh())).toEqual({ kind: 'rejected', code: 'session_missing' })
  const [want] = heard
  other.postMessage({ step: 'offer', from: 0.99, to: want?.from })
  await settled()
  expect(heard.map(({ step }) => step)).toEqual(['want'])
  // The next question is a new one.
  const again = lab.time.run(tab.refresh({ force: true }))
  await settled()
  other.postMessage({ step: 'offer', from: 0.99, to: want?.from })
  await settled()
  expect(heard.map(({ step }) => step)).toEqual(['want', 'want', 'take'])
  await again
})
