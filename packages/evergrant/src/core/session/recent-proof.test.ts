import { expect, test } from 'vitest'
import { DAY, MINUTE } from '../time.ts'
import { isRecentProof, type Proven, requireRecentProof } from './recent-proof.ts'

const AT = Date.UTC(2026, 0, 1)
const proven: Proven = { session: { authenticatedAt: AT, methods: ['pwd'] }, user: { passwordHash: 'a hash' } }

test('a proof of identity counts for ten minutes, to the millisecond', () => {
  for (const age of [0, 1, 10 * MINUTE]) expect(isRecentProof(proven, AT + age)).toBe(true)
  for (const age of [10 * MINUTE + 1, DAY]) expect(isRecentProof(proven, AT + age)).toBe(false)
  expect(() => requireRecentProof(proven, AT + DAY)).toThrow(expect.objectContaining({ code: 'reauthentication_required' }))
})

test('the word of a provider alone proves nothing of somebody who has a password; with their own proof, or without a password, it does', () => {
  const vouched: Proven = { ...proven, session: { authenticatedAt: AT, methods: ['fed'] } }
  expect(isRecentProof(vouched, AT)).toBe(false)
  for (const own of ['pwd', 'otp', 'hwk', 'rec'] as const)
    expect(isRecentProof({ ...vouched, session: { authenticatedAt: AT, methods: ['fed', own] } }, AT)).toBe(true)
  expect(isRecentProof({ ...vouched, user: { passwordHash: null } }, AT)).toBe(true)
})

test('a clock that is set back makes no proof last: clocks of nodes may differ, not by a day', () => {
  expect(isRecentProof(proven, AT - MINUTE)).toBe(true)
  expect(isRecentProof(proven, AT - DAY)).toBe(false)
})
