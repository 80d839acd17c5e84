import { expect, test } from 'vitest'
import { EndpointBreakers } from './endpoint-breaker.ts'

const times = { breakerBaseMs: 5_000, breakerCapMs: 60_000 }
const opened = () => {
  const breakers = new EndpointBreakers(times)
  for (let failure = 0; failure < 5; failure += 1) breakers.failed('e', 0)
  return breakers
}

test('four failures in a row leave it closed, the fifth opens it', () => {
  const breakers = new EndpointBreakers(times)
  for (let failure = 0; failure < 4; failure += 1) breakers.failed('e', 0)
  expect(breakers.closedOrRetryAt('e', 0)).toBeNull()
  breakers.failed('e', 0)
  expect(breakers.closedOrRetryAt('e', 0)).toBe(5_000)
  expect(breakers.openCount(0)).toBe(1)
})

test('after the pause exactly one probe goes through', () => {
  const breakers = opened()
  expect(breakers.closedOrRetryAt('e', 5_000)).toBeNull()
  expect(breakers.closedOrRetryAt('e', 5_000)).toBe(10_000)
})

test('a failed probe doubles the pause, a good one closes the breaker', () => {
  const breakers = opened()
  breakers.closedOrRetryAt('e', 5_000)
  breakers.failed('e', 5_000)
  expect(breakers.closedOrRetryAt('e', 5_001)).toBe(15_000)
  expect(breakers.closedOrRetryAt('e', 15_000)).toBeNull()
  breakers.succeeded('e')
  expect(breakers.closedOrRetryAt('e', 15_001)).toBeNull()
  expect(breakers.openCount(15_001)).toBe(0)
})

test('a probe that never left makes room for another', () => {
  const breakers = opened()
  breakers.closedOrRetryAt('e', 5_000)
  breakers.abandoned('e')
  expect(breakers.closedOrRetryAt('e', 5_000)).toBeNull()
})

test('one endpoint does not open another', () => {
  expect(opened().closedOrRetryAt('other', 0)).toBeNull()
})

test('a pause holds one integration back until its Retry-After', () => {
  const breakers = new EndpointBreakers(times)
  breakers.pause('int', 9_000)
  expect(breakers.pausedUntil('int', 8_999)).toBe(9_000)
  expect(breakers.pausedUntil('int', 9_000)).toBeNull()
  expect(breakers.pausedUntil('other', 0)).toBeNull()
})

test('a blocked integration is probed once per interval', () => {
  const breakers = new EndpointBreakers(times)
  expect([0, 1, 300_000].map((now) => breakers.mayProbe('int', now, 300_000))).toEqual([true, false, true])
})
