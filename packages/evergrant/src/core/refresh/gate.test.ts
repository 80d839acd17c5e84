import { expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { MINUTE, SECOND } from '../time.ts'
import { AnsweredRefreshes } from './answered-refreshes.ts'
import { Backlogs } from './backlog.ts'
import { EndpointBreakers } from './endpoint-breaker.ts'
import type { EngineWorld } from './engine-ports.ts'
import { passGate } from './gate.ts'
import { protocolTimes } from './protocol-times.ts'
import { RetryBudgets } from './retry-budget.ts'

const ENDPOINT = 'https://provider.example/token'
const times = protocolTimes()

/** Only what the gate looks at: an integration whose client is refused, or is served. */
function gateAt(blocked: 'blocked' | 'open', updatedAt = 0) {
  const time = createManualTime()
  const parts = {
    answered: new AnsweredRefreshes(10 * MINUTE),
    breakers: new EndpointBreakers(times),
    backlogs: new Backlogs(times),
    retries: new RetryBudgets(),
  }
  const world = { clock: time.clock, times, entropy: { uniform: () => 0 }, ...parts } as unknown as EngineWorld
  const context = {
    integration: { id: 'int_1', blocked: blocked === 'blocked' ? { code: 'client_rejected' } : null, updatedAt: time.clock.wall() + updatedAt },
    record: { limits: { token: null, api: [] } },
    reuse: { class: 'P4', windowMs: 0, neverProbe: false },
  }
  /** `refusedAt`: when this grant was answered as though the client were wrong. */
  const pass = (refusedAt: number | null) => {
    const fault = refusedAt === null ? null : { code: 'client_rejected', at: refusedAt }
    const row = { connection: { fault }, credential: { suspicion: null }, health: { failures: 0 } }
    const entered = passGate(world, { row, context, urgent: true } as unknown as Parameters<typeof passGate>[1], ENDPOINT)
    return 'kind' in entered ? { code: entered.code, inMs: (entered.retryAt ?? 0) - time.clock.wall() } : 'passes'
  }
  return { time, pass, wall: () => time.clock.wall() }
}

test('a grant that was answered as though the client were wrong rests for five minutes, and the others of its integration do not', async () => {
  const { time, pass, wall } = gateAt('open')
  const refusedAt = wall()
  await time.advance(MINUTE)
  expect([pass(refusedAt), pass(null)]).toEqual([{ code: 'client_rejected', inMs: 4 * MINUTE }, 'passes'])
  await time.advance(4 * MINUTE)
  expect(pass(refusedAt)).toBe('passes')
})

test('where the client may be asked about again, a grant that was refused itself lets the others go first', async () => {
  const { time, pass, wall } = gateAt('blocked')
  expect(pass(null)).toBe('passes')
  const refusedAt = wall()
  await time.advance(5 * MINUTE)
  expect([pass(refusedAt), pass(null)]).toEqual([{ code: 'client_rejected', inMs: 30 * SECOND }, 'passes'])
})

test('a grant that is alone with its refusal is asked about all the same', async () => {
  const { time, pass, wall } = gateAt('blocked')
  expect(pass(null)).toBe('passes')
  const refusedAt = wall()
  await time.advance(5 * MINUTE + 30 * SECOND)
  expect(pass(refusedAt)).toBe('passes')
})

test('an integration that was changed since is asked at once, by whom it may be', async () => {
  const { time, pass, wall } = gateAt('open', MINUTE)
  const refusedAt = wall()
  await time.advance(MINUTE)
  expect(pass(refusedAt)).toBe('passes')
})
