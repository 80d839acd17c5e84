import fc from 'fast-check'
import { expect, test } from 'vitest'
import { renewalInstants } from './renewal.ts'

const HOUR = 3_600_000

test('an hour token is renewed between 66 and 75 per cent of its life, and is hard three minutes before its end', () => {
  const at = (uniform: number) => renewalInstants({ obtainedAt: 0, accessExpiresAt: HOUR, marginMs: null, noopAboveMs: null, uniform })
  expect(at(0)).toEqual({ softAt: 0.66 * HOUR, hardAt: HOUR - 180_000 })
  expect(at(0.999_999)?.softAt).toBeCloseTo(0.75 * HOUR, -2)
})

test('a provider that repeats the same token above a threshold is not asked above it', () => {
  const instants = renewalInstants({ obtainedAt: 0, accessExpiresAt: 6 * HOUR, marginMs: null, noopAboveMs: HOUR, uniform: 0 })
  expect(instants?.softAt).toBe(5 * HOUR)
})

test('a margin longer than the lifetime does not make a token due at birth', () => {
  const instants = renewalInstants({ obtainedAt: 0, accessExpiresAt: 600_000, marginMs: 900_000, noopAboveMs: null, uniform: 0 })
  expect(instants?.softAt).toBe(396_000)
  expect(instants?.hardAt).toBe(540_000)
})

test('a token of seconds is served for most of its life', () => {
  expect(renewalInstants({ obtainedAt: 0, accessExpiresAt: 5_000, marginMs: null, noopAboveMs: null, uniform: 0 })).toEqual({ softAt: 3_300, hardAt: 4_000 })
})

test('a token without an end has no instants', () => {
  expect(renewalInstants({ obtainedAt: 0, accessExpiresAt: null, marginMs: null, noopAboveMs: null, uniform: 0.5 })).toBeNull()
})

test('soft never comes after hard, hard never after the end, and nothing before the middle, for any lifetime', () => {
  const lifetimes = fc.integer({ min: 1_000, max: 400 * 24 * HOUR })
  const options = fc.option(fc.integer({ min: 0, max: 48 * HOUR }), { nil: null })
  fc.assert(
    fc.property(lifetimes, options, options, fc.double({ min: 0, max: 0.999_999, noNaN: true }), (lifetime, marginMs, noopAboveMs, uniform) => {
      const instants = renewalInstants({ obtainedAt: 0, accessExpiresAt: lifetime, marginMs, noopAboveMs, uniform })
      expect(instants).not.toBeNull()
      expect(instants?.softAt).toBeLessThanOrEqual(instants?.hardAt ?? -1)
      expect(instants?.hardAt).toBeLessThan(lifetime)
      expect(instants?.softAt).toBeGreaterThanOrEqual(0.65 * lifetime)
    }),
  )
})
