import assert from 'node:assert/strict'
import type { ConnectionId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, Tenant } from './tenant.ts'

const HOUR = 3_600_000

export const dueCases: readonly StoreCase[] = [
  {
    name: 'what is due comes oldest first, is hidden from the next caller, and comes once it is due again',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      await drain(tenant)
      const second = await tenant.connect({}, PAST + 2)
      const first = await tenant.connect({}, PAST + 1)
      await tenant.connect({}, FUTURE)
      await tenant.connect({}, null)
      const taken = await store.credentials.takeDue(10, HOUR)
      assert.deepEqual(
        taken.map((due) => due.connection),
        [first, second],
      )
      assert.deepEqual(
        taken.map((due) => due.dueAt),
        [PAST + 1, PAST + 2],
      )
      assert.ok(taken.every((due) => due.organization === tenant.organization))
      assert.deepEqual(await store.credentials.takeDue(10, HOUR), [])
      await store.credentials.reschedule(second, PAST)
      assert.deepEqual(
        (await store.credentials.takeDue(10, HOUR)).map((due) => due.connection),
        [second],
      )
    },
  },
  {
    name: 'concurrent callers never get the same connection',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      await drain(tenant)
      const made = await Promise.all(Array.from({ length: 60 }, (_, index) => tenant.connect({}, PAST + index)))
      const taken: ConnectionId[] = []
      for (let round = 0; round < 20 && taken.length < made.length; round += 1) {
        const batches = await Promise.all(Array.from({ length: 6 }, () => store.credentials.takeDue(10, HOUR)))
        taken.push(...batches.flat().map((due) => due.connection))
      }
      assert.equal(taken.length, made.length)
      assert.deepEqual(new Set(taken), new Set(made))
    },
  },
  {
    name: 'only active connections are due, whatever is asked for the others',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      await drain(tenant)
      const connection = await tenant.connect({}, PAST)
      await store.connections.setPaused(tenant.organization, connection, true, null, tenant.event('connection.paused', connection))
      await store.credentials.reschedule(connection, PAST)
      await store.credentials.markReads([{ connection, at: PAST, dueAt: PAST }])
      assert.deepEqual(await store.credentials.takeDue(10, HOUR), [])
      await store.connections.setPaused(tenant.organization, connection, false, PAST + 4, tenant.event('connection.resumed', connection))
      assert.deepEqual(
        (await store.credentials.takeDue(10, HOUR)).map((due) => due.dueAt),
        [PAST + 4],
      )
    },
  },
  {
    name: 'a read is remembered and brings a renewal forward, never back',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      const idle = await tenant.connect({}, null)
      const busy = await tenant.connect({}, FUTURE)
      await store.credentials.markReads([
        { connection: busy, at: PAST + 9, dueAt: FUTURE - 5 },
        { connection: idle, at: PAST + 8, dueAt: FUTURE },
      ])
      await store.credentials.markReads([{ connection: busy, at: PAST + 3, dueAt: FUTURE + 5 }])
      const [first, second] = [await tenant.row(idle), await tenant.row(busy)]
      assert.deepEqual([first.connection.lastReadAt, first.health.dueAt], [PAST + 8, FUTURE])
      assert.deepEqual([second.connection.lastReadAt, second.health.dueAt], [PAST + 9, FUTURE - 5])
    },
  },
  {
    name: 'taking what is due walks the due index and scans no table',
    async run(_store, context) {
      const plan = await context.duePlan()
      assert.match(plan, /health_due/)
      assert.doesNotMatch(plan, /Seq Scan|SCAN (?!CONSTANT ROW)/)
    },
  },
]

/** Takes what other cases left due. */
async function drain(tenant: Tenant): Promise<void> {
  while ((await tenant.store.credentials.takeDue(1_000, 24 * HOUR)).length > 0);
}
