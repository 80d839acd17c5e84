import assert from 'node:assert/strict'
import type { ConnectSession } from '../../core/connect/connect-sessions.ts'
import { newId } from '../../core/ids.ts'
import type { GrantChange, PersonChange, SignInCommit, SignInOutcome } from '../../core/sign-in/sign-ins.ts'
import { membershipOf, newUser, person } from './people.ts'
import type { StoreCase } from './store-case.ts'
import { bytesOf, FUTURE, PAST, TestOrganization, tokens } from './test-organization.ts'

const ISSUER = 'https://accounts.example.com'

export const signInCases: readonly StoreCase[] = [
  {
    name: 'a sign-in stores person, identity, membership and connection at once, and the flow is over',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const commit = await newcomer(org)
      assert.equal(await store.signIns.commit(commit), 'committed')
      const { user, identity, membership } = newOf(commit)
      assert.deepEqual(await store.users.byIdentity(identity.issuer, identity.subject), user)
      assert.deepEqual(await store.users.membershipsOf(user.id), [membership])
      const connection = connectionOf(commit)
      assert.equal((await org.row(connection)).connection.owner, user.id)
      const session = await store.connectSessions.load(commit.session)
      assert.deepEqual([session?.state, session?.owner, session?.result, session?.staged], ['completed', user.id, connection, null])
    },
  },
  {
    name: 'of ten twins of one sign-in one is stored',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const commit = await newcomer(org)
      const twins = Array.from({ length: 10 }, () => again(org, commit))
      const outcomes = await Promise.all(twins.map((twin) => store.signIns.commit(twin)))
      assert.deepEqual(counted(outcomes), { committed: 1, not_staged: 9 })
      assert.equal((await store.users.list(org.organization, { limit: 50, cursor: null })).items.length, 1)
      assert.equal((await store.connections.list(org.organization, {}, { limit: 50, cursor: null })).items.length, 1)
    },
  },
  {
    name: 'of ten sign-ins with one account, in as many browsers, one makes the person, and nothing of the others stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const subject = newId('evt', context.entropy)
      const commits = await Promise.all(Array.from({ length: 10 }, () => newcomer(org, subject)))
      const outcomes = await Promise.all(commits.map((commit) => store.signIns.commit(commit)))
      assert.deepEqual(counted(outcomes), { committed: 1, identity_taken: 9 })
      assert.equal((await store.users.list(org.organization, { limit: 50, cursor: null })).items.length, 1)
      assert.equal((await store.connections.list(org.organization, {}, { limit: 50, cursor: null })).items.length, 1)
      const states = await Promise.all(commits.map(async ({ session }) => (await store.connectSessions.load(session))?.state))
      assert.equal(states.filter((state) => state === 'staged').length, 9)
    },
  },
  {
    name: 'somebody known gains an identity and a membership with the connection, or nothing at all',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const user = await person(elsewhere)
      const identity = { issuer: ISSUER, subject: newId('evt', context.entropy), user: user.id, createdAt: PAST }
      const gain: PersonChange = {
        kind: 'known',
        user: user.id,
        identity: { identity, event: org.event('user.identity_added') },
        membership: { membership: membershipOf(org, user.id, 'viewer'), event: org.event('user.joined') },
      }
      const taken = org.newConnection({ owner: user.id, account: 'a' })
      await store.connections.insert({ connection: taken, credential: tokens(1), dueAt: null, event: org.event('connection.created', taken.id) })
      const inTheWay = insertion(org, user.id, 'a')
      assert.equal(await store.signIns.commit(await commitOf(org, gain, inTheWay)), 'grant_moved')
      assert.deepEqual(await store.users.identitiesOf(user.id), [])
      assert.equal((await store.users.membershipsOf(user.id)).length, 1)
      assert.equal(await store.signIns.commit(await commitOf(org, gain, replacement(org, taken.id, 2))), 'grant_moved')
      assert.equal(await store.signIns.commit(await commitOf(org, gain, replacement(org, taken.id, 1))), 'committed')
      assert.deepEqual(await store.users.identitiesOf(user.id), [identity])
      assert.equal((await store.users.membershipsOf(user.id)).length, 2)
      assert.equal((await org.row(taken.id)).credential.generation, 2)
    },
  },
  {
    name: 'who was given a name by another organization meanwhile does not join by a sign-in, and signs in where they belong',
    async run(store, context) {
      const [org, elsewhere] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      const user = await person(elsewhere, 'member', { externalId: `named-${newId('evt', context.entropy)}` })
      const joining = { membership: membershipOf(org, user.id, 'viewer'), event: org.event('user.joined') }
      const commit = await commitOf(org, { kind: 'known', user: user.id, identity: null, membership: joining }, insertion(org, user.id, 'a'))
      assert.equal(await store.signIns.commit(commit), 'person_gone')
      assert.deepEqual(await store.users.membershipsOf(user.id), [membershipOf(elsewhere, user.id, 'member')])
      const there = await commitOf(elsewhere, { kind: 'known', user: user.id, identity: null, membership: null }, insertion(elsewhere, user.id, 'a'))
      assert.equal(await store.signIns.commit(there), 'committed')
    },
  },
  {
    name: 'who was disabled or erased meanwhile does not come in, and nothing is stored for them',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [disabled, erased] = [await person(org, 'member', { disabledAt: PAST + 1 }), await person(org)]
      await store.users.erase(erased.id, PAST, org.event('user.erased'))
      for (const { id } of [disabled, erased]) {
        const commit = await commitOf(org, { kind: 'known', user: id, identity: null, membership: null }, insertion(org, id, 'a'))
        assert.equal(await store.signIns.commit(commit), 'person_gone')
        assert.equal((await store.connectSessions.load(commit.session))?.state, 'staged')
      }
      assert.equal((await store.connections.list(org.organization, {}, { limit: 50, cursor: null })).items.length, 0)
    },
  },
]

