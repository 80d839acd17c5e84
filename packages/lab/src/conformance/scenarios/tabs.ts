import { ok, strictEqual } from 'node:assert/strict'
import { until } from '../../until.ts'
import { outcomeStatus } from '../asked.ts'
import type { TabHandle } from '../host.ts'
import type { Play } from '../play.ts'
import { answered, counted, data, events, failedWith, onlyChromium, type Scenario, sharedTabs, stillSignedIn } from '../scenario.ts'

const ONE_PROCESS = 'the tabs of Node share one process: nothing of theirs can hang or crash alone'

const everyTabAsks = async (tabs: readonly TabHandle[]) => (await Promise.all(tabs.map((tab) => tab.sendAll(data(5))))).flat()

async function signedOutWithin(tab: TabHandle, timeoutMs: number): Promise<void> {
  await until('the tab to hear of the sign-out', async () => (await tab.status()) === 'signed_out', { timeoutMs })
}

/** One tab is in the middle of a refresh whose answer is held back; it then goes away. */
async function goneInTheMiddle(play: Play, leave: (tab: TabHandle) => Promise<unknown>): Promise<void> {
  const [gone, other] = await play.tabs(2)
  if (gone === undefined || other === undefined) throw new Error('two tabs are needed')
  play.recorder.expire()
  const gate = play.recorder.hold('refresh', 'after', { times: 1 })
  void gone.begin({ url: '/app/data?gone' }).catch(() => undefined)
  await gate.reachedBy(1)
  await leave(gone)
  const begun = await other.begin({ url: '/app/data?other' })
  gate.release()
  answered([await other.outcome(begun)], 200)
  await stillSignedIn(other)
}

