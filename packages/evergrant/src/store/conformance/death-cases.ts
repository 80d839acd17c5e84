import assert from 'node:assert/strict'
import type { ConnectionId } from '../../core/ids.ts'
import type { DeathReport, DeathSettlement, HeldProbe, UnsettledDeath } from '../../core/refresh/deaths.ts'
import type { Store } from '../contract.ts'
import type { StoreCase } from './store-case.ts'
import { faultAt, PAST, TestOrganization } from './test-organization.ts'

const HOUR = 3_600_000

function report(org: TestOrganization, connection: ConnectionId, changes: Partial<DeathReport> = {}): DeathReport {
  return {
    integration: org.integration.id,
    windowMs: HOUR,
    limit: 2,
    refreshes: 7,
    counts: true,
    agreements: { needed: 3, everyMs: HOUR },
    heldFault: faultAt(PAST + 7, 'deaths_held'),
    heldEvent: org.event('connection.suspect', connection),
    openedEvent: org.event('integration.deaths_held'),
    confirmedEvent: org.event('integration.deaths_confirmed'),
    ...changes,
  }
}

/** One refused refresh of a fresh or a known connection. */
export async function die(store: Store, org: TestOrganization, changes: Partial<DeathReport> = {}, known?: ConnectionId) {
  const connection = known ?? (await org.connect())
  const { epoch } = (await org.row(connection)).credential
  const intent = await org.claimed(connection, { epoch })
  const failure = org.failure(connection, intent, {
    effect: 'dead',
    fault: faultAt(PAST + 7, 'connection_revoked'),
    nextAttemptAt: null,
    dueAt: null,
    event: org.event('connection.needs_reauth', connection),
    death: report(org, connection, changes),
  })
  return { connection, failure, outcome: await store.credentials.commitFailure(failure) }
}

const stateOf = async (org: TestOrganization, connection: ConnectionId) => {
  const { connection: found, health } = await org.row(connection)
  return [found.state, found.fault?.code ?? null, health.dueAt]
}
const heldOf = async (store: Store, org: TestOrganization) => (await store.integrations.load(org.integration.id))?.deathsHeld ?? null
const eventsOf = async (store: Store, org: TestOrganization, type: 'integration.deaths_held' | 'connection.needs_reauth' | 'connection.suspect') =>
  (await store.events.list(org.organization, { type }, { limit: 50, cursor: null })).items.length

const MARKED = ['needs_reauth', 'connection_revoked', null]
const HELD = ['active', 'deaths_held', null]

const unsettled = async (store: Store, org: TestOrganization) =>
  (await store.credentials.unsettledDeaths(1_000)).filter(({ integration }) => integration === org.integration.id)

const settlement = (org: TestOrganization, death: UnsettledDeath): DeathSettlement => ({
  death,
  fault: death.action === 'release' ? null : death.action === 'take_back' ? faultAt(PAST + 7, 'deaths_held') : death.fault,
  dueAt: death.action === 'release' ? PAST + 3 : null,
  event: org.event(death.action === 'confirm' ? 'connection.needs_reauth' : 'connection.suspect', death.connection),
  at: PAST + 9,
  confirmedForMs: HOUR,
})

/** Three deaths where two are believed, and the two before taken back. */
async function incident(store: Store, org: TestOrganization) {
  const deaths = [await die(store, org), await die(store, org), await die(store, org)]
  for (const death of await unsettled(store, org)) await store.credentials.settleDeath(settlement(org, death))
  return deaths.map(({ connection }) => connection)
}

async function probeOf(store: Store, org: TestOrganization, everyMs: number): Promise<HeldProbe | undefined> {
  return (await store.credentials.takeHeldProbes(everyMs)).find(({ integration }) => integration === org.integration.id)
}

