import assert from 'node:assert/strict'
import { newId } from '../../core/ids.ts'
import type { Role, User } from '../../core/user/user.ts'
import type { Decision, Spending } from '../../core/user/users.ts'
import { heardDuring, membershipOf, newUser, opened, person, present, stored } from './people.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

export const userCases: readonly StoreCase[] = [
  {
    name: 'a person comes back as they were stored, by each of their names, and is never found by another',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const id = newId('usr', context.entropy)
      const user = newUser(org, { id, externalId: `customer ${id}`, disabledAt: PAST + 1, emailVerifiedAt: PAST + 2 })
      const identity = { issuer: 'https://accounts.example.com', subject: `subject of ${id}`, user: id, createdAt: PAST }
      const insert = () => store.users.insert(user, membershipOf(org, id, 'owner'), identity, org.event('user.created'))
      const heard = await heardDuring(org, async () => assert.equal(await insert(), 'inserted'))
      assert.ok(heard.some((change) => change.kind === 'user' && change.user === id))
      assert.deepEqual(await store.users.get(id), user)
      assert.deepEqual(await store.users.byEmail(`${id}@example.com`), user)
      assert.deepEqual(await store.users.byExternalId(`customer ${id}`), user)
      assert.deepEqual(await store.users.byIdentity(identity.issuer, identity.subject), user)
      assert.deepEqual(await store.users.identitiesOf(id), [identity])
      assert.deepEqual(await store.users.membershipsOf(id), [membershipOf(org, id, 'owner')])
      assert.equal(await store.users.byIdentity('https://other.example.com', identity.subject), undefined)
      assert.equal(await store.users.byEmail('nobody@example.com'), undefined)
      assert.equal(await store.users.get(newId('usr', context.entropy)), undefined)
      assert.equal(await store.users.none(), false)
    },
  },
  {
    name: 'an address, an external id and an identity each name one person, also when ten come at once',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const tag = newId('evt', context.entropy)
      const insert = (changes: Partial<User>, subject: string | null = null) => {
        const user = newUser(org, changes)
        const identity = subject === null ? null : { issuer: 'provider:acme', subject, user: user.id, createdAt: PAST }
        return store.users.insert(user, membershipOf(org, user.id, 'member'), identity, org.event('user.created'))
      }
      const tenTimes = (make: () => Promise<string>) => Promise.all(Array.from({ length: 10 }, make))
      const counted = (outcomes: readonly string[], taken: string) => [
        outcomes.filter((outcome) => outcome === 'inserted').length,
        outcomes.filter((outcome) => outcome === taken).length,
      ]
      assert.deepEqual(counted(await tenTimes(() => insert({ email: `${tag}@example.com` })), 'email_taken'), [1, 9])
      assert.deepEqual(counted(await tenTimes(() => insert({ externalId: tag })), 'external_id_taken'), [1, 9])
      assert.deepEqual(counted(await tenTimes(() => insert({ email: null }, tag)), 'identity_taken'), [1, 9])
      const { items } = await store.users.list(org.organization, { limit: 50, cursor: null })
      assert.equal(items.length, 3)
      const identity = { issuer: 'provider:acme', subject: tag, user: items[0]?.user.id ?? newId('usr', context.entropy), createdAt: PAST }
      assert.equal(await store.users.addIdentity(identity, org.event('user.identity_added')), 'taken')
      const added = await tenTimes(() => store.users.addIdentity({ ...identity, subject: `${tag} 2` }, org.event('user.identity_added')))
      assert.deepEqual(added.toSorted(), ['added', ...Array.from({ length: 9 }, () => 'taken')])
    },
  },
  {
    name: 'what has to end with a change of a person ends in the same step, and not at all when the change came too late (S49)',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const [kept, other] = [await opened(org, user.id), await opened(org, user.id)]
      const branch = await opened(org, user.id, { parent: kept.id })
      const bystander = await opened(org, (await person(org)).id)
      const hash = newId('evt', context.entropy)
      const ticket = { hash, purpose: 'reset_password', user: user.id, organization: null, data: {}, attempts: 0, createdAt: PAST, expiresAt: FUTURE } as const
      await store.tickets.insert(ticket)
      const identity = { issuer: 'provider:acme', subject: `of ${user.id}`, user: user.id, createdAt: PAST }
      await store.users.addIdentity(identity, org.event('user.identity_added'))
      const ending = (identities: boolean) =>
        ({ end: 'password_changed', except: kept.id, tickets: ['reset_password'], identities, at: PAST, event: org.event('session.ended') }) as const
      const late = { ...user, version: user.version + 2 }
      assert.equal(await store.users.update(late, org.event('user.password_changed'), ending(true)), 'moved')
      assert.equal((await stored(org, other)).revokedAt, null)
      assert.notEqual(await store.tickets.find(hash, 'reset_password'), undefined)
      const next = { ...user, passwordChangedAt: PAST, version: user.version + 1 }
      assert.equal(await store.users.update(next, org.event('user.password_changed'), ending(false)), 'updated')
      assert.equal((await stored(org, other)).end, 'password_changed')
      for (const session of [kept, branch, bystander]) assert.equal((await stored(org, session)).revokedAt, null)
      assert.equal(await store.tickets.find(hash, 'reset_password'), undefined)
      assert.deepEqual(await store.users.identitiesOf(user.id), [identity])
      await store.users.update({ ...next, version: next.version + 1 }, org.event('user.password_changed'), ending(true))
      assert.deepEqual(await store.users.identitiesOf(user.id), [])
    },
  },
  {
    name: 'a change of a person overwrites no other, and takes no name that is somebody else’s',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [user, other] = [await person(org), await person(org, 'member', { externalId: newId('evt', context.entropy) })]
      const update = (changes: Partial<User>) => store.users.update({ ...user, version: 2, updatedAt: PAST + 1, ...changes }, org.event('user.updated'))
      assert.equal(await update({ email: other.email }), 'email_taken')
      assert.equal(await update({ externalId: other.externalId }), 'external_id_taken')
      const outcomes = await Promise.all(Array.from({ length: 10 }, (_, index) => update({ name: `name ${index}` })))
      assert.deepEqual(outcomes.toSorted(), [...Array.from({ length: 9 }, () => 'moved'), 'updated'])
      assert.equal((await store.users.get(user.id))?.name, `name ${outcomes.indexOf('updated')}`)
      const heard = await heardDuring(org, () => update({ version: 3, name: null, passwordHash: null, email: null, disabledAt: PAST + 5 }))
      assert.deepEqual(
        heard.filter((change) => change.kind === 'user'),
        [{ kind: 'user', user: user.id }],
      )
      const now = { ...user, version: 3, updatedAt: PAST + 1, name: null, passwordHash: null, email: null, disabledAt: PAST + 5 }
      assert.deepEqual(await store.users.get(user.id), now)
      assert.equal(await store.users.update({ ...newUser(org), version: 2 }, org.event('user.updated')), 'moved')
      assert.deepEqual(await store.users.get(other.id), other)
    },
  },
  {
    name: 'members are listed by organization, page by page, each once',
    async run(store, context) {
      const [org, elsewhere] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      const users: User[] = []
      for (let index = 0; index < 7; index++) users.push(await person(org, index === 0 ? 'owner' : 'member'))
      await person(elsewhere, 'owner')
      const joined = membershipOf(elsewhere, users[3]?.id ?? newId('usr', context.entropy), 'viewer')
      assert.equal(await store.users.addMember(joined, org.event('user.joined')), 'added')
      assert.equal(await store.users.addMember({ ...joined, role: 'owner' }, org.event('user.joined')), 'already')
      const first = await store.users.list(org.organization, { limit: 4, cursor: null })
      const second = await store.users.list(org.organization, { limit: 4, cursor: first.cursor })
      assert.deepEqual(
        [...first.items, ...second.items],
        users.map((user, index) => ({ user, membership: membershipOf(org, user.id, index === 0 ? 'owner' : 'member') })),
      )
      assert.equal(second.cursor, null)
      assert.equal((await store.users.list(elsewhere.organization, { limit: 4, cursor: null })).items.length, 2)
      const own = [membershipOf(org, joined.user, 'member'), joined].sort((left, right) => (left.organization < right.organization ? -1 : 1))
      assert.deepEqual(await store.users.membershipsOf(joined.user), own)
    },
  },
  {
    name: 'an organization never loses its last owner, also when two owners leave at once',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [one, two, viewer] = [await person(org, 'owner'), await person(org, 'owner'), await person(org, 'viewer')]
      const demote = (user: User) => store.users.changeRole(org.organization, user.id, 'member', org.event('user.role_changed'))
      const remove = (user: User) => store.users.removeMember(org.organization, user.id, PAST, org.event('user.left'))
      assert.deepEqual([await demote(one), await demote(two), await remove(two)], ['changed', 'last_owner', 'last_owner'])
      const promote = () => store.users.changeRole(org.organization, one.id, 'owner', org.event('user.role_changed'))
      for (let round = 0; round < 5; round++) {
        assert.equal(await promote(), 'changed')
        assert.deepEqual([await demote(one), await demote(two)].toSorted(), ['changed', 'last_owner'])
        assert.equal(await promote(), 'changed')
        assert.equal(await store.users.changeRole(org.organization, two.id, 'owner', org.event('user.role_changed')), 'changed')
        assert.deepEqual((await Promise.all([demote(one), demote(two)])).toSorted(), ['changed', 'last_owner'])
      }
      assert.deepEqual([await remove(viewer), await remove(viewer), await demote(viewer)], ['removed', 'gone', 'gone'])
      const roles = (await store.users.list(org.organization, { limit: 9, cursor: null })).items.map(({ membership }) => membership.role)
      assert.deepEqual(roles.toSorted(), ['member', 'owner'])
    },
  },
  {
    name: 'an organization keeps its last owner, also when two owners are erased at once',
    async run(store, context) {
      for (let round = 0; round < 5; round++) {
        const [org, elsewhere] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
        const owners = [await person(org, 'owner'), await person(org, 'owner')]
        await person(org, 'admin')
        const [first] = owners
        if (first !== undefined) await store.users.addMember(membershipOf(elsewhere, first.id, 'member'), org.event('user.joined'))
        const erase = (user: User) => store.users.erase(user.id, PAST, { ...org.event('user.erased'), subject: user.id })
        assert.deepEqual((await Promise.all(owners.map(erase))).toSorted(), ['erased', 'last_owner'])
        const left = (await store.users.list(org.organization, { limit: 9, cursor: null })).items.filter(({ membership }) => membership.role === 'owner')
        assert.equal(left.length, 1)
        for (const { user } of left) assert.deepEqual(await erase(user), 'last_owner')
      }
    },
  },
  {
    name: 'a role is written only while the decision about it holds: what the member was, and what the one is who decided',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [owner, admin, member] = [await person(org, 'owner'), await person(org, 'admin'), await person(org)]
      const change = (user: User, role: Role, decision: Decision) =>
        store.users.changeRole(org.organization, user.id, role, org.event('user.role_changed'), decision)
      const by = (user: User, role: Role) => ({ user: user.id, role })
      assert.equal(await change(member, 'viewer', { held: 'operator', by: by(admin, 'admin') }), 'moved')
      assert.equal(await change(member, 'viewer', { held: 'member', by: by(admin, 'owner') }), 'moved')
      assert.equal(await change(member, 'viewer', { held: 'member', by: by(newUser(org), 'admin') }), 'moved')
      assert.equal(await change(member, 'operator', { held: 'member', by: by(admin, 'admin') }), 'changed')
      assert.equal(await change(member, 'member', { held: 'operator', by: null }), 'changed')
      for (let round = 0; round < 5; round++) {
        const both = await Promise.all([
          change(admin, 'viewer', { held: 'admin', by: by(owner, 'owner') }),
          change(member, 'admin', { held: 'member', by: by(admin, 'admin') }),
        ])
        assert.ok(both[0] === 'changed' && (both[1] === 'changed' || both[1] === 'moved'), both.join())
        await change(admin, 'admin', { held: 'viewer', by: null })
        await change(member, 'member', { held: 'admin', by: null })
      }
      const leave = (decision: Decision) => store.users.removeMember(org.organization, member.id, PAST, org.event('user.left'), decision)
      assert.equal(await leave({ held: 'member', by: by(admin, 'owner') }), 'moved')
      assert.equal(await leave({ held: 'member', by: by(admin, 'admin') }), 'removed')
      const { items } = await store.events.list(org.organization, { type: 'user.left' }, { limit: 9, cursor: null })
      assert.equal(items.length, 1)
    },
  },
  {
    name: 'a ticket is used up with what somebody gains by it, once, or not at all',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const elsewhere = await TestOrganization.open(store, context)
      const ticket = async () => {
        const hash = newId('evt', context.entropy)
        const facts = {
          purpose: 'invitation',
          user: null,
          organization: org.organization,
          data: {},
          attempts: 0,
          createdAt: PAST,
          expiresAt: FUTURE,
        } as const
        await store.tickets.insert({ hash, ...facts })
        return { hash, purpose: 'invitation' } as const
      }
      const isLive = async ({ hash }: { readonly hash: string }) => (await store.tickets.find(hash, 'invitation')) !== undefined
      const known = await person(elsewhere)
      const first = await ticket()
      const insert = (user: User, spends: Spending) => store.users.insert(user, membershipOf(org, user.id, 'member'), null, org.event('user.created'), spends)
      assert.equal(await insert(newUser(org, { email: known.email }), first), 'email_taken')
      assert.equal(await isLive(first), true)
      const newcomers = Array.from({ length: 10 }, () => newUser(org))
      const inserted = await Promise.all(newcomers.map((user) => insert(user, first)))
      assert.deepEqual(inserted.toSorted(), ['inserted', ...Array.from({ length: 9 }, () => 'ticket_spent')])
      assert.equal((await store.users.list(org.organization, { limit: 50, cursor: null })).items.length, 1)
      const second = await ticket()
      const join = (spends: Spending) => store.users.addMember(membershipOf(org, known.id, 'viewer'), org.event('user.joined'), spends)
      const joined = await Promise.all(Array.from({ length: 10 }, () => join(second)))
      assert.deepEqual(joined.toSorted(), ['added', ...Array.from({ length: 9 }, () => 'ticket_spent')])
      const claimed = await person(elsewhere)
      const third = await ticket()
      const claim = (version: number) => {
        const along = { spends: third, joins: { membership: membershipOf(org, claimed.id, 'admin'), event: org.event('user.joined') } }
        const ending = {
          end: 'password_changed',
          except: null,
          tickets: [],
          identities: false,
          at: PAST,
          event: org.event('session.ended'),
          ...along,
        } as const
        return store.users.update({ ...claimed, version }, org.event('user.password_changed'), ending)
      }
      assert.equal(await claim(5), 'moved')
      assert.equal(await isLive(third), true)
      assert.deepEqual([await claim(2), await claim(3)], ['updated', 'ticket_spent'])
      const here = (await store.users.membershipsOf(claimed.id)).filter(({ organization }) => organization === org.organization)
      assert.deepEqual(
        here.map(({ role }) => role),
        ['admin'],
      )
      assert.equal((await store.users.get(claimed.id))?.version, 2)
    },
  },
  {
    name: 'who leaves an organization is signed out of it, and of nothing else',
    async run(store, context) {
      const [org, elsewhere] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      await person(org, 'owner')
      const user = await person(org, 'admin')
      await store.users.addMember(membershipOf(elsewhere, user.id, 'member'), org.event('user.joined'))
      const here = await opened(org, user.id)
      const branch = await opened(org, user.id, { parent: here.id })
      const there = await opened(org, user.id, { organization: elsewhere.organization })
      const heard = await heardDuring(org, () => store.users.removeMember(org.organization, user.id, PAST + 6, org.event('user.left')))
      assert.deepEqual(
        heard.flatMap((change) => (change.kind === 'session' ? [change.session] : change.kind === 'user' ? [change.user] : [])),
        [here.id, branch.id, user.id],
      )
      for (const ended of [here, branch]) {
        const now = await stored(org, ended)
        assert.deepEqual([now.revokedAt, now.end], [PAST + 6, 'membership_ended'])
      }
      assert.equal((await store.sessions.get(there.id))?.role, 'member')
      assert.deepEqual(await store.sessions.listOf(user.id), [there])
    },
  },
  {
    name: 'an erased person is gone from every table, their sessions with them, and the events keep the id',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [user, other] = [await person(org), await person(org)]
      const identity = { issuer: 'https://accounts.example.com', subject: `subject of ${user.id}`, user: user.id, createdAt: PAST }
      await store.users.addIdentity(identity, { ...org.event('user.identity_added'), subject: user.id })
      const [session, foreign] = [await opened(org, user.id), await opened(org, other.id)]
      const ticket = { hash: `ticket of ${user.id}`, purpose: 'reset_password', organization: null, data: {}, attempts: 0 } as const
      await store.tickets.insert({ ...ticket, user: user.id, createdAt: PAST, expiresAt: FUTURE })
      const erase = () => store.users.erase(user.id, PAST, { ...org.event('user.erased'), subject: user.id })
      const heard = await heardDuring(org, async () => assert.equal(await erase(), 'erased'))
      assert.ok(heard.some((change) => change.kind === 'session' && change.session === session.id))
      assert.ok(heard.some((change) => change.kind === 'user' && change.user === user.id))
      assert.equal(await erase(), 'gone')
      assert.equal(await store.users.get(user.id), undefined)
      assert.equal(await store.users.byEmail(user.email ?? ''), undefined)
      assert.equal(await store.users.byIdentity(identity.issuer, identity.subject), undefined)
      assert.deepEqual(await store.users.identitiesOf(user.id), [])
      assert.deepEqual(await store.users.membershipsOf(user.id), [])
      assert.equal(await store.sessions.get(session.id), undefined)
      assert.deepEqual(await present(org, session, 1), { kind: 'unknown' })
      assert.equal(await store.tickets.find(ticket.hash, 'reset_password'), undefined)
      assert.deepEqual(await stored(org, foreign), foreign)
      const { items } = await store.events.list(org.organization, { subject: user.id }, { limit: 9, cursor: null })
      assert.deepEqual(
        items.map(({ type }) => type),
        ['user.erased', 'user.identity_added'],
      )
      assert.equal(await store.users.none(), false)
    },
  },
]
