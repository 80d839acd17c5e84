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
  expect(overBudget([...grown, ...small]).map(({ name }) => name)).toEqual(['grown'])
})

test('canary: what is loaded later does not count for the door, and has a budget of its own or is over it', async () => {
  const source = "export const words = () => import('./react/labels/en.ts')"
  const [door, later] = await measure({ name: 'door', source, budget: 200 })
  expect([door?.budget, later?.name]).toEqual([200, 'later: react/labels/en.ts'])
  expect(overBudget([door!, later!])).toEqual([later])
})

test('canary: what a door shares with something that it loads later counts for the door', async () => {
  const source = "export { en } from './react/labels/en.ts'\nexport const later = () => import('./react/labels/en.ts')"
  const [door] = await measure({ name: 'door', source, budget: 200 })
  expect(door?.compressed).toBeGreaterThan(1_500)
})
