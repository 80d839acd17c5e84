import { expect, test } from 'vitest'
import { RetryBudgets } from './retry-budget.ts'

function spend(budgets: RetryBudgets, urgent: boolean, at: number, tries: number): number {
  let sent = 0
  for (let attempt = 0; attempt < tries; attempt += 1) {
    if (budgets.waitMs('e', urgent, at) !== null) continue
    budgets.note('e', true, at)
    sent += 1
  }
  return sent
}

test('a quiet endpoint gets ten retries a minute, eight of them for the background', () => {
  const budgets = new RetryBudgets()
  expect(spend(budgets, false, 0, 100)).toBe(8)
  expect(spend(budgets, true, 0, 100)).toBe(2)
  expect(budgets.waitMs('e', true, 0)).toBe(60_000)
  expect(budgets.waitMs('other', true, 0)).toBeNull()
})

test('a busy endpoint gets a tenth of its first attempts', () => {
  const budgets = new RetryBudgets()
  for (let first = 0; first < 1_000; first += 1) budgets.note('e', false, 30_000)
  expect(spend(budgets, true, 30_000, 500)).toBe(100)
})

test('the budget slides: what was spent a minute ago is free again, and in no minute more than the budget goes out', () => {
  const budgets = new RetryBudgets()
  const sent: number[] = []
  for (let at = 0; at < 300_000; at += 500) if (spend(budgets, true, at, 3) > 0) sent.push(at)
  for (const start of sent) expect(sent.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(10)
  expect(budgets.waitMs('e', true, 400_000)).toBeNull()
})

test('a retry that is granted gives its place back, so that an end of trouble is no queue', () => {
  const budgets = new RetryBudgets()
  for (let retry = 0; retry < 500; retry += 1) {
    expect(spend(budgets, false, 0, 1)).toBe(1)
    budgets.giveBack('e')
  }
})

test('first attempts of more than a minute ago earn nothing any more', () => {
  const budgets = new RetryBudgets()
  for (let first = 0; first < 1_000; first += 1) budgets.note('e', false, 0)
  expect(spend(budgets, true, 60_000, 500)).toBe(10)
})
