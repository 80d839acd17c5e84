import { expect, test } from 'vitest'
import { openMemoryStore } from '../../../evergrant/src/engine-parts.ts'
import { runSeed } from './run-seed.ts'

const EVENTS = 2_500

test('the same seed lives the same life twice, to the last event', async () => {
  const first = await runSeed({ seed: 7, events: EVENTS })
  const second = await runSeed({ seed: 7, events: EVENTS })
  expect(second).toEqual(first)
  expect(first.events).toBeGreaterThan(EVENTS)
})

test('another seed lives another life', async () => {
  const [one, other] = [await runSeed({ seed: 7, events: EVENTS }), await runSeed({ seed: 8, events: EVENTS })]
  expect(other.hash).not.toBe(one.hash)
})

test('how microtasks are drained between two events changes nothing', async () => {
  for (const seed of [3, 4, 5]) {
    const fast = await runSeed({ seed, events: EVENTS, drain: 'fast' })
    const portable = await runSeed({ seed, events: EVENTS, drain: 'portable' })
    expect(portable.hash).toBe(fast.hash)
  }
})

test('watching a seed changes nothing, and the mask that a report names replays it', async () => {
  const lines: string[] = []
  const drawn = await runSeed({ seed: 11, events: EVENTS })
  const watched = await runSeed({ seed: 11, mask: drawn.mask, events: EVENTS, trace: (line) => lines.push(line) })
  expect(watched.hash).toBe(drawn.hash)
  expect(lines.length).toBeGreaterThan(100)
})

test('an unknown fault in a mask is refused', async () => {
  await expect(runSeed({ seed: 1, mask: 'a1' })).rejects.toThrow('there is no fault 1')
})

test('without faults nothing is lost and everybody is served', async () => {
  for (const seed of [21, 22, 23]) {
    const report = await runSeed({ seed, mask: '-', events: EVENTS })
    expect(report.violations).toEqual([])
    const lost = Object.values(report.losses).reduce((sum, { lost }) => sum + lost, 0)
    expect(lost).toBe(0)
    expect(report.presentations).toBeGreaterThan(0)
  }
})

test('the protocol keeps its invariants over a handful of brutal seeds', async () => {
  for (let seed = 100; seed < 110; seed++) expect((await runSeed({ seed, events: EVENTS })).violations).toEqual([])
})

test('the embedded SQL store lives a seed as the plain maps do', async () => {
  const maps = await runSeed({ seed: 31, events: 800 })
  const sql = await runSeed({ seed: 31, events: 800, store: openMemoryStore })
  expect(sql.violations).toEqual([])
  expect(sql.presentations).toBeGreaterThan(0)
  expect(maps.violations).toEqual([])
})
