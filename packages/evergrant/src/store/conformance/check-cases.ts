import assert from 'node:assert/strict'
import type { DueCheck, NewCheck } from '../../core/connection/checks.ts'
import { type ConnectionId, idFrom } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

const checkOf = (connection: ConnectionId, changes: Partial<NewCheck> = {}): NewCheck => ({
  connection,
  at: PAST,
  result: 'works',
  httpStatus: 200,
  dueAt: null,
  ...changes,
})

async function take({ store, organization }: TestOrganization, visibilityMs = 3_600_000): Promise<readonly DueCheck[]> {
  return (await store.checks.take(10_000, visibilityMs)).filter((due) => due.organization === organization)
}

async function taken(org: TestOrganization, visibilityMs?: number): Promise<readonly ConnectionId[]> {
  return (await take(org, visibilityMs)).map((due) => due.connection)
}

/** What checks of connections found, and when the next is due. */
export const checkCases: readonly StoreCase[] = [
  {
    name: 'a check keeps the time when the token last worked, whatever the latest one found, and leaves the row of the protocol alone',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect({}, FUTURE)
      const before = await org.row(connection)
      assert.deepEqual(await store.checks.of([connection]), [])
      await store.checks.record(checkOf(connection), null)
      await store.checks.record(checkOf(connection, { at: PAST + 9, result: 'unreachable', httpStatus: 503 }), org.event('connection.checked', connection))
      assert.deepEqual(await store.checks.of([connection]), [{ connection, at: PAST + 9, result: 'unreachable', httpStatus: 503, workedAt: PAST }])
      assert.deepEqual(await org.row(connection), before)
      const { items } = await store.events.list(org.organization, { type: 'connection.checked' }, { limit: 10, cursor: null })
      assert.equal(items.length, 1)
    },
  },
  {
    name: 'a check that is due is taken by one caller, and only its due time moves',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [due, later] = [await org.connect(), await org.connect()]
      await store.checks.record(checkOf(due, { dueAt: PAST }), null)
      await store.checks.record(checkOf(later, { dueAt: FUTURE }), null)
      const [first] = await take(org)
      assert.equal(first?.connection, due)
      assert.deepEqual(await taken(org), [])
      await store.checks.reschedule(first, PAST)
      const { dueAt: _, ...unplanned } = checkOf(due, { result: 'rejected', at: PAST })
      await store.checks.record(unplanned, null)
      const [again] = await take(org, -1)
      assert.equal(again?.connection, due)
      await store.checks.reschedule(again, null)
      assert.deepEqual(await taken(org), [])
      assert.equal((await store.checks.of([due]))[0]?.at, PAST)
    },
  },
  {
    name: 'when the next check is due is said by who took it, unless it was planned or taken again meanwhile',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      for (const connection of [await org.connect(), await org.connect(), await org.connect()])
        await store.checks.record(checkOf(connection, { dueAt: PAST }), null)
      const first = await take(org, -2_000)
      const none = ({ connection, takenUntil }: DueCheck) => store.checks.record(checkOf(connection, { dueAt: null, takenUntil }), null)
      // What was taken again belongs to whoever took it last.
      assert.equal((await take(org, -1_000)).length, 3)
      for (const due of first) await store.checks.reschedule(due, null)
      for (const due of first) await none(due)
      const last = await take(org, -3_000)
      assert.equal(last.length, 3)
      // Another pace than the one that who took them knows of; what is due sooner than it says stays due.
      const plan = { integration: org.integration.id, organization: org.organization, everyMs: FUTURE, before: idFrom('con', FUTURE) }
      for (let more = true; more; ) more = await store.checks.plan(plan, 10)
      for (const due of last) await store.checks.reschedule(due, null)
      for (const due of last) await none(due)
      const planned = await take(org)
      assert.equal(planned.length, 3)
      for (const [index, due] of planned.entries()) await (index === 0 ? none(due) : store.checks.reschedule(due, PAST))
      assert.deepEqual(new Set(await taken(org)), new Set(planned.slice(1).map((due) => due.connection)))
    },
  },
  {
    name: 'a plan gives each live connection of its integration a first check, looks at none twice, and begins anew when it changes',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const other = org.newIntegration()
      await store.integrations.insert(other, org.event('integration.created'))
      const connections = [await org.connect(), await org.connect()]
      await org.connect({ integration: other.id })
      await org.connect({ state: 'disconnected', disconnectedAt: PAST })
      const plan = { integration: org.integration.id, organization: org.organization, everyMs: 1, before: idFrom('con', FUTURE) }
      for (let more = true; more; ) more = await store.checks.plan(plan, 2)
      assert.deepEqual([...(await taken(org))].sort(), [...connections].sort())
      for (let more = true; more; ) more = await store.checks.plan(plan, 2)
      assert.deepEqual(await taken(org), [])
      for (let more = true; more; ) more = await store.checks.plan({ ...plan, everyMs: 0 }, 2)
      const again = await take(org)
      assert.equal(again.length, 2)
      await store.checks.stop(org.integration.id)
      for (const due of again) await store.checks.reschedule(due, null)
      for (let more = true; more; ) more = await store.checks.plan({ ...plan, before: idFrom('con', PAST) }, 2)
      assert.deepEqual(await taken(org), [])
      for (let more = true; more; ) more = await store.checks.plan(plan, 2)
      assert.equal((await taken(org)).length, 2)
    },
  },
]
