import assert from 'node:assert/strict'
import { newId, type OrganizationId } from '../../core/ids.ts'
import type { User } from '../../core/user/user.ts'
import type { Decision } from '../../core/user/users.ts'
import type { Store } from '../contract.ts'
import { membershipOf, person } from './people.ts'
import type { StoreCase, StoreContext } from './store-case.ts'
import { PAST, TestOrganization } from './test-organization.ts'

const ROUNDS = 10

const orgs = async (store: Store, context: StoreContext) => [await TestOrganization.open(store, context), await TestOrganization.open(store, context)] as const

/** What somebody in `org` decides about a person as a whole. */
function decisionsOf(store: Store, org: TestOrganization) {
  const event = (user: User) => ({ ...org.event('user.updated'), subject: user.id })
  return {
    erase: (user: User, within: readonly OrganizationId[], decision?: Decision) => store.users.erase(user.id, PAST, event(user), { within, decision }),
    eraseAnyhow: (user: User) => store.users.erase(user.id, PAST, event(user)),
    change: (user: User, changes: Partial<User>, within?: readonly OrganizationId[]) =>
      store.users.update({ ...user, ...changes, version: user.version + 1 }, event(user), undefined, within),
    disable: (user: User) => store.users.update({ ...user, disabledAt: PAST, version: user.version + 1 }, event(user)),
    demote: (user: User) => store.users.changeRole(org.organization, user.id, 'member', event(user)),
    remove: (user: User) => store.users.removeMember(org.organization, user.id, PAST, event(user)),
    join: (user: User, version?: number) => store.users.addMember(membershipOf(org, user.id, 'member'), event(user), undefined, version),
  }
}

async function isStored(store: Store, user: User): Promise<boolean> {
  return (await store.users.get(user.id)) !== undefined
}

const wholeCases: readonly StoreCase[] = [
  {
    name: 'a person goes as a whole only while they belong nowhere else, also when they join at the same moment',
    async run(store, context) {
      const [org, elsewhere] = await orgs(store, context)
      const [here, there] = [decisionsOf(store, org), decisionsOf(store, elsewhere)]
      for (let round = 0; round < ROUNDS; round++) {
        const user = await person(org)
        const both = await Promise.all([here.erase(user, [org.organization]), there.join(user)])
        const stays = await isStored(store, user)
        assert.deepEqual(both, stays ? ['elsewhere', 'added'] : ['erased', 'gone'])
        assert.equal((await store.users.membershipsOf(user.id)).length, stays ? 2 : 0)
      }
      const user = await person(org)
      await there.join(user)
      assert.equal(await here.erase(user, [org.organization]), 'elsewhere')
      assert.equal((await store.users.membershipsOf(user.id)).length, 2)
      assert.equal(await here.erase(user, [org.organization, elsewhere.organization]), 'erased')
      assert.equal(await isStored(store, user), false)
      assert.equal(await there.join(user), 'gone')
    },
  },
  {
    name: 'who makes an organization at the moment of their erasure has made none, or stays',
    async run(store, context) {
      const [org] = await orgs(store, context)
      for (let round = 0; round < ROUNDS; round++) {
        const user = await person(org)
        const id = newId('org', context.entropy)
        const event = { ...org.event('organization.created'), organization: id }
        const membership = { organization: id, user: user.id, role: 'owner', createdAt: PAST } as const
        const founder = { membership, event: { ...event, id: newId('evt', context.entropy) } }
        const [erased, made] = await Promise.allSettled([
          decisionsOf(store, org).erase(user, [org.organization]),
          store.organizations.insert({ id, name: 'Founded', slug: id.replace('_', '-'), createdAt: PAST }, event, founder),
        ])
        const stays = await isStored(store, user)
        assert.deepEqual([erased, made.status], [{ status: 'fulfilled', value: stays ? 'elsewhere' : 'erased' }, stays ? 'fulfilled' : 'rejected'])
      }
    },
  },
  {
    name: 'somebody else erases a person only while the decision about them holds',
    async run(store, context) {
      const [org] = await orgs(store, context)
      const [owner, admin, user] = [await person(org, 'owner'), await person(org, 'admin'), await person(org)]
      const { erase } = decisionsOf(store, org)
      const by = { user: admin.id, role: 'admin' } as const
      assert.equal(await erase(user, [org.organization], { held: 'viewer', by }), 'moved')
      assert.equal(await erase(user, [org.organization], { held: 'member', by: { user: owner.id, role: 'admin' } }), 'moved')
      assert.equal(await isStored(store, user), true)
      assert.equal(await erase(user, [org.organization], { held: 'member', by }), 'erased')
    },
  },
  {
    name: 'what is decided about a person in all their organizations is not written when they have joined another, nor do they join with a name that they got meanwhile',
    async run(store, context) {
      const [org, elsewhere] = await orgs(store, context)
      const [here, there] = [decisionsOf(store, org), decisionsOf(store, elsewhere)]
      for (let round = 0; round < ROUNDS; round++) {
        const user = await person(org)
        const name = (externalId: string) => here.change(user, { externalId }, [org.organization])
        const both = await Promise.all([name(`named-${user.id}`), there.join(user, user.version)])
        const named = (await store.users.get(user.id))?.externalId !== null
        assert.deepEqual(both, named ? ['updated', 'moved'] : ['elsewhere', 'added'])
        assert.equal((await store.users.membershipsOf(user.id)).length, named ? 1 : 2)
      }
      const user = await person(org)
      assert.equal(await there.join(user, user.version + 1), 'moved')
      assert.equal(await there.join(user, user.version), 'added')
      assert.equal(await here.change(user, { name: 'Anna' }, [org.organization]), 'elsewhere')
      assert.equal(await here.change(user, { name: 'Anna' }, [elsewhere.organization, org.organization]), 'updated')
    },
  },
  {
    name: 'with a person go the words about them in every organization, also where they were once; an owner that is erased takes those of one alone',
    async run(store, context) {
      const [org, former] = await orgs(store, context)
      const user = await person(org)
      const session = newId('ses', context.entropy)
      for (const of of [org, former]) {
        const actor = { kind: 'user', id: user.id } as const
        await store.events.append({ ...of.event('session.opened'), subject: session, actor, data: { address: `planted in ${of.organization}` } })
        await store.events.append({ ...of.event('user.updated'), subject: user.id, data: { changed: ['planted'], note: `planted in ${of.organization}` } })
      }
      const told = async (of: TestOrganization) => JSON.stringify((await store.events.list(of.organization, {}, { limit: 50, cursor: null })).items)
      const at = { pseudonym: 'owner-nobody', at: PAST, event: { ...org.event('owner.erased'), subject: 'owner-nobody' } }
      await store.owners.erase({ organization: org.organization, owner: user.id, user: user.id, ...at })
      assert.doesNotMatch(await told(org), /planted/)
      assert.match(await told(former), /planted/)
      assert.equal(await decisionsOf(store, org).erase(user, [org.organization]), 'erased')
      assert.doesNotMatch(await told(former), /planted/)
    },
  },
]

