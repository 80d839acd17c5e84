import { expect, test } from 'vitest'
import { minuteOfDay } from '../../outbound/notify/local-time.ts'
import { afterQuiet, nextDigest, type QuietHours } from './quiet-hours.ts'

const at = (text: string): number => Date.parse(text)
const iso = (instant: number): string => new Date(instant).toISOString()
const night: QuietHours = { from: '22:00', to: '07:00', timeZone: 'Europe/Berlin' }

test.each([
  ['2026-01-15T12:00:00.000Z', '2026-01-15T12:00:00.000Z', 'by day nothing waits'],
  ['2026-01-15T21:30:10.500Z', '2026-01-16T06:00:00.000Z', 'in the evening it waits for the morning'],
  ['2026-01-15T01:00:00.000Z', '2026-01-15T06:00:00.000Z', 'after midnight it waits for the same morning'],
  ['2026-01-15T06:00:00.000Z', '2026-01-15T06:00:00.000Z', 'the end is not quiet any more'],
  ['2026-07-15T21:30:00.000Z', '2026-07-16T05:00:00.000Z', 'summer has its own hours'],
  ['2026-03-28T23:00:00.000Z', '2026-03-29T05:00:00.000Z', 'the night in which the clocks go forward is an hour shorter'],
  ['2026-10-24T22:00:00.000Z', '2026-10-25T06:00:00.000Z', 'the night in which they go back is an hour longer'],
])('at %s it is told at %s: %s', (now, told) => {
  expect(iso(afterQuiet(at(now), night, minuteOfDay))).toBe(told)
})

test('quiet hours within one day', () => {
  const lunch: QuietHours = { from: '12:00', to: '13:30', timeZone: 'Asia/Kolkata' }
  expect(iso(afterQuiet(at('2026-01-15T07:00:00Z'), lunch, minuteOfDay))).toBe('2026-01-15T08:00:00.000Z')
  expect(iso(afterQuiet(at('2026-01-15T09:00:00Z'), lunch, minuteOfDay))).toBe('2026-01-15T09:00:00.000Z')
})

test('a digest goes out at eight, and never at the very instant that made it', () => {
  expect(iso(nextDigest(at('2026-01-15T06:00:00Z'), 'UTC', minuteOfDay))).toBe('2026-01-15T08:00:00.000Z')
  expect(iso(nextDigest(at('2026-01-15T08:00:00Z'), 'UTC', minuteOfDay))).toBe('2026-01-16T08:00:00.000Z')
  expect(iso(nextDigest(at('2026-01-15T08:00:00Z'), 'America/New_York', minuteOfDay))).toBe('2026-01-15T13:00:00.000Z')
})

test('a time zone that does not exist is told apart', () => {
  expect(() => minuteOfDay(0, 'Europe/Atlantis')).toThrow(RangeError)
})
