import { expect, test } from 'vitest'
import { createEngineLab } from '../../testing/engine-lab.ts'
import { whileTimeRuns } from '../../testing/manual-time.ts'
import { Fault } from '../fault/fault.ts'
import { TokenBudgets } from './token-budget.ts'

const limit = { requests: 2, seconds: 600, per: 'grant' } as const

test('no more go out in a window than the provider counts, and one that never left does not count', () => {
  const budgets = new TokenBudgets()
  budgets.note('con_1', limit, 0)
  const never = budgets.note('con_1', limit, 100)
  expect(budgets.closedUntil('con_1', limit, 200)).toBe(600_000)
  expect(budgets.closedUntil('con_2', limit, 200)).toBeNull()
  never()
  expect(budgets.closedUntil('con_1', limit, 200)).toBeNull()
  budgets.note('con_1', limit, 300)
  expect(budgets.closedUntil('con_1', limit, 599_999)).toBe(600_000)
  expect(budgets.closedUntil('con_1', limit, 600_000)).toBeNull()
})

test.each(['grant', 'client'] as const)(
  'the engine sends no refresh that the limit of the record (per %s) does not allow, and charges the connection nothing',
  async (per) => {
    const lab = await createEngineLab({ reuse: 'P0', record: { limits: { token: { ...limit, per } } } })
    const renew = async () => {
      const row = await lab.row()
      const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: row.credential.generation }
      return lab.engine.token(request)
    }
    for (const generation of [2, 3]) {
      await lab.time.advance(61_000)
      expect((await whileTimeRuns(lab.time, renew())).generation).toBe(generation)
    }
    await lab.time.advance(61_000)
    const refused = await whileTimeRuns(lab.time, renew()).catch((error: unknown) => error)
    expect(refused instanceof Fault ? refused.code : refused).toBe('provider_rate_limited')
    expect(lab.provider.presented).toHaveLength(2)
    expect((await lab.row()).health.failures).toBe(0)
    await lab.time.advance(600_000)
    expect((await whileTimeRuns(lab.time, renew())).generation).toBe(4)
  },
)

test('any number of tokens stays in bounded memory: those that are forgotten are counted anew', () => {
  const budgets = new TokenBudgets()
  const limit = { requests: 1, seconds: 600, per: 'grant' as const }
  for (let index = 0; index < 20_000; index++) budgets.note(`token-${index}`, limit, 0)
  expect(budgets.closedUntil('token-0', limit, 1)).not.toBeNull()
  budgets.note('one more', limit, 0)
  expect(budgets.closedUntil('token-0', limit, 1)).toBeNull()
  expect(budgets.closedUntil('one more', limit, 1)).not.toBeNull()
})

test('taking back what has left the window already changes nothing', () => {
  const budgets = new TokenBudgets()
  const limit = { requests: 1, seconds: 10, per: 'grant' as const }
  const takeBack = budgets.note('a', limit, 0)
  expect(budgets.closedUntil('a', limit, 20_000)).toBeNull()
  budgets.note('a', limit, 20_000)
  takeBack()
  expect(budgets.closedUntil('a', limit, 20_001)).toBe(30_000)
})
