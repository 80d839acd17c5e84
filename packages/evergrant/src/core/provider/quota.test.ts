import { expect, test } from 'vitest'
import { counts, readQuotas, throttles, windowEnd } from './quota.ts'
import type { QuotaFacts } from './record-around.ts'

const AT = Date.UTC(2026, 10, 21, 12, 7, 30)
const MINUTE = 60_000

const quota = (changes: Partial<QuotaFacts> = {}): QuotaFacts => ({
  name: 'window',
  per: 'client',
  methods: [],
  limit: null,
  used: null,
  remaining: null,
  reset: null,
  bucket: null,
  windowSeconds: null,
  aligned: false,
  ...changes,
})
const at = (header: string, index = 0) => ({ header, at: index })
const read = (facts: Partial<QuotaFacts>, headers: Readonly<Record<string, string>>) =>
  readQuotas([quota(facts)], { headers, at: AT }).map(({ limit, remaining, resetsAt }) => [limit, remaining, resetsAt - AT])

/** https://developers.strava.com/docs/rate-limits/ */
const strava = [0, 1].flatMap((index) => [
  quota({
    name: `all ${index}`,
    limit: at('X-RateLimit-Limit', index),
    used: at('X-RateLimit-Usage', index),
    windowSeconds: index === 0 ? 900 : 86_400,
    aligned: true,
  }),
  quota({
    name: `read ${index}`,
    methods: ['GET'],
    limit: at('X-ReadRateLimit-Limit', index),
    used: at('X-ReadRateLimit-Usage', index),
    windowSeconds: index === 0 ? 900 : 86_400,
    aligned: true,
  }),
])

test("Strava's four headers are four quotas, whose windows end at the quarter of the hour and at midnight UTC", () => {
  const headers = { 'x-ratelimit-limit': '200,2000', 'x-ratelimit-usage': '20, 300', 'x-readratelimit-limit': '100, 1000', 'x-readratelimit-usage': '100,250' }
  const readings = readQuotas(strava, { headers, at: AT }).map((reading) => [reading.quota.name, reading.limit, reading.remaining, reading.resetsAt])
  const [quarter, midnight] = [Date.UTC(2026, 10, 21, 12, 15), Date.UTC(2026, 10, 22)]
  expect(readings).toEqual([
    ['all 0', 200, 180, quarter],
    ['read 0', 100, 0, quarter],
    ['all 1', 2_000, 1_700, midnight],
    ['read 1', 1_000, 750, midnight],
  ])
})

test.each([
  ['seconds', '90', 90_000],
  ['seconds', '0.5', 500],
  ['milliseconds', '1500', 1_500],
  ['epoch_seconds', String(AT / 1_000 + 60), MINUTE],
  ['epoch_milliseconds', String(AT + 1), 1],
  ['http_date', 'Sat, 21 Nov 2026 12:08:30 GMT', MINUTE],
  ['iso8601', '2026-11-21T12:08:30Z', MINUTE],
] as const)('a reset in %s is understood: %s', (format, text, waitMs) => {
  expect(read({ limit: at('l'), remaining: at('r'), reset: { header: 'Reset', format } }, { l: '10', r: '3', reset: text })).toEqual([[10, 3, waitMs]])
})

test("an instant counts from the answer's own date, so that a wrong clock moves no window", () => {
  const headers = { r: '0', reset: String(AT / 1_000 + 7_260), date: new Date(AT + 7_200_000).toUTCString() }
  expect(read({ remaining: at('r'), reset: { header: 'reset', format: 'epoch_seconds' } }, headers)).toEqual([[null, 0, MINUTE]])
})

test('no window ends later than its length, or a day: a reset that is read wrongly stops nobody for longer', () => {
  const reset = { header: 'reset', format: 'seconds' as const }
  const headers = { r: '0', reset: String(AT / 1_000) }
  expect(read({ remaining: at('r'), reset, windowSeconds: 60 }, headers)).toEqual([[null, 0, MINUTE]])
  expect(read({ remaining: at('r'), reset }, headers)).toEqual([[null, 0, 86_400_000]])
  expect(read({ remaining: at('r'), reset: { ...reset, format: 'epoch_seconds' } }, { r: '0', reset: '5' })).toEqual([[null, 0, 0]])
})

test.each<[Readonly<Record<string, string>>, string]>([
  [{}, 'nothing'],
  [{ l: '10' }, 'no usage'],
  [{ l: 'many', u: '3' }, 'a limit that is no number'],
  [{ l: '10', u: '-3' }, 'a negative usage'],
  [{ l: '10', u: '' }, 'an empty usage'],
])('headers %j tell of no quota: %s', (headers) => {
  expect(read({ limit: at('l'), used: at('u'), windowSeconds: 60 }, headers)).toEqual([])
})

test('a quota without any end is none, since nobody could say when to come back', () => {
  expect(read({ remaining: at('r') }, { r: '0' })).toEqual([])
  expect(read({ remaining: at('r'), reset: { header: 'reset', format: 'seconds' } }, { r: '0', reset: 'soon' })).toEqual([])
})

test('more used than the limit leaves nothing; the limit may be told by what is used and what is left', () => {
  expect(read({ limit: at('l'), used: at('u'), windowSeconds: 60 }, { l: '10', u: '12' })).toEqual([[10, 0, MINUTE]])
  expect(read({ used: at('u'), remaining: at('r'), windowSeconds: 60 }, { u: '4', r: '6.0' })).toEqual([[10, 6, MINUTE]])
})

test('a quota counts its methods, and HEAD as GET', () => {
  expect([counts(quota(), 'POST'), counts(quota({ methods: ['GET'] }), 'HEAD'), counts(quota({ methods: ['GET'] }), 'POST')]).toEqual([true, true, false])
})

test('a throttled answer speaks to everybody unless every known quota is of one grant', () => {
  expect([throttles([]), throttles([quota(), quota({ per: 'grant' })]), throttles([quota({ per: 'grant' })])]).toEqual(['client', 'client', 'grant'])
})

test('a window that is not aligned is taken to begin now', () => {
  expect([windowEnd(quota(), AT), windowEnd(quota({ windowSeconds: 60 }), AT)]).toEqual([null, AT + MINUTE])
})
