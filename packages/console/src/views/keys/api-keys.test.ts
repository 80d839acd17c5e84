import { expect, test } from 'vitest'
import { keyState } from './api-keys.tsx'

const NOW = Date.UTC(2026, 10, 21)
const key = (id: string, more: object = {}) => ({
  id,
  name: id,
  hint: 'egk_1',
  scopes: [],
  created_at: '',
  last_used_at: null,
  expires_at: null,
  revoked_at: null,
  replaces: null,
  ...more,
})

test('a key with a successor is being replaced until its end, and over afterwards', () => {
  const old = key('old', { expires_at: '2026-11-22T00:00:00.000Z' })
  const all = [old, key('new', { replaces: 'old' })]
  expect(keyState(old, all, NOW)).toBe('overlap')
  expect(keyState(old, all, NOW + 2 * 86_400_000)).toBe('over')
})

test('a revoked key is revoked, whatever else is true', () => {
  expect(keyState(key('a', { revoked_at: '2026-11-20T00:00:00.000Z' }), [], NOW)).toBe('revoked')
  expect(keyState(key('a'), [], NOW)).toBe('works')
})
