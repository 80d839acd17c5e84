import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const base = { baseMs: 2_000, capMs: 900_000, failures: 0, floorMs: 0 }

test('the ceiling doubles with every failure and stops at the cap', () => {
  expect([0, 1, 2, 20].map((failures) => backoffMs({ ...base, failures }, 0))).toEqual([2_000, 4_000, 8_000, 900_000])
})

test('Retry-After is a floor, never a ceiling', () => {
  expect([0.999_999, 0.5, 0].map((uniform) => backoffMs({ ...base, floorMs: 60_000 }, uniform))).toEqual([60_000, 61_000, 62_000])
  expect(backoffMs({ ...base, failures: 10, floorMs: 600_000 }, 0.5)).toBe(630_000)
  expect(backoffMs({ ...base, failures: 10, floorMs: 1_000 }, 0)).toBe(900_000)
})

test('the wait is never zero and never above cap or floor', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.double({ min: 0, max: 0.999_999_999, noNaN: true }), (failures, uniform) => {
      const ms = backoffMs({ ...base, failures }, uniform)
      expect(ms).toBeGreaterThanOrEqual(1)
      expect(ms).toBeLessThanOrEqual(900_000)
    }),
  )
})
