import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorsMarkdown, FAULT_CLASSES, faultsOf } from './errors-page.ts'
import { FAULTS } from './table.ts'

test('docs/errors.md is what the table says; `node scripts/write-errors.ts` writes it', () => {
  expect(readFileSync(new URL('../../../../../docs/errors.md', import.meta.url), 'utf8')).toBe(errorsMarkdown())
})

test('every code is on the page exactly once', () => {
  const shown = FAULT_CLASSES.flatMap(({ id }) => faultsOf(id).map(([code]) => code))
  expect(shown.toSorted()).toEqual(Object.keys(FAULTS).toSorted())
})
