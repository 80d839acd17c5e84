import { expect, test } from 'vitest'
import { createCrowdLab } from '../../testing/crowd-lab.ts'
import { statusOf } from '../connection/status.ts'
import { HOUR, MINUTE } from '../time.ts'
import { AnsweredRefreshes } from './answered-refreshes.ts'

const dueNow = { ageMs: 50 * MINUTE }

test('five refused grants of one integration end as they should', async () => {
  const lab = await createCrowdLab(5, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(5_000)
  expect(await lab.states()).toEqual({ needs_reauth: 5 })
  expect((await lab.loadIntegration()).deathsHeld).toBeNull()
})

test('the sixth within ten minutes holds them all: one event, nobody needs to reconnect, the five before are taken back', async () => {
  const lab = await createCrowdLab(10, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(20_000)
  expect(await lab.states()).toEqual({ active: 10 })
  expect((await lab.loadIntegration()).deathsHeld).toMatchObject({ deaths: 6, agreements: 0, decision: null })
  expect(await lab.events('integration.deaths_held')).toBe(1)
  for (const member of lab.members) {
    const { connection, health } = await lab.row(member)
    expect([connection.fault?.code, connection.fault?.evidence.providerCode, health.dueAt]).toEqual(['deaths_held', 'invalid_grant', null])
  }
})

test('whoever waits for a grant of which nothing bad is known does not stand in line behind dead ones', async () => {
  const lab = await createCrowdLab(60, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(30_000)
  let untouched = lab.members[0]
  for (const member of lab.members) if ((await lab.row(member)).connection.fault === null) untouched = member
  lab.crowd.mood = () => 'well'
  const waiting = lab.engine.refresh(lab.lab.organization, untouched ?? lab.lab.connection)
  await lab.live(1_000)
  expect(await waiting).toMatchObject({ changed: true })
})

test('a provider that refuses everybody is asked once a minute, and whoever was not asked is not touched', async () => {
  const lab = await createCrowdLab(60, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(30_000)
  expect(lab.crowd.presented.length).toBeLessThanOrEqual(20)
  const before = lab.crowd.presented.length
  await lab.live(10 * MINUTE)
  const probes = lab.crowd.presented.length - before
  expect(probes).toBeGreaterThanOrEqual(8)
  expect(probes).toBeLessThanOrEqual(11)
  expect(await lab.states()).toEqual({ active: 60 })
  expect(await lab.events('integration.deaths_held')).toBe(1)
})

test('where some are refused and others are not, the others go on and one of the held is presented again a minute', async () => {
  const lab = await createCrowdLab(40, dueNow)
  // Every other one in the order in which they come, which is a new one each time: a row of dead ones alone would look like a provider that refuses everybody.
  const order = new Map<string, number>()
  lab.crowd.mood = (grant) => {
    const place = order.get(grant) ?? order.size
    order.set(grant, place)
    return place % 2 === 0 ? 'dead' : 'well'
  }
  await lab.live(30_000)
  expect(lab.crowd.presented.length).toBeGreaterThanOrEqual(40)
  const before = lab.crowd.presented.length
  await lab.live(10 * MINUTE)
  const again = lab.crowd.presented.slice(before).map(({ grant }) => grant)
  expect(again.length).toBeGreaterThanOrEqual(9)
  expect(again.length).toBeLessThanOrEqual(11)
  expect(new Set(again).size).toBe(again.length)
  expect(await lab.states()).toEqual({ active: 40 })
})

test('a held grant serves its token while that lives, then says that it is being checked, and no read presents it', async () => {
  const lab = await createCrowdLab(8, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(20_000)
  const member = lab.members[0]
  if (member === undefined) throw new Error('nobody there')
  expect(await lab.read(member)).toMatchObject({ generation: 1 })
  const before = lab.crowd.presented.filter(({ grant }) => grant === 'rt-0-0').length
  await lab.time.advance(15 * MINUTE)
  await expect(lab.read(member)).rejects.toMatchObject({ code: 'deaths_held' })
  expect(statusOf(await lab.row(member), await lab.loadIntegration(), lab.time.clock.wall())).toBe('degraded')
  await expect(lab.engine.refresh(lab.lab.organization, member)).rejects.toMatchObject({ code: 'deaths_held' })
  expect(lab.crowd.presented.filter(({ grant }) => grant === 'rt-0-0').length).toBe(before)
})

test('when the provider recovers, one granted probe releases them all and every one of them is renewed', async () => {
  const lab = await createCrowdLab(30, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(2 * MINUTE)
  lab.crowd.mood = () => 'well'
  await lab.live(8 * MINUTE)
  expect((await lab.loadIntegration()).deathsHeld).toBeNull()
  expect(await lab.events('integration.deaths_released')).toBe(1)
  for (const member of lab.members) {
    const { connection, credential } = await lab.row(member)
    expect([connection.state, connection.fault, credential.generation]).toEqual(['active', null, 2])
  }
})

test('another node, and this one after a restart, go on where the first stopped', async () => {
  const lab = await createCrowdLab(8, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(1_000)
  const after = lab.lab.another({ node: { id: 'node-1', incarnation: 'second' } })
  for (let second = 0; second < 130; second += 1) {
    void after.runDue()
    await lab.time.advance(1_000)
  }
  expect(await lab.states()).toEqual({ active: 8 })
  expect(lab.crowd.between(10_000, 131_000)).toBe(2)
  lab.crowd.mood = () => 'well'
  for (let second = 0; second < 180; second += 1) {
    void after.runDue()
    await lab.time.advance(1_000)
  }
  expect((await lab.loadIntegration()).deathsHeld).toBeNull()
})

test('probes that agree on three days end the held grants without an operator, with the fault the provider gave', async () => {
  const lab = await createCrowdLab(7, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(10_000)
  for (let hour = 0; hour < 75; hour += 1) {
    await lab.time.advance(HOUR)
    await lab.live(6_000)
    if (hour < 70) expect((await lab.states()).needs_reauth).toBeUndefined()
  }
  expect(await lab.states()).toEqual({ needs_reauth: 7 })
  const codes = new Set<string | undefined>()
  for (const member of lab.members) codes.add((await lab.row(member)).connection.fault?.code)
  expect(codes).toEqual(new Set(['connection_revoked']))
  expect((await lab.loadIntegration()).deathsHeld).toBeNull()
  expect(await lab.events('integration.deaths_confirmed')).toBe(1)
})

test('a busy integration believes a tenth of its refreshes', () => {
  const answered = new AnsweredRefreshes(10 * MINUTE)
  const integration = 'int_1'
  for (let refresh = 0; refresh < 200; refresh += 1) answered.note(integration, false, 0)
  expect(answered.count(integration, 9 * MINUTE)).toBe(200)
  expect(answered.count(integration, 10 * MINUTE)).toBe(0)
})
