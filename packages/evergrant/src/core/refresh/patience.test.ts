import { expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { SECOND } from '../time.ts'
import type { EngineWorld } from './engine-ports.ts'
import { pausedSince } from './patience.ts'
import { protocolTimes } from './protocol-times.ts'

const time = createManualTime()
const REUSE = { class: 'P1', windowMs: 30 * SECOND, neverProbe: false } as const

function paused(untilMs: number | null, suspectSinceMs: number | null) {
  const now = time.clock
  const breakers = { pausedUntil: () => (untilMs === null ? null : now.mono() + untilMs) }
  const world = { clock: now, times: protocolTimes(), breakers } as unknown as EngineWorld
  const suspicion = suspectSinceMs === null ? null : { intent: 'itn_1', at: now.wall() - suspectSinceMs, answered: false }
  const row = { connection: { integration: 'int_1' }, credential: { suspicion, lease: null, intent: null } }
  return pausedSince(world, row as unknown as Parameters<typeof pausedSince>[1], REUSE as unknown as Parameters<typeof pausedSince>[2])
}

test('a Retry-After that was read while connecting is waited for', () => {
  expect(paused(null, null)).toBeNull()
  expect(paused(5 * SECOND, null)).toBe(time.clock.wall() + 5 * SECOND)
})

test('it is not waited for where a replay window would be over meanwhile', () => {
  expect(paused(60 * SECOND, 2 * SECOND)).toBeNull()
})
