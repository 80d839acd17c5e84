import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDuration, parseHttpDate, parseIsoInstant } from './dates.ts'
import { retryAfterMs } from './retry-after.ts'

const instants = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })

test('every ISO date-time means what the platform says', () => {
  fc.assert(fc.property(instants, (date) => parseIsoInstant(date.toISOString()) === date.getTime()))
})

test('every HTTP date means what the platform says', () => {
  fc.assert(fc.property(instants, (date) => parseHttpDate(date.toUTCString()) === Math.floor(date.getTime() / 1_000) * 1_000))
})

test.each([
  ['2026-07-30', '2026-07-30T00:00:00Z'],
  ['2026-11-21T08:00:00+02:00', '2026-11-21T06:00:00Z'],
  ['2026-11-21T06:00:00', '2026-11-21T06:00:00Z'],
  ['2026-11-21 06:00:00Z', '2026-11-21T06:00:00Z'],
])('%s is read as %s', (text, expected) => {
  expect(parseIsoInstant(text)).toBe(Date.parse(expected))
})

test.each(['', 'tomorrow', '2026-13-01', '2026-1-1', '1763704800', '2026-11-21T06:61:00Z'])('%j is no date', (text) => {
  expect(parseIsoInstant(text)).toBeNull()
})

const now = Date.parse('2026-11-21T06:00:00Z')

test.each<[Record<string, string>, number | null]>([
  [{}, null],
  [{ 'retry-after': '' }, null],
  [{ 'retry-after': 'soon' }, null],
  [{ 'retry-after': '-5' }, null],
  [{ 'retry-after': '30' }, 30_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '999999999999' }, 86_400_000],
  [{ 'retry-after': 'Sat, 21 Nov 2026 06:01:00 GMT' }, 60_000],
  [{ 'retry-after': 'Sat, 21 Nov 2026 05:00:00 GMT' }, 0],
  [{ 'retry-after': 'Sat, 21 Nov 2026 09:01:00 GMT', date: 'Sat, 21 Nov 2026 09:00:00 GMT' }, 60_000],
])('Retry-After %j is a wait of %j ms', (headers, expected) => {
  expect(retryAfterMs(headers, now)).toBe(expected)
})

test.each([
  ['177:05:38', 637_538],
  ['0:30', 1_800],
  ['PT1H30M', 5_400],
  ['P1DT0.5S', 86_400],
  ['P2W', 1_209_600],
  [' PT45S ', 45],
])('%j is a duration of %i s', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

test.each(['', 'P', 'PT', '1:60', '12:5:38', 'P1Y', 'an hour', '3600', '-1:00:00', '1:00:00:00'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeNull()
})
