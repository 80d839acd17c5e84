import { expect, test } from 'vitest'
import type { ConnectionId } from '../ids.ts'
import { RejectionGuard } from './rejection-guard.ts'

const at = (index: number): ConnectionId => `con_${index}` as ConnectionId

test('a token that was just renewed for a refusal is not renewed again for the next one, until a while has passed', () => {
  const guard = new RejectionGuard()
  guard.renewed(at(1), 2, 1_000)
  const until = guard.refusedUntil(at(1), 2, 1_001)
  expect(until).toBeGreaterThan(1_001)
  expect(guard.refusedUntil(at(1), 2, until ?? 0)).toBeNull()
  expect([guard.refusedUntil(at(1), 1, 1_001), guard.refusedUntil(at(1), null, 1_001), guard.refusedUntil(at(2), 2, 1_001)]).toEqual([null, null, null])
})

test('any number of connections stays in bounded memory', () => {
  const guard = new RejectionGuard()
  for (let index = 0; index <= 10_000; index++) guard.renewed(at(index), 2, 1_000)
  expect(guard.refusedUntil(at(0), 2, 1_001)).toBeNull()
  expect(guard.refusedUntil(at(10_000), 2, 1_001)).not.toBeNull()
})