const ownerCases: readonly StoreCase[] = [
  {
    name: 'an organization keeps an owner who is enabled: two who disable each other at once leave one, and so do all other ways to go',
    async run(store, context) {
      const enabled = async (org: TestOrganization) =>
        (await store.users.list(org.organization, { limit: 9, cursor: null })).items.filter(
          ({ user, membership }) => membership.role === 'owner' && user.disabledAt === null,
        ).length
      for (const other of ['disable', 'demote', 'remove', 'eraseAnyhow'] as const) {
        for (let round = 0; round < ROUNDS; round++) {
          const org = await TestOrganization.open(store, context)
          const [one, two] = [await person(org, 'owner'), await person(org, 'owner')]
          await person(org, 'admin')
          const decide = decisionsOf(store, org)
          const outcomes = await Promise.all([decide.disable(one), decide[other](two)])
          assert.equal(outcomes.filter((outcome) => outcome === 'last_owner').length, 1, `${other}: ${outcomes.join()}`)
          assert.equal(await enabled(org), 1)
        }
      }
    },
  },
  {
    name: 'a disabled owner is no reason to let the last enabled one go, and may go themselves; without any enabled one the last of all stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const decide = decisionsOf(store, org)
      const [owner, disabled] = [await person(org, 'owner'), await person(org, 'owner', { disabledAt: PAST })]
      for (const refused of [decide.demote, decide.remove, decide.eraseAnyhow, decide.disable]) assert.equal(await refused(owner), 'last_owner')
      assert.equal(await decide.remove(disabled), 'removed')
      assert.equal(await decide.change(owner, { name: 'Anna' }), 'updated')

      const abandoned = await TestOrganization.open(store, context)
      const left = [await person(abandoned, 'owner', { disabledAt: PAST }), await person(abandoned, 'owner', { disabledAt: PAST })] as const
      const { remove, change } = decisionsOf(store, abandoned)
      assert.deepEqual([await remove(left[0]), await remove(left[1])], ['removed', 'last_owner'])
      assert.equal(await change(left[1], { disabledAt: null }), 'updated')
    },
  },
  {
    name: 'who is the last owner of one organization is disabled by nobody from another',
    async run(store, context) {
      const [org, elsewhere] = await orgs(store, context)
      const [user] = [await person(org, 'owner'), await person(elsewhere, 'owner')]
      await store.users.addMember(membershipOf(elsewhere, user.id, 'owner'), elsewhere.event('user.joined'))
      const { disable } = decisionsOf(store, elsewhere)
      assert.equal(await disable(user), 'last_owner')
      assert.equal((await store.users.get(user.id))?.disabledAt, null)
      await person(org, 'owner')
      assert.equal(await disable(user), 'updated')
    },
  },
]

/** Decisions about a person that rest on where they belong, and on what others are. */
export const personDecisionCases: readonly StoreCase[] = [...wholeCases, ...ownerCases]
