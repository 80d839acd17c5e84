import { expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { type Api, readAnswer } from '../api.ts'
import { Output } from '../output.ts'
import { Report } from './report.ts'
import { Verifier } from './verify.ts'

interface Answer {
  readonly status: number
  readonly body: JsonObject
}

const ENDED: Answer = { status: 409, body: { code: 'connection_revoked', needs_reauth: true, detail: 'It is over.' } }
const AWAY: Answer = { status: 503, body: { code: 'provider_unavailable', needs_reauth: false, detail: 'It is away.' } }

const works = (result: string): Answer => ({ status: 200, body: { result } })

/** Tests connections named by what their provider answers; each wait is written down and over at once. */
async function verified(answers: Readonly<Record<string, Answer>>, { reuse = 'P4', refresh = works('x'), canTest = true } = {}) {
  const calls: string[] = []
  const waits: number[] = []
  const said: string[] = []
  const api: Api = {
    where: 'here',
    call: async (_method, path) => {
      calls.push(path)
      const [, connection = '', verb] = path.split('/')
      const answer = verb === 'refresh' ? refresh : (answers[connection] ?? AWAY)
      return readAnswer({ status: answer.status, body: JSON.stringify(answer.body) })
    },
    close: () => Promise.resolve(),
  }
  const source = { unit: 'line', repeatable: true, rows: async function* () {}, extent: () => ({ done: 0, total: null }) }
  const output = new Output({ out: () => {}, err: (text) => said.push(text), interactive: false }, false)
  const report = new Report(output, source, createManualTime().clock, undefined)
  const timers = { sleep: async (ms: number) => void waits.push(ms), after: () => () => {} }
  const verifier = new Verifier({ api, report, timers, pauseMs: 200, reuse: () => reuse, canTest: () => canTest })
  await verifier.test(Object.keys(answers).map((connection, index) => ({ line: index + 1, integration: 'strava', connection })))
  return { verified: verifier.verified, calls, waits, said: said.join('') }
}

test('each grant is tested by itself with a pause after it, and what is broken is told by its line', async () => {
  const result = await verified({ one: works('works'), two: works('rejected'), three: works('scope_missing'), four: ENDED })
  expect(result.verified).toEqual({ works: 1, broken: 3, unclear: 0, untested: 0 })
  expect(result.waits).toEqual([200, 200, 200, 200])
  for (const line of ['line 2: two:', 'line 3: three:', 'line 4: four:']) expect(result.said).toContain(line)
})

test('a provider that is away or throttles is asked more and more slowly, until it answers', async () => {
  const result = await verified({ a: AWAY, b: works('throttled'), c: works('unreachable'), d: works('works'), e: works('works') })
  expect(result.verified).toEqual({ works: 2, broken: 0, unclear: 3, untested: 0 })
  expect(result.waits).toEqual([1_000, 2_000, 4_000, 200, 200])
})

test('without a test, a refresh is one only where a refresh token can be presented as often as one likes', async () => {
  const strict = await verified({ a: works('not_known'), b: works('not_known') }, { reuse: 'P4' })
  expect(strict.verified).toEqual({ works: 0, broken: 0, unclear: 0, untested: 2 })
  expect(strict.calls.filter((path) => path.endsWith('/refresh'))).toEqual([])
  const lax = await verified({ a: works('not_known'), b: works('works') }, { reuse: 'P0' })
  expect(lax.verified.works).toBe(2)
  expect(lax.calls).toEqual(['connections/a/test', 'connections/a/refresh', 'connections/b/test'])
  const ended = await verified({ a: works('not_known') }, { reuse: 'P0', refresh: ENDED })
  expect(ended.verified.broken).toBe(1)
})

test('where no call would prove a token, none is asked for', async () => {
  const lax = await verified({ a: works('works'), b: works('works') }, { reuse: 'P0', canTest: false })
  expect(lax.calls).toEqual(['connections/a/refresh', 'connections/b/refresh'])
  expect((await verified({ a: works('works') }, { canTest: false })).calls).toEqual([])
})
