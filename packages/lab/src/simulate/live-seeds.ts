import type { PlainSeed, SeedPool } from './seed-pool.ts'
import { NOTHING, plus, type Summary, summaryOf } from './summary.ts'

type SeedSettings = Omit<PlainSeed, 'seed'>

/** Lives `count` seeds from `from`, side by side. A seed that does not come to its end is a failure like any other. */
export async function liveSeeds(pool: SeedPool, from: number, count: number, settings: SeedSettings, tell?: (done: number) => void): Promise<Summary> {
  const summaries: Summary[] = []
  let next = from
  let done = 0
  const live = async () => {
    while (next < from + count) {
      const seed = next
      next += 1
      summaries.push(await pool.seed({ ...settings, seed }).then(summaryOf, (error: unknown) => broken(seed, settings, error)))
      done += 1
      tell?.(done)
    }
  }
  await Promise.all(Array.from({ length: pool.size }, live))
  const sum = summaries.reduce(plus, NOTHING)
  return { ...sum, failed: [...sum.failed].sort((left, right) => left.seed - right.seed) }
}

function broken(seed: number, settings: SeedSettings, error: unknown): Summary {
  const text = error instanceof Error ? error.message : String(error)
  return { ...NOTHING, seeds: 1, fewestEvents: 0, violations: 1, failed: [{ seed, mask: settings.mask ?? '?', invariant: 'no end', text }] }
}

/**
 * Takes faults out of the mask of a failing seed for as long as the same invariant still breaks. Every try of one round
 * runs side by side; the first in the order of the letters counts, so that the result is the same everywhere.
 */
export async function shrink(pool: SeedPool, seed: number, mask: string, invariant: string, settings: SeedSettings): Promise<string> {
  let smallest = mask
  for (;;) {
    const letters = smallest === '-' ? [] : [...smallest]
    const smaller = letters.map((letter) => letters.filter((other) => other !== letter).join('') || '-')
    const still = await Promise.all(smaller.map((candidate) => breaks(pool, seed, candidate, invariant, settings)))
    const found = smaller[still.indexOf(true)]
    if (found === undefined) return smallest
    smallest = found
  }
}

function breaks(pool: SeedPool, seed: number, mask: string, invariant: string, settings: SeedSettings): Promise<boolean> {
  return pool.seed({ ...settings, seed, mask }).then(
    (report) => report.violations.some((violation) => violation.invariant === invariant),
    () => invariant === 'no end',
  )
}
