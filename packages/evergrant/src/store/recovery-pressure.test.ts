import { expect, test } from 'vitest'
import { DAY, HOUR } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { createManualTime } from '../testing/manual-time.ts'
import { storeCases } from './conformance.ts'
import type { Store } from './contract.ts'
import { openMemoryStore } from './index.ts'
import { openVolatileStore } from './memory/volatile-store.ts'

const START = Date.UTC(2026, 10, 22)
const TRIPPING = 'the tenth recovery of an organization within an hour trips its breaker: from then on each one asks a person'

type Open = (time: ReturnType<typeof createManualTime>) => Promise<Store> | Store
const STORES: readonly (readonly [string, Open])[] = [
  ['SQLite', ({ clock, timers }) => openMemoryStore({ clock, timers })],
  ['memory', ({ clock, timers }) => openVolatileStore({ clock, timers })],
]

test.each(STORES)('%s: recoveries from a clock that was a year ahead press no breaker once it is right again', async (_, open) => {
  const time = createManualTime(START + 365 * DAY)
  const store = await open(time)
  await storeCases.find(({ name }) => name === TRIPPING)?.run(store, { entropy: systemEntropy, duePlan: async () => '' })
  const { id } = (await store.organizations.list()).find((one) => one.name === 'Example') ?? expect.fail('the case has no organization')
  const recoveries = async (since: number): Promise<number> => (await store.installations.recoveryPressure(id, since)).recoveries
  expect(await recoveries(START + 365 * DAY - HOUR)).toBe(11)
  time.setWall(START)
  expect(await recoveries(START - HOUR)).toBe(0)
  await store.close()
})
