import assert from 'node:assert/strict'
import type { ConnectionId } from '../../core/ids.ts'
import type { DeathReport, DeathSettlement, HeldProbe, UnsettledDeath } from '../../core/refresh/deaths.ts'
import type { Store } from '../contract.ts'
import type { StoreCase } from './store-case.ts'
import { faultAt, PAST, Tenant } from './tenant.ts'

const HOUR = 3_600_000

function report(tenant: Tenant, connection: ConnectionId, changes: Partial<DeathReport> = {}): DeathReport {
  return {
    integration: tenant.integration.id,
    windowMs: HOUR,
    limit: 2,
    refreshes: 7,
    counts: true,
    agreements: { needed: 3, everyMs: HOUR },
    heldFault: faultAt(PAST + 7, 'deaths_held'),
    heldEvent: tenant.event('connection.suspect', connection),
    openedEvent: tenant.event('integration.deaths_held'),
    confirmedEvent: tenant.event('integration.deaths_confirmed'),
    ...changes,
  }
}

/** One refused refresh of a fresh or a known connection. */
async function die(store: Store, tenant: Tenant, changes: Partial<DeathReport> = {}, known?: ConnectionId) {
  const connection = known ?? (await tenant.connect())
  const { epoch } = (await tenant.row(connection)).credential
  const intent = await tenant.claimed(connection, { epoch })
  const failure = tenant.failure(connection, intent, {
    effect: 'dead',
    fault: faultAt(PAST + 7, 'connection_revoked'),
    nextAttemptAt: null,
    dueAt: null,
    event: tenant.event('connection.needs_reauth', connection),
    death: report(tenant, connection, changes),
  })
  return { connection, failure, outcome: await store.credentials.commitFailure(failure) }
}

const stateOf = async (tenant: Tenant, connection: ConnectionId) => {
  const { connection: found, health } = await tenant.row(connection)
  return [found.state, found.fault?.code ?? null, health.dueAt]
}
const heldOf = async (store: Store, tenant: Tenant) => (await store.integrations.load(tenant.integration.id))?.deathsHeld ?? null
const eventsOf = async (store: Store, tenant: Tenant, type: 'integration.deaths_held' | 'connection.needs_reauth' | 'connection.suspect') =>
  (await store.events.list(tenant.organization, { type }, { limit: 50, cursor: null })).items.length

const MARKED = ['needs_reauth', 'connection_revoked', null]
const HELD = ['active', 'deaths_held', null]

const unsettled = async (store: Store, tenant: Tenant) =>
  (await store.credentials.unsettledDeaths(1_000)).filter(({ integration }) => integration === tenant.integration.id)

const settlement = (tenant: Tenant, death: UnsettledDeath): DeathSettlement => ({
  death,
  fault: death.action === 'release' ? null : death.action === 'take_back' ? faultAt(PAST + 7, 'deaths_held') : death.fault,
  dueAt: death.action === 'release' ? PAST + 3 : null,
  event: tenant.event(death.action === 'confirm' ? 'connection.needs_reauth' : 'connection.suspect', death.connection),
  at: PAST + 9,
  confirmedForMs: HOUR,
})

/** Three deaths where two are believed, and the two before taken back. */
async function incident(store: Store, tenant: Tenant) {
  const deaths = [await die(store, tenant), await die(store, tenant), await die(store, tenant)]
  for (const death of await unsettled(store, tenant)) await store.credentials.settleDeath(settlement(tenant, death))
  return deaths.map(({ connection }) => connection)
}

async function probeOf(store: Store, tenant: Tenant, everyMs: number): Promise<HeldProbe | undefined> {
  return (await store.credentials.takeHeldProbes(everyMs)).find(({ integration }) => integration === tenant.integration.id)
}

