import { expect, test } from 'vitest'
import { type CrowdLab, createCrowdLab } from '../../testing/crowd-lab.ts'
import type { ConnectionId } from '../ids.ts'
import { MINUTE, SECOND } from '../time.ts'
import type { EnginePorts } from './engine-ports.ts'

const DUE = { ageMs: 55 * MINUTE }

const renewed = async (lab: CrowdLab, of: readonly ConnectionId[] = lab.members): Promise<number> => {
  let count = 0
  for (const member of of) if ((await lab.row(member)).credential.generation > 1) count += 1
  return count
}

/** A database that takes its time to claim. */
const claimsAfter =
  (ms: number) =>
  ({ credentials, timers }: EnginePorts): Partial<EnginePorts> => ({
    credentials: new Proxy(credentials, {
      get: (target, name) =>
        name !== 'claim'
          ? (Reflect.get(target, name) as unknown)
          : async (request: Parameters<typeof credentials.claim>[0]) => {
              await timers.sleep(ms)
              return target.claim(request)
            },
    }),
  })

test('a slow database fills the places, and nobody is parked for it', async () => {
  const lab = await createCrowdLab(120, { ...DUE, ports: claimsAfter(3 * SECOND) })
  for (let second = 0; second < 60; second += 1) {
    await lab.live(SECOND)
    expect(await lab.store.credentials.parkedIntegrations()).toEqual([])
  }
  expect(await renewed(lab)).toBe(120)
})

test('a provider that takes two seconds is asked as often as its places allow, and others need not wait behind it', async () => {
  const lab = await createCrowdLab(400, DUE)
  lab.crowd.mood = (grant) => (grant.startsWith('rt-0-') ? { takesMs: 2 * SECOND } : 'well')
  await lab.live(10 * SECOND)
  const other = await lab.integrationOf(20, { ageMs: 50 * MINUTE })
  await lab.live(15 * SECOND)
  expect(await renewed(lab, other.members)).toBe(20)
  await lab.live(95 * SECOND)
  expect(await renewed(lab)).toBe(400)
})

test('a fresh node that finds a thousand parked connections of a provider that is well is through with them in seconds', async () => {
  const lab = await createCrowdLab(1_000, DUE)
  lab.crowd.mood = () => 'unreachable'
  await lab.live(MINUTE)
  expect(await lab.store.credentials.parkedIntegrations()).not.toEqual([])
  lab.crowd.mood = () => ({ takesMs: 200 })
  const after = lab.lab.another({ node: { id: 'node-1', incarnation: 'second' } })
  let running = false
  for (let tenth = 0; tenth < 400; tenth += 1) {
    if (!running) {
      running = true
      void after.runDue().then(() => {
        running = false
      })
    }
    await lab.time.advance(100)
  }
  expect(await renewed(lab)).toBeGreaterThan(950)
})

test('a caller who needs what the background already waits to renew goes before the rest of the background', async () => {
  const lab = await createCrowdLab(6, { ageMs: 61 * MINUTE, settings: { concurrency: 1 } })
  lab.crowd.mood = () => ({ takesMs: SECOND })
  void lab.engine.runDue()
  for (let turn = 0; turn < 10; turn += 1) await lab.time.advance(0)
  const asked = () => lab.crowd.presented.map(({ grant }) => Number(grant.split('-')[2]))
  expect([asked().length, lab.engine.stats().flights]).toEqual([1, 6])
  const last = lab.members.findLastIndex((_, index) => index !== asked()[0])
  const connection = lab.members[last] ?? lab.lab.connection
  const reading = lab.engine.token({ organization: lab.lab.organization, connection, minTtlMs: 0, rejectedGeneration: null })
  await lab.time.advance(2 * SECOND)
  expect(asked()[1]).toBe(last)
  expect(await reading).toMatchObject({ generation: 2 })
})
