import { expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts'
import { KEEP_TRYING_MS, nextTry } from './delivery.ts'
import { openUntil, wants } from './endpoint.ts'

test.each([
  [['*'], 'connection.created', true],
  [['connection.*'], 'connection.created', true],
  [['connection.*'], 'connections.created', false],
  [['connection.created'], 'connection.deleted', false],
  [['*', 'webhook.*', 'webhook.gone'], 'webhook.gone', false],
])('%j hears of %s: %s', (types, type, expected) => {
  expect(wants({ types }, type)).toBe(expected)
})

test('the circuit opens with the fifth failure, for longer each time, an hour at most', () => {
  const open = (before: number) => openUntil(before, 0, 1)
  expect([0, 3, 4, 5, 6].map(open)).toEqual([null, null, 30 * SECOND, MINUTE, 2 * MINUTE])
  expect(open(1_000)).toBe(HOUR)
})

test('tries wait longer and longer, no less than Retry-After, and end after three days with one last try', () => {
  const delivery = { attempts: 0, expiresAt: KEEP_TRYING_MS }
  expect(KEEP_TRYING_MS).toBe(3 * DAY)
  expect(nextTry(delivery, { now: 0, retryAfterMs: null, uniform: 0 })).toBe(10 * SECOND)
  expect(nextTry({ ...delivery, attempts: 30 }, { now: 0, retryAfterMs: null, uniform: 0 })).toBe(8 * HOUR)
  expect(nextTry(delivery, { now: 0, retryAfterMs: HOUR, uniform: 0.5 })).toBeGreaterThanOrEqual(HOUR)
  expect(nextTry(delivery, { now: KEEP_TRYING_MS - 1, retryAfterMs: HOUR, uniform: 0.5 })).toBe(KEEP_TRYING_MS)
  expect(nextTry(delivery, { now: KEEP_TRYING_MS, retryAfterMs: null, uniform: 0.5 })).toBeNull()
})
