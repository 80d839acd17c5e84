import assert from 'node:assert/strict'
import type { ImportIdentity, NewImport } from '../../core/connection/connections.ts'
import { newId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization, textOf, tokens } from './test-organization.ts'

interface Line {
  readonly owner: string
  readonly account?: string | null
  readonly token: string
  readonly exclusive?: boolean
}

function lineOf(org: TestOrganization, { owner, account = null, token, exclusive = true }: Line): NewImport {
  const connection = org.newConnection({ owner, account })
  const identity: ImportIdentity = { integration: org.integration.id, owner, account, fingerprint: token, exclusive }
  const event = org.event('connection.imported', connection.id)
  return { identity, row: { connection, credential: tokens(1, { fingerprint: token }), dueAt: FUTURE, end: { at: FUTURE, warnAt: FUTURE - 1 }, event } }
}

const kinds = (outcomes: readonly { readonly kind: string }[]): readonly string[] => outcomes.map((outcome) => outcome.kind)

export const importCases: readonly StoreCase[] = [
  {
    name: 'an imported connection comes back as it was stored, with its due time, its end and its event',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const line = lineOf(org, { owner: 'owner "of" \\ one', account: 'account\n✓', token: 'token' })
      assert.deepEqual(kinds(await store.connections.importMany([line])), ['inserted'])
      const row = await store.connections.get(org.organization, line.row.connection.id)
      assert.deepEqual(row?.connection, line.row.connection)
      assert.deepEqual(row?.health, { dueAt: FUTURE, nextAttemptAt: null, failures: 0, firstFailedAt: null, endsAt: FUTURE })
      assert.deepEqual([textOf(row?.credential.accessToken ?? null), textOf(row?.credential.refreshToken ?? null)], ['access 1', 'refresh 1'])
      const { accessToken: _a, refreshToken: _r, ...facts } = row?.credential ?? tokens(0)
      const { accessToken: _b, refreshToken: _s, ...wanted } = line.row.credential
      assert.deepEqual(facts, { connection: line.row.connection.id, generation: 1, epoch: 0, lease: null, intent: null, suspicion: null, ...wanted })
      const events = await store.events.list(org.organization, { connection: line.row.connection.id }, { limit: 5, cursor: null })
      assert.deepEqual(
        events.items.map((event) => event.type),
        ['connection.imported'],
      )
    },
  },
  {
    name: 'a grant that was imported once is not imported again, though its token was rotated or its connection disconnected',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [rotated, ended] = [lineOf(org, { owner: 'one', account: 'a', token: 'r' }), lineOf(org, { owner: 'two', token: 'e' })]
      await store.connections.importMany([rotated, ended])
      const { id } = rotated.row.connection
      const commit = org.grant(id, await org.claimed(id), 1)
      assert.equal((await store.credentials.commitGrant({ ...commit, presentedFingerprint: 'r' })).kind, 'applied')
      const event = org.event('connection.disconnected')
      await store.connections.disconnect({ organization: org.organization, connection: ended.row.connection.id, at: PAST, event, revocation: null })
      const again = [lineOf(org, { owner: 'one', account: 'a', token: 'r' }), lineOf(org, { owner: 'two', token: 'e' })]
      const outcomes = await store.connections.importMany(again)
      assert.deepEqual(outcomes, [
        { kind: 'already', connection: id },
        { kind: 'already', connection: ended.row.connection.id },
      ])
      assert.equal((await store.connections.list(org.organization, {}, { limit: 9, cursor: null })).items.length, 2)
      assert.equal((await org.row(id)).credential.generation, 2)
    },
  },
  {
    name: 'the same batch again, after a commit that nobody heard of, says what it said and stores nothing twice',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const batch = [lineOf(org, { owner: 'one', account: 'a', token: 'x' }), lineOf(org, { owner: 'two', token: 'y' })]
      assert.deepEqual(kinds(await store.connections.importMany(batch)), ['inserted', 'inserted'])
      assert.deepEqual(kinds(await store.connections.importMany(batch)), ['inserted', 'inserted'])
      assert.equal((await store.connections.list(org.organization, {}, { limit: 9, cursor: null })).items.length, 2)
    },
  },
  {
    name: 'an account that is taken is left alone, and so is a token that another owner has, unless it may be shared',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const taken = await org.connect({ owner: 'one', account: 'a' })
      const first = lineOf(org, { owner: 'two', token: 't' })
      await store.connections.importMany([first])
      const outcomes = await store.connections.importMany([
        lineOf(org, { owner: 'one', account: 'a', token: 'newer' }),
        lineOf(org, { owner: 'three', token: 't' }),
        lineOf(org, { owner: 'four', token: 't', exclusive: false }),
        lineOf(org, { owner: 'one', account: 'a', token: 'fingerprint 1' }),
      ])
      assert.deepEqual(outcomes, [
        { kind: 'exists', connection: taken },
        { kind: 'shared', connection: first.row.connection.id },
        { kind: 'inserted' },
        { kind: 'already', connection: taken },
      ])
      assert.equal((await org.row(taken)).credential.generation, 1)
    },
  },
  {
    name: 'lines of one batch know of each other, and what is foreseen is what happens',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const batch = [
        lineOf(org, { owner: 'one', account: 'a', token: '1' }),
        lineOf(org, { owner: 'one', account: 'a', token: '1' }),
        lineOf(org, { owner: 'one', account: 'a', token: '2' }),
        lineOf(org, { owner: 'two', account: 'a', token: '1' }),
        lineOf(org, { owner: 'two', account: 'b', token: '3' }),
      ]
      const expected = ['inserted', 'already', 'exists', 'shared', 'inserted']
      assert.deepEqual(kinds(await store.connections.foreseeImport(batch.map(({ identity }) => identity))), expected)
      assert.equal((await store.connections.list(org.organization, {}, { limit: 9, cursor: null })).items.length, 0)
      assert.deepEqual(kinds(await store.connections.importMany(batch)), expected)
      const after = await store.connections.foreseeImport(batch.map(({ identity }) => identity))
      assert.deepEqual(kinds(after), ['already', 'already', 'exists', 'shared', 'already'])
    },
  },
  {
    name: 'of imports of one grant at once, one stores it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const lines = Array.from({ length: 6 }, () => [lineOf(org, { owner: 'one', token: 't' }), lineOf(org, { owner: 'two', account: 'a', token: 'u' })])
      const outcomes = (await Promise.all(lines.map((batch) => store.connections.importMany(batch)))).flat()
      assert.equal(outcomes.filter(({ kind }) => kind === 'inserted').length, 2)
      assert.equal(outcomes.filter(({ kind }) => kind === 'already').length, 10)
      assert.equal((await store.connections.list(org.organization, {}, { limit: 99, cursor: null })).items.length, 2)
    },
  },
  {
    name: 'a grant that was imported by itself, or stored into a connection, is known to a bulk import',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const alone = org.newConnection({ owner: 'one' })
      const event = () => org.event('connection.imported')
      await store.connections.insert({ connection: alone, credential: tokens(1), dueAt: null, event: event(), imported: 'alone' })
      const replaced = await org.connect({ owner: 'two', account: 'a' })
      const { organization } = org
      const told = { account: 'a', accountLabel: null, scopes: null, variables: {}, facts: {}, consentedAt: PAST, dueAt: null }
      const credential = tokens(2)
      await store.connections.replaceGrant({
        organization,
        connection: replaced,
        expectedGeneration: 1,
        credential,
        ...told,
        event: event(),
        imported: 'into',
      })
      const outcomes = await store.connections.importMany([lineOf(org, { owner: 'one', token: 'alone' }), lineOf(org, { owner: 'two', token: 'into' })])
      assert.deepEqual(outcomes, [
        { kind: 'already', connection: alone.id },
        { kind: 'already', connection: replaced },
      ])
    },
  },
  {
    name: 'an import of nothing is nothing, and an import of five hundred is all of them',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      assert.deepEqual(await store.connections.importMany([]), [])
      const tag = newId('evt', context.entropy)
      const batch = Array.from({ length: 500 }, (_, index) => lineOf(org, { owner: `owner-${index}`, account: `a-${index}`, token: `${tag} ${index}` }))
      assert.deepEqual(new Set(kinds(await store.connections.importMany(batch))), new Set(['inserted']))
      assert.equal((await store.connections.counts(org.organization)).active, 500)
    },
  },
]
