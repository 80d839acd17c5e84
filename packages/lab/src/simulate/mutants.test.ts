import { expect, test } from 'vitest'
import { scenarios } from '../simulation/scenarios/index.ts'
import { edited, mutatedSources, sourceOf } from './mutant-loader.ts'
import { mutants } from './mutants.ts'

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
