import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { outcomeStatus } from '../asked.ts'
import { answered, counted, data, events, failedWith, type Scenario, stillSignedIn } from '../scenario.ts'

/** Starting, ending, and what others get to see. */
export const LIFECYCLE: readonly Scenario[] = [
  {
    id: 'C70',
    title: 'handlers of events may fetch, refresh and sign out: nothing locks up',
    run: async (play) => {
      for (const inHandlers of ['fetch', 'refresh', 'sign-out'] as const) {
        const tab = await play.tab({ inHandlers, device: await play.newDevice() })
        play.recorder.expire()
        const outcomes = await tab.sendAll(data(3))
        const allowed = inHandlers === 'sign-out' ? [200, 401, 'SignedOutError', 'AbortError', 'CanceledError'] : [200]
        for (const outcome of outcomes) ok(allowed.includes(outcomeStatus(outcome) ?? ''), `${inHandlers}: ${JSON.stringify(outcome)}`)
        await tab.close()
        play.recorder.clear()
      }
    },
  },
  {
    id: 'C71',
    title: 'a client that is disposed, twice even, leaves no timer and no lock behind',
    run: async (play) => {
      const tab = await play.tab({ clockAheadMs: 0 })
      await tab.open('second')
      await tab.dispose('second')
      await tab.dispose('second')
      answered([await tab.send({ url: '/app/data' })], 200)
      await tab.dispose()
      await tab.dispose()
      play.recorder.forget()
      await tab.passTime(3_600_000)
      const locks = await tab.page?.evaluate(async () => {
        const { held = [], pending = [] } = await navigator.locks.query()
        return held.length + pending.length
      })
      strictEqual(locks ?? 0, 0)
      counted(play, { refresh: 0, api: 0 })
    },
  },
  {
    id: 'C72',
    title: 'on a server two people at once never share a session',
    leavesOut: ({ host }) => (host === 'node' ? null : 'a page is no server'),
    run: async (play) => {
      const one = await play.tab({ device: await play.newDevice(), person: 0 })
      const other = await play.tab({ device: await play.newDevice(), person: 1 })
      play.recorder.expire()
      answered((await Promise.all([one.sendAll(data(5)), other.sendAll(data(5))])).flat(), 200)
      const [first, second] = [await one.user(), await other.user()]
      ok(first !== null && second !== null && first !== second, `${first} and ${second}`)
      const subjects = play.stage.api.executed.map(({ subject }) => subject)
      deepStrictEqual([subjects.filter((subject) => subject === first).length, subjects.filter((subject) => subject === second).length], [5, 5])
      strictEqual(await one.signOut(), 'done')
      answered([await other.send({ url: '/app/data' })], 200)
      await stillSignedIn(other)
    },
  },
  {
    id: 'C73',
    title: 'making the client twice is harmless',
    run: async (play) => {
      const tab = await play.tab()
      await tab.open('first again')
      play.recorder.expire()
      answered([await tab.send({ url: '/app/data' }), await tab.send({ url: '/app/data' })], 200)
      await stillSignedIn(tab)
      strictEqual((await events(tab, 'signed_out')).length, 0)
    },
  },
  {
    id: 'C74',
    title: 'a first visit signs nobody out; a call without a session says so once',
    run: async (play) => {
      const tab = await play.coldTab({ device: await play.newDevice() })
      strictEqual((await events(tab, 'signed_out')).length, 0)
      const outcome = await tab.send({ url: '/app/data' })
      ok([401, 'SignedOutError'].includes(outcomeStatus(outcome) ?? ''), JSON.stringify(outcome))
      await tab.send({ url: '/app/data' })
      ok((await events(tab, 'signed_out')).length <= 1, 'the same news twice')
      ok(play.recorder.count('refresh') <= 1, `${play.recorder.count('refresh')} refreshes without a session`)
    },
  },
  {
    id: 'C75',
    title: 'no credential shows in states, events, errors or the console',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      answered(await tab.sendAll(data(2)), 200)
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'answer', status: 503 } })
      failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
      const shown = [...(await tab.shown()), ...tab.console].join('\n')
      ok(shown.length > 100 && play.recorder.secrets.length >= 2, 'there was nothing to look at')
      const leaks = play.recorder.secrets.filter((secret) => shown.includes(secret) || shown.includes(secret.slice(-43)))
      strictEqual(leaks.length, 0, `${leaks.length} credentials are shown`)
    },
  },
]
