import assert from 'node:assert/strict'
import { type NewEvent, SYSTEM_ACTOR } from '../../core/audit/event.ts'
import { newId } from '../../core/ids.ts'
import type { NewPushNotice, PushNotice } from '../../core/push/pushes.ts'
import type { StoreCase } from './store-case.ts'
import { bytesOf, FUTURE, PAST, TestOrganization, textOf } from './test-organization.ts'

function noticeOf({ context, organization, integration }: TestOrganization, changes: Partial<NewPushNotice> = {}): NewPushNotice {
  const id = newId('psh', context.entropy)
  return {
    id,
    organization,
    integration: integration.id,
    digest: `digest of ${id}`,
    means: 'revoked',
    account: 'account-1',
    proven: true,
    happenedAt: PAST,
    receivedAt: PAST + 1,
    code: null,
    facts: { scope: 'read' },
    ...changes,
  }
}

/** Of this organization alone: the store is shared. A long hiding time takes them out of the way of other cases. */
async function taken({ store, organization }: TestOrganization, visibilityMs = 3_600_000): Promise<readonly PushNotice[]> {
  return (await store.pushes.take(10_000, visibilityMs)).filter((notice) => notice.organization === organization)
}

/** What providers push, between acceptance and consequence. */
export const pushCases: readonly StoreCase[] = [
  {
    name: 'an accepted push is due at once, hidden while it is worked on, and counts its attempts',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const notice = noticeOf(org, { code: bytesOf('sealed code') })
      assert.equal(await store.pushes.accept([notice]), 1)
      const [first, ...others] = await taken(org, 0)
      assert.deepEqual(others, [])
      assert.equal(textOf(first?.code ?? null), 'sealed code')
      assert.deepEqual({ ...first, code: null }, { ...notice, code: null, attempts: 1 })
      const [second] = await taken(org)
      assert.equal(second?.attempts, 2)
      assert.deepEqual(await taken(org), [])
      await store.pushes.retry(notice.id, PAST)
      assert.equal((await taken(org)).length, 1)
    },
  },
  {
    name: 'the same push again changes nothing while it waits; once done, a revocation is looked into again without its proof, and nothing else is',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const revoked = noticeOf(org)
      const changed = noticeOf(org, { means: 'changed' })
      const again = (notice: NewPushNotice) => ({ ...notice, id: newId('psh', context.entropy) })
      assert.equal(await store.pushes.accept([revoked, changed, again(revoked)]), 2)
      assert.equal((await taken(org)).length, 2)
      assert.equal(await store.pushes.accept([again(revoked), again(changed)]), 0)
      assert.deepEqual(await taken(org), [])
      await store.pushes.finish(revoked.id, [])
      await store.pushes.finish(changed.id, [])
      assert.equal(await store.pushes.accept([again(revoked), again(changed)]), 0)
      const reopened = await taken(org)
      assert.deepEqual(
        reopened.map(({ id, proven, attempts }) => ({ id, proven, attempts })),
        [{ id: revoked.id, proven: false, attempts: 1 }],
      )
    },
  },
  {
    name: 'finishing a push writes its events once, removes its code and takes it out of the queue',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const notice = noticeOf(org, { means: 'code', account: null, code: bytesOf('sealed code') })
      await store.pushes.accept([notice])
      const event = { ...org.event('push.code'), id: newId('evt', context.entropy) }
      await store.pushes.finish(notice.id, [event])
      await store.pushes.finish(notice.id, [{ ...event, id: newId('evt', context.entropy) }])
      await store.pushes.retry(notice.id, PAST)
      assert.deepEqual(await taken(org), [])
      const { items } = await store.events.list(org.organization, { type: 'push.code' }, { limit: 10, cursor: null })
      assert.equal(items.length, 1)
    },
  },
  {
    name: 'what is done is forgotten after its time, and what waits never is',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [done, waits] = [noticeOf(org), noticeOf(org)]
      await store.pushes.accept([done, waits])
      await store.pushes.finish(done.id, [])
      assert.equal(await store.pushes.forget(PAST, 100), 0)
      while ((await store.pushes.forget(FUTURE, 100)) === 100);
      assert.equal(await store.pushes.accept([{ ...done, id: newId('psh', context.entropy) }, waits]), 1)
    },
  },
  {
    name: 'a push secret is replaced together with the one before and its event',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const integration = org.integration.id
      assert.equal(await store.pushes.secrets(integration), undefined)
      const set = (secret: string, before: string | null) =>
        store.pushes.setSecret(
          { integration, secret: bytesOf(secret), before: before === null ? null : bytesOf(before), beforeUntil: before === null ? null : FUTURE, setAt: PAST },
          org.event('integration.push_secret_set'),
        )
      await set('one', null)
      await set('two', 'one')
      const found = await store.pushes.secrets(integration)
      assert.deepEqual([textOf(found?.secret ?? null), textOf(found?.before ?? null), found?.beforeUntil, found?.setAt], ['two', 'one', FUTURE, PAST])
      const { items } = await store.events.list(org.organization, { type: 'integration.push_secret_set' }, { limit: 10, cursor: null })
      assert.equal(items.length, 2)
    },
  },
  {
    name: 'an event under a key is written once, until the key is forgotten',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const key = `key of ${org.organization}`
      const event = (): NewEvent => ({ ...org.event('provider.drift_detected'), id: newId('evt', context.entropy), actor: SYSTEM_ACTOR })
      assert.equal(await store.events.appendOnce(key, event()), true)
      assert.equal(await store.events.appendOnce(key, event()), false)
      assert.equal(await store.events.forgetKeys(PAST, 100), 0)
      while ((await store.events.forgetKeys(FUTURE, 100)) === 100);
      assert.equal(await store.events.appendOnce(key, event()), true)
      await store.events.append(org.event('connection.updated'))
      const other = { ...event(), subject: 'acme' }
      await store.events.append(other)
      assert.equal((await store.events.drift(org.organization, null, 10)).length, 3)
      assert.deepEqual(await store.events.drift(org.organization, 'acme', 10), [other])
      assert.deepEqual(await store.events.drift(org.organization, null, 1), [other])
    },
  },
]
