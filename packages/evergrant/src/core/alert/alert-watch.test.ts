import { expect, test } from 'vitest'
import { openVolatileStore } from '../../store/memory/volatile-store.ts'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { newId, type OrganizationId } from '../ids.ts'
import { AlertWatch } from './alert-watch.ts'

function lab() {
  const time = createManualTime()
  const store = openVolatileStore(time)
  const logged: object[] = []
  const [broken, well] = [newId('org', systemEntropy), newId('org', systemEntropy)]
  const watch = new AlertWatch({
    ...store,
    ...{ clock: time.clock, entropy: systemEntropy, holder: 'node', minuteOfDay: () => 0 },
    organizations: { list: async () => [broken, well].map((id) => ({ id, name: 'o', slug: id, createdAt: 0, requireSecondFactor: [] })) },
    channels: {
      list: async (organization: OrganizationId) => {
        if (organization === broken) throw new RangeError('Invalid time zone specified')
        return store.channels.list(organization)
      },
    },
    details: async () => undefined,
    ownerMail: async () => false,
    log: { warn: (fields) => void logged.push(fields) },
  })
  const event = (organization: OrganizationId): NewEvent => {
    const what = { actor: SYSTEM_ACTOR, connection: null, subject: null, data: {} }
    return { id: newId('evt', systemEntropy), organization, type: 'connection.paused', at: time.clock.wall(), ...what }
  }
  return { store, watch, broken, well, event, logged }
}

test('an organization whose events cannot be read holds up no other', async () => {
  const { store, watch, broken, well, event, logged } = lab()
  for (const organization of [broken, well]) await store.events.append(event(organization))
  await watch.readEvents()
  expect((await store.alerts.pending(10)).map(({ organization }) => organization)).toEqual([broken])
  expect(logged).toEqual([{ organization: broken, error: 'Invalid time zone specified' }])
})

test('two hundred events that cannot be read are passed by', async () => {
  const { store, watch, broken, well, event } = lab()
  for (let count = 0; count < 450; count += 1) await store.events.append(event(broken))
  await store.events.append(event(well))
  await watch.readEvents()
  expect((await store.alerts.pending(1_000)).filter(({ organization }) => organization === well)).toEqual([])
})

test('an organization that cannot be looked at holds up no other', async () => {
  const { watch, logged, broken } = lab()
  await watch.look()
  expect(logged).toEqual([{ organization: broken, error: 'Invalid time zone specified' }])
})
