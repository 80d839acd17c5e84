import { expect, test } from 'vitest'
import { choicesOf } from './filter-bar.tsx'

const FACETS = [
  { value: 'active', count: 1_200 },
  { value: 'blocked', count: 2 },
  { value: 'needs_reauth', count: 3 },
]
const words = (value: string): string => ({ active: 'Active', blocked: 'Blocked', needs_reauth: 'Needs its owner', paused: 'Paused' })[value] ?? value

test('several values that are chosen together are one choice, with all that is behind them', () => {
  expect(choicesOf(FACETS, 'needs_reauth,blocked,degraded', words)[0]).toEqual({
    value: 'needs_reauth,blocked,degraded',
    text: 'Needs its owner, Blocked, degraded (5)',
  })
})

test('what is chosen is offered, also where nothing has it', () => {
  expect(choicesOf(FACETS, 'paused', words).map(({ text }) => text)).toEqual(['Paused (0)', 'Active (1,200)', 'Blocked (2)', 'Needs its owner (3)'])
  expect(choicesOf(FACETS, 'active', words)).toHaveLength(3)
})
