import { afterEach, expect, test, vi } from 'vitest'
import { system } from '../system.ts'
import { noteTold, withTold } from './told-rows.ts'

const row = (status: string, second: number) => ({ id: 'con_1', status, updated_at: new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString() })
const read = (status: string, second: number) => withTold('GET /api/v1/connections/{id}', row(status, second)).status
const clock = vi.spyOn(system, 'now').mockReturnValue(0)
afterEach(() => clock.mockReturnValue(0))

test('an answer that was made before the stream told of a row, and comes after, does not bring the older row back', () => {
  noteTold(row('needs_reauth', 2))
  expect(read('active', 1)).toBe('needs_reauth')
  const other = { ...row('paused', 1), id: 'con_2' }
  const page = withTold('GET /api/v1/connections', { items: [row('active', 1), other], cursor: 'more' })
  expect(page).toEqual({ items: [row('needs_reauth', 2), other], cursor: 'more' })
})

test('an answer that is as new as what was told, or newer, counts', () => {
  noteTold(row('needs_reauth', 2))
  expect([read('blocked', 2), read('active', 3)]).toEqual(['blocked', 'active'])
})

test('what was told half a minute ago argues with nobody: a restored database is older than it, and right', () => {
  noteTold(row('needs_reauth', 2))
  clock.mockReturnValue(30_001)
  expect(read('active', 1)).toBe('active')
})

test('answers to other questions are left alone', () => {
  const facets = { status: [] }
  expect(withTold('GET /api/v1/connections/facets', facets)).toBe(facets)
})
