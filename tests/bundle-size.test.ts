import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { measure, overBudget } from '../scripts/bundle-report.mjs'

const script = fileURLToPath(new URL('../scripts/bundle-report.mjs', import.meta.url))

test('every door of the SDK is within its budget', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status, stdout).toBe(0)
}, 60_000)

test('canary: a door that grows over its budget is named', async () => {
  const source = "export * from './browser/index.ts'"
  const grown = await measure({ name: 'grown', source, budget: 1_000 })
  const small = await measure({ name: 'small', source: 'export const nothing = 0', budget: 1_000 })
  expect(overBudget([grown, small]).map(({ name }) => name)).toEqual(['grown'])
})
