import { expect, test } from 'vitest'
import { type CrowdLab, createCrowdLab } from '../../testing/crowd-lab.ts'
import { statusOf } from '../connection/status.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId } from '../ids.ts'
import { HOUR, MINUTE } from '../time.ts'
import type { EnginePorts } from './engine-ports.ts'

/** Counts the calls that reach the database, by name. */
function counted(calls: Map<string, number>): (ports: EnginePorts) => Partial<EnginePorts> {
  return ({ credentials }) => ({
    credentials: new Proxy(credentials, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...args: readonly unknown[]) => {
          calls.set(String(name), (calls.get(String(name)) ?? 0) + 1)
          return Reflect.apply(method, target, args) as unknown
        }
      },
    }),
  })
}

const renewed = async (lab: CrowdLab, of: readonly ConnectionId[] = lab.members): Promise<number> => {
  let count = 0
  for (const member of of) if ((await lab.row(member)).credential.generation > 1) count += 1
  return count
}

test('a dead provider is asked at most once a minute, no grant is marked, and what waits costs the database next to nothing', async () => {
  const calls = new Map<string, number>()
  const lab = await createCrowdLab(1_500, { ageMs: 50 * MINUTE, ports: (ports) => counted(calls)(ports) })
  lab.crowd.mood = () => 'unreachable'
  await lab.live(3 * MINUTE)
  calls.clear()
  const from = lab.time.clock.mono()
  await lab.live(10 * MINUTE)
  expect(lab.crowd.between(from, from + 10 * MINUTE)).toBeLessThanOrEqual(11)
  expect(await lab.states()).toEqual({ active: 1_500 })
  const { takeDue = 0, takeParked = 0, ...rest } = Object.fromEntries(calls)
  expect(takeDue + takeParked).toBeLessThanOrEqual(2 * 10 * 70)
  expect(Object.values(rest).reduce((left, right) => left + right, 0)).toBeLessThan(600)
  let failed = 0
  for (const member of lab.members) failed += (await lab.row(member)).health.failures > 0 ? 1 : 0
  expect(failed).toBeLessThan(40)
})

test('an issuer that cannot be discovered costs each waiting connection a look a minute, and all are renewed when it is back', async () => {
  const calls = new Map<string, number>()
  let away = true
  const ports = (given: EnginePorts): Partial<EnginePorts> => ({
    ...counted(calls)(given),
    directory: {
      ...given.directory,
      resolve: (...asked) => (away ? Promise.reject(new Fault('provider_unavailable', { detail: 'Discovery failed' })) : given.directory.resolve(...asked)),
    },
  })
  const lab = await createCrowdLab(100, { ageMs: 55 * MINUTE, ports })
  await lab.live(10 * MINUTE)
  expect(calls.get('reschedule') ?? 0).toBeLessThanOrEqual(100 * 11)
  expect(await renewed(lab)).toBe(0)
  away = false
  await lab.live(2 * MINUTE)
  expect(await renewed(lab)).toBe(100)
})

test('when it is back the backlog leaves in order: who is read first, then the earliest hard expiry', async () => {
  const lab = await createCrowdLab(120, {
    livesMs: (index) => HOUR + ((index * 37) % 120) * 1_000,
    ageMs: 55 * MINUTE,
    lastReadAt: (index) => (index % 10 === 0 ? Date.UTC(2026, 0, 1) : null),
  })
  lab.crowd.mood = () => 'down'
  await lab.live(5 * MINUTE)
  const from = lab.time.clock.mono()
  lab.crowd.mood = () => 'well'
  await lab.live(8 * MINUTE)
  const order = lab.crowd.presented.filter(({ at }) => at >= from).map(({ grant }) => Number(grant.split('-')[2]))
  expect(await renewed(lab)).toBeGreaterThan(100)
  const calm = order.slice(2)
  const readers = calm.filter((index) => index % 10 === 0)
  expect(calm.slice(0, readers.length).filter((index) => index % 10 === 0).length).toBeGreaterThanOrEqual(readers.length - 2)
  const others = calm.filter((index) => index % 10 !== 0).map((index) => (index * 37) % 120)
  const inversions = others.filter((rank, at) => at > 0 && rank < (others[at - 1] ?? 0)).length
  expect(inversions).toBeLessThan(others.length / 10)
})

test('a dead provider starves nobody: another integration behind a thousand of its connections is renewed within seconds', async () => {
  const lab = await createCrowdLab(1_000, { ageMs: 55 * MINUTE })
  const other = await lab.integrationOf(20, { ageMs: 50 * MINUTE })
  lab.crowd.mood = (grant) => (grant.startsWith('rt-0-') ? 'down' : 'well')
  await lab.live(15_000)
  expect(await renewed(lab, other.members)).toBe(20)
})

test('a provider that answers each request after a minute leaves the node to the others', async () => {
  const lab = await createCrowdLab(300, { ageMs: 55 * MINUTE })
  lab.crowd.mood = (grant) => (grant.startsWith('rt-0-') ? 'slow' : 'well')
  await lab.live(20_000)
  const other = await lab.integrationOf(20, { ageMs: 50 * MINUTE })
  await lab.live(30_000)
  expect(await renewed(lab, other.members)).toBe(20)
})

