import { expect, test } from 'vitest'
import { createCrowdLab } from '../../testing/crowd-lab.ts'
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
const time = createManualTime()

/** Only what the gate looks at. */
function gate(suspectSinceMs: number): ReturnType<typeof passGate> {
  const retries = new RetryBudgets()
  for (let retry = 0; retry < 100; retry += 1) retries.note(ENDPOINT, true, time.clock.mono())
  const parts = { answered: new AnsweredRefreshes(10 * MINUTE), breakers: new EndpointBreakers(times), backlogs: new Backlogs(times), retries }
  const world = { clock: time.clock, times, entropy: { uniform: () => 0 }, ...parts } as unknown as EngineWorld
  const suspicion = { intent: 'itn_1', at: time.clock.wall() - suspectSinceMs, answered: false }
  const row = { connection: { fault: null }, credential: { suspicion }, health: { failures: 1 } }
  const context = {
    integration: { id: 'int_1', blocked: null },
    record: { limits: { token: null, api: [] } },
    reuse: { class: 'P1', windowMs: 30 * SECOND, neverProbe: false },
  }
  return passGate(world, { row, context, urgent: false } as unknown as Parameters<typeof passGate>[1], ENDPOINT)
}

test('a replay window that runs waits for no retry budget: to wait would lose the grant', () => {
  expect(gate(2 * SECOND)).not.toHaveProperty('kind')
})

test('once the window is over, the retry stands in line like any other', () => {
  expect(gate(MINUTE)).toMatchObject({ kind: 'not_now', code: 'provider_unavailable' })
})

test('of a crowd that lost its answers at once, everybody is presented again before a replay window is over', async () => {
  const lab = await createCrowdLab(30, { reuse: 'P1', settings: { concurrency: 30 }, ageMs: 50 * MINUTE })
  const { crowd } = lab
  crowd.mood = () => 'hangs'
  await lab.live(9 * SECOND)
  const first = new Map(crowd.presented.map(({ at, grant }) => [grant, at]))
  expect(first.size).toBe(30)
  await lab.live(3 * SECOND)
  crowd.mood = () => 'well'
  await lab.live(30 * SECOND)
  const inTime = (grant: string, at: number) => crowd.presented.some((other) => other.grant === grant && other.at > at && other.at - at < 24 * SECOND)
  expect([...first].filter(([grant, at]) => !inTime(grant, at))).toEqual([])
})
