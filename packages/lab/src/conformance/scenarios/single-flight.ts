import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { until } from '../../until.ts'
import { outcomeStatus } from '../asked.ts'
import { answered, counted, data, events, failedWith, type Scenario, sharedTabs, stillSignedIn } from '../scenario.ts'

const EXPIRED = { 'www-authenticate': 'Bearer error="invalid_token"', 'evergrant-auth': 'expired', 'content-type': 'application/problem+json' }
const REFUSED = { kind: 'answer', status: 401, headers: EXPIRED, body: '{"code":"access_token_expired","action":"retry","status":401}' } as const

/** One refresh, however many ask for it; and none that helps nobody. */
export const SINGLE_FLIGHT: readonly Scenario[] = [
  {
    id: 'C01',
    title: '10 parallel requests with an expired token: 1 refresh, 20 sends, 10 answers',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      answered(await tab.sendAll(data(10)), 200)
      counted(play, { refresh: 1, api: 20 })
    },
  },
  {
    id: 'C02',
    title: 'refusals that arrive after the refresh has ended cause no second one',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      // Four: a browser has six connections to a host, and the refresh needs one.
      const late = play.recorder.hold('api', 'after', { times: 4, only: ({ path }) => /n=[6-9]$/.test(path) })
      const begun = await tab.beginAll(data(10))
      await late.reachedBy(4)
      answered(await Promise.all(begun.slice(0, 6).map((index) => tab.outcome(index))), 200)
      late.release()
      answered(await Promise.all(begun.slice(6).map((index) => tab.outcome(index))), 200)
      counted(play, { refresh: 1, api: 20 })
    },
  },
  {
    id: 'C03',
    title: 'a request made while a refresh is under way waits, and is sent once with the new token',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      const gate = play.recorder.hold('refresh', 'after')
      const first = await tab.begin({ url: '/app/data?n=0' })
      await gate.reachedBy(1)
      const later = await tab.begin({ url: '/app/data?n=1' })
      gate.release()
      answered([await tab.outcome(first), await tab.outcome(later)], 200)
      counted(play, { refresh: 1, api: 3 })
      const sends = play.recorder.of('api').filter(({ path }) => path.endsWith('n=1'))
      deepStrictEqual(
        sends.map(({ status }) => status),
        [200],
      )
    },
  },
  {
    id: 'C04',
    title: 'a request sent before the refresh and answered 200 is left alone',
    run: async (play) => {
      const tab = await play.tab()
      const gate = play.recorder.hold('api', 'after', { times: 1, only: ({ path }) => path.endsWith('early') })
      const early = await tab.begin({ url: '/app/data?early' })
      await gate.reachedBy(1)
      play.recorder.expire()
      answered([await tab.send({ url: '/app/data?later' })], 200)
      gate.release()
      answered([await tab.outcome(early)], 200)
      strictEqual(play.recorder.of('api').filter(({ path }) => path.endsWith('early')).length, 1)
      counted(play, { refresh: 1, api: 3 })
    },
  },
  {
    id: 'C05',
    title: 'an API that refuses the new token too: 2 sends, 1 refresh, and the caller gets the 401',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.rule({ on: 'api', act: REFUSED })
      answered([await tab.send({ url: '/app/data' })], 401)
      counted(play, { refresh: 1, api: 2 })
      await stillSignedIn(tab)
    },
  },
  {
    id: 'C06',
    title: 'a refresh that is itself refused with 401 is not tried again',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { ...REFUSED, body: '{"code":"session_expired","action":"sign_in","status":401}' } })
      for (const asked of data(3)) ok(['SignedOutError', 401].includes(outcomeStatus(await tab.send(asked)) ?? ''), 'neither a 401 nor SignedOutError')
      counted(play, { refresh: 1 })
      strictEqual((await events(tab, 'signed_out')).length, 1)
    },
  },
  {
    id: 'C07',
    title: "a 401 without the marker is somebody else's: no refresh, no second send",
    run: async (play) => {
      const tab = await play.tab()
      answered([await tab.send({ url: '/app/foreign-401' })], 401)
      counted(play, { refresh: 0, api: 1 })
    },
  },
  {
    id: 'C08',
    title: 'a refresh that brings the same token again stops, and says so',
    run: async (play) => {
      const tab = await play.tab()
      const { access_token, generation } = play.recorder.session
      play.recorder.expire()
      play.recorder.rewrite('refresh', (body) => Object.assign(body, { access_token, generation }))
      for (const asked of data(5)) await tab.send(asked)
      ok(play.recorder.count('refresh') <= 2, `${play.recorder.count('refresh')} refreshes`)
      ok((await events(tab, 'refresh_ineffective')).length >= 1, 'nobody was told')
      await stillSignedIn(tab)
    },
  },
  {
    id: 'C09',
    title: 'a refresh whose answer lost its body is a configuration error, without a loop',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      play.recorder.rewrite('refresh', (body) => {
        for (const name of Object.keys(body)) delete body[name]
      })
      failedWith(await tab.send({ url: '/app/data' }), 'ConfigurationError')
      for (const asked of data(4)) await tab.send(asked)
      ok(play.recorder.count('refresh') <= 2, `${play.recorder.count('refresh')} refreshes`)
      await stillSignedIn(tab)
    },
  },
  {
    id: 'C10',
    title: '50 calls one after the other during an outage: one refresh a cooldown window',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      play.recorder.rule({ on: 'refresh', act: { kind: 'answer', status: 503, headers: { 'retry-after': '60' } } })
      for (const asked of data(50)) failedWith(await tab.send(asked), 'RefreshUnavailableError')
      counted(play, { refresh: 1 })
      await stillSignedIn(tab)
    },
  },
  {
    id: 'C11',
    title: "a cooldown ends by itself, by a new sign-in, and by another tab's success",
    run: async (play) => {
      const [tab, other] = sharedTabs(play.cell) === null ? await play.tabs(2) : [await play.tab()]
      if (tab === undefined) return
      const outage = (seconds: number) =>
        play.recorder.rule({ on: 'refresh', act: { kind: 'answer', status: 503, headers: { 'retry-after': String(seconds) } } })
      play.recorder.expire()
      outage(1)
      failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
      play.recorder.lift('refresh')
      await until('the cooldown to end', async () => outcomeStatus(await tab.send({ url: '/app/data' })) === 200)
      if (other !== undefined) {
        play.recorder.expire()
        outage(600)
        failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
        play.recorder.lift('refresh')
        answered([await other.send({ url: '/app/data' })], 200)
        await until('the other tab’s success to arrive', async () => outcomeStatus(await tab.send({ url: '/app/data' })) === 200)
      }
      play.recorder.expire()
      outage(600)
      failedWith(await tab.send({ url: '/app/data' }), 'RefreshUnavailableError')
      play.recorder.lift('refresh')
      const { email, password } = await play.stage.person()
      await tab.signIn(email, password)
      answered([await tab.send({ url: '/app/data' })], 200)
    },
  },
  {
    id: 'C12',
    title: 'a loop of refreshes is stopped after 10 in 30 s, and works again later',
    run: async (play) => {
      const tab = await play.tab({ clockAheadMs: 0 })
      for (let turn = 0; turn < 25; turn += 1) await tab.refresh(true)
      ok(play.recorder.count('refresh') <= 10, `${play.recorder.count('refresh')} refreshes`)
      await stillSignedIn(tab)
      await tab.passTime(61_000)
      play.recorder.expire()
      answered([await tab.send({ url: '/app/data' })], 200)
    },
  },
  {
    id: 'C13',
    title: "an old token of ours that the application set is replaced; somebody else's Authorization is respected",
    run: async (play) => {
      const tab = await play.tab()
      const old = `Bearer ${String(play.recorder.session['access_token'])}`
      play.recorder.expire()
      answered([await tab.send({ url: '/app/data', headers: { authorization: old } })], 200)
      counted(play, { refresh: 1 })
      play.recorder.forget()
      await tab.send({ url: '/app/data', headers: { authorization: 'Basic bGFiOmxhYg==' } })
      deepStrictEqual(
        play.recorder.of('api').map(({ authorization }) => authorization),
        ['Basic bGFiOmxhYg=='],
      )
      counted(play, { refresh: 0 })
    },
  },
  {
    id: 'C14',
    title: 'two clients for one session in one page share the flight',
    leavesOut: sharedTabs,
    run: async (play) => {
      const tab = await play.tab()
      await tab.open('second')
      answered([await tab.send({ url: '/app/data' }, 'second')], 200)
      play.recorder.forget()
      play.recorder.expire()
      const both = await Promise.all([...data(3).map((asked) => tab.send(asked)), ...data(3).map((asked) => tab.send(asked, 'second'))])
      answered(both, 200)
      counted(play, { refresh: 1 })
    },
  },
]
