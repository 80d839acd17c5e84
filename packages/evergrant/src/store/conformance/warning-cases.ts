import assert from 'node:assert/strict'
import type { DueWarning, WarningStep } from '../../core/refresh/credentials.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, Tenant, tokens } from './tenant.ts'

const END = FUTURE + 40

const stepOf = ({ connection, endsAt, warnAt }: DueWarning, tenant: Tenant, nextWarnAt: number | null): WarningStep => ({
  connection,
  endsAt,
  warnAt,
  nextWarnAt,
  dueAt: null,
  event: tenant.event('connection.expires_soon', connection),
})

/** Warnings before the end of a grant. Cases look only at their own connections: the store is shared. */
export const warningCases: readonly StoreCase[] = [
  {
    name: 'a warning is due from its instant on, and is written once however often it is taken',
    run: async (store, context) => {
      const tenant = await Tenant.open(store, context)
      const connection = tenant.newConnection()
      await store.connections.insert({
        connection,
        credential: tokens(1),
        dueAt: FUTURE,
        end: { at: END, warnAt: PAST },
        event: tenant.event('connection.created', connection.id),
      })
      assert.equal((await tenant.row(connection.id)).health.endsAt, END)
      const due = await dueOf(tenant, connection.id)
      assert.deepEqual(due, { connection: connection.id, organization: tenant.organization, state: 'active', endsAt: END, warnAt: PAST })
      const steps = [stepOf(due, tenant, FUTURE), stepOf(due, tenant, FUTURE)]
      assert.equal(await store.credentials.warn(steps), 1)
      assert.equal(await store.credentials.warn([stepOf(due, tenant, FUTURE)]), 0)
      assert.equal(await warningsOf(tenant, connection.id), 1)
      assert.equal(await dueOf(tenant, connection.id), undefined)
    },
  },
  {
    name: 'a refresh that keeps the end keeps its warning, and one that moves the end brings its own',
    run: async (store, context) => {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      const grant = async (generation: number, end: { at: number | null; warnAt: number | null }) => {
        const epoch = (await tenant.row(connection)).credential.epoch
        const intent = await tenant.claimed(connection, { generation, epoch })
        await store.credentials.commitGrant(tenant.grant(connection, intent, generation, { end }))
      }
      await grant(1, { at: END, warnAt: PAST })
      const due = await dueOf(tenant, connection)
      assert.equal(due?.warnAt, PAST)
      if (due !== undefined) await store.credentials.warn([stepOf(due, tenant, FUTURE)])
      await grant(2, { at: END, warnAt: PAST })
      assert.equal(await dueOf(tenant, connection), undefined)
      await grant(3, { at: END + 1, warnAt: PAST + 1 })
      assert.equal((await dueOf(tenant, connection))?.warnAt, PAST + 1)
      await grant(4, { at: null, warnAt: null })
      assert.equal(await dueOf(tenant, connection), undefined)
      assert.equal((await tenant.row(connection)).health.endsAt, null)
    },
  },
  {
    name: 'a reconnect starts the warnings anew, also at the same end, and a step of before it is not taken',
    run: async (store, context) => {
      const tenant = await Tenant.open(store, context)
      const connection = await tenant.connect()
      const reconnect = (expectedGeneration: number, warnAt: number) =>
        store.connections.replaceGrant({
          organization: tenant.organization,
          connection,
          expectedGeneration,
          credential: tokens(expectedGeneration + 1),
          account: null,
          accountLabel: null,
          scopes: null,
          variables: {},
          facts: {},
          consentedAt: PAST,
          dueAt: FUTURE,
          end: { at: END, warnAt },
          event: tenant.event('connection.reconnected', connection),
        })
      await reconnect(1, PAST)
      const old = await dueOf(tenant, connection)
      assert.ok(old)
      await reconnect(2, PAST + 9)
      assert.equal(await store.credentials.warn([stepOf(old, tenant, null)]), 0)
      assert.equal((await dueOf(tenant, connection))?.warnAt, PAST + 9)
    },
  },
  {
    name: 'the step at the end itself makes the connection due, and needs no event',
    run: async (store, context) => {
      const tenant = await Tenant.open(store, context)
      const connection = tenant.newConnection()
      const event = tenant.event('connection.created', connection.id)
      await store.connections.insert({ connection, credential: tokens(1), dueAt: FUTURE, end: { at: PAST + 3, warnAt: PAST + 3 }, event })
      const due = await dueOf(tenant, connection.id)
      assert.ok(due)
      assert.equal(await store.credentials.warn([{ ...stepOf(due, tenant, null), event: null, dueAt: PAST + 4 }]), 1)
      assert.equal((await tenant.row(connection.id)).health.dueAt, PAST + 4)
      assert.equal(await warningsOf(tenant, connection.id), 0)
    },
  },
]

async function dueOf(tenant: Tenant, connection: string): Promise<DueWarning | undefined> {
  return (await tenant.store.credentials.dueWarnings(10_000)).find((due) => due.connection === connection)
}

async function warningsOf(tenant: Tenant, connection: string): Promise<number> {
  const { items } = await tenant.store.events.list(tenant.organization, {}, { limit: 200, cursor: null })
  return items.filter((event) => event.type === 'connection.expires_soon' && event.connection === connection).length
}
