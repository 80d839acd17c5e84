import { expect, test } from 'vitest'
import { stillShown } from './still-shown.ts'

const rows = (...ids: readonly string[]) => ids.map((id) => ({ id }))

test('a chosen row that the list has no more is chosen no more, and comes back with its row', () => {
  const chosen = new Set(['con_1', 'con_2'])
  expect([...stillShown(chosen, rows('con_2', 'con_3'))]).toEqual(['con_2'])
  expect([...stillShown(chosen, rows())]).toEqual([])
  expect([...stillShown(chosen, rows('con_1', 'con_2'))]).toEqual(['con_1', 'con_2'])
})

test('what is chosen waits for a list that is not there yet', () => {
  const chosen = new Set(['con_1'])
  expect(stillShown(chosen, undefined)).toBe(chosen)
})
