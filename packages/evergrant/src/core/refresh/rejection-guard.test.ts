import { expect, test } from 'vitest'
import type { ConnectionId } from '../ids.ts'
import { RejectionGuard } from './rejection-guard.ts'

const at = (index: number): ConnectionId => `con_${index}` as ConnectionId

test('a token that was just renewed for a refusal is not renewed again for the next one, until a while has passed', () => {
  const guard = new RejectionGuard()
  guard.renewed(at(1), 2, 1_000)
  const quietMs = guard.quietForMs(at(1), 2, 1_001) ?? 0
  expect(quietMs).toBeGreaterThan(0)
  expect(guard.quietForMs(at(1), 2, 1_000 + quietMs)).toBe(1)
  expect(guard.quietForMs(at(1), 2, 1_001 + quietMs)).toBeNull()
  expect([guard.quietForMs(at(1), 1, 1_001), guard.quietForMs(at(1), null, 1_001), guard.quietForMs(at(2), 2, 1_001)]).toEqual([null, null, null])
})

test('any number of connections stays in bounded memory', () => {
  const guard = new RejectionGuard()
  for (let index = 0; index <= 10_000; index++) guard.renewed(at(index), 2, 1_000)
  expect(guard.quietForMs(at(0), 2, 1_001)).toBeNull()
  expect(guard.quietForMs(at(10_000), 2, 1_001)).not.toBeNull()
})