export const deathCases: readonly StoreCase[] = [
  {
    name: 'deaths are marked up to the limit, then held, with one event; those marked before in the window are taken back',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const [first, second, third, fourth] = [await die(store, tenant), await die(store, tenant), await die(store, tenant), await die(store, tenant)]
      assert.deepEqual(
        [first, second, third, fourth].map(({ outcome }) => outcome.kind),
        ['recorded', 'recorded', 'held', 'held'],
      )
      assert.deepEqual(await stateOf(tenant, first.connection), MARKED)
      assert.deepEqual(await stateOf(tenant, fourth.connection), HELD)
      const held = await heldOf(store, tenant)
      assert.deepEqual([held?.deaths, held?.refreshes, held?.agreements, held?.decision], [3, 7, 0, null])
      assert.equal(await eventsOf(store, tenant, 'integration.deaths_held'), 1)
      assert.equal(await eventsOf(store, tenant, 'connection.needs_reauth'), 2)
      const back = await unsettled(store, tenant)
      assert.deepEqual(
        back.map(({ connection, action, fault }) => [connection, action, fault.code]).toSorted(),
        [first, second].map(({ connection }) => [connection, 'take_back', 'connection_revoked']).toSorted(),
      )
      for (const death of [...back, ...back]) await store.credentials.settleDeath(settlement(tenant, death))
      assert.deepEqual([await stateOf(tenant, first.connection), await stateOf(tenant, second.connection)], [HELD, HELD])
      assert.equal(await eventsOf(store, tenant, 'connection.suspect'), 4)
      assert.deepEqual(await unsettled(store, tenant), [])
    },
  },
  {
    name: 'a death told twice is counted once, and deaths outside the window or without a report are not counted',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const first = await die(store, tenant)
      for (let time = 0; time < 5; time += 1) assert.deepEqual(await store.credentials.commitFailure(first.failure), { kind: 'recorded' })
      for (let other = 0; other < 5; other += 1) assert.equal((await die(store, tenant, { windowMs: 0 })).outcome.kind, 'recorded')
      const plain = await tenant.connect()
      await store.credentials.commitFailure(tenant.failure(plain, null, { effect: 'dead', fault: faultAt(PAST, 'connection_expired') }))
      assert.equal(await heldOf(store, tenant), null)
      const held = await incident(store, tenant)
      const again = await die(store, tenant)
      assert.deepEqual([again.outcome, await store.credentials.commitFailure(again.failure)], [{ kind: 'held' }, { kind: 'held' }])
      assert.equal(held.length, 3)
    },
  },
  {
    name: 'a feared end opens nothing, however many there are, but is taken back and held with the others',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const feared = [await die(store, tenant, { counts: false }), await die(store, tenant, { counts: false }), await die(store, tenant, { counts: false })]
      assert.deepEqual(new Set(feared.map(({ outcome }) => outcome.kind)), new Set(['recorded']))
      await die(store, tenant)
      await die(store, tenant)
      assert.equal(await heldOf(store, tenant), null)
      assert.equal((await die(store, tenant)).outcome.kind, 'held')
      assert.equal((await unsettled(store, tenant)).length, 5)
      assert.equal((await die(store, tenant, { counts: false })).outcome.kind, 'held')
    },
  },
  {
    name: 'many nodes that count at once open the breaker once, and mark no more than the limit',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const outcomes = (await Promise.all(Array.from({ length: 12 }, () => die(store, tenant)))).map(({ outcome }) => outcome.kind)
      assert.deepEqual(
        ['recorded', 'held'].map((kind) => outcomes.filter((outcome) => outcome === kind).length),
        [2, 10],
      )
      assert.equal(await eventsOf(store, tenant, 'integration.deaths_held'), 1)
    },
  },
  {
    name: 'a held grant keeps its fault and stays out of the due queue, whatever else fails',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const [connection] = await incident(store, tenant)
      assert.ok(connection)
      const { epoch } = (await tenant.row(connection)).credential
      const intent = await tenant.claimed(connection, { epoch })
      await store.credentials.commitFailure(tenant.failure(connection, intent, { effect: 'suspect', dueAt: PAST, event: null }))
      assert.deepEqual(await stateOf(tenant, connection), HELD)
      assert.equal((await tenant.row(connection)).credential.suspicion?.intent, intent)
    },
  },
  {
    name: 'held grants take turns, one per interval however many ask, the longest waiting first',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const held = await incident(store, tenant)
      const turns = await Promise.all(Array.from({ length: 5 }, () => probeOf(store, tenant, HOUR)))
      assert.equal(turns.filter((turn) => turn !== undefined).length, 1)
      assert.equal(await probeOf(store, tenant, HOUR), undefined)
      assert.equal(turns.find((turn) => turn !== undefined)?.organization, tenant.organization)

      const other = await Tenant.open(store, context)
      const others = await incident(store, other)
      const asked: (ConnectionId | null | undefined)[] = []
      for (let turn = 0; turn < 3; turn += 1) asked.push((await probeOf(store, other, 0))?.connection)
      assert.deepEqual(new Set(asked), new Set(others))
      assert.equal(held.length, 3)
    },
  },
  {
    name: 'probes days apart that agree decide by themselves, and only then',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const [connection] = await incident(store, tenant)
      assert.ok(connection)
      const dieAgain = (everyMs: number) => die(store, tenant, { agreements: { needed: 3, everyMs } }, connection)
      assert.equal((await dieAgain(HOUR)).outcome.kind, 'held')
      assert.equal((await heldOf(store, tenant))?.agreements, 0)
      for (const agreements of [1, 2]) {
        await dieAgain(0)
        const held = await heldOf(store, tenant)
        assert.deepEqual([held?.agreements, held?.decision], [agreements, null])
      }
      assert.deepEqual(await unsettled(store, tenant), [])
      await dieAgain(0)
      assert.equal((await heldOf(store, tenant))?.decision, 'confirm')
      assert.equal((await unsettled(store, tenant)).length, 3)
    },
  },
  {
    name: 'a confirmation ends what is held and nothing else, and the same wave is believed for a while',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const held = await incident(store, tenant)
      const moved = held[2]
      assert.ok(moved)
      const { epoch } = (await tenant.row(moved)).credential
      await store.credentials.commitGrant(tenant.grant(moved, await tenant.claimed(moved, { epoch }), 1))
      const event = tenant.event('integration.deaths_confirmed')
      assert.equal(await store.integrations.decideDeaths(tenant.integration.id, 'confirm', HOUR, event), 'decided')
      assert.equal(await store.integrations.decideDeaths(tenant.integration.id, 'release', HOUR, event), 'not_held')
      for (const death of await unsettled(store, tenant)) await store.credentials.settleDeath(settlement(tenant, death))
      assert.deepEqual([await stateOf(tenant, held[0] ?? moved), await stateOf(tenant, held[1] ?? moved)], [MARKED, MARKED])
      assert.equal((await tenant.row(moved)).connection.state, 'active')
      assert.equal(await heldOf(store, tenant), null)
      for (let more = 0; more < 5; more += 1) assert.equal((await die(store, tenant)).outcome.kind, 'recorded')
    },
  },
  {
    name: 'a release puts what is held back to work, and counting begins anew',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const held = await incident(store, tenant)
      await store.integrations.decideDeaths(tenant.integration.id, 'release', HOUR, tenant.event('integration.deaths_released'))
      assert.equal((await heldOf(store, tenant))?.decision, 'release')
      for (const death of await unsettled(store, tenant)) await store.credentials.settleDeath(settlement(tenant, death))
      for (const connection of held) {
        assert.deepEqual(await stateOf(tenant, connection), ['active', null, PAST + 3])
        assert.equal((await tenant.row(connection)).health.failures, 0)
      }
      assert.equal(await heldOf(store, tenant), null)
      assert.equal(await store.integrations.decideDeaths(tenant.integration.id, 'confirm', HOUR, tenant.event('integration.deaths_confirmed')), 'not_held')
      assert.deepEqual(
        [(await die(store, tenant)).outcome.kind, (await die(store, tenant)).outcome.kind, (await die(store, tenant)).outcome.kind],
        ['recorded', 'recorded', 'held'],
      )
    },
  },
  {
    name: 'a release closes the breaker although all that it would take back was disconnected meanwhile',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const deaths = [await die(store, tenant), await die(store, tenant), await die(store, tenant)]
      await store.integrations.decideDeaths(tenant.integration.id, 'release', HOUR, tenant.event('integration.deaths_released'))
      const { organization } = tenant
      for (const { connection } of deaths.slice(0, 2)) {
        const event = tenant.event('connection.disconnected', connection)
        await store.connections.disconnect({ organization, connection, at: PAST, event, revocation: null })
      }
      const open = await unsettled(store, tenant)
      const [released, back] = [open.filter(({ action }) => action === 'release'), open.filter(({ action }) => action === 'take_back')]
      assert.deepEqual([released.length, back.length], [1, 2])
      for (const death of [...released, ...back]) await store.credentials.settleDeath(settlement(tenant, death))
      assert.equal(await heldOf(store, tenant), null)
    },
  },
  {
    name: 'held grants that were reconnected or disconnected are neither probed nor ended; when none is left the probe says so',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const held = await incident(store, tenant)
      for (const connection of held) {
        await store.connections.disconnect({
          organization: tenant.organization,
          connection,
          at: PAST,
          event: tenant.event('connection.disconnected', connection),
          revocation: null,
        })
      }
      const probe = await probeOf(store, tenant, 0)
      assert.deepEqual([probe?.integration, probe?.connection], [tenant.integration.id, null])
      await store.integrations.decideDeaths(tenant.integration.id, 'confirm', HOUR, tenant.event('integration.deaths_confirmed'))
      for (const death of await unsettled(store, tenant)) await store.credentials.settleDeath(settlement(tenant, death))
      for (const connection of held) assert.equal((await tenant.row(connection)).connection.state, 'disconnected')
      assert.equal(await heldOf(store, tenant), null)
    },
  },
]
