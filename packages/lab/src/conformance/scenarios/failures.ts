import { ok, strictEqual } from 'node:assert/strict'
import { until } from '../../until.ts'
import { outcomeStatus } from '../asked.ts'
import { Gate } from '../gate.ts'
import type { TabHandle } from '../host.ts'
import type { Play } from '../play.ts'
import type { Act } from '../recorder.ts'
import { answered, counted, data, events, failedWith, type Scenario, stillSignedIn } from '../scenario.ts'

const HTML = { 'content-type': 'text/html' }

/** The access token is out and the refresh ends like this: the session stays, the caller gets a typed error that says when. */
async function keptThrough(play: Play, act: Act): Promise<TabHandle> {
  // A device of its own: a neighbour that tries again by itself would bring a fresh token in between.
  const tab = await play.tab({ refreshTimeoutMs: 3_000, device: await play.newDevice() })
  play.recorder.expire()
  play.recorder.rule({ on: 'refresh', act })
  const failed = failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
  ok(failed.retryAt !== null, 'the error does not say when to try again')
  await stillSignedIn(tab)
  ok((await events(tab, 'degraded')).length >= 1, 'nobody was told that the session is degraded')
  play.recorder.lift('refresh')
  return tab
}

async function endedBy(play: Play, code: string): Promise<void> {
  const tab = await play.tab({ device: await play.newDevice() })
  play.recorder.expire()
  play.recorder.rule({
    on: 'refresh',
    act: {
      kind: 'answer',
      status: 401,
      headers: { 'content-type': 'application/problem+json' },
      body: JSON.stringify({ code, action: 'sign_in', status: 401 }),
    },
  })
  for (const outcome of await tab.sendAll(data(5))) ok(['SignedOutError', 401].includes(outcomeStatus(outcome) ?? ''), JSON.stringify(outcome))
  await tab.send({ url: '/app/data' })
  const ends = await events(tab, 'signed_out')
  strictEqual(ends.length, 1, `${ends.length} events signed_out`)
  strictEqual(await tab.status(), 'signed_out')
  counted(play, { refresh: 1 })
  play.recorder.clear()
}

