import assert from 'node:assert/strict'
import type { StoreCase } from './store-case.ts'
import { PAST, TestOrganization } from './test-organization.ts'

/** One store is one process, so each case joins and leaves by itself. What a second process sees is tested on PostgreSQL. */
export const nodeCases: readonly StoreCase[] = [
  {
    name: 'a node that has joined is listed as alive, beats by the database clock, and is gone when it leaves',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const node = org.node()
      const membership = await store.nodes.join(node, 0)
      assert.equal(membership.held(), true)
      const joined = (await store.nodes.list()).find((report) => report.id === node.id)
      assert.ok(joined !== undefined)
      assert.deepEqual([joined.incarnation, joined.alive, joined.draining], ['1', true, false])
      const at = await membership.beat(true)
      const beaten = (await store.nodes.list()).find((report) => report.id === node.id)
      assert.deepEqual([beaten?.heartbeatAt, beaten?.draining, beaten?.startedAt], [at, true, joined.startedAt])
      assert.ok(at >= joined.heartbeatAt)
      await membership.leave()
      assert.equal(membership.held(), false)
      assert.equal(
        (await store.nodes.list()).some((report) => report.id === node.id),
        false,
      )
    },
  },
  {
    name: 'a node that leaves with leases stays listed, not alive, until nothing is leased to it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const node = org.node()
      const connection = await org.connect()
      const membership = await store.nodes.join(node, 0)
      const intent = await org.claimed(connection, { node })
      await membership.leave()
      const left = () => store.nodes.list().then((reports) => reports.find((report) => report.id === node.id))
      assert.equal((await left())?.alive, false)
      await store.nodes.forgetLost(Number.MAX_SAFE_INTEGER)
      assert.notEqual(await left(), undefined)
      await store.credentials.release(connection, intent, null)
      await store.nodes.forgetLost(PAST)
      assert.notEqual(await left(), undefined)
      assert.ok((await store.nodes.forgetLost(Number.MAX_SAFE_INTEGER)) >= 1)
      assert.equal(await left(), undefined)
    },
  },
  {
    name: 'the leases of a node are paged in order of id, and end with what is committed, failed or given back',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const node = org.node('paged')
      const connections = [await org.connect(), await org.connect(), await org.connect(), await org.connect()].sort()
      const intents = new Map<string, Awaited<ReturnType<TestOrganization['claimed']>>>()
      for (const connection of connections) intents.set(connection, await org.claimed(connection, { node }))
      const first = await store.nodes.leasesOf(node.id, null, 3)
      assert.deepEqual(first, connections.slice(0, 3))
      assert.deepEqual(await store.nodes.leasesOf(node.id, first.at(-1) ?? null, 3), connections.slice(3))
      const [committed, failed, released] = connections
      for (const connection of [committed, failed, released]) {
        const intent = connection === undefined ? undefined : intents.get(connection)
        if (connection === undefined || intent === undefined) throw new Error('four connections were made')
        if (connection === committed) await store.credentials.commitGrant(org.grant(connection, intent, 1))
        if (connection === failed) await store.credentials.commitFailure(org.failure(connection, intent))
        if (connection === released) await store.credentials.release(connection, intent, null)
      }
      assert.deepEqual(await store.nodes.leasesOf(node.id, null, 10), connections.slice(3))
    },
  },
  {
    name: 'a lease of a lost node is freed at once: its intent becomes the suspicion and the connection is due',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const lost = org.node('lost')
      const connection = await org.connect()
      const intent = await org.claimed(connection, { node: lost, leaseMs: 600_000 })
      const before = (await org.row(connection)).credential
      assert.equal(await store.nodes.takeOver(connection, org.node('other').id, before.epoch), false)
      assert.equal(await store.nodes.takeOver(connection, lost.id, before.epoch + 1), false)
      assert.equal(await store.nodes.takeOver(connection, lost.id, before.epoch), true)
      const { credential, health } = await org.row(connection)
      assert.deepEqual(credential.suspicion, { intent, at: before.intent?.at, answered: false })
      assert.deepEqual([credential.lease, credential.intent, credential.epoch], [null, null, before.epoch])
      assert.ok(health.dueAt !== null && health.dueAt < (before.lease?.until ?? 0))
      assert.equal(await store.nodes.takeOver(connection, lost.id, before.epoch), false)
      assert.deepEqual(await store.nodes.leasesOf(lost.id, null, 10), [])
    },
  },
  {
    name: 'a lease of a node that lives is not freed, and a late answer of a lost one is still applied',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const node = org.node()
      const membership = await store.nodes.join(node, 0)
      const connection = await org.connect()
      const intent = await org.claimed(connection, { node })
      assert.equal(await store.nodes.takeOver(connection, node.id, 1), false)
      assert.notEqual((await org.row(connection)).credential.lease, null)
      await membership.leave()
      assert.equal(await store.nodes.takeOver(connection, node.id, 1), true)
      assert.deepEqual(await store.credentials.commitGrant(org.grant(connection, intent, 1)), { kind: 'applied', generation: 2 })
      assert.equal((await org.row(connection)).credential.suspicion, null)
    },
  },
]
