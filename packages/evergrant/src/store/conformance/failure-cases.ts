import assert from 'node:assert/strict'
import type { StoreCase } from './store-case.ts'
import { FUTURE, faultAt, PAST, TestOrganization } from './test-organization.ts'

export const failureCases: readonly StoreCase[] = [
  {
    name: 'a failure that left the token untouched clears its intent and counts once, however often it is told',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const failure = org.failure(connection, await org.claimed(connection), { nextAttemptAt: PAST + 40, dueAt: PAST + 50 })
      for (let time = 0; time < 3; time += 1) assert.deepEqual(await store.credentials.commitFailure(failure), { kind: 'recorded' })
      const row = await org.row(connection)
      assert.deepEqual([row.credential.lease, row.credential.intent, row.credential.suspicion], [null, null, null])
      assert.deepEqual(row.health, { dueAt: PAST + 50, nextAttemptAt: PAST + 40, failures: 1, firstFailedAt: PAST + 7, endsAt: null })
      assert.deepEqual(row.connection.fault, faultAt(PAST + 7))
      assert.equal(row.connection.state, 'active')
    },
  },
  {
    name: "failures count up and remember the first, and one that is not the connection's does not count",
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      await store.credentials.commitFailure(org.failure(connection, null))
      await store.credentials.commitFailure(org.failure(connection, await org.claimed(connection), { fault: faultAt(PAST + 9) }))
      await store.credentials.commitFailure(org.failure(connection, null, { countsAsFailure: false, fault: faultAt(PAST + 11, 'client_rejected') }))
      const { health } = await org.row(connection)
      assert.deepEqual([health.failures, health.firstFailedAt], [2, PAST + 7])
    },
  },
  {
    name: 'a failure before any claim counts once, however often it is told, and the next one counts again',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const refused = org.failure(connection, null)
      for (let time = 0; time < 3; time += 1) assert.deepEqual(await store.credentials.commitFailure(refused), { kind: 'recorded' })
      assert.equal((await org.row(connection)).health.failures, 1)
      await store.credentials.commitFailure(org.failure(connection, null))
      assert.equal((await org.row(connection)).health.failures, 2)
    },
  },
  {
    name: 'an unknown outcome makes the connection suspect and the oldest suspicion stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const first = await org.claimed(connection)
      const at = (await org.row(connection)).credential.intent?.at
      await store.credentials.commitFailure(org.failure(connection, first, { effect: 'suspect', answered: true }))
      assert.deepEqual((await org.row(connection)).credential.suspicion, { intent: first, at, answered: true })
      const second = await org.claimed(connection, { epoch: 1 })
      await store.credentials.commitFailure(org.failure(connection, second, { effect: 'suspect', answered: false }))
      const { credential } = await org.row(connection)
      assert.deepEqual(credential.suspicion, { intent: first, at, answered: true })
      assert.equal(credential.intent, null)
    },
  },
  {
    name: 'a failure certain to have spent nothing lifts the suspicion that its own lost lease left',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const slow = await org.claimed(connection, { leaseMs: 0 })
      const fast = await org.claimed(connection, { epoch: 1 })
      await store.credentials.commitFailure(org.failure(connection, slow))
      const { credential } = await org.row(connection)
      assert.equal(credential.suspicion, null)
      assert.equal(credential.intent?.id, fast)
    },
  },
  {
    name: 'a connection dies only while the generation has not moved and it is active',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const dead = { effect: 'dead', fault: faultAt(PAST + 7, 'connection_revoked') } as const
      const moved = await org.connect()
      const slow = await org.claimed(moved, { leaseMs: 0 })
      await store.credentials.commitGrant(org.grant(moved, await org.claimed(moved, { epoch: 1 }), 1))
      assert.deepEqual(await store.credentials.commitFailure(org.failure(moved, slow, { ...dead, answer: org.answer(slow, { verdict: 'dead' }) })), {
        kind: 'moved',
        generation: 2,
      })
      assert.equal((await org.row(moved)).connection.state, 'active')
      assert.equal((await store.credentials.unappliedAnswers(org.organization, 5)).length, 1)

      const paused = await org.connect()
      const intent = await org.claimed(paused)
      await store.connections.setPaused(org.organization, paused, true, null, org.event('connection.paused', paused))
      await store.credentials.commitFailure(org.failure(paused, intent, dead))
      assert.equal((await org.row(paused)).connection.state, 'paused')

      const active = await org.connect()
      await store.credentials.commitFailure(org.failure(active, await org.claimed(active), dead))
      const row = await org.row(active)
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
      const org = await TestOrganization.open(store, context)
      const { organization } = org
      const connection = await org.connect()
      const intent = await org.claimed(connection)
      await store.connections.disconnect({ organization, connection, at: PAST, event: org.event('connection.disconnected', connection), revocation: null })
      await store.credentials.commitFailure(org.failure(connection, intent, { effect: 'dead', dueAt: FUTURE }))
      const row = await org.row(connection)
      assert.deepEqual([row.connection.state, row.connection.fault, row.health.dueAt, row.credential.lease], ['disconnected', null, null, null])
    },
  },
]
