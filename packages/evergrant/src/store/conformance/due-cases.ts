import assert from 'node:assert/strict'
import type { ConnectionId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, Tenant, tokens } from './tenant.ts'

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
    name: 'a row that comes with what is due is what a read gives',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      await drain(tenant)
      for (const at of [PAST, PAST + 1]) await tenant.connect({}, at)
      const taken = await store.credentials.takeDue(10, HOUR)
      assert.equal(taken.length, 2)
      for (const due of taken) if (due.row !== undefined) assert.deepEqual(due.row, await store.credentials.read(due.connection))
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
    name: 'due connections of an integration that cannot be asked are parked out of the way of others, who are taken',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      await drain(tenant)
      const closed: ConnectionId[] = []
      for (let index = 0; index < 5; index += 1) closed.push(await tenant.connect({}, PAST + index))
      const other = tenant.newIntegration()
      await store.integrations.insert(other, tenant.event('integration.created'))
      const open = await tenant.connect({ integration: other.id }, PAST + 9)
      const taken = await store.credentials.takeDue(1, HOUR, [{ integration: tenant.integration.id, windowMs: 0 }])
      assert.deepEqual(
        taken.filter((due) => due.parked).map((due) => [due.connection, due.integration]),
        closed.map((connection) => [connection, tenant.integration.id]),
      )
      assert.deepEqual(
        taken.filter((due) => !due.parked).map((due) => [due.connection, due.integration]),
        [[open, other.id]],
      )
      for (const connection of closed) assert.equal((await tenant.row(connection)).health.dueAt, null)
      assert.deepEqual(await store.credentials.takeDue(10, HOUR), [])
      assert.ok((await store.credentials.parkedIntegrations()).includes(tenant.integration.id))
      assert.ok(!(await store.credentials.parkedIntegrations()).includes(other.id))
    },
  },
  {
    name: 'a suspicion younger than the replay window stands in no line',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      await drain(tenant)
      const suspect = await tenant.connect({}, PAST)
      const calm = await tenant.connect({}, PAST + 1)
      await store.credentials.claim({
        connection: suspect,
        generation: 1,
        epoch: 0,
        node: { id: 'lost', incarnation: 'first' },
        intent: 'itn_window',
        leaseMs: HOUR,
      })
      await store.credentials.reclaim({ id: 'lost', incarnation: 'second' })
      const parkedWith = async (windowMs: number) => {
        const taken = await store.credentials.takeDue(10, HOUR, [{ integration: tenant.integration.id, windowMs }])
        return taken.filter((due) => due.parked).map((due) => due.connection)
      }
      assert.deepEqual(await parkedWith(HOUR), [calm])
      await store.credentials.reschedule(suspect, PAST)
      assert.deepEqual(await parkedWith(0), [suspect])
    },
  },
  {
    name: 'parked connections leave once each: those read within a day first, then by hard expiry; who was served meanwhile only leaves',
    async run(store, context) {
      const tenant = await Tenant.open(store, context)
      await drain(tenant)
      const now = await databaseNow(tenant)
      const at = (hardAt: number, lastReadAt: number | null) => tenant.connect({ lastReadAt }, PAST, tokens(1, { hardAt }))
      const late = await at(PAST + 30, null)
      const early = await at(PAST + 10, null)
      const idle = await at(PAST + 20, now - 30 * HOUR)
      const read = await at(PAST + 40, now - HOUR)
      const served = await at(PAST + 5, null)
      const paused = await at(PAST + 6, null)
      assert.equal((await store.credentials.takeDue(10, HOUR, [{ integration: tenant.integration.id, windowMs: 0 }])).length, 6)
      await store.credentials.reschedule(served, FUTURE)
      await store.connections.setPaused(tenant.organization, paused, true, null, tenant.event('connection.paused', paused))
      const rounds = await Promise.all(Array.from({ length: 6 }, () => store.credentials.takeParked(tenant.integration.id, 1, HOUR)))
      const order = rounds.flatMap(({ taken }) => taken.map((due) => due.connection))
      assert.equal(new Set(order).size, order.length)
      assert.deepEqual(new Set(order), new Set([read, early, idle, late]))
      assert.deepEqual(await store.credentials.takeParked(tenant.integration.id, 10, HOUR), { taken: [], found: 0 })
      assert.equal((await tenant.row(served)).health.dueAt, FUTURE)

      for (const connection of [late, early, idle, read]) await store.credentials.reschedule(connection, PAST)
      await store.credentials.takeDue(10, HOUR, [{ integration: tenant.integration.id, windowMs: 0 }])
      const one = await store.credentials.takeParked(tenant.integration.id, 3, HOUR)
      assert.deepEqual([one.found, one.taken.map((due) => due.connection), one.taken.some((due) => due.parked)], [3, [read, early, idle], false])
      assert.deepEqual(
        (await store.credentials.takeParked(tenant.integration.id, 3, HOUR)).taken.map((due) => due.connection),
        [late],
      )
      assert.ok(!(await store.credentials.parkedIntegrations()).includes(tenant.integration.id))
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

/** By the clock that the store itself goes by. */
async function databaseNow(tenant: Tenant): Promise<number> {
  const connection = await tenant.connect()
  await tenant.claimed(connection)
  return (await tenant.row(connection)).credential.intent?.at ?? 0
}

/** Takes what other cases left due. */
async function drain(tenant: Tenant): Promise<void> {
  while ((await tenant.store.credentials.takeDue(1_000, 24 * HOUR)).length > 0);
}
