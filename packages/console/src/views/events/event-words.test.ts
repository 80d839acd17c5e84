import { expect, test } from 'vitest'
import { shortData } from './event-words.ts'

test('an instant in the data of an event is written as a time, and a count stays a number', () => {
  expect(shortData({ data: { overlap_until: 1_795_453_842_892, generation: 4, code: 'connection_revoked' } })).toBe(
    'overlap_until=2026-11-23T17:10:42.892Z generation=4 code=connection_revoked',
  )
})
