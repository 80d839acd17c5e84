import assert from 'node:assert/strict'
import type { ConnectionId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization, tokens } from './test-organization.ts'

const HOUR = 3_600_000

export const dueCases: readonly StoreCase[] = [
  {
    name: 'what is due comes oldest first, is hidden from the next caller, and comes once it is due again',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const second = await org.connect({}, PAST + 2)
      const first = await org.connect({}, PAST + 1)
      await org.connect({}, FUTURE)
      await org.connect({}, null)
      const taken = await store.credentials.takeDue(10, HOUR)
      assert.deepEqual(
        taken.map((due) => due.connection),
        [first, second],
      )
      assert.deepEqual(
        taken.map((due) => due.dueAt),
        [PAST + 1, PAST + 2],
      )
      assert.ok(taken.every((due) => due.organization === org.organization))
      assert.deepEqual(await store.credentials.takeDue(10, HOUR), [])
      await org.due(second, PAST)
      assert.deepEqual(
        (await store.credentials.takeDue(10, HOUR)).map((due) => due.connection),
        [second],
      )
    },
  },
  {
    name: 'a row that comes with what is due is what a read gives',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      for (const at of [PAST, PAST + 1]) await org.connect({}, at)
      const taken = await store.credentials.takeDue(10, HOUR)
      assert.equal(taken.length, 2)
      for (const due of taken) if (due.row !== undefined) assert.deepEqual(due.row, await store.credentials.read(due.connection))
    },
  },
  {
    name: 'concurrent callers never get the same connection',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const made = await Promise.all(Array.from({ length: 60 }, (_, index) => org.connect({}, PAST + index)))
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
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const connection = await org.connect({}, PAST)
      await store.connections.setPaused(org.organization, connection, true, null, org.event('connection.paused', connection))
      await org.due(connection, PAST)
      await store.credentials.markReads([{ connection, at: PAST, dueAt: PAST }])
      assert.deepEqual(await store.credentials.takeDue(10, HOUR), [])
      await store.connections.setPaused(org.organization, connection, false, PAST + 4, org.event('connection.resumed', connection))
      assert.deepEqual(
        (await store.credentials.takeDue(10, HOUR)).map((due) => due.dueAt),
        [PAST + 4],
      )
    },
  },
  {
    name: 'a read is remembered and brings a renewal forward, never back',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const idle = await org.connect({}, null)
      const busy = await org.connect({}, FUTURE)
      await store.credentials.markReads([
        { connection: busy, at: PAST + 9, dueAt: FUTURE - 5 },
        { connection: idle, at: PAST + 8, dueAt: FUTURE },
      ])
      await store.credentials.markReads([{ connection: busy, at: PAST + 3, dueAt: FUTURE + 5 }])
      const [first, second] = [await org.row(idle), await org.row(busy)]
      assert.deepEqual([first.connection.lastReadAt, first.health.dueAt], [PAST + 8, FUTURE])
      assert.deepEqual([second.connection.lastReadAt, second.health.dueAt], [PAST + 9, FUTURE - 5])
    },
  },
  {
    name: 'what was taken is put off only while its due time is the one that taking gave it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const [calm, read, renewed] = [await org.connect({}, PAST), await org.connect({}, PAST + 1), await org.connect({}, PAST + 2)]
      const taken = await store.credentials.takeDue(10, HOUR)
      const dueAt = async (connection: ConnectionId) => (await org.row(connection)).health.dueAt
      for (const due of taken) assert.equal(due.takenUntil, await dueAt(due.connection))
      await store.credentials.markReads([{ connection: read, at: PAST, dueAt: PAST + 9 }])
      await store.credentials.commitGrant(org.grant(renewed, await org.claimed(renewed), 1, { dueAt: FUTURE - 5 }))
      for (const due of taken) await store.credentials.reschedule(due, null)
      assert.deepEqual([await dueAt(calm), await dueAt(read), await dueAt(renewed)], [null, PAST + 9, FUTURE - 5])
      // Nobody had set it, and so it is no longer the one that was taken.
      for (const due of taken) await store.credentials.reschedule(due, FUTURE)
      assert.equal(await dueAt(calm), null)
    },
  },
  {
    name: 'who was overtaken while it was taken puts nothing off: it was taken again',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const connection = await org.connect({}, PAST)
      const [first] = await store.credentials.takeDue(10, -HOUR)
      const [second] = await store.credentials.takeDue(10, HOUR)
      assert.ok(first !== undefined && second !== undefined)
      await store.credentials.reschedule(first, null)
      assert.equal((await org.row(connection)).health.dueAt, second.takenUntil)
      await store.credentials.reschedule(second, FUTURE)
      assert.equal((await org.row(connection)).health.dueAt, FUTURE)
    },
  },
  {
    name: 'due connections of an integration that cannot be asked are parked out of the way of others, who are taken',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const closed: ConnectionId[] = []
      for (let index = 0; index < 5; index += 1) closed.push(await org.connect({}, PAST + index))
      const other = org.newIntegration()
      await store.integrations.insert(other, org.event('integration.created'))
      const open = await org.connect({ integration: other.id }, PAST + 9)
      const taken = await store.credentials.takeDue(1, HOUR, [{ integration: org.integration.id, windowMs: 0 }])
      assert.deepEqual(
        taken.filter((due) => due.parked).map((due) => [due.connection, due.integration]),
        closed.map((connection) => [connection, org.integration.id]),
      )
      assert.deepEqual(
        taken.filter((due) => !due.parked).map((due) => [due.connection, due.integration]),
        [[open, other.id]],
      )
      for (const connection of closed) assert.equal((await org.row(connection)).health.dueAt, null)
      assert.deepEqual(await store.credentials.takeDue(10, HOUR), [])
      assert.ok((await store.credentials.parkedIntegrations()).includes(org.integration.id))
      assert.ok(!(await store.credentials.parkedIntegrations()).includes(other.id))
    },
  },
  {
    name: 'a suspicion younger than the replay window stands in no line',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const suspect = await org.connect({}, PAST)
      const calm = await org.connect({}, PAST + 1)
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
        const taken = await store.credentials.takeDue(10, HOUR, [{ integration: org.integration.id, windowMs }])
        return taken.filter((due) => due.parked).map((due) => due.connection)
      }
      assert.deepEqual(await parkedWith(HOUR), [calm])
      await org.due(suspect, PAST)
      assert.deepEqual(await parkedWith(0), [suspect])
    },
  },
  {
    name: 'parked connections leave once each: those read within a day first, then by hard expiry; who was served meanwhile only leaves',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await drain(org)
      const now = await databaseNow(org)
      const at = (hardAt: number, lastReadAt: number | null) => org.connect({ lastReadAt }, PAST, tokens(1, { hardAt }))
      const late = await at(PAST + 30, null)
      const early = await at(PAST + 10, null)
      const idle = await at(PAST + 20, now - 30 * HOUR)
      const read = await at(PAST + 40, now - HOUR)
      const served = await at(PAST + 5, null)
      const paused = await at(PAST + 6, null)
      assert.equal((await store.credentials.takeDue(10, HOUR, [{ integration: org.integration.id, windowMs: 0 }])).length, 6)
      await org.due(served, FUTURE)
      await store.connections.setPaused(org.organization, paused, true, null, org.event('connection.paused', paused))
      const rounds = await Promise.all(Array.from({ length: 6 }, () => store.credentials.takeParked(org.integration.id, 1, HOUR)))
      const order = rounds.flatMap(({ taken }) => taken.map((due) => due.connection))
      assert.equal(new Set(order).size, order.length)
      assert.deepEqual(new Set(order), new Set([read, early, idle, late]))
      assert.deepEqual(await store.credentials.takeParked(org.integration.id, 10, HOUR), { taken: [], found: 0 })
      assert.equal((await org.row(served)).health.dueAt, FUTURE)

      for (const connection of [late, early, idle, read]) await org.due(connection, PAST)
      await store.credentials.takeDue(10, HOUR, [{ integration: org.integration.id, windowMs: 0 }])
      const one = await store.credentials.takeParked(org.integration.id, 3, HOUR)
      assert.deepEqual([one.found, one.taken.map((due) => due.connection), one.taken.some((due) => due.parked)], [3, [read, early, idle], false])
      for (const due of one.taken) assert.equal(due.takenUntil, (await org.row(due.connection)).health.dueAt)
      assert.deepEqual(
        (await store.credentials.takeParked(org.integration.id, 3, HOUR)).taken.map((due) => due.connection),
        [late],
      )
      assert.ok(!(await store.credentials.parkedIntegrations()).includes(org.integration.id))
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
async function databaseNow(org: TestOrganization): Promise<number> {
  const connection = await org.connect()
  await org.claimed(connection)
  return (await org.row(connection)).credential.intent?.at ?? 0
}

/** Takes what other cases left due. */
async function drain(org: TestOrganization): Promise<void> {
  while ((await org.store.credentials.takeDue(1_000, 24 * HOUR)).length > 0);
}
