import assert from 'node:assert/strict'
import type { DueWarning, WarningStep } from '../../core/refresh/credentials.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization, tokens } from './test-organization.ts'

const END = FUTURE + 40

const stepOf = ({ connection, endsAt, warnAt }: DueWarning, org: TestOrganization, nextWarnAt: number | null): WarningStep => ({
  connection,
  endsAt,
  warnAt,
  nextWarnAt,
  dueAt: null,
  event: org.event('connection.expires_soon', connection),
})

/** Warnings before the end of a grant. Cases look only at their own connections: the store is shared. */
export const warningCases: readonly StoreCase[] = [
  {
    name: 'a warning is due from its instant on, and is written once however often it is taken',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = org.newConnection()
      await store.connections.insert({
        connection,
        credential: tokens(1),
        dueAt: FUTURE,
        end: { at: END, warnAt: PAST },
        event: org.event('connection.created', connection.id),
      })
      assert.equal((await org.row(connection.id)).health.endsAt, END)
      const due = await dueOf(org, connection.id)
      assert.deepEqual(due, { connection: connection.id, organization: org.organization, state: 'active', endsAt: END, warnAt: PAST })
      const steps = [stepOf(due, org, FUTURE), stepOf(due, org, FUTURE)]
      assert.equal(await store.credentials.warn(steps), 1)
      assert.equal(await store.credentials.warn([stepOf(due, org, FUTURE)]), 0)
      assert.equal(await warningsOf(org, connection.id), 1)
      assert.equal(await dueOf(org, connection.id), undefined)
    },
  },
  {
    name: 'a refresh that keeps the end keeps its warning, and one that moves the end brings its own',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const grant = async (generation: number, end: { at: number | null; warnAt: number | null }) => {
        const epoch = (await org.row(connection)).credential.epoch
        const intent = await org.claimed(connection, { generation, epoch })
        await store.credentials.commitGrant(org.grant(connection, intent, generation, { end }))
      }
      await grant(1, { at: END, warnAt: PAST })
      const due = await dueOf(org, connection)
      assert.equal(due?.warnAt, PAST)
      if (due !== undefined) await store.credentials.warn([stepOf(due, org, FUTURE)])
      await grant(2, { at: END, warnAt: PAST })
      assert.equal(await dueOf(org, connection), undefined)
      await grant(3, { at: END + 1, warnAt: PAST + 1 })
      assert.equal((await dueOf(org, connection))?.warnAt, PAST + 1)
      await grant(4, { at: null, warnAt: null })
      assert.equal(await dueOf(org, connection), undefined)
      assert.equal((await org.row(connection)).health.endsAt, null)
    },
  },
  {
    name: 'a reconnect starts the warnings anew, also at the same end, and a step of before it is not taken',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const reconnect = (expectedGeneration: number, warnAt: number) =>
        store.connections.replaceGrant({
          organization: org.organization,
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
          event: org.event('connection.reconnected', connection),
        })
      await reconnect(1, PAST)
      const old = await dueOf(org, connection)
      assert.ok(old)
      await reconnect(2, PAST + 9)
      assert.equal(await store.credentials.warn([stepOf(old, org, null)]), 0)
      assert.equal((await dueOf(org, connection))?.warnAt, PAST + 9)
    },
  },
  {
    name: 'the step at the end itself makes the connection due, and needs no event',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = org.newConnection()
      const event = org.event('connection.created', connection.id)
      await store.connections.insert({ connection, credential: tokens(1), dueAt: FUTURE, end: { at: PAST + 3, warnAt: PAST + 3 }, event })
      const due = await dueOf(org, connection.id)
      assert.ok(due)
      assert.equal(await store.credentials.warn([{ ...stepOf(due, org, null), event: null, dueAt: PAST + 4 }]), 1)
      assert.equal((await org.row(connection.id)).health.dueAt, PAST + 4)
      assert.equal(await warningsOf(org, connection.id), 0)
    },
  },
]

async function dueOf(org: TestOrganization, connection: string): Promise<DueWarning | undefined> {
  return (await org.store.credentials.dueWarnings(10_000)).find((due) => due.connection === connection)
}

async function warningsOf(org: TestOrganization, connection: string): Promise<number> {
  const { items } = await org.store.events.list(org.organization, {}, { limit: 200, cursor: null })
  return items.filter((event) => event.type === 'connection.expires_soon' && event.connection === connection).length
}
