import { expect, test } from 'vitest'
import { EndpointBreakers } from './endpoint-breaker.ts'

const times = { breakerBaseMs: 5_000, breakerCapMs: 60_000, breakerProbeMaxMs: 120_000 }
const GO = { go: true, probe: false }
const PROBE = { go: true, probe: true }
const until = (instant: number) => ({ go: false, until: instant })
const opened = () => {
  const breakers = new EndpointBreakers(times)
  for (let failure = 0; failure < 5; failure += 1) breakers.failed('e', 0)
  return breakers
}

test('four failures in a row leave it closed, the fifth opens it', () => {
  const breakers = new EndpointBreakers(times)
  for (let failure = 0; failure < 4; failure += 1) breakers.failed('e', 0)
  expect(breakers.enter('e', 0)).toEqual(GO)
  breakers.failed('e', 0)
  expect(breakers.enter('e', 0)).toEqual(until(5_000))
  expect(breakers.openCount(0)).toBe(1)
})

test('after the pause exactly one probe goes through', () => {
  const breakers = opened()
  expect(breakers.enter('e', 5_000)).toEqual(PROBE)
  expect(breakers.enter('e', 5_000)).toEqual(until(10_000))
})

test('a failed probe doubles the pause, a good one closes the breaker', () => {
  const breakers = opened()
  breakers.enter('e', 5_000)
  breakers.failed('e', 5_000)
  expect(breakers.enter('e', 5_001)).toEqual(until(15_000))
  expect(breakers.enter('e', 15_000)).toEqual(PROBE)
  breakers.succeeded('e')
  expect(breakers.enter('e', 15_001)).toEqual(GO)
  expect(breakers.openCount(15_001)).toBe(0)
})

test('requests that were under way when it opened do not lengthen the pause', () => {
  const breakers = opened()
  for (let late = 0; late < 8; late += 1) breakers.failed('e', 100)
  expect(breakers.enter('e', 101)).toEqual(until(5_000))
})

test('a probe that never left makes room for another', () => {
  const breakers = opened()
  breakers.enter('e', 5_000)
  breakers.abandoned('e')
  expect(breakers.enter('e', 5_000)).toEqual(PROBE)
})

test('a probe that never comes back closes the endpoint for two minutes, not for ever', () => {
  const breakers = opened()
  expect(breakers.enter('e', 5_000)).toEqual(PROBE)
  expect(breakers.enter('e', 124_999)).toEqual(until(125_000))
  expect(breakers.enter('e', 125_000)).toEqual(PROBE)
  expect(breakers.enter('e', 125_001)).toEqual(until(130_001))
})

test('one endpoint does not open another', () => {
  expect(opened().enter('other', 0)).toEqual(GO)
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
  expect([0, 1, 300_000].map((now) => breakers.nextProbe('int', now, 300_000))).toEqual([null, 300_000, null])
})

test('what is open is told by the integration that met it last, and since its first opening', () => {
  const breakers = new EndpointBreakers(times)
  breakers.failed('a', 10, 1, 'int_1')
  breakers.failed('b', 20, 1)
  breakers.failed('c', 30, 2, 'int_3')
  expect(breakers.open()).toEqual([{ integration: 'int_1', since: 10 }])
  breakers.enter('a', 5_010)
  breakers.failed('a', 5_010, 1)
  expect(breakers.open()).toEqual([{ integration: 'int_1', since: 10 }])
  breakers.enter('a', 15_010)
  breakers.failed('a', 15_010, 1, 'int_2')
  expect(breakers.open()).toEqual([{ integration: 'int_2', since: 10 }])
  breakers.succeeded('a')
  expect(breakers.open()).toEqual([])
})

test('a breaker whose pause is over is open no more in the count', () => {
  const breakers = opened()
  expect([0, 4_999, 5_000].map((now) => breakers.openCount(now))).toEqual([1, 1, 0])
})

test('a blocked integration is asked about once in its time, and the next is counted from the last', () => {
  const breakers = new EndpointBreakers(times)
  expect([1_000, 1_999, 2_000, 2_500].map((now) => breakers.nextProbe('int_1', now, 1_000))).toEqual([null, 2_000, null, 3_000])
})