test('Retry-After is kept by everybody, and those who waited do not come back together', async () => {
  const lab = await createCrowdLab(60, { ageMs: 50 * MINUTE })
  lab.crowd.mood = () => ({ throttlesSeconds: 120 })
  await lab.live(1_000)
  const from = lab.time.clock.mono()
  lab.crowd.mood = () => 'well'
  await lab.live(115_000)
  expect(lab.crowd.between(from, from + 115_000)).toBe(0)
  await lab.live(5 * MINUTE)
  expect(await renewed(lab)).toBeGreaterThan(45)
  const seconds = Array.from({ length: 330 }, (_, second) => lab.crowd.between(from + 115_000 + second * 1_000, from + 116_000 + second * 1_000))
  expect(Math.max(...seconds)).toBeLessThanOrEqual(10)
})

test('connections parked before a restart are found and renewed after it', async () => {
  const lab = await createCrowdLab(40, { ageMs: 50 * MINUTE })
  lab.crowd.mood = () => 'unreachable'
  await lab.live(MINUTE)
  lab.crowd.mood = () => 'well'
  const after = lab.lab.another({ node: { id: 'node-1', incarnation: 'second' } })
  for (let second = 0; second < 300; second += 1) {
    void after.runDue()
    await lab.time.advance(1_000)
  }
  expect(await renewed(lab)).toBeGreaterThanOrEqual(34)
  expect(await lab.store.credentials.parkedIntegrations()).toEqual([])
})

test('new client credentials put the parked connections of a blocked integration back to work at once', async () => {
  const lab = await createCrowdLab(120, { ageMs: 50 * MINUTE })
  lab.crowd.mood = () => 'refuses_client'
  await lab.live(30_000)
  expect((await lab.loadIntegration()).blocked).not.toBeNull()
  const asked = lab.crowd.presented.length
  lab.crowd.mood = () => 'well'
  await lab.store.integrations.setBlocked(lab.lab.integration, null, lab.event('integration.unblocked'))
  await lab.live(MINUTE)
  expect(lab.crowd.presented.length).toBeGreaterThan(asked + 20)
})

test('one grant that is answered as though the client were wrong holds up nobody else, however often somebody reads it', async () => {
  const lab = await createCrowdLab(60, { ageMs: 50 * MINUTE, livesMs: (index) => (index === 0 ? 50 * MINUTE : HOUR) })
  lab.crowd.mood = (grant) => (grant === 'rt-0-0' ? 'refuses_client' : 'well')
  const [odd = lab.lab.connection, ...others] = lab.members
  for (let second = 0; second < 20 * 60; second += 5) {
    lab.read(odd).catch(() => {})
    await lab.live(5_000)
  }
  expect(await renewed(lab, others)).toBe(59)
  // Nobody is told that it works.
  expect(statusOf(await lab.row(odd), { blocked: null }, lab.time.clock.wall())).toBe('degraded')
  expect(lab.crowd.between(0, lab.time.clock.mono(), 'rt-0-0')).toBeLessThanOrEqual(5)
})

test('a breaker whose probe never comes back asks again', async () => {
  const lab = await createCrowdLab(20, { ageMs: 50 * MINUTE, ports: (ports) => ({ times: { ...ports.times, drainMs: HOUR, strictDrainMs: HOUR } }) })
  lab.crowd.mood = () => 'down'
  await lab.live(4_000)
  const from = lab.time.clock.mono()
  lab.crowd.mood = () => 'hangs'
  await lab.live(7 * MINUTE)
  expect(lab.crowd.between(from, from + 7 * MINUTE)).toBeGreaterThanOrEqual(3)
  expect(lab.crowd.between(from, from + 7 * MINUTE)).toBeLessThanOrEqual(8)
})

test('grants created in the same second are not renewed in the same second', async () => {
  const lab = await createCrowdLab(600, { reuse: 'P0' })
  await lab.live(50 * MINUTE)
  expect(await renewed(lab)).toBe(600)
  const first = Math.min(...lab.crowd.presented.map(({ at }) => at))
  const last = Math.max(...lab.crowd.presented.map(({ at }) => at))
  const mean = 600 / ((last - first) / 10_000)
  const tens = Array.from({ length: Math.ceil((last - first) / 10_000) }, (_, ten) => lab.crowd.between(first + ten * 10_000, first + (ten + 1) * 10_000))
  expect(Math.max(...tens)).toBeLessThanOrEqual(3 * mean)
})

test('where half of the requests fail, retries stay within their budget, and what was not sent is charged to nobody', async () => {
  const lab = await createCrowdLab(200, { reuse: 'P0', ageMs: 50 * MINUTE })
  const ill = (grant: string) => Number(grant.split('-')[2]) % 2 === 0
  lab.crowd.mood = (grant) => (ill(grant) ? 'down' : 'well')
  await lab.live(5 * MINUTE)
  const seen = new Set<string>()
  const requests = lab.crowd.presented.map(({ at, grant }) => ({ at, retry: ill(grant) && seen.size === seen.add(grant).size }))
  for (const { at: from } of requests) {
    const minute = requests.filter(({ at }) => at >= from && at < from + MINUTE)
    const retries = minute.filter(({ retry }) => retry).length
    expect(retries).toBeLessThanOrEqual(Math.max(10, 0.1 * requests.filter(({ at, retry }) => !retry && at < from + MINUTE && at >= from - MINUTE).length))
  }
  // Five in a row may open the breaker by chance, so not all of the others need to be through.
  expect(await renewed(lab)).toBeGreaterThan(60)
  for (const [index, member] of lab.members.entries()) {
    const sent = lab.crowd.presented.filter(({ grant }) => grant === `rt-0-${index}`).length
    if (index % 2 === 0) expect((await lab.row(member)).health.failures).toBe(sent)
  }
  lab.crowd.mood = () => 'well'
  await lab.live(20 * MINUTE)
  expect(await renewed(lab)).toBe(200)
})