async function newcomer(org: TestOrganization, subject: string = newId('evt', org.context.entropy)): Promise<SignInCommit> {
  const user = newUser(org, { email: null, passwordHash: null })
  const identity = { issuer: ISSUER, subject, user: user.id, createdAt: PAST }
  const membership = membershipOf(org, user.id, 'member')
  const made: PersonChange = { kind: 'new', user, membership, identity, event: org.event('user.created') }
  return commitOf(org, made, insertion(org, user.id, subject))
}

async function commitOf(org: TestOrganization, who: PersonChange, grant: GrantChange): Promise<SignInCommit> {
  const owner = who.kind === 'new' ? who.user.id : who.user
  return { session: (await staged(org)).id, owner, event: org.event('connect.completed'), person: who, grant }
}

/** What a twin would store: the same flow, and a person and a connection of its own. */
function again(org: TestOrganization, commit: SignInCommit): SignInCommit {
  const user = newUser(org, { email: null, passwordHash: null })
  const { identity } = newOf(commit)
  const membership = membershipOf(org, user.id, 'member')
  const made: PersonChange = { kind: 'new', user, membership, identity: { ...identity, user: user.id }, event: org.event('user.created') }
  return { ...commit, owner: user.id, person: made, grant: insertion(org, user.id, 'twin') }
}

/** Also what the plans of statements look at. */
export function insertion(org: TestOrganization, owner: string, account: string): GrantChange {
  const connection = org.newConnection({ owner, account })
  return { kind: 'insert', connection: { connection, credential: tokens(1), dueAt: FUTURE, event: org.event('connection.created', connection.id) } }
}

function replacement(org: TestOrganization, connection: `con_${string}`, expectedGeneration: number): GrantChange {
  const told = { account: 'a', accountLabel: null, scopes: null, variables: {}, facts: {}, consentedAt: PAST + 9, dueAt: FUTURE }
  const event = org.event('connection.reconnected', connection)
  const credential = tokens(expectedGeneration + 1)
  return { kind: 'replace', replacement: { organization: org.organization, connection, expectedGeneration, credential, ...told, event } }
}

/** A flow whose grant waits. */
async function staged(org: TestOrganization): Promise<ConnectSession> {
  const session = stagedSession(org)
  await org.store.connectSessions.insert(session, org.event('connect.session_created'))
  return session
}

export function stagedSession(org: TestOrganization): ConnectSession {
  const id = newId('cs', org.context.entropy)
  return {
    id,
    organization: org.organization,
    integration: org.integration.id,
    owner: '',
    mode: 'sign_in',
    connection: null,
    tokenHash: `token of ${id}`,
    state: 'staged',
    scopes: null,
    returnUrl: null,
    createdAt: PAST,
    expiresAt: FUTURE,
    flow: null,
    staged: { grant: bytesOf('sealed grant'), account: 'a', accountLabel: null, codeHash: null, stagedAt: PAST },
    fault: null,
    result: null,
    variables: {},
  }
}

function newOf({ person: who }: SignInCommit): Extract<PersonChange, { kind: 'new' }> {
  if (who.kind !== 'new') throw new Error('the commit makes nobody')
  return who
}

function connectionOf({ grant }: SignInCommit): `con_${string}` {
  if (grant.kind !== 'insert') throw new Error('the commit makes no connection')
  return grant.connection.connection.id
}

function counted(outcomes: readonly SignInOutcome[]): Readonly<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const outcome of [...outcomes].sort()) found[outcome] = (found[outcome] ?? 0) + 1
  return found
}
