import { expect, test } from 'vitest'
import { furtherOf, resealWords } from './reseal-progress.ts'

const reseal = { key: 'k2', started_at: '2026-01-01T00:00:00Z', total: 4_000, done: 120, unopened: 0, per_second: 899.6, seconds_left: 5, finished_at: null }
const words = (count: number): string => count.toLocaleString('en')

test('progress is said in values, with the rate and what is left', () => {
  expect(resealWords(reseal, words)).toBe('120 of 4,000 values, 900 a second, about 5 s left')
  expect(resealWords({ ...reseal, seconds_left: 600 }, words)).toMatch(/about 10 min left$/)
})

test('what is not known yet is left out, and what did not open is said', () => {
  expect(resealWords({ ...reseal, total: null, per_second: null, seconds_left: null, unopened: 3 }, words)).toBe('120 values, 3 did not open')
})

test('of what was read and what the stream told, the one that is further counts: a stream that broke does not stop the count', () => {
  expect(furtherOf({ ...reseal, done: 3_000 }, reseal).done).toBe(3_000)
  expect(furtherOf(reseal, { ...reseal, done: 200 }).done).toBe(200)
  expect(furtherOf({ ...reseal, done: 3_000 }, { ...reseal, finished_at: '2026-01-01T00:01:00Z' }).finished_at).not.toBeNull()
})

test('what the stream told of another reseal is not this one', () => {
  expect(furtherOf(reseal, { ...reseal, started_at: '2025-12-31T00:00:00Z', done: 4_000 }).done).toBe(120)
  expect(furtherOf(reseal, null)).toBe(reseal)
})
