import assert from 'node:assert/strict'
import { type NewEvent, SYSTEM_ACTOR } from '../../core/audit/event.ts'
import { newId, type OrganizationId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization, textOf } from './test-organization.ts'

export const retentionCases: readonly StoreCase[] = [
  {
    name: 'applied answers past their time are removed once they are cut, and unapplied ones never',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const late = org.intent()
      await store.credentials.commitGrant(org.grant(connection, await org.claimed(connection), 1))
      await store.credentials.commitGrant(org.grant(connection, late, 1))
      await store.credentials.forgetAnswers(PAST + 6, 10_000)
      assert.equal(await store.credentials.forgetAnswers(PAST + 6, 10_000), 0)
      assert.ok((await store.credentials.cutAnswers(PAST + 6, 10_000)) >= 1)
      assert.equal(await store.credentials.forgetAnswers(PAST + 6, 1), 1)
      await store.credentials.forgetAnswers(PAST + 6, 10_000)
      assert.equal(await store.credentials.forgetAnswers(PAST + 6, 10_000), 0)
      const [kept] = await store.credentials.unappliedAnswers(org.organization, 10)
      assert.equal(textOf(kept?.body ?? null), `answer ${late}`)
    },
  },
  {
    name: 'refresh events past their time are removed in helpings, every other event and those of others stay',
    async run(store, context) {
      const [org, other] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      const entropy = context.entropy
      const write = (organization: OrganizationId, type: NewEvent['type']) => {
        const id = newId('evt', entropy)
        return store.events.append({ id, organization, type, at: PAST, actor: SYSTEM_ACTOR, connection: null, subject: null, data: {} }).then(() => id)
      }
      for (let one = 0; one < 3; one += 1) await write(org.organization, 'connection.refreshed')
      const stays = await write(org.organization, 'connection.refresh_failed')
      await write(org.organization, 'connection.refreshed')
      const foreign = await write(other.organization, 'connection.refreshed')
      const ids = async (of: OrganizationId) => new Map((await store.events.list(of, {}, { limit: 100, cursor: null })).items.map(({ id, type }) => [id, type]))
      const before = await ids(org.organization)
      assert.equal(await store.events.forgetRefreshes(org.organization, PAST, 100), 0)
      assert.deepEqual(await ids(org.organization), before)
      assert.equal(await store.events.forgetRefreshes(org.organization, FUTURE, 2), 2)
      for (let seen = 2; seen === 2; ) seen = await store.events.forgetRefreshes(org.organization, FUTURE, 2)
      const after = await ids(org.organization)
      assert.deepEqual(
        [...after.keys()],
        [...before].filter(([, type]) => type !== 'connection.refreshed').map(([id]) => id),
      )
      assert.ok(after.has(stays))
      assert.ok((await ids(other.organization)).has(foreign))
    },
  },
]