export const deathCases: readonly StoreCase[] = [
  {
    name: 'deaths are marked up to the limit, then held, with one event; those marked before in the window are taken back',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [first, second, third, fourth] = [await die(store, org), await die(store, org), await die(store, org), await die(store, org)]
      assert.deepEqual(
        [first, second, third, fourth].map(({ outcome }) => outcome.kind),
        ['recorded', 'recorded', 'held', 'held'],
      )
      assert.deepEqual(await stateOf(org, first.connection), MARKED)
      assert.deepEqual(await stateOf(org, fourth.connection), HELD)
      const held = await heldOf(store, org)
      assert.deepEqual([held?.deaths, held?.refreshes, held?.agreements, held?.decision], [3, 7, 0, null])
      assert.equal(await eventsOf(store, org, 'integration.deaths_held'), 1)
      assert.equal(await eventsOf(store, org, 'connection.needs_reauth'), 2)
      const back = await unsettled(store, org)
      assert.deepEqual(
        back.map(({ connection, action, fault }) => [connection, action, fault.code]).toSorted(),
        [first, second].map(({ connection }) => [connection, 'take_back', 'connection_revoked']).toSorted(),
      )
      for (const death of [...back, ...back]) await store.credentials.settleDeath(settlement(org, death))
      assert.deepEqual([await stateOf(org, first.connection), await stateOf(org, second.connection)], [HELD, HELD])
      assert.equal(await eventsOf(store, org, 'connection.suspect'), 4)
      assert.deepEqual(await unsettled(store, org), [])
    },
  },
  {
    name: 'a death told twice is counted once, and deaths outside the window or without a report are not counted',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const first = await die(store, org)
      for (let time = 0; time < 5; time += 1) assert.deepEqual(await store.credentials.commitFailure(first.failure), { kind: 'recorded' })
      for (let other = 0; other < 5; other += 1) assert.equal((await die(store, org, { windowMs: 0 })).outcome.kind, 'recorded')
      const plain = await org.connect()
      await store.credentials.commitFailure(org.failure(plain, null, { effect: 'dead', fault: faultAt(PAST, 'connection_expired') }))
      assert.equal(await heldOf(store, org), null)
      const held = await incident(store, org)
      const again = await die(store, org)
      assert.deepEqual([again.outcome, await store.credentials.commitFailure(again.failure)], [{ kind: 'held' }, { kind: 'held' }])
      assert.equal(held.length, 3)
    },
  },
  {
    name: 'a feared end opens nothing, however many there are, but is taken back and held with the others',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const feared = [await die(store, org, { counts: false }), await die(store, org, { counts: false }), await die(store, org, { counts: false })]
      assert.deepEqual(new Set(feared.map(({ outcome }) => outcome.kind)), new Set(['recorded']))
      await die(store, org)
      await die(store, org)
      assert.equal(await heldOf(store, org), null)
      assert.equal((await die(store, org)).outcome.kind, 'held')
      assert.equal((await unsettled(store, org)).length, 5)
      assert.equal((await die(store, org, { counts: false })).outcome.kind, 'held')
    },
  },
  {
    name: 'many nodes that count at once open the breaker once, and mark no more than the limit',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const outcomes = (await Promise.all(Array.from({ length: 12 }, () => die(store, org)))).map(({ outcome }) => outcome.kind)
      assert.deepEqual(
        ['recorded', 'held'].map((kind) => outcomes.filter((outcome) => outcome === kind).length),
        [2, 10],
      )
      assert.equal(await eventsOf(store, org, 'integration.deaths_held'), 1)
    },
  },
  {
    name: 'a held grant keeps its fault and stays out of the due queue, whatever else fails',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [connection] = await incident(store, org)
      assert.ok(connection)
      const { epoch } = (await org.row(connection)).credential
      const intent = await org.claimed(connection, { epoch })
      await store.credentials.commitFailure(org.failure(connection, intent, { effect: 'suspect', dueAt: PAST, event: null }))
      assert.deepEqual(await stateOf(org, connection), HELD)
      assert.equal((await org.row(connection)).credential.suspicion?.intent, intent)
    },
  },
  {
    name: 'held grants take turns, one per interval however many ask, the longest waiting first',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await incident(store, org)
      const turns = await Promise.all(Array.from({ length: 5 }, () => probeOf(store, org, HOUR)))
      assert.equal(turns.filter((turn) => turn !== undefined).length, 1)
      assert.equal(await probeOf(store, org, HOUR), undefined)
      assert.equal(turns.find((turn) => turn !== undefined)?.organization, org.organization)

      const other = await TestOrganization.open(store, context)
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
      const org = await TestOrganization.open(store, context)
      const [connection] = await incident(store, org)
      assert.ok(connection)
      const dieAgain = (everyMs: number) => die(store, org, { agreements: { needed: 3, everyMs } }, connection)
      assert.equal((await dieAgain(HOUR)).outcome.kind, 'held')
      assert.equal((await heldOf(store, org))?.agreements, 0)
      for (const agreements of [1, 2]) {
        await dieAgain(0)
        const held = await heldOf(store, org)
        assert.deepEqual([held?.agreements, held?.decision], [agreements, null])
      }
      assert.deepEqual(await unsettled(store, org), [])
      await dieAgain(0)
      assert.equal((await heldOf(store, org))?.decision, 'confirm')
      assert.equal((await unsettled(store, org)).length, 3)
    },
  },
  {
    name: 'a confirmation ends what is held and nothing else, and the same wave is believed for a while',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await incident(store, org)
      const moved = held[2]
      assert.ok(moved)
      const { epoch } = (await org.row(moved)).credential
      await store.credentials.commitGrant(org.grant(moved, await org.claimed(moved, { epoch }), 1))
      const event = org.event('integration.deaths_confirmed')
      assert.equal(await store.integrations.decideDeaths(org.integration.id, 'confirm', HOUR, event), 'decided')
      assert.equal(await store.integrations.decideDeaths(org.integration.id, 'release', HOUR, event), 'not_held')
      for (const death of await unsettled(store, org)) await store.credentials.settleDeath(settlement(org, death))
      assert.deepEqual([await stateOf(org, held[0] ?? moved), await stateOf(org, held[1] ?? moved)], [MARKED, MARKED])
      assert.equal((await org.row(moved)).connection.state, 'active')
      assert.equal(await heldOf(store, org), null)
      for (let more = 0; more < 5; more += 1) assert.equal((await die(store, org)).outcome.kind, 'recorded')
    },
  },
  {
    name: 'a release puts what is held back to work, and counting begins anew',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await incident(store, org)
      await store.integrations.decideDeaths(org.integration.id, 'release', HOUR, org.event('integration.deaths_released'))
      assert.equal((await heldOf(store, org))?.decision, 'release')
      for (const death of await unsettled(store, org)) await store.credentials.settleDeath(settlement(org, death))
      for (const connection of held) {
        assert.deepEqual(await stateOf(org, connection), ['active', null, PAST + 3])
        assert.equal((await org.row(connection)).health.failures, 0)
      }
      assert.equal(await heldOf(store, org), null)
      assert.equal(await store.integrations.decideDeaths(org.integration.id, 'confirm', HOUR, org.event('integration.deaths_confirmed')), 'not_held')
      assert.deepEqual(
        [(await die(store, org)).outcome.kind, (await die(store, org)).outcome.kind, (await die(store, org)).outcome.kind],
        ['recorded', 'recorded', 'held'],
      )
    },
  },
  {
    name: 'a release closes the breaker although all that it would take back was disconnected meanwhile',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const deaths = [await die(store, org), await die(store, org), await die(store, org)]
      await store.integrations.decideDeaths(org.integration.id, 'release', HOUR, org.event('integration.deaths_released'))
      const { organization } = org
      for (const { connection } of deaths.slice(0, 2)) {
        const event = org.event('connection.disconnected', connection)
        await store.connections.disconnect({ organization, connection, at: PAST, event, revocation: null })
      }
      const open = await unsettled(store, org)
      const [released, back] = [open.filter(({ action }) => action === 'release'), open.filter(({ action }) => action === 'take_back')]
      assert.deepEqual([released.length, back.length], [1, 2])
      for (const death of [...released, ...back]) await store.credentials.settleDeath(settlement(org, death))
      assert.equal(await heldOf(store, org), null)
    },
  },
  {
    name: 'held grants that were reconnected or disconnected are neither probed nor ended; when none is left the probe says so',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await incident(store, org)
      for (const connection of held) {
        await store.connections.disconnect({
          organization: org.organization,
          connection,
          at: PAST,
          event: org.event('connection.disconnected', connection),
          revocation: null,
        })
      }
      const probe = await probeOf(store, org, 0)
      assert.deepEqual([probe?.integration, probe?.connection], [org.integration.id, null])
      await store.integrations.decideDeaths(org.integration.id, 'confirm', HOUR, org.event('integration.deaths_confirmed'))
      for (const death of await unsettled(store, org)) await store.credentials.settleDeath(settlement(org, death))
      for (const connection of held) assert.equal((await org.row(connection)).connection.state, 'disconnected')
      assert.equal(await heldOf(store, org), null)
    },
  },
]
