import { expect, test } from 'vitest'
import { createCrowdLab } from '../../testing/crowd-lab.ts'
import { MINUTE } from '../time.ts'

const dueNow = { ageMs: 50 * MINUTE }

test('five refused grants of one integration end as they should', async () => {
  const lab = await createCrowdLab(5, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(5_000)
  expect(await lab.states()).toEqual({ needs_reauth: 5 })
  expect((await lab.loadIntegration()).deathsHeld).toBeNull()
})

test('the sixth within ten minutes holds them all: one event, nobody needs to reconnect, the five before are taken back', async () => {
  const lab = await createCrowdLab(30, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(20_000)
  expect(await lab.states()).toEqual({ active: 30 })
  expect((await lab.loadIntegration()).deathsHeld).toMatchObject({ deaths: 6, agreements: 0, decision: null })
  expect(await lab.events('integration.deaths_held')).toBe(1)
  for (const member of lab.members) {
    const { connection, health } = await lab.row(member)
    expect([connection.fault?.code, connection.fault?.evidence.providerCode, health.dueAt]).toEqual(['deaths_held', 'invalid_grant', null])
  }
})

test('while ends are held one grant a minute is presented again', async () => {
  const lab = await createCrowdLab(20, dueNow)
  lab.crowd.mood = () => 'dead'
  await lab.live(30_000)
  const before = lab.crowd.presented.length
  await lab.live(10 * MINUTE)
  const probes = lab.crowd.presented.length - before
  expect(probes).toBeGreaterThanOrEqual(9)
  expect(probes).toBeLessThanOrEqual(11)
  expect(new Set(lab.crowd.presented.slice(before).map(({ grant }) => grant)).size).toBe(probes)
})
