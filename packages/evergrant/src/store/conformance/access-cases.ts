import assert from 'node:assert/strict'
import type { ApiKey } from '../../core/access/api-key.ts'
import { SETTINGS_DEFAULTS, type SettingsChange } from '../../core/access/organization-settings.ts'
import { newId } from '../../core/ids.ts'
import type { Change } from '../contract.ts'
import type { StoreCase } from './store-case.ts'
import { bytesOf, faultAt, PAST, TestOrganization, textOf } from './test-organization.ts'

export const accessCases: readonly StoreCase[] = [
  {
    name: 'a slug names one organization',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const id = newId('org', context.entropy)
      const slug = org.organization.replace('_', '-')
      assert.equal(await store.organizations.insert({ id, name: 'Twin', slug, createdAt: PAST }, org.event('organization.created')), 'slug_taken')
      assert.equal(await store.organizations.get(id), undefined)
      await store.organizations.rename(org.organization, 'Renamed')
      assert.deepEqual(await store.organizations.bySlug(slug), { id: org.organization, name: 'Renamed', requireSecondFactor: [], slug, createdAt: PAST })
      assert.ok((await store.organizations.list()).some((organization) => organization.id === org.organization))
    },
  },
  {
    name: 'settings of an organization begin with their defaults, and belong to it alone',
    async run(store, context) {
      const [org, other] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      assert.deepEqual(await store.organizations.settings(org.organization), SETTINGS_DEFAULTS)
      const settings = { ...SETTINGS_DEFAULTS, applicationName: 'Acme "Reports"', accent: '#7a1f5c', ownerMail: true }
      await store.organizations.saveSettings(org.organization, settings, org.event('organization.updated'))
      assert.deepEqual(await store.organizations.settings(org.organization), settings)
      assert.deepEqual(await store.organizations.settings(other.organization), SETTINGS_DEFAULTS)
    },
  },
  {
    name: 'settings that are not named stay, also when two change different ones at once',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      for (let round = 0; round < 10; round++) {
        const [statusText, accent] = [`round ${round}`, `#00000${round}`]
        const save = (change: SettingsChange) => store.organizations.saveSettings(org.organization, change, org.event('organization.updated'))
        const saved = await Promise.all([save({ statusText }), save({ accent })])
        const now = await store.organizations.settings(org.organization)
        assert.deepEqual([now.statusText, now.accent], [statusText, accent])
        assert.ok(saved.some((one) => one.statusText === statusText && one.accent === accent))
      }
    },
  },
  {
    name: 'an integration is updated by version and removed only when nothing lives on it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { integration, organization } = org
      const other = org.newIntegration({ slug: 'other' })
      assert.equal(await store.integrations.insert(other, org.event('integration.created')), 'inserted')
      assert.equal(await store.integrations.insert(org.newIntegration({ slug: 'other' }), org.event('integration.created')), 'slug_taken')
      const next = { ...integration, name: 'New', clientSecret: null, version: 2 }
      assert.equal(await store.integrations.update({ ...next, slug: 'other' }, org.event('integration.updated')), 'slug_taken')
      assert.equal(await store.integrations.update(next, org.event('integration.updated')), 'updated')
      assert.equal(await store.integrations.update(next, org.event('integration.updated')), 'moved')
      assert.deepEqual(await store.integrations.load(integration.id), next)
      const connection = await org.connect()
      assert.equal(await store.integrations.remove(organization, integration.id, org.event('integration.deleted')), 'in_use')
      await store.connections.disconnect({ organization, connection, at: PAST, event: org.event('connection.disconnected'), revocation: null })
      assert.equal(await store.integrations.remove(organization, integration.id, org.event('integration.deleted')), 'removed')
      assert.equal(await store.integrations.remove(organization, integration.id, org.event('integration.deleted')), 'gone')
      assert.equal(await store.integrations.load(integration.id), undefined)
      assert.deepEqual(
        (await store.integrations.list(organization, { limit: 10, cursor: null })).items.map((item) => item.slug),
        ['other'],
      )
    },
  },
  {
    name: 'a rotated key works beside its successor until the overlap ends, and a revoked one is over',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [old, successor] = [keyOf(org), keyOf(org)]
      await store.apiKeys.insert(old, org.event('api_key.created'))
      assert.deepEqual(await store.apiKeys.byHash(old.hash), old)
      const replacing = { ...successor, replaces: old.id }
      assert.equal(await store.apiKeys.rotate(old.id, replacing, PAST + 1_000, org.event('api_key.rotated')), 'rotated')
      assert.equal((await store.apiKeys.byHash(old.hash))?.expiresAt, PAST + 1_000)
      assert.deepEqual(await store.apiKeys.byHash(successor.hash), replacing)
      await store.apiKeys.touch([{ id: old.id, at: PAST + 9 }])
      await store.apiKeys.touch([{ id: old.id, at: PAST + 4 }])
      assert.equal((await store.apiKeys.get(org.organization, old.id))?.lastUsedAt, PAST + 9)
      const foreign = (await TestOrganization.open(store, context)).organization
      assert.equal(await store.apiKeys.revoke(foreign, old.id, PAST, org.event('api_key.revoked')), 'gone')
      assert.equal(await store.apiKeys.get(foreign, old.id), undefined)
      const revoke = () => store.apiKeys.revoke(org.organization, old.id, PAST + 20, org.event('api_key.revoked'))
      assert.deepEqual([await revoke(), await revoke()], ['revoked', 'already'])
      assert.equal(await store.apiKeys.rotate(old.id, keyOf(org), PAST, org.event('api_key.rotated')), 'gone')
      assert.deepEqual(
        (await store.apiKeys.list(org.organization)).map((key) => key.id),
        [old.id, successor.id],
      )
    },
  },
  {
    name: 'a repeated request is first once, then running, then replayed, and never another request',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const begin = (hash = 'request') => store.idempotency.begin(org.organization, 'key', hash, PAST)
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => begin()))
      assert.equal(outcomes.filter((outcome) => outcome.kind === 'first').length, 1)
      assert.equal(outcomes.filter((outcome) => outcome.kind === 'running').length, 9)
      assert.equal((await begin('another request')).kind, 'mismatch')
      await store.idempotency.finish(org.organization, 'key', 201, bytesOf('body'))
      await store.idempotency.finish(org.organization, 'key', 500, bytesOf('late'))
      const replay = await begin()
      assert.deepEqual(replay.kind === 'replay' ? [replay.status, textOf(replay.body)] : replay, [201, 'body'])
      await store.idempotency.forget(org.organization, 'key')
      assert.equal((await begin()).kind, 'replay')
      assert.ok((await store.idempotency.purge(PAST + 1, 100)) >= 1)
      assert.equal((await begin()).kind, 'first')
      await store.idempotency.forget(org.organization, 'key')
      assert.equal((await begin()).kind, 'first')
    },
  },
  {
    name: 'an idempotency key whose request died with its process starts again after five minutes, once',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const begin = (at: number) => store.idempotency.begin(org.organization, 'abandoned', 'request', at)
      assert.equal((await begin(PAST)).kind, 'first')
      assert.equal((await begin(PAST + 299_999)).kind, 'running')
      const later = await Promise.all(Array.from({ length: 5 }, () => begin(PAST + 300_001)))
      assert.deepEqual(later.map((outcome) => outcome.kind).sort(), ['first', 'running', 'running', 'running', 'running'])
    },
  },
  {
    name: 'events are listed newest first, by connection, subject and type, each exactly once',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const made = Array.from({ length: 12 }, () => org.event('connect.failed'))
      for (const event of made) await store.events.append({ ...event, subject: 'subject', actor: { kind: 'browser', id: 'b' } })
      const first = await store.events.list(org.organization, { subject: 'subject' }, { limit: 7, cursor: null })
      const second = await store.events.list(org.organization, { type: 'connect.failed' }, { limit: 7, cursor: first.cursor })
      assert.deepEqual(
        [...first.items, ...second.items].map((event) => event.id),
        made.map((event) => event.id).reverse(),
      )
      assert.equal(second.cursor, null)
      assert.deepEqual(first.items[0]?.actor, { kind: 'browser', id: 'b' })
    },
  },
  {
    name: 'a fact about the database is written once unless it is put',
    async run(store, context) {
      const name = newId('evt', context.entropy)
      assert.equal(await store.meta.get(name), undefined)
      const both = await Promise.all([store.meta.putIfAbsent(name, bytesOf('a')), store.meta.putIfAbsent(name, bytesOf('b'))])
      assert.equal(textOf(both[0]), textOf(both[1]))
      await store.meta.put(name, bytesOf('c'))
      assert.equal(textOf((await store.meta.get(name)) ?? null), 'c')
    },
  },
  {
    name: 'subscribers hear of a change after it is durable',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const heard: Change[] = []
      const stop = store.changes.subscribe((change) => heard.push(change))
      const connection = await org.connect()
      await store.credentials.commitGrant(org.grant(connection, await org.claimed(connection), 1))
      await store.integrations.setBlocked(org.integration.id, faultAt(PAST, 'client_rejected'), org.event('integration.blocked'))
      stop()
      await org.connect()
      assert.ok(heard.filter((change) => change.kind === 'connection' && change.connection === connection).length >= 2)
      assert.ok(heard.some((change) => change.kind === 'integration' && change.integration === org.integration.id))
      assert.equal(heard.filter((change) => change.kind === 'connection' && change.connection !== connection).length, 0)
      await store.ping()
    },
  },
]

function keyOf(org: TestOrganization): ApiKey {
  const id = newId('key', org.context.entropy)
  return {
    id,
    organization: org.organization,
    name: 'backend',
    hint: 'egk_12345678',
    hash: `hash of ${id}`,
    scopes: ['tokens:read'],
    createdAt: PAST,
    lastUsedAt: null,
    expiresAt: null,
    revokedAt: null,
    replaces: null,
  }
}
