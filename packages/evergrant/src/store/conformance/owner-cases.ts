import assert from 'node:assert/strict'
import { type NewEvent, SYSTEM_ACTOR } from '../../core/audit/event.ts'
import { type ConnectionId, newId } from '../../core/ids.ts'
import type { OwnerErasure } from '../../core/user/owners.ts'
import type { Store } from '../contract.ts'
import type { StoreCase } from './store-case.ts'
import { bytesOf, FUTURE, PAST, TestOrganization, tokens } from './test-organization.ts'

const OWNER = 'planted-owner@example.com'

const erasure = (org: TestOrganization, changes: Partial<OwnerErasure> = {}): OwnerErasure => ({
  organization: org.organization,
  owner: OWNER,
  pseudonym: 'owner-nobody',
  at: PAST + 9,
  event: { ...org.event('owner.erased'), subject: 'owner-nobody', data: {} },
  user: null,
  ...changes,
})

/** A connection full of what tells of a person. */
function planted(org: TestOrganization, changes: { readonly owner?: string; readonly account?: string } = {}): Promise<ConnectionId> {
  return org.connect({
    owner: changes.owner ?? OWNER,
    account: changes.account ?? 'planted-account',
    accountLabel: 'planted-label',
    metadata: { note: 'planted-metadata' },
    tags: ['planted-tag'],
    variables: { shop: 'planted-shop' },
    facts: { base: 'planted-base' },
  })
}

async function disconnected(org: TestOrganization, connection: ConnectionId, revocation = false): Promise<void> {
  await org.store.connections.disconnect({
    organization: org.organization,
    connection,
    at: PAST + 8,
    event: { ...org.event('connection.disconnected', connection), data: { was: 'active', account: 'planted-account' } },
    revocation: revocation ? { id: newId('rev', org.context.entropy), perToken: true } : null,
  })
}

const eventsOf = async (store: Store, org: TestOrganization, connection: ConnectionId) =>
  (await store.events.list(org.organization, { connection }, { limit: 100, cursor: null })).items

