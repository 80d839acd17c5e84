import assert from 'node:assert/strict'
import type { ConnectionStatus } from '../../core/connection/connection.ts'
import type { Integration } from '../../core/connection/integration.ts'
import { statusOf } from '../../core/connection/status.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { ConnectionId } from '../../core/ids.ts'
import { newId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, faultAt, PAST, TestOrganization, tokens } from './test-organization.ts'

export const connectionCases: readonly StoreCase[] = [
  {
    name: 'a connection comes back as it was stored',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = org.newConnection({ account: 'account', tags: ['a', 'b'], metadata: { deep: { list: [1, 'two', null, true] } }, fault: null })
      const credential = tokens(1, { refreshExpiresAt: FUTURE + 1, softAt: null, hardAt: null })
      await store.connections.insert({ connection, credential, dueAt: FUTURE, event: org.event('connection.created', connection.id) })
      const row = await store.connections.get(org.organization, connection.id)
      assert.deepEqual(row?.connection, connection)
      assert.deepEqual(row?.health, { dueAt: FUTURE, nextAttemptAt: null, failures: 0, firstFailedAt: null, endsAt: null })
      const { accessToken, refreshToken, ...facts } = row?.credential ?? tokens(0)
      assert.deepEqual(
        [accessToken, refreshToken].map((bytes) => Buffer.from(bytes ?? []).toString()),
        ['access 1', 'refresh 1'],
      )
      const { accessToken: _access, refreshToken: _refresh, ...wanted } = credential
      assert.deepEqual(facts, { connection: connection.id, generation: 1, epoch: 0, lease: null, intent: null, suspicion: null, ...wanted })
      const events = await store.events.list(org.organization, { connection: connection.id }, { limit: 5, cursor: null })
      assert.deepEqual(
        events.items.map((event) => [event.type, event.data]),
        [['connection.created', { n: 1 }]],
      )
    },
  },
  {
    name: 'integration, owner and account together name one live connection',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const insert = (account: string | null) => {
        const connection = org.newConnection({ owner: 'owner', account })
        return store.connections.insert({ connection, credential: tokens(1), dueAt: null, event: org.event('connection.created', connection.id) })
      }
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => insert('account')))
      assert.equal(outcomes.filter((outcome) => outcome.kind === 'inserted').length, 1)
      const [live] = await store.connections.byOwner(org.organization, org.integration.id, 'owner')
      assert.ok(live !== undefined)
      for (const outcome of outcomes) if (outcome.kind === 'exists') assert.equal(outcome.connection, live.connection.id)
      assert.deepEqual(
        (await Promise.all([insert(null), insert(null)])).map((outcome) => outcome.kind),
        ['inserted', 'inserted'],
      )
      await end(org, live.connection.id)
      assert.equal((await insert('account')).kind, 'inserted')
      const mine = await store.connections.byOwner(org.organization, org.integration.id, 'owner')
      assert.equal(mine.length, 4)
      assert.equal(mine.at(-1)?.connection.id, live.connection.id)
    },
  },
  {
    name: 'pages together hold everything exactly once',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const made: ConnectionId[] = []
      for (let index = 0; index < 23; index += 1) made.push(await org.connect({ tags: [index % 2 === 0 ? 'even' : 'odd'] }))
      const seen: ConnectionId[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof store.connections.list>> = await store.connections.list(org.organization, {}, { limit: 5, cursor })
        assert.ok(page.items.length <= 5)
        seen.push(...page.items.map((row) => row.connection.id))
        cursor = page.cursor
      } while (cursor !== null)
      assert.deepEqual(seen, [...made].reverse())
      const even = await store.connections.list(org.organization, { tag: 'even' }, { limit: 200, cursor: null })
      assert.equal(even.items.length, 12)
      await assert.rejects(
        store.connections.list(org.organization, {}, { limit: 5, cursor: 'nonsense!' }),
        (error) => error instanceof Fault && error.code === 'invalid_request',
      )
    },
  },
  {
    name: 'of many who block an integration at once, or lift it, one tells; the first fault stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { id } = org.integration
      const set = (at: number | null) =>
        store.integrations.setBlocked(
          id,
          at === null ? null : faultAt(at, 'client_rejected'),
          org.event(at === null ? 'integration.unblocked' : 'integration.blocked'),
        )
      const told = async (type: string) =>
        (await store.events.list(org.organization, {}, { limit: 200, cursor: null })).items.filter((event) => event.type === type).length
      assert.equal(await set(null), false)
      assert.equal((await Promise.all([set(PAST), set(PAST), set(PAST), set(PAST)])).filter(Boolean).length, 1)
      assert.equal(await set(PAST + 9), false)
      assert.equal((await store.integrations.load(id))?.blocked?.at, PAST)
      assert.equal((await Promise.all([set(null), set(null), set(null)])).filter(Boolean).length, 1)
      assert.equal((await store.integrations.load(id))?.blocked, null)
      assert.deepEqual([await told('integration.blocked'), await told('integration.unblocked')], [1, 1])
      assert.equal(await store.integrations.setBlocked(org.newIntegration().id, faultAt(PAST), org.event('integration.blocked')), false)
    },
  },
  {
    name: 'status filter and counts follow the rule of the domain',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const blocked = org.newIntegration()
      await store.integrations.insert(blocked, org.event('integration.created'))
      await store.integrations.setBlocked(blocked.id, faultAt(PAST, 'client_rejected'), org.event('integration.blocked'))
      const expired = tokens(1, { accessExpiresAt: PAST })
      await org.connect()
      await org.connect({}, null, expired)
      await org.connect({ integration: blocked.id })
      await org.connect({ state: 'paused', integration: blocked.id })
      await org.connect({ state: 'disconnected' })
      await org.connect({ state: 'needs_reauth' }, null, expired)
      for (const credential of [expired, tokens(1)]) {
        const connection = await org.connect({}, null, credential)
        await store.credentials.commitFailure(org.failure(connection, null))
      }
      const suspect = await org.connect({}, null, expired)
      await store.credentials.commitFailure(org.failure(suspect, await org.claimed(suspect), { effect: 'suspect', countsAsFailure: false }))
      const all = (await store.connections.list(org.organization, {}, { limit: 200, cursor: null })).items
      const expected: Record<ConnectionStatus, number> = { active: 0, degraded: 0, needs_reauth: 0, blocked: 0, paused: 0, disconnected: 0 }
      for (const row of all)
        expected[statusOf(row, row.connection.integration === blocked.id ? { blocked: faultAt(PAST) } : { blocked: null }, PAST + 100)] += 1
      assert.deepEqual(expected, { active: 3, degraded: 2, needs_reauth: 1, blocked: 1, paused: 1, disconnected: 1 })
      assert.deepEqual(await store.connections.counts(org.organization), expected)
      for (const status of ['active', 'degraded', 'needs_reauth', 'blocked', 'paused', 'disconnected'] as const) {
        assert.equal((await store.connections.list(org.organization, { status }, { limit: 200, cursor: null })).items.length, expected[status], status)
      }
    },
  },
  {
    name: 'another organization sees nothing and changes nothing',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const foreign = (await TestOrganization.open(store, context)).organization
      const connection = await org.connect({ owner: 'owner', account: 'account' })
      const { integration } = org
      assert.equal(await store.connections.get(foreign, connection), undefined)
      assert.deepEqual(await store.connections.byOwner(foreign, integration.id, 'owner'), [])
      assert.deepEqual(await store.connections.byAccount(foreign, integration.id, 'account'), [])
      assert.deepEqual((await store.connections.list(foreign, { integration: integration.id }, { limit: 9, cursor: null })).items, [])
      assert.equal(await store.connections.patch(foreign, connection, { metadata: { stolen: true } }, null, org.event('connection.updated')), 'gone')
      assert.equal(await store.connections.setPaused(foreign, connection, true, null, org.event('connection.paused')), 'gone')
      const event = org.event('connection.disconnected')
      assert.deepEqual(await store.connections.disconnect({ organization: foreign, connection, at: PAST, event, revocation: null }), { kind: 'gone' })
      assert.equal(await store.integrations.get(foreign, integration.id), undefined)
      assert.equal(await store.integrations.bySlug(foreign, integration.slug), undefined)
      assert.equal(await store.integrations.update({ ...integration, organization: foreign, version: 2 }, org.event('integration.updated')), 'gone')
      assert.equal(await store.integrations.remove(foreign, integration.id, org.event('integration.deleted')), 'gone')
      assert.deepEqual((await store.events.list(foreign, { connection }, { limit: 9, cursor: null })).items, [])
      assert.deepEqual((await org.row(connection)).connection.metadata, { plan: 'basic' })
    },
  },
  {
    name: 'a patch replaces the named columns, counts the version and respects the expected one',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect({ accountLabel: 'before' })
      const patch = (version: number | null, label: string | null) =>
        store.connections.patch(org.organization, connection, { accountLabel: label }, version, org.event('connection.updated', connection))
      assert.equal(await patch(1, null), 'patched')
      assert.equal(await patch(1, 'late'), 'moved')
      assert.equal(await patch(null, 'after'), 'patched')
      const row = await org.row(connection)
      assert.deepEqual([row.connection.accountLabel, row.connection.version, row.connection.metadata], ['after', 3, { plan: 'basic' }])
    },
  },
  {
    name: 'pause and resume go between active and paused only',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect({}, FUTURE)
      const set = (paused: boolean) => store.connections.setPaused(org.organization, connection, paused, FUTURE + 1, org.event('connection.paused', connection))
      assert.deepEqual([await set(false), await set(true), await set(true), await set(false)], ['already', 'changed', 'already', 'changed'])
      assert.equal((await org.row(connection)).health.dueAt, FUTURE + 1)
      await end(org, connection)
      assert.equal(await set(true), 'refused')
    },
  },
  {
    name: 'a grant is revoked upstream only when its last live sibling goes, or each token by itself',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const make = (owner: string, account: string | null) => org.connect({ owner, account })
      const [first, second] = [await make('one', 'shared'), await make('two', 'shared')]
      assert.deepEqual(await end(org, first, false), { kind: 'disconnected', revocation: 'sibling_lives' })
      assert.deepEqual(await end(org, second, false), { kind: 'disconnected', revocation: 'queued' })
      assert.deepEqual(await end(org, second, false), { kind: 'already' })
      const [third, fourth] = [await make('three', 'token'), await make('four', 'token')]
      assert.deepEqual(await end(org, third, true), { kind: 'disconnected', revocation: 'queued' })
      assert.deepEqual(await end(org, fourth), { kind: 'disconnected', revocation: 'unsupported' })
      const family = await Promise.all(Array.from({ length: 6 }, (_, index) => make(`member ${index}`, 'family')))
      const outcomes = await Promise.all(family.map((member) => end(org, member, false)))
      assert.equal(outcomes.filter((outcome) => outcome.kind === 'disconnected' && outcome.revocation === 'queued').length, 1)
      assert.deepEqual(await end(org, await make('alone', null), false), { kind: 'disconnected', revocation: 'queued' })
    },
  },
  {
    name: 'two integrations of one client hold one grant of a person: it is revoked with the last of both; a client of its own stands alone',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const integrationOf = async (changes: Partial<Integration>) => {
        const integration = org.newIntegration(changes)
        await store.integrations.insert(integration, { ...org.event('integration.created'), subject: integration.id })
        return integration.id
      }
      const [same, other] = [await integrationOf({ scopes: ['files'] }), await integrationOf({ clientId: 'another' })]
      const [mail, files, elsewhere] = [
        await org.connect({ account: 'one person' }),
        await org.connect({ account: 'one person', integration: same }),
        await org.connect({ account: 'one person', integration: other }),
      ]
      assert.deepEqual(await end(org, elsewhere, false), { kind: 'disconnected', revocation: 'queued' })
      assert.deepEqual(await end(org, mail, false), { kind: 'disconnected', revocation: 'sibling_lives' })
      assert.deepEqual(await end(org, files, false), { kind: 'disconnected', revocation: 'queued' })
    },
  },
  {
    name: 'a revocation stays until it is done, and holds back the purge',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      await end(org, connection, false)
      const due = async () => (await store.connections.takeDueRevocations(1_000, 3_600_000)).filter((revocation) => revocation.connection === connection)
      const [revocation] = await due()
      assert.ok(revocation !== undefined)
      assert.deepEqual([revocation.generation, revocation.attempts, revocation.staged], [1, 0, null])
      assert.deepEqual(await due(), [])
      await store.connections.retryRevocation(revocation.id, PAST)
      assert.deepEqual(
        (await due()).map((again) => again.attempts),
        [1],
      )
      await store.connections.purge(PAST + 100, 10_000)
      assert.notEqual((await org.row(connection)).credential.refreshToken, null)
      await store.connections.finishRevocation(revocation.id, org.event('connection.revocation_done', connection))
      await store.connections.retryRevocation(revocation.id, PAST)
      assert.deepEqual(await due(), [])
      await store.connections.purge(PAST + 100, 10_000)
      const { credential } = await org.row(connection)
      assert.deepEqual([credential.accessToken, credential.refreshToken], [null, null])
    },
  },
  {
    name: 'one write that fails does not fail the writes that share its transaction',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connections = Array.from({ length: 30 }, () => org.newConnection())
      const insert = (connection: (typeof connections)[number]) =>
        store.connections.insert({ connection, credential: tokens(1), dueAt: null, event: org.event('connection.created', connection.id) })
      const orphan = org.newConnection({ integration: newId('int', context.entropy) })
      const settled = await Promise.allSettled([...connections.slice(0, 15), orphan, ...connections.slice(15)].map(insert))
      assert.deepEqual(settled.filter((result) => result.status === 'rejected').length, 1)
      assert.equal(settled[15]?.status, 'rejected')
      assert.equal(await store.connections.get(org.organization, orphan.id), undefined)
      for (const connection of connections) assert.ok((await store.connections.get(org.organization, connection.id)) !== undefined)
      const broken = org.grant(connections[3]?.id ?? orphan.id, org.intent(), 1, { dueAt: Number.NaN })
      const commits = connections.map((connection) => (connection.id === broken.connection ? broken : org.grant(connection.id, org.intent(), 1)))
      const outcomes = await Promise.allSettled(commits.map((commit) => store.credentials.commitGrant(commit)))
      assert.equal(outcomes.filter((result) => result.status === 'fulfilled' && result.value.kind === 'applied').length >= 29, true)
    },
  },
  {
    name: 'a connection that is given up because it broke stays, when it works again or broke anew meanwhile',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const fault = faultAt(PAST)
      const [active, broken] = [await org.connect({ account: 'works' }), await org.connect({ account: 'broken', state: 'needs_reauth', fault })]
      const giveUp = (connection: ConnectionId, brokenAt: number) => {
        const event = org.event('connection.disconnected', connection)
        return store.connections.disconnect({ organization: org.organization, connection, at: PAST, brokenAt, event, revocation: null })
      }
      assert.deepEqual(await giveUp(active, PAST), { kind: 'mended' })
      assert.deepEqual(await giveUp(broken, PAST - 1), { kind: 'mended' })
      assert.deepEqual([(await org.row(active)).connection.state, (await org.row(broken)).connection.state], ['active', 'needs_reauth'])
      assert.equal((await giveUp(broken, PAST)).kind, 'disconnected')
    },
  },
]

function end(org: TestOrganization, connection: ConnectionId, perToken: boolean | null = null) {
  const id = newId('rev', org.context.entropy)
  return org.store.connections.disconnect({
    organization: org.organization,
    connection,
    at: PAST,
    event: org.event('connection.disconnected', connection),
    revocation: perToken === null ? null : { id, perToken },
  })
}
