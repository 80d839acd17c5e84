import assert from 'node:assert/strict'
import type { StoreCase } from './store-case.ts'
import { FUTURE, faultAt, PAST, Tenant } from './tenant.ts'

export const failureCases: readonly StoreCase[] = [
  {
    name: 'a failure that left the token untouched clears its intent and counts once, however often it is told',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      const failure = tenant.failure(connection, await tenant.claimed(connection), { nextAttemptAt: PAST + 40, dueAt: PAST + 50 })
      for (let time = 0; time < 3; time += 1) assert.deepEqual(await store.credentials.commitFailure(failure), { kind: 'recorded' })
      const row = await tenant.row(connection)
      assert.deepEqual([row.credential.lease, row.credential.intent, row.credential.suspicion], [null, null, null])
      assert.deepEqual(row.health, { dueAt: PAST + 50, nextAttemptAt: PAST + 40, failures: 1, firstFailedAt: PAST + 7, endsAt: null })
      assert.deepEqual(row.connection.fault, faultAt(PAST + 7))
      assert.equal(row.connection.state, 'active')
    },
  },
  {
    name: "failures count up and remember the first, and one that is not the connection's does not count",
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      await store.credentials.commitFailure(tenant.failure(connection, null))
      await store.credentials.commitFailure(tenant.failure(connection, await tenant.claimed(connection), { fault: faultAt(PAST + 9) }))
      await store.credentials.commitFailure(tenant.failure(connection, null, { countsAsFailure: false, fault: faultAt(PAST + 11, 'client_rejected') }))
      const { health } = await tenant.row(connection)
      assert.deepEqual([health.failures, health.firstFailedAt], [2, PAST + 7])
    },
  },
  {
    name: 'a failure before any claim counts once, however often it is told, and the next one counts again',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      const refused = tenant.failure(connection, null)
      for (let time = 0; time < 3; time += 1) assert.deepEqual(await store.credentials.commitFailure(refused), { kind: 'recorded' })
      assert.equal((await tenant.row(connection)).health.failures, 1)
      await store.credentials.commitFailure(tenant.failure(connection, null))
      assert.equal((await tenant.row(connection)).health.failures, 2)
    },
  },
  {
    name: 'an unknown outcome makes the connection suspect and the oldest suspicion stays',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      const first = await tenant.claimed(connection)
      const at = (await tenant.row(connection)).credential.intent?.at
      await store.credentials.commitFailure(tenant.failure(connection, first, { effect: 'suspect', answered: true }))
      assert.deepEqual((await tenant.row(connection)).credential.suspicion, { intent: first, at, answered: true })
      const second = await tenant.claimed(connection, { epoch: 1 })
      await store.credentials.commitFailure(tenant.failure(connection, second, { effect: 'suspect', answered: false }))
      const { credential } = await tenant.row(connection)
      assert.deepEqual(credential.suspicion, { intent: first, at, answered: true })
      assert.equal(credential.intent, null)
    },
  },
  {
    name: 'a failure certain to have spent nothing lifts the suspicion that its own lost lease left',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      const slow = await tenant.claimed(connection, { leaseMs: 0 })
      const fast = await tenant.claimed(connection, { epoch: 1 })
      await store.credentials.commitFailure(tenant.failure(connection, slow))
      const { credential } = await tenant.row(connection)
      assert.equal(credential.suspicion, null)
      assert.equal(credential.intent?.id, fast)
    },
  },
  {
    name: 'a connection dies only while the generation has not moved and it is active',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const dead = { effect: 'dead', fault: faultAt(PAST + 7, 'connection_revoked') } as const
      const moved = await tenant.connect()
      const slow = await tenant.claimed(moved, { leaseMs: 0 })
      await store.credentials.commitGrant(tenant.grant(moved, await tenant.claimed(moved, { epoch: 1 }), 1))
      assert.deepEqual(await store.credentials.commitFailure(tenant.failure(moved, slow, { ...dead, answer: tenant.answer(slow, { verdict: 'dead' }) })), {
        kind: 'moved',
        generation: 2,
      })
      assert.equal((await tenant.row(moved)).connection.state, 'active')
      assert.equal((await store.credentials.unappliedAnswers(tenant.organization, 5)).length, 1)

      const paused = await tenant.connect()
      const intent = await tenant.claimed(paused)
      await store.connections.setPaused(tenant.organization, paused, true, null, tenant.event('connection.paused', paused))
      await store.credentials.commitFailure(tenant.failure(paused, intent, dead))
      assert.equal((await tenant.row(paused)).connection.state, 'paused')

      const active = await tenant.connect()
      await store.credentials.commitFailure(tenant.failure(active, await tenant.claimed(active), dead))
      const row = await tenant.row(active)
      assert.deepEqual(
        [row.connection.state, row.connection.fault?.code, row.health.dueAt, row.credential.intent],
        ['needs_reauth', 'connection_revoked', null, null],
      )
      assert.notEqual(row.credential.refreshToken, null)
    },
  },
  {
    name: 'a failure after a disconnect changes no state',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const { organization } = tenant
      const connection = await tenant.connect()
      const intent = await tenant.claimed(connection)
      await store.connections.disconnect({ organization, connection, at: PAST, event: tenant.event('connection.disconnected', connection), revocation: null })
      await store.credentials.commitFailure(tenant.failure(connection, intent, { effect: 'dead', dueAt: FUTURE }))
      const row = await tenant.row(connection)
      assert.deepEqual([row.connection.state, row.connection.fault, row.health.dueAt, row.credential.lease], ['disconnected', null, null, null])
    },
  },
]