/** What may end a session, and everything that may not. */
export const FAILURES: readonly Scenario[] = [
  {
    id: 'C20',
    title: 'a refresh that is reset or times out keeps the session and says when to try again',
    run: async (play) => {
      await keptThrough(play, { kind: 'cut', when: 'before' })
      play.recorder.clear()
      const gate = new Gate()
      await keptThrough(play, { kind: 'hold', when: 'before', gate })
      gate.cut()
    },
  },
  {
    id: 'C21',
    title: '500, 502, 503, 504 and 520 at the refresh keep the session',
    run: async (play) => {
      for (const status of [500, 502, 503, 504, 520]) {
        await keptThrough(play, { kind: 'answer', status, headers: HTML, body: `<h1>${status}</h1>` })
        play.recorder.clear()
      }
    },
  },
  {
    id: 'C22',
    title: '429 with Retry-After is honoured and keeps the session',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'answer', status: 429, headers: { 'retry-after': '120' } } })
      const { retryAt } = failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
      const seconds = (Date.parse(retryAt ?? '') - Date.now()) / 1_000
      ok(seconds > 100 && seconds < 140, `retry in ${seconds} s`)
      for (const asked of data(5)) failedWith(await tab.send(asked), 'RefreshUnavailableError')
      counted(play, { refresh: 1 })
      await stillSignedIn(tab)
    },
  },
  {
    id: 'C23',
    title: 'a 403 page of a firewall at the refresh keeps the session',
    run: async (play) => void (await keptThrough(play, { kind: 'answer', status: 403, headers: HTML, body: '<html><h1>Request blocked</h1></html>' })),
  },
  {
    id: 'C24',
    title: 'revoked, expired, signed out, reused and missing sign out once, with one event',
    run: async (play) => {
      for (const code of ['session_revoked', 'session_expired', 'session_signed_out', 'session_reuse_detected', 'session_missing']) await endedBy(play, code)
    },
  },
  {
    id: 'C25',
    title: 'a refresh ahead of time that fails costs nothing while the access token lives',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.rule({ on: 'refresh', act: { kind: 'answer', status: 403, headers: HTML, body: '<h1>Blocked</h1>' } })
      await tab.refresh(true)
      answered(await tab.sendAll(data(5)), 200)
      await stillSignedIn(tab)
      counted(play, { refresh: 1, api: 5 })
    },
  },
  {
    id: 'C26',
    title: "a refresh that hangs has a limit of its own, and a caller's limit counts while it waits",
    run: async (play) => {
      const tab = await play.tab({ refreshTimeoutMs: 3_000 })
      play.recorder.expire()
      const gate = play.recorder.hold('refresh', 'before')
      const [patient, hasty] = [await tab.begin({ url: '/app/data?n=0' }), await tab.begin({ url: '/app/data?n=1', timeoutMs: 200 })]
      const early = await tab.outcome(hasty)
      strictEqual(await tab.peek(patient), null, 'the patient one ended with the hasty one')
      ok(early.kind === 'error' && early.name !== 'RefreshUnavailableError', JSON.stringify(early))
      failedWith(await tab.outcome(patient), 'RefreshUnavailableError')
      await stillSignedIn(tab)
      gate.cut()
    },
  },
  {
    id: 'C27',
    title: 'an aborted request that waits ends at once; the refresh goes on for the others',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      const gate = play.recorder.hold('refresh', 'after')
      const [one, other] = [await tab.begin({ url: '/app/data?n=0' }), await tab.begin({ url: '/app/data?n=1' })]
      await gate.reachedBy(1)
      const { outcome, tookMs } = await tab.abort(one)
      ok(outcome.kind === 'error' && ['AbortError', 'CanceledError'].includes(outcome.name), JSON.stringify(outcome))
      ok(tookMs < 100, `it took ${tookMs} ms`)
      gate.release()
      answered([await tab.outcome(other)], 200)
      counted(play, { refresh: 1 })
    },
  },
  {
    id: 'C28',
    title: 'waiting requests end with the typed error when the refresh fails, never as cancelled',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'answer', status: 503 } })
      for (const outcome of await tab.sendAll(data(5))) strictEqual(failedWith(outcome, 'RefreshUnavailableError').cancelled, false)
    },
  },
  {
    id: 'C29',
    title: 'an answer that is lost after the server committed: the old credential gets the same successor',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'cut', when: 'after' }, times: 1 })
      await until('the session to go on', async () => outcomeStatus(await tab.send({ url: '/app/data' })) === 200)
      await stillSignedIn(tab)
      strictEqual(play.recorder.session['replayed'], true, 'the server did not replay')
    },
  },
  {
    id: 'C30',
    title: 'a page opened without a network stays signed in and comes back by itself',
    leavesOut: ({ mode }) => (mode === 'bearer' ? 'a bearer session lives in memory: a new page has none' : null),
    run: async (play) => {
      const device = await play.newDevice()
      await (await play.tab({ device })).close()
      const tab = await play.coldTab({ device })
      if (tab.page === null) {
        play.recorder.rule({ on: 'refresh', act: { kind: 'cut', when: 'before' } })
        failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
        await stillSignedIn(tab)
        play.recorder.lift('refresh')
        await until('the session to come back', async () => outcomeStatus(await tab.send({ url: '/app/data' })) === 200)
        return
      }
      await tab.page.context().setOffline(true)
      failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
      await stillSignedIn(tab)
      strictEqual(await tab.status(), 'offline')
      play.recorder.forget()
      await tab.page.context().setOffline(false)
      await until('the session to come back by itself', async () => (await tab.status()) === 'authenticated')
      counted(play, { refresh: 1 })
    },
  },
  {
    id: 'C31',
    title: 'a machine that wakes before its network does signs nobody out',
    run: async (play) => {
      const tab = await play.tab({ clockAheadMs: 0 })
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'cut', when: 'before' }, times: 2 })
      await tab.passTime(3_600_000)
      await until('the session to go on', async () => {
        const done = outcomeStatus(await tab.send({ url: '/app/data' })) === 200
        if (!done) await tab.passTime(3_000)
        return done
      })
      await stillSignedIn(tab)
      strictEqual(play.recorder.count('refresh', 200), 1)
    },
  },
  {
    id: 'C32',
    title: 'a 500 of the API causes no refresh',
    run: async (play) => {
      const tab = await play.tab()
      answered([await tab.send({ url: '/app/status/500' })], 500)
      counted(play, { refresh: 0, api: 1 })
    },
  },
  {
    id: 'C33',
    title: '400 and 405 pass through unchanged',
    run: async (play) => {
      const tab = await play.tab()
      for (const status of [400, 405]) {
        const outcome = await tab.send({ url: `/app/status/${status}` })
        answered([outcome], status)
        strictEqual(outcome.kind === 'answer' ? outcome.text : '', `{"status":${status}}`)
      }
      counted(play, { refresh: 0, api: 2 })
    },
  },
  {
    id: 'C34',
    title: 'a network error of the API passes through unchanged',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.rule({ on: 'api', act: { kind: 'cut', when: 'before' } })
      const outcome = await tab.send({ url: '/app/data' })
      // What each transport calls it by itself; axios of Node keeps the name of the socket's own error.
      const own = play.cell.transport !== 'axios' ? 'TypeError' : play.cell.host === 'node' ? 'Error' : 'AxiosError'
      strictEqual(failedWith(outcome, own).action, null, 'an error of ours')
      counted(play, { refresh: 0, api: 1 })
      await stillSignedIn(tab)
    },
  },
]
