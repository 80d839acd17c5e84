import { expect, test } from 'vitest'
import { relativeWords } from './words.ts'

const NOW = Date.UTC(2026, 10, 22)
const HOUR = 3_600_000

test.each([
  [0, 'now'],
  [-4_000, 'now'],
  [5 * 60_000, 'in 5 min.'],
  [-90 * 60_000, '1 hr. ago'],
  [47 * HOUR, 'in 1 day'],
  [9 * 24 * HOUR, 'in 9 days'],
  [-40 * 24 * HOUR, '1 mo. ago'],
])('%i ms from now is said in numbers: %s', (ms, words) => {
  expect(relativeWords(NOW + ms, NOW)).toBe(words)
})

test('what is no time is said to be unknown', () => {
  expect(relativeWords('never', NOW)).toBe('unknown')
})
