import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CANARY_FAILS, SCENARIOS } from './catalogue.ts'
import { type Cell, cellName } from './play.ts'
import { judge } from './run.ts'
import { Stage } from './stage.ts'

// The whole table is `npm run conformance`. Here: every scenario in one cell of Node, a few in all of them, and the canary.
const COOKIE: Cell = { host: 'node', transport: 'string', mode: 'cookie' }
const OTHERS: readonly Cell[] = [
  { host: 'node', transport: 'request', mode: 'bearer' },
  { host: 'node', transport: 'axios', mode: 'cookie' },
]
const EVERYWHERE = ['C01', 'C02', 'C05', 'C20', 'C24', 'C28', 'C60', 'C65']

let stage: Stage
beforeAll(async () => {
  stage = await Stage.start()
}, 60_000)
afterAll(async () => await stage?.dispose())

test('every scenario has a number of its own, in order', () => {
  const ids = SCENARIOS.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect([...ids].sort()).toEqual(ids)
  expect(ids.length).toBeGreaterThanOrEqual(61)
})

describe(`a client in ${cellName(COOKIE)}`, () => {
  const applies = SCENARIOS.filter(({ leavesOut }) => (leavesOut?.(COOKIE) ?? null) === null)
  test.each(applies.map((scenario) => ({ name: `${scenario.id} ${scenario.title}`, scenario })))('$name', { timeout: 90_000 }, async ({ scenario }) => {
    expect(await judge(stage, COOKIE, scenario)).toEqual({ kind: 'pass' })
  })
})

describe.each(OTHERS.map((cell) => ({ name: cellName(cell), cell })))('a client in $name', ({ cell }) => {
  test.each(EVERYWHERE)('%s', { timeout: 90_000 }, async (id) => {
    const scenario = SCENARIOS.find((each) => each.id === id) ?? expect.fail(id)
    expect(await judge(stage, cell, scenario)).toEqual({ kind: 'pass' })
  })
})

describe('the canary: it refreshes on every 401, shares no flight, and takes every failure for a sign-out', () => {
  test.each(CANARY_FAILS)('fails %s', { timeout: 90_000 }, async (id) => {
    const scenario = SCENARIOS.find((each) => each.id === id) ?? expect.fail(id)
    expect(await judge(stage, COOKIE, scenario, 'naive')).toMatchObject({ kind: 'fail' })
  })
})
