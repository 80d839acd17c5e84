import { afterAll, describe, expect, test } from 'vitest'
import regressions from '../simulation/regressions.json' with { type: 'json' }
import type { ProfileName } from '../simulation/seed-report.ts'
import { liveSeeds, shrink } from './live-seeds.ts'
import { clearlyMore } from './mutation-gate.ts'
import { readOptions } from './options.ts'
import { SeedPool } from './seed-pool.ts'
import { NOTHING, plus, summaryOf, totalLosses } from './summary.ts'

const LONG_MS = 240_000
const pool = new SeedPool(2)
afterAll(() => pool.close())

test('fifty brutal seeds break no invariant, and every lost grant is one whose answer was destroyed', { timeout: LONG_MS }, async () => {
  const lived = await liveSeeds(pool, 1, 50, { profile: 'brutal' })
  expect(lived.failed).toEqual([])
  expect(lived.fewestEvents).toBeGreaterThanOrEqual(10_000)
  const { grants, lost, explained, selfInflicted } = totalLosses(lived)
  expect([selfInflicted, explained]).toEqual([0, lost])
  expect(grants).toBeGreaterThan(500)
  expect(lived.served).toBeGreaterThan(0.9 * lived.asked)
})

describe('seeds that failed once hold now', () => {
  test.each(regressions)('seed $seed, mask $mask ($found)', { timeout: LONG_MS }, async ({ seed, mask, profile }) => {
    const report = await pool.seed({ seed, mask, profile: profile as ProfileName })
    expect(report.violations).toEqual([])
  })
})

test('a seed gives the same trace again, in another process and with another way to drain microtasks', { timeout: LONG_MS }, async () => {
  const options = { seed: 77, events: 3_000 }
  const reports = await Promise.all([pool.seed(options), pool.seed({ ...options, drain: 'portable' }), pool.seed(options)])
  expect(new Set(reports.map((report) => report.hash)).size).toBe(1)
  expect((await pool.seed({ ...options, seed: 78 })).hash).not.toBe(reports[0]?.hash)
})

test('a plain lock in the same world loses more, and some by its own doing', { timeout: LONG_MS }, async () => {
  const settings = { mask: 'abcelmnp', profile: 'brutal', events: 10_000 } as const
  const [ours, plain] = [await liveSeeds(pool, 1, 12, settings), await liveSeeds(pool, 1, 12, { ...settings, engine: 'plain_lock' })]
  expect(totalLosses(ours).selfInflicted).toBe(0)
  expect(totalLosses(plain).selfInflicted).toBeGreaterThan(0)
  expect(totalLosses(plain).lost).toBeGreaterThan(totalLosses(ours).lost)
})

test('a failing seed is shrunk to the faults that it needs', async () => {
  const breaking = {
    seed: ({ seed, mask = '' }: { seed: number; mask?: string }) =>
      Promise.resolve({ seed, violations: mask.includes('c') && mask.includes('p') ? [{ invariant: 'I5' }] : [] }),
  }
  expect(await shrink(breaking as unknown as SeedPool, 1, 'abcdp', 'I5', {})).toBe('cp')
  expect(await shrink(breaking as unknown as SeedPool, 1, 'cp', 'I5', {})).toBe('cp')
})

test('summaries of seeds add up', { timeout: LONG_MS }, async () => {
  const reports = [await pool.seed({ seed: 1, events: 1_000 }), await pool.seed({ seed: 2, events: 1_000 })]
  const sum = reports.map(summaryOf).reduce(plus, NOTHING)
  expect([sum.seeds, sum.events, sum.asked]).toEqual([
    2,
    (reports[0]?.events ?? 0) + (reports[1]?.events ?? 0),
    (reports[0]?.asked ?? 0) + (reports[1]?.asked ?? 0),
  ])
})

test('a class that loses clearly more than before is named, and chance is not', () => {
  const losses = (lost: number) => ({ P4: { lost, falselyDead: 0 } })
  expect(clearlyMore(losses(60), losses(20))).toEqual(['P4'])
  expect(clearlyMore(losses(25), losses(20))).toEqual([])
  expect(clearlyMore(losses(3), losses(0))).toEqual([])
})

test('a wrong option is named', () => {
  expect(() => readOptions(['--seeds', 'many'])).toThrow(/--seeds is a whole number/)
  expect(() => readOptions(['--seed', '3', '--mask', 'a!'])).toThrow(/there is no fault !/)
  expect(() => readOptions(['--profile', 'mild'])).toThrow(/--profile is one of brutal/)
  expect(readOptions(['--seed', '3', '--mask', 'ca']).mask).toBe('ac')
})