export const ownerCases: readonly StoreCase[] = [
  {
    name: 'erasing an owner leaves the rows of their connections without a name, a secret or a trace',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const connection = await planted(org)
      const intent = await org.claimed(connection)
      await store.credentials.commitGrant(org.grant(connection, intent, 1, { event: { ...org.event('connection.refreshed', connection), subject: intent } }))
      const late = org.intent()
      await store.credentials.commitGrant(org.grant(connection, late, 1))
      await disconnected(org, connection, true)
      const outcome = await store.owners.erase(erasure(org))
      assert.deepEqual(outcome, { kind: 'erased', connections: [connection], connectSessions: 0 })
      const { connection: row, credential, health } = await org.row(connection)
      assert.equal(row.owner, 'owner-nobody')
      assert.equal(row.state, 'disconnected')
      assert.doesNotMatch(JSON.stringify(row), /planted/)
      assert.deepEqual([credential.accessToken, credential.refreshToken, credential.fingerprint, health.dueAt], [null, null, null, null])
      assert.deepEqual(await store.credentials.unappliedAnswers(org.organization, 10), [])
      assert.deepEqual(await store.owners.takeRevocations(org.organization, 'owner-nobody', 0), [])
      const events = await eventsOf(store, org, connection)
      assert.ok(events.length >= 3)
      assert.doesNotMatch(JSON.stringify(events), /planted/)
      assert.deepEqual(events.find(({ type }) => type === 'connection.disconnected')?.data, { was: 'active', erased: true })
    },
  },
  {
    name: 'erasing an owner touches no other owner and no other organization, and erasing again erases nothing',
    async run(store, context) {
      const [org, other] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      const [mine, neighbour, foreign] = [await planted(org), await planted(org, { owner: 'neighbour' }), await planted(other)]
      await disconnected(org, mine)
      const before = [await org.row(neighbour), await other.row(foreign)]
      await store.owners.erase(erasure(org))
      assert.deepEqual([await org.row(neighbour), await other.row(foreign)], before)
      const again = erasure(org)
      assert.deepEqual(await store.owners.erase(again), { kind: 'erased', connections: [], connectSessions: 0 })
      const told = (await store.events.list(org.organization, { type: 'owner.erased' }, { limit: 10, cursor: null })).items
      assert.equal(told.length, 1)
      assert.notEqual(told[0]?.id, again.event.id)
    },
  },
  {
    name: 'erasing an owner closes every page that a link opened for them, and no other',
    async run(store, context) {
      const [org, other] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      const linkOf = async (of: TestOrganization, owner: string, purpose: 'owner_page' | 'owner_visit' | 'invitation') => {
        const hash = newId('evt', context.entropy)
        await store.tickets.insert({
          ...{ hash, purpose, user: null, organization: of.organization, data: { owner }, attempts: 0 },
          ...{ createdAt: PAST, expiresAt: FUTURE },
        })
        return () => store.tickets.find(hash, purpose)
      }
      const theirs = [await linkOf(org, OWNER, 'owner_page'), await linkOf(org, OWNER, 'owner_visit')]
      const others = [await linkOf(org, 'neighbour', 'owner_page'), await linkOf(other, OWNER, 'owner_visit'), await linkOf(org, OWNER, 'invitation')]
      for (const find of [...theirs, ...others]) assert.ok(await find())
      await store.owners.erase(erasure(org))
      for (const find of theirs) assert.equal(await find(), undefined)
      for (const find of others) assert.ok(await find())
    },
  },
  {
    name: 'an owner with a live connection is not erased: nothing is written, and the answer names it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [over, live] = [await planted(org), await planted(org, { account: 'planted-second' })]
      await disconnected(org, over)
      const before = [await org.row(over), await org.row(live)]
      assert.deepEqual(await store.owners.erase(erasure(org)), { kind: 'live', connections: [live] })
      assert.deepEqual([await org.row(over), await org.row(live)], before)
    },
  },
  {
    name: "an owner's open revocations are taken, and nobody else's",
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [mine, neighbour] = [await planted(org), await planted(org, { owner: 'neighbour', account: 'planted-other' })]
      await disconnected(org, mine, true)
      await disconnected(org, neighbour, true)
      const taken = await store.owners.takeRevocations(org.organization, OWNER, 60_000)
      assert.deepEqual(
        taken.map(({ connection, generation }) => [connection, generation]),
        [[mine, 1]],
      )
      await store.connections.finishRevocation(taken[0]?.id ?? newId('rev', context.entropy), org.event('connection.revocation_done', mine))
      assert.deepEqual(await store.owners.takeRevocations(org.organization, OWNER, 60_000), [])
    },
  },
  {
    name: "an owner's connect sessions are listed newest first and go with them, with what they hold",
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const session = {
        organization: org.organization,
        integration: org.integration.id,
        mode: 'verified' as const,
        connection: null,
        state: 'open' as const,
        scopes: null,
        returnUrl: 'https://app.example/planted-return',
        createdAt: PAST,
        expiresAt: FUTURE,
        flow: null,
        staged: null,
        fault: null,
        result: null,
        variables: {},
      }
      const ids = [newId('cs', context.entropy), newId('cs', context.entropy), newId('cs', context.entropy)] as const
      for (const [index, id] of ids.entries()) {
        const owner = index === 2 ? 'neighbour' : OWNER
        const event = { ...org.event('connect.session_created'), subject: id, data: { owner, mode: 'verified' } }
        await store.connectSessions.insert({ ...session, id, owner, tokenHash: `hash of ${id}` }, event)
      }
      const listed = await store.owners.connectSessions(org.organization, OWNER)
      assert.deepEqual(
        listed.map(({ id }) => id),
        [ids[1], ids[0]],
      )
      assert.deepEqual(await store.owners.erase(erasure(org)), { kind: 'erased', connections: [], connectSessions: 2 })
      assert.equal(await store.connectSessions.load(ids[0]), undefined)
      assert.ok((await store.connectSessions.load(ids[2])) !== undefined)
      const [event] = (await store.events.list(org.organization, { subject: ids[0] }, { limit: 10, cursor: null })).items
      assert.deepEqual(event?.data, { mode: 'verified', erased: true })
    },
  },
  {
    name: 'events about connect sessions and sessions that were purged long ago are found, and tell nothing of an erased person',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = newId('usr', context.entropy)
      const [connecting, signedIn, foreign] = [newId('cs', context.entropy), newId('ses', context.entropy), newId('cs', context.entropy)]
      const write = (type: NewEvent['type'], subject: string, data: NewEvent['data'], actor = SYSTEM_ACTOR) =>
        store.events.append({ ...org.event(type), subject, data, actor })
      await write('connect.session_created', connecting, { owner: OWNER, mode: 'verified' })
      await write('connect.refused', connecting, { owner: OWNER, code: 'connect_owner_mismatch', named: 'planted-other' })
      await write('connect.session_created', foreign, { owner: 'neighbour', mode: 'verified' })
      await write('session.opened', signedIn, { address: 'planted-address' }, { kind: 'user', id: user })
      await write('session.reuse_detected', signedIn, { address: 'planted-address', generation: 7 })
      await write('user.updated', user, { changed: ['planted'], email: 'planted' })
      const subjects = await store.owners.eventSubjects(org.organization, OWNER, user)
      assert.deepEqual([...subjects].sort(), [connecting, signedIn, user].sort())
      assert.deepEqual(await store.owners.eventSubjects(org.organization, OWNER, null), [connecting])
      await store.owners.erase(erasure(org, { user }))
      const events = (await store.events.list(org.organization, {}, { limit: 100, cursor: null })).items
      assert.doesNotMatch(JSON.stringify(events), /planted/)
      assert.deepEqual(events.find(({ type }) => type === 'session.reuse_detected')?.data, { generation: 7, erased: true })
      assert.deepEqual(events.find(({ subject }) => subject === foreign)?.data, { owner: 'neighbour', mode: 'verified' })
    },
  },
  {
    name: 'a grant that was imported for an erased owner can be imported anew',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const line = (fingerprint: string) => {
        const connection = org.newConnection({ owner: OWNER, account: 'planted-import' })
        const row = {
          connection,
          credential: tokens(1, { refreshToken: bytesOf('imported') }),
          dueAt: null,
          event: org.event('connection.imported', connection.id),
        }
        return {
          identity: { integration: org.integration.id, owner: OWNER, account: 'planted-import', fingerprint, exclusive: false },
          row: { ...row, imported: fingerprint },
        }
      }
      const first = line('planted-fingerprint')
      assert.deepEqual(await store.connections.importMany([first]), [{ kind: 'inserted' }])
      assert.equal((await store.connections.foreseeImport([first.identity]))[0]?.kind, 'already')
      await disconnected(org, first.row.connection.id)
      await store.owners.erase(erasure(org))
      assert.equal((await store.connections.foreseeImport([first.identity]))[0]?.kind, 'inserted')
    },
  },
]
