import { expect, test } from 'vitest'
import { DAY, MINUTE } from '../time.ts'
import { isRecentProof, requireRecentProof } from './recent-proof.ts'

const AT = Date.UTC(2026, 0, 1)
const proven = { authenticatedAt: AT }

test('a proof of identity counts for ten minutes, to the millisecond', () => {
  for (const age of [0, 1, 10 * MINUTE]) expect(isRecentProof(proven, AT + age)).toBe(true)
  for (const age of [10 * MINUTE + 1, DAY]) expect(isRecentProof(proven, AT + age)).toBe(false)
  expect(() => requireRecentProof(proven, AT + DAY)).toThrow(expect.objectContaining({ code: 'reauthentication_required' }))
})

test('a clock that is set back makes no proof last: clocks of nodes may differ, not by a day', () => {
  expect(isRecentProof(proven, AT - MINUTE)).toBe(true)
  expect(isRecentProof(proven, AT - DAY)).toBe(false)
})
