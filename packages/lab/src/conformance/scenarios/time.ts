import { ok, strictEqual } from 'node:assert/strict'
import { until } from '../../until.ts'
import type { TabHandle } from '../host.ts'
import { answered, counted, data, events, onlyChromium, type Scenario, sharedTabs, stillSignedIn } from '../scenario.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NO_TIMERS = 'Node hides no tabs and throttles no timers'

/** Makes the page believe that it is hidden or shown. */
async function show(tab: TabHandle, state: 'hidden' | 'visible'): Promise<void> {
  await tab.page?.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { value, configurable: true })
    Object.defineProperty(document, 'hidden', { value: value === 'hidden', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}

/** Wrong clocks, jumping clocks, sleeping machines. */
export const TIME: readonly Scenario[] = [
  {
    id: 'C40',
    title: 'a clock that is an hour or ten minutes wrong causes no storm and sends no expired token twice',
    run: async (play) => {
      for (const ahead of [HOUR, -HOUR, 10 * MINUTE, -10 * MINUTE]) {
        const tab = await play.tab({ clockAheadMs: ahead, device: await play.newDevice() })
        for (const asked of data(5)) answered([await tab.send(asked)], 200)
        counted(play, { refresh: 0, api: 5 })
        play.recorder.expire()
        answered([await tab.send({ url: '/app/data' })], 200)
        counted(play, { refresh: 1, api: 7 })
        await tab.close()
        play.recorder.clear()
      }
    },
  },
  {
    id: 'C41',
    title: 'a clock that jumps two hours ahead, then four back, costs one refresh each at most',
    run: async (play) => {
      const tab = await play.tab({ clockAheadMs: 0 })
      await tab.jumpClock(2 * HOUR)
      for (const asked of data(5)) answered([await tab.send(asked)], 200)
      ok(play.recorder.count('refresh') <= 1, `${play.recorder.count('refresh')} refreshes after the jump ahead`)
      play.recorder.forget()
      await tab.jumpClock(-4 * HOUR)
      for (const asked of data(5)) answered([await tab.send(asked)], 200)
      ok(play.recorder.count('refresh') <= 1, `${play.recorder.count('refresh')} refreshes after the jump back`)
      await stillSignedIn(tab)
    },
  },
  {
    id: 'C42',
    title: 'after sleep the first request causes one refresh, and goes out once',
    run: async (play) => {
      const tab = await play.tab({ clockAheadMs: 0 })
      // Before: a visible tab renews by itself when it wakes.
      play.recorder.expire()
      await tab.passTime(15 * MINUTE)
      answered(await tab.sendAll(data(5)), 200)
      ok(play.recorder.count('refresh') <= 1, `${play.recorder.count('refresh')} refreshes`)
      strictEqual(play.recorder.count('api', 401), 0, 'a token that the client knew to be out was sent')
    },
  },
  {
    id: 'C43',
    title: 'a lifetime longer than a timer can count does not fire at once',
    run: async (play) => {
      play.recorder.rewrite('sign-in', (body) => Object.assign(body, { expires_in: 90 * 86_400 }))
      const tab = await play.tab({ clockAheadMs: 0 })
      await tab.passTime(MINUTE)
      for (const asked of data(5)) answered([await tab.send(asked)], 200)
      counted(play, { refresh: 0, api: 5 })
    },
  },
  {
    id: 'C44',
    title: 'a visible tab refreshes ahead of time; a hidden one when it is used',
    leavesOut: onlyChromium(NO_TIMERS),
    run: async (play) => {
      const tab = await play.tab({ clockAheadMs: 0 })
      await tab.passTime(9.9 * MINUTE)
      await until('the visible tab to refresh', async () => (await events(tab, 'refreshed')).length === 2)
      counted(play, { refresh: 1 })
      play.recorder.forget()
      await show(tab, 'hidden')
      await tab.passTime(30 * MINUTE)
      answered([await tab.send({ url: '/app/data' })], 200)
      strictEqual(play.recorder.count('api', 401), 0)
      // One refresh in all: had the hidden tab refreshed by itself, its token would be fresh, or there would be two.
      counted(play, { refresh: 1 })
    },
  },
  {
    id: 'C45',
    title: 'three visible windows of one session refresh once between them',
    leavesOut: sharedTabs,
    run: async (play) => {
      const tabs = await play.tabs(3, { clockAheadMs: 0 })
      // One clock for the whole browser.
      await tabs[0]?.passTime(9.9 * MINUTE)
      await until('a window to refresh', () => play.recorder.count('refresh', 200) >= 1)
      answered((await Promise.all(tabs.map((tab) => tab.sendAll(data(2))))).flat(), 200)
      counted(play, { refresh: 1 })
    },
  },
  {
    id: 'C46',
    title: 'the deadline moves when a lifetime changes from 60 s to 200 s and back',
    leavesOut: onlyChromium(NO_TIMERS),
    run: async (play) => {
      let seconds = 60
      for (const target of ['sign-in', 'refresh'] as const) play.recorder.rewrite(target, (body) => Object.assign(body, { expires_in: seconds }))
      const tab = await play.tab({ clockAheadMs: 0 })
      seconds = 200
      await tab.refresh(true)
      play.recorder.forget()
      await tab.passTime(80_000)
      answered([await tab.send({ url: '/app/data' })], 200)
      counted(play, { refresh: 0 })
      seconds = 60
      await tab.refresh(true)
      play.recorder.forget()
      await tab.passTime(65_000)
      await until('the shorter deadline to be kept', () => play.recorder.count('refresh') >= 1)
      counted(play, { refresh: 1 })
    },
  },
]
