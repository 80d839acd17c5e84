import { expect, test } from 'vitest'
import { scenarios } from '../simulation/scenarios/index.ts'
import { CANARY_SCENARIOS, CANARY_SEEDS } from './canary-list.ts'
import { edited, mutatedSources, sourceOf } from './mutant-loader.ts'
import { mutants } from './mutants.ts'
import { SeedPool } from './seed-pool.ts'

test.each(mutants)('$name still finds each line that it changes, once', (mutant) => {
  expect(mutant.edits.length).toBeGreaterThan(0)
  for (const [file, text] of mutatedSources(mutant)) expect(text).not.toBe(sourceOf(file))
})

test('each of the twenty mutants or more has its own name and names a scenario', () => {
  expect(mutants.length).toBeGreaterThanOrEqual(20)
  expect(new Set(mutants.map((mutant) => mutant.name)).size).toBe(mutants.length)
  const known = scenarios.map((scenario) => scenario.id)
  for (const mutant of mutants) expect(known).toContain(mutant.scenario)
})

test('a line that stands twice, or nowhere, is refused', () => {
  expect(() => edited('a a', { file: 'x', find: 'a', replace: 'b' })).toThrow(/2 times/)
  expect(() => edited('c', { file: 'x', find: 'a', replace: 'b' })).toThrow(/0 times/)
})

test('every mutant is noticed by the scenario that it names, on each store of that scenario', { timeout: 240_000 }, async () => {
  const waiting = [...mutants]
  const survivors: string[] = []
  const judge = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const pool = new SeedPool(1, mutant.name)
      const played = await pool.do({ kind: 'scenario', id: mutant.scenario })
      pool.close()
      expect(played.kind, mutant.name).toBe('scenario')
      if (played.kind === 'scenario' && played.failures.includes(null)) survivors.push(mutant.name)
    }
  }
  await Promise.all([judge(), judge()])
  expect(survivors).toEqual([])
})

test('each of the twenty invariants has a canary', () => {
  const known = [...CANARY_SEEDS, ...CANARY_SCENARIOS].map((canary) => canary.invariant).sort()
  expect(known).toEqual(Array.from({ length: 20 }, (_, index) => `I${index + 1}`).sort())
  for (const { mutant, scenario } of CANARY_SCENARIOS) {
    expect(mutants.map(({ name }) => name)).toContain(mutant)
    expect(scenarios.map(({ id }) => id)).toContain(scenario)
  }
})