/** Several tabs of one browser. */
export const TABS: readonly Scenario[] = [
  {
    id: 'C50',
    title: '5 tabs with 5 requests each: 25 answers, with locks 1 refresh, without at most 5',
    run: async (play) => {
      const tabs = await play.tabs(5)
      play.recorder.expire()
      answered(await everyTabAsks(tabs), 200)
      const shared = sharedTabs(play.cell) === null
      ok(play.recorder.count('refresh') <= (shared ? 1 : 5), `${play.recorder.count('refresh')} refreshes with locks`)
      const device = await play.newDevice()
      const alone = await play.tabs(play.cell.mode === 'bearer' ? 1 : 5, { device, coordination: 'none' })
      play.recorder.expire()
      answered(await everyTabAsks(alone), 200)
      ok(play.recorder.count('refresh') <= 5, `${play.recorder.count('refresh')} refreshes without locks`)
      for (const tab of [...tabs, ...alone]) await stillSignedIn(tab)
    },
  },
  {
    id: 'C51',
    title: 'a tab that is closed in the middle of a refresh takes nobody along',
    run: (play) => goneInTheMiddle(play, (tab) => tab.close()),
  },
  {
    id: 'C52',
    title: 'a tab that crashes in the middle of a refresh takes nobody along',
    leavesOut: onlyChromium(ONE_PROCESS),
    run: (play) =>
      goneInTheMiddle(play, async ({ page }) => {
        const session = await page?.context().newCDPSession(page)
        // The command is never answered: its page is gone.
        void session?.send('Page.crash').catch(() => undefined)
        await page?.waitForEvent('crash').catch(() => undefined)
      }),
  },
  {
    id: 'C53',
    title: 'a lock that somebody holds for ever stops nobody: others go on after their wait',
    leavesOut: sharedTabs,
    run: async (play) => {
      const [holder, other] = await play.tabs(2)
      if (holder === undefined || other === undefined) throw new Error('two tabs are needed')
      play.recorder.expire()
      const gate = play.recorder.hold('refresh', 'after', { times: 1 })
      const begun = await holder.begin({ url: '/app/data' })
      await gate.reachedBy(1)
      const held = await other.page?.evaluate(async () => (await navigator.locks.query()).held?.map(({ name }) => name ?? '') ?? [])
      gate.release()
      answered([await holder.outcome(begun)], 200)
      ok(held !== undefined && held.length > 0, 'no lock was held during a refresh')
      await holder.page?.evaluate((names) => {
        for (const name of names) void navigator.locks.request(name, () => new Promise(() => {}))
      }, held)
      await other.page?.waitForFunction(async (names) => (await navigator.locks.query()).held?.some(({ name }) => names.includes(name ?? '')), held)
      play.recorder.expire()
      answered([await other.send({ url: '/app/data' })], 200)
      const now = await other.page?.evaluate(async () => (await navigator.locks.query()).held?.length ?? 0)
      ok((now ?? 0) >= 1, 'the lock was stolen from its holder')
    },
  },
  {
    id: 'C54',
    title: 'a sign-out in one tab reaches the others within a second, and hidden ones',
    leavesOut: sharedTabs,
    run: async (play) => {
      const [first, second, third] = await play.tabs(3)
      if (first === undefined || second === undefined || third === undefined) throw new Error('three tabs are needed')
      await third.page?.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      })
      strictEqual(await first.signOut(), 'done')
      await signedOutWithin(second, 1_000)
      await third.page?.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
        window.dispatchEvent(new Event('focus'))
      })
      await signedOutWithin(third, 1_000)
      for (const tab of [first, second, third]) strictEqual((await events(tab, 'signed_out')).length, 1)
      counted(play, { refresh: 0, 'sign-out': 1 })
    },
  },
  {
    id: 'C55',
    title: 'somebody else signs in in one tab: the others drop what they knew and read again',
    leavesOut: sharedTabs,
    run: async (play) => {
      const [first, second] = await play.tabs(2)
      if (first === undefined || second === undefined) throw new Error('two tabs are needed')
      const before = await second.user()
      const { email, password } = await play.stage.person(1)
      await first.signIn(email, password)
      const after = await first.user()
      ok(after !== null && after !== before, 'nobody else signed in')
      answered([await second.send({ url: '/app/data?mine' })], 200)
      await until('the other tab to know who is there', async () => (await second.user()) === after)
      answered([await second.send({ url: '/app/data?after' })], 200)
      const executed = play.stage.api.executed.filter(({ path }) => path.endsWith('after'))
      strictEqual(executed.at(-1)?.subject, after, 'the other tab still speaks for the first person')
    },
  },
  {
    id: 'C56',
    title: 'a refresh that ends after the sign-out brings nobody back',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      const gate = play.recorder.hold('refresh', 'after', { times: 1 })
      const begun = await tab.begin({ url: '/app/data' })
      await gate.reachedBy(1)
      const left = tab.signOut()
      await until('the sign-out to count', async () => (await tab.status()) === 'signed_out')
      gate.release()
      strictEqual(await left, 'done')
      ok(['SignedOutError', 401, 'AbortError'].includes(outcomeStatus(await tab.outcome(begun)) ?? ''))
      strictEqual(await tab.status(), 'signed_out')
      strictEqual((await events(tab, 'signed_out')).length, 1)
      const refreshes = play.recorder.count('refresh')
      ok(outcomeStatus(await tab.send({ url: '/app/data' })) !== 200, 'the session came back')
      ok(play.recorder.count('refresh', 200) <= refreshes, 'the session was renewed after the sign-out')
    },
  },
  {
    id: 'C57',
    title: 'old and broken messages of other tabs are ignored; a channel that throws loses nothing',
    leavesOut: sharedTabs,
    run: async (play) => {
      const [first, second] = await play.tabs(2, { before: RECORDS_MESSAGES })
      if (first === undefined || second === undefined) throw new Error('two tabs are needed')
      for (let turn = 0; turn < 2; turn += 1) {
        play.recorder.expire()
        answered([await first.send({ url: '/app/data' })], 200)
      }
      play.recorder.forget()
      // Everything that was ever said, again and mangled, from a page that is none of the client's.
      const stranger = await play.coldTab()
      const said = await second.page?.evaluate(() => Reflect.get(globalThis, 'saidOnChannels') as { name: string; data: unknown }[])
      await stranger.page?.evaluate((messages) => {
        const junk = [null, 7, 'x', [], {}, { generation: -1 }, { generation: 'x', epoch: {} }, { kind: 'unknown' }]
        for (const { name, data } of messages) {
          const channel = new BroadcastChannel(name)
          for (const message of [...junk, data]) channel.postMessage(message)
          channel.close()
        }
      }, said ?? [])
      answered([...(await first.sendAll(data(3))), ...(await second.sendAll(data(3)))], 200)
      counted(play, { refresh: 0 })
      const mute = await play.tab({ device: await play.newDevice(), before: THROWING_CHANNEL })
      play.recorder.expire()
      answered(await mute.sendAll(data(3)), 200)
      counted(play, { refresh: 1 })
    },
  },
  {
    id: 'C58',
    title: 'without channels, without locks, with a storage that throws: one tab works as ever',
    leavesOut: onlyChromium('Node has no storage to refuse; the tab of Chromium covers channels and locks'),
    run: async (play) => {
      const tab = await play.tab({ before: BARE_BROWSER })
      play.recorder.expire()
      answered(await tab.sendAll(data(5)), 200)
      counted(play, { refresh: 1, api: 10 })
    },
  },
  {
    id: 'C59',
    title: 'a page that comes back from the back/forward cache looks again; an idle one holds no lock',
    leavesOut: onlyChromium('Node has no page to freeze'),
    run: async (play) => {
      const tab = await play.tab()
      const held = await tab.page?.evaluate(async () => (await navigator.locks.query()).held?.length ?? 0)
      strictEqual(held, 0, 'an idle page holds a lock: the browser would not keep it')
      await play.stage.endSessions()
      await tab.page?.evaluate(() => {
        window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
        window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
      })
      play.recorder.expire()
      failedWith(await tab.send({ url: '/app/data' }), 'SignedOutError')
      strictEqual((await events(tab, 'signed_out')).length, 1)
    },
  },
]

const RECORDS_MESSAGES = `
  globalThis.saidOnChannels = []
  const Original = globalThis.BroadcastChannel
  globalThis.BroadcastChannel = class extends Original {
    constructor(name) {
      super(name)
      this.addEventListener('message', ({ data }) => { if (globalThis.saidOnChannels.length < 50) globalThis.saidOnChannels.push({ name, data }) })
    }
  }`

const THROWING_CHANNEL = `
  globalThis.BroadcastChannel = class extends globalThis.BroadcastChannel {
    postMessage() { throw new DOMException('closed', 'InvalidStateError') }
  }`

const BARE_BROWSER = `
  delete globalThis.BroadcastChannel
  Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
  for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(globalThis, name, { get() { throw new DOMException('denied', 'SecurityError') } })
  }`
