import assert from 'node:assert/strict'
import { newId } from '../../core/ids.ts'
import { HOUR } from '../../core/time.ts'
import type { StoreCase } from './store-case.ts'
import { bytesOf, FUTURE, faultAt, PAST, TestOrganization, textOf, tokens } from './test-organization.ts'

export const grantCases: readonly StoreCase[] = [
  {
    name: 'a grant is applied after its lease was lost long ago, because generation and fingerprint decide',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const slow = await org.claimed(connection, { leaseMs: 0 })
      await org.claimed(connection, { epoch: 1 })
      assert.deepEqual(await store.credentials.commitGrant(org.grant(connection, slow, 1)), { kind: 'applied', generation: 2 })
      const { credential, health } = await org.row(connection)
      assert.equal(textOf(credential.accessToken), 'access 2')
      assert.deepEqual([credential.lease, credential.intent, credential.suspicion], [null, null, null])
      assert.equal(health.dueAt, FUTURE)
    },
  },
  {
    name: 'a grant that yields waits for another holder’s presentation, and only while its lease runs',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const late = await org.claimed(connection, { leaseMs: 0 })
      const other = await org.claimed(connection, { epoch: 1, leaseMs: HOUR })
      const commit = { ...org.grant(connection, late, 1), yields: true }
      assert.equal((await store.credentials.commitGrant(commit)).kind, 'busy')
      const { credential } = await org.row(connection)
      assert.deepEqual([credential.generation, credential.intent?.id], [1, other])
      await store.credentials.release(connection, other, null)
      assert.deepEqual(await store.credentials.commitGrant(commit), { kind: 'applied', generation: 2 })
      const over = await org.connect()
      const own = await org.claimed(over, { leaseMs: 0 })
      await org.claimed(over, { epoch: 1, leaseMs: 0 })
      assert.equal((await store.credentials.commitGrant({ ...org.grant(over, own, 1), yields: true })).kind, 'applied')
    },
  },
  {
    name: 'a grant that brings no newer refresh token is applied only while nobody has claimed since, and otherwise writes nothing',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      await store.credentials.commitGrant(org.grant(connection, await org.claimed(connection), 1))
      const { epoch } = (await org.row(connection)).credential
      const second = org.grant(connection, org.intent(), 2, { onlyAtEpoch: epoch, facts: { cell: 'c-7' } })
      assert.deepEqual(await store.credentials.commitGrant(second), { kind: 'applied', generation: 3 })
      assert.deepEqual(await store.credentials.commitGrant(second), { kind: 'already', generation: 3 })
      const late = org.grant(connection, org.intent(), 3, { onlyAtEpoch: (await org.row(connection)).credential.epoch })
      const other = await org.claimed(connection, { generation: 3, epoch })
      assert.deepEqual(await store.credentials.commitGrant(late), { kind: 'superseded', generation: 3 })
      const { credential } = await org.row(connection)
      assert.deepEqual([credential.generation, credential.intent?.id], [3, other])
      assert.equal((await store.credentials.unappliedAnswers(org.organization, 10)).length, 0)
      assert.deepEqual(await store.credentials.commitGrant(org.grant(connection, other, 3)), { kind: 'applied', generation: 4 })
    },
  },
  {
    name: 'committing the same intent again changes nothing and says so',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const intent = await org.claimed(connection)
      const commit = org.grant(connection, intent, 1)
      assert.equal((await store.credentials.commitGrant(commit)).kind, 'applied')
      const again = await Promise.all([1, 2, 3].map(() => store.credentials.commitGrant(commit)))
      assert.deepEqual(
        again,
        [1, 2, 3].map(() => ({ kind: 'already', generation: 2 })),
      )
      assert.equal((await org.row(connection)).credential.generation, 2)
      const events = await store.events.list(org.organization, { connection, type: 'connection.refreshed' }, { limit: 50, cursor: null })
      assert.equal(events.items.length, 1)
    },
  },
  {
    name: 'an answer to another generation or another token is kept, unapplied',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const late = org.intent()
      await store.credentials.commitGrant(org.grant(connection, await org.claimed(connection), 1))
      assert.deepEqual(await store.credentials.commitGrant(org.grant(connection, late, 1)), { kind: 'superseded', generation: 2 })
      const other = org.intent()
      assert.deepEqual(await store.credentials.commitGrant(org.grant(connection, other, 2, { presentedFingerprint: 'another' })), {
        kind: 'superseded',
        generation: 2,
      })
      const kept = await store.credentials.unappliedAnswers(org.organization, 10)
      assert.deepEqual(new Set(kept.map((answer) => answer.intent)), new Set([late, other]))
      assert.ok(kept.every((answer) => answer.connection === connection && textOf(answer.body) === `answer ${answer.intent}`))
      assert.equal(textOf((await org.row(connection)).credential.refreshToken), 'refresh 2')
    },
  },
  {
    name: 'an answer that comes after a disconnect is kept and its tokens are queued for revocation',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const intent = await org.claimed(connection)
      const { organization } = org
      const id = newId('rev', context.entropy)
      await store.connections.disconnect({
        organization,
        connection,
        at: PAST + 9,
        event: org.event('connection.disconnected', connection),
        revocation: { id, perToken: false },
      })
      const commit = org.grant(connection, intent, 1)
      assert.deepEqual(await store.credentials.commitGrant(commit), { kind: 'disconnected' })
      assert.deepEqual(await store.credentials.commitGrant(commit), { kind: 'disconnected' })
      assert.equal((await store.credentials.unappliedAnswers(organization, 10)).length, 1)
      const due = (await store.connections.takeDueRevocations(1_000, 60_000)).filter((revocation) => revocation.connection === connection)
      assert.deepEqual(new Set(due.map((revocation) => revocation.generation)), new Set([1, null]))
      const staged = due.find((revocation) => revocation.staged !== null)?.staged
      assert.equal(staged?.generation, 2)
      assert.equal(textOf(staged?.refreshToken ?? null), 'refresh 2')
      const { credential } = await org.row(connection)
      assert.equal(credential.generation, 1)
      assert.equal(credential.intent, null)
    },
  },
  {
    name: 'metadata written during a refresh and the new token both stay',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const intent = await org.claimed(connection)
      const patches = Array.from({ length: 20 }, (_, index) =>
        store.connections.patch(
          org.organization,
          connection,
          { metadata: { step: index }, tags: [`tag ${index}`] },
          null,
          org.event('connection.updated', connection),
        ),
      )
      const [outcome] = await Promise.all([
        store.credentials.commitGrant(org.grant(connection, intent, 1, { facts: { site: 'eu' }, scopes: ['read', 'write'] })),
        ...patches,
      ])
      assert.equal(outcome.kind, 'applied')
      const row = await org.row(connection)
      assert.equal(textOf(row.credential.refreshToken), 'refresh 2')
      assert.equal(typeof row.connection.metadata.step, 'number')
      assert.equal(row.connection.version, 21)
      assert.deepEqual(row.connection.facts, { base: 'https://api.example.com', site: 'eu' })
      assert.deepEqual(row.connection.scopes, ['read', 'write'])
    },
  },
  {
    name: 'a reconnect during a refresh wins',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const intent = await org.claimed(connection)
      const replacement = {
        organization: org.organization,
        connection,
        expectedGeneration: 1,
        credential: tokens(2, { refreshToken: bytesOf('reconnected'), fingerprint: 'reconnected' }),
        account: null,
        accountLabel: 'Example account',
        scopes: null,
        variables: {},
        facts: {},
        consentedAt: PAST + 3,
        dueAt: FUTURE,
        event: org.event('connection.reconnected', connection),
      }
      assert.deepEqual(await store.connections.replaceGrant(replacement), { kind: 'replaced', generation: 2 })
      assert.deepEqual(await store.connections.replaceGrant(replacement), { kind: 'moved', generation: 2 })
      assert.deepEqual(await store.credentials.commitGrant(org.grant(connection, intent, 1)), { kind: 'superseded', generation: 2 })
      const row = await org.row(connection)
      assert.equal(textOf(row.credential.refreshToken), 'reconnected')
      assert.equal(row.connection.accountLabel, 'Example account')
      assert.equal(row.credential.lease, null)
    },
  },
  {
    name: 'a reconnect that goes on with the stored refresh token does not come after a claim that spends it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const replacement = {
        organization: org.organization,
        connection,
        expectedGeneration: 1,
        onlyAtEpoch: (await org.row(connection)).credential.epoch,
        credential: tokens(2),
        account: null,
        accountLabel: null,
        scopes: null,
        variables: {},
        facts: {},
        consentedAt: PAST + 3,
        dueAt: FUTURE,
        event: org.event('connection.reconnected', connection),
      }
      const intent = await org.claimed(connection)
      assert.deepEqual(await store.connections.replaceGrant(replacement), { kind: 'moved', generation: 1 })
      assert.equal((await org.row(connection)).credential.intent?.id, intent)
      await store.credentials.release(connection, intent, null)
      const { epoch } = (await org.row(connection)).credential
      assert.deepEqual(await store.connections.replaceGrant({ ...replacement, onlyAtEpoch: epoch }), { kind: 'replaced', generation: 2 })
    },
  },
  {
    name: 'a success lifts needs_reauth, the fault, the failures and the suspicion',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const first = await org.claimed(connection)
      await store.credentials.commitFailure(org.failure(connection, first, { effect: 'suspect' }))
      const second = await org.claimed(connection, { epoch: 1 })
      await store.credentials.commitFailure(org.failure(connection, second, { effect: 'dead', fault: faultAt(PAST + 9, 'connection_revoked') }))
      assert.equal((await org.row(connection)).connection.state, 'needs_reauth')
      assert.equal((await store.credentials.commitGrant(org.grant(connection, first, 1))).kind, 'applied')
      const row = await org.row(connection)
      assert.equal(row.connection.state, 'active')
      assert.equal(row.connection.fault, null)
      assert.equal(row.credential.suspicion, null)
      assert.deepEqual([row.health.failures, row.health.firstFailedAt, row.health.nextAttemptAt, row.health.dueAt], [0, null, null, FUTURE])
    },
  },
  {
    name: 'a success of a paused connection is kept and does not resume it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const intent = await org.claimed(connection)
      await store.connections.setPaused(org.organization, connection, true, null, org.event('connection.paused', connection))
      assert.equal((await store.credentials.commitGrant(org.grant(connection, intent, 1))).kind, 'applied')
      const row = await org.row(connection)
      assert.deepEqual([row.connection.state, row.health.dueAt, row.credential.generation], ['paused', null, 2])
    },
  },
  {
    name: 'an account told by a refresh is kept, unless another connection of the owner has it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const free = await org.connect({ owner: 'same' })
      const twin = await org.connect({ owner: 'same' })
      await store.credentials.commitGrant(org.grant(free, await org.claimed(free), 1, { account: 'account' }))
      assert.equal((await store.credentials.commitGrant(org.grant(twin, await org.claimed(twin), 1, { account: 'account' }))).kind, 'applied')
      assert.equal((await org.row(free)).connection.account, 'account')
      assert.equal((await org.row(twin)).connection.account, null)
    },
  },
  {
    name: 'applied answers are cut to their facts after a while and unapplied ones keep their bytes',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const late = org.intent()
      await store.credentials.commitGrant(org.grant(connection, await org.claimed(connection), 1))
      await store.credentials.commitGrant(org.grant(connection, late, 1))
      assert.ok((await store.credentials.cutAnswers(PAST + 6, 10_000)) >= 1)
      assert.equal(await store.credentials.cutAnswers(PAST + 6, 10_000), 0)
      const [kept] = await store.credentials.unappliedAnswers(org.organization, 10)
      assert.equal(textOf(kept?.body ?? null), `answer ${late}`)
    },
  },
]
