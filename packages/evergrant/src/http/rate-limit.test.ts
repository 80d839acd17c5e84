import { expect, test } from 'vitest'
import { addressBucket, RateLimiter } from './rate-limit.ts'

test('a bucket fills up again at its own rate and never above its capacity', () => {
  let now = 0
  const limiter = new RateLimiter({ perSecond: 2, capacity: 3 }, () => now)
  expect([1, 2, 3].map(() => limiter.take('a'))).toEqual([0, 0, 0])
  expect([limiter.take('a'), limiter.take('b')]).toEqual([500, 0])
  now = 500
  expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 500])
  now = 1_000_000
  expect([1, 2, 3, 4].map(() => limiter.take('a') > 0)).toEqual([false, false, false, true])
})

test('a token that was given back can be taken again', () => {
  const limiter = new RateLimiter({ perSecond: 1, capacity: 1 }, () => 0)
  expect(limiter.take('a')).toBe(0)
  limiter.giveBack('a')
  expect([limiter.take('a'), limiter.take('a') > 0]).toEqual([0, true])
})

test('any number of names stays in bounded memory, and a name that is slowed stays slowed while others come', () => {
  const limiter = new RateLimiter({ perSecond: 0.001, capacity: 1 }, () => 0)
  for (let index = 0; index < 120_000; index++) limiter.take(`name-${index}`)
  expect(limiter.take('name-119999')).toBeGreaterThan(0)
})

test('addresses of one IPv6 network share a bucket, and mapped IPv4 addresses do not', () => {
  expect(addressBucket('2001:db8:1:2::1')).toBe(addressBucket('2001:db8:1:2:ffff:1:2:3'))
  expect(addressBucket('2001:db8:1:2::1')).not.toBe(addressBucket('2001:db8:1:3::1'))
  expect(addressBucket('::ffff:192.0.2.1')).toBe('192.0.2.1')
  expect(addressBucket('192.0.2.1')).not.toBe(addressBucket('192.0.2.2'))
})

test('every way to write an IPv6 address leads to the bucket of its network', () => {
  const network = addressBucket('2001:db8::1')
  for (const text of ['2001:db8:0:0:0:0:0:1', '2001:db8::']) expect(addressBucket(text)).toBe(network)
  expect(addressBucket('::')).toBe(addressBucket('::1'))
  expect(addressBucket('::ffff:0:0:0:0:1')).not.toBe(addressBucket('::1'))
})

test('a token of a name that is forgotten meanwhile is given back to nobody', () => {
  const limiter = new RateLimiter({ perSecond: 0.001, capacity: 1 }, () => 0)
  limiter.giveBack('a')
  expect([limiter.take('a'), limiter.take('a') > 0]).toEqual([0, true])
})
