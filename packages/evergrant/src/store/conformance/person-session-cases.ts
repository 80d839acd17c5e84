import assert from 'node:assert/strict'
import { newId } from '../../core/ids.ts'
import type { Session } from '../../core/session/session.ts'
import { HOUR } from '../../core/time.ts'
import type { Role } from '../../core/user/user.ts'
import { heardDuring, kindsOf, newSession, opened, person, present, presentation, stored, toldOf } from './people.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

/** Generation 2, presented by nobody for years. */
const second = (changes: Partial<Session> = {}): Partial<Session> => ({
  generation: 2,
  previous: 1,
  recent: [{ generation: 2, from: 1, issuedAt: PAST }],
  ...changes,
})

export const personSessionCases: readonly StoreCase[] = [
  {
    name: 'a session comes back as it was stored, with who it is and what they are in its organization now',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org, 'operator')
      const session = await opened(org, user.id, {
        keyThumbprint: 'thumbprint',
        usedAt: PAST + 3,
        issuer: 'https://accounts.example.com',
        ...second({ methods: ['hwk'] }),
      })
      assert.deepEqual(await store.sessions.get(session.id), { session, user, role: 'operator', factorDemanded: false })
      await store.users.changeRole(org.organization, user.id, 'viewer', org.event('user.role_changed'))
      assert.equal((await store.sessions.get(session.id))?.role, 'viewer')
      const elsewhere = await TestOrganization.open(store, context)
      await store.sessions.switchOrganization(session.id, elsewhere.organization)
      assert.equal((await store.sessions.get(session.id))?.role, null)
      assert.equal(await store.sessions.get(newId('ses', context.entropy)), undefined)
      assert.deepEqual(await present(org, newSession(org, user.id), 1), { kind: 'unknown' })
    },
  },
  {
    name: 'whom an organization asks for a second factor is seen in sessions that are open, and announced; nobody else is asked (S69)',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [admin, member] = [await person(org, 'admin'), await person(org, 'member')]
      const [asked, other] = [await opened(org, admin.id), await opened(org, member.id)]
      const ask = (roles: readonly Role[]) => store.organizations.requireSecondFactor(org.organization, roles, org.event('organization.updated'))
      const demanded = async (session: Session) => (await store.sessions.get(session.id))?.factorDemanded
      const heard = await heardDuring(org, async () => assert.equal(await ask(['owner', 'admin']), 'changed'))
      assert.deepEqual(heard, [{ kind: 'organization', organization: org.organization }])
      assert.deepEqual((await store.organizations.get(org.organization))?.requireSecondFactor, ['owner', 'admin'])
      assert.deepEqual([await demanded(asked), await demanded(other)], [true, false])
      const presented = await present(org, asked, 1)
      assert.equal(presented.kind === 'known' && presented.signedIn.factorDemanded, true)
      await person(org, 'owner')
      await store.users.changeRole(org.organization, admin.id, 'member', org.event('user.role_changed'))
      assert.equal(await demanded(asked), false)
      assert.equal(await ask(['owner', 'admin']), 'already')
      const stale = store.organizations.requireSecondFactor(org.organization, [], org.event('organization.updated'), ['admin'])
      assert.equal(await stale, 'moved', 'what the decision saw is not so any more')
      const elsewhere = await TestOrganization.open(store, context)
      assert.deepEqual((await store.organizations.get(elsewhere.organization))?.requireSecondFactor, [])
      assert.equal(await store.organizations.requireSecondFactor(newId('org', context.entropy), [], org.event('organization.updated')), 'gone')
      const { items } = await store.events.list(org.organization, { type: 'organization.updated' }, { limit: 9, cursor: null })
      assert.equal(items.length, 1)
    },
  },
  {
    name: 'a credential shown without the key of its session, or in the place of the other kind of session, changes nothing (S50)',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const shownAs = (session: Session, generation: number, mode: Session['mode'], key: string | null) =>
        store.sessions.present({ ...presentation(org, session, generation), shown: { mode, key } })
      const bound = await opened(org, user.id, { mode: 'bearer', keyThumbprint: 'own key', usedAt: PAST, ...second() })
      for (const generation of [1, 2, 3]) {
        for (const key of [null, 'other key'])
          assert.deepEqual(await shownAs(bound, generation, 'bearer', key), { kind: 'refused', why: 'key' }, `generation ${generation}`)
        assert.deepEqual(await shownAs(bound, generation, 'cookie', 'own key'), { kind: 'refused', why: 'mode' })
      }
      const cookie = await opened(org, user.id, { mode: 'cookie', usedAt: PAST, ...second() })
      assert.deepEqual(await shownAs(cookie, 1, 'bearer', null), { kind: 'refused', why: 'mode' })
      assert.deepEqual(await stored(org, bound), bound)
      assert.deepEqual(await stored(org, cookie), cookie)
      assert.deepEqual(await toldOf(org, bound), [])
      assert.deepEqual(kindsOf([await shownAs(bound, 2, 'bearer', 'own key'), await shownAs(cookie, 2, 'cookie', 'a key that nobody asked for')]), {
        rotate: 2,
      })
    },
  },
  {
    name: 'fifty presentations of one generation at once have one successor, and all of them get it (S41, peers.md 4 row 6)',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const session = await opened(org, user.id)
      const presented = await Promise.all(Array.from({ length: 50 }, () => present(org, session, 1)))
      assert.deepEqual(kindsOf(presented), { rotate: 1, replay: 49 })
      assert.ok(presented.every((one) => one.kind === 'known' && one.signedIn.session.generation === 2))
      const now = await stored(org, session)
      assert.deepEqual([now.generation, now.previous, now.usedAt, now.address, now.userAgent], [2, 1, null, '198.51.100.7', 'Browser 2'])
      assert.ok(now.idleExpiresAt < FUTURE && now.issuedAt > PAST)
      assert.deepEqual(await toldOf(org, session), [])
    },
  },
  {
    name: 'two generations presented at once, each many times, still have one lineage',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const session = await opened(org, user.id)
      await present(org, session, 1)
      const presented = await Promise.all(Array.from({ length: 50 }, (_, index) => present(org, session, 1 + (index % 2))))
      assert.deepEqual(kindsOf(presented), { rotate: 1, replay: 49 })
      assert.equal((await stored(org, session)).generation, 3)
      const late = await opened(org, user.id, second())
      const mixed = await Promise.all(Array.from({ length: 50 }, (_, index) => present(org, late, 1 + (index % 2))))
      const { rotate = 0, reissue = 0 } = kindsOf(mixed)
      assert.equal(rotate + reissue, 1)
      assert.equal((await stored(org, late)).generation, 3)
    },
  },
  {
    name: 'a lost answer costs nothing: its successor is taken back, another one issued, and the event says so',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const session = await opened(org, user.id, second())
      const heard = await heardDuring(org, async () => assert.deepEqual(kindsOf([await present(org, session, 1)]), { reissue: 1 }))
      assert.ok(heard.some((change) => change.kind === 'session' && change.session === session.id))
      assert.equal((await stored(org, session)).generation, 3)
      assert.deepEqual(await toldOf(org, session), ['session.reissued'])
      const [event] = (await store.events.list(org.organization, { type: 'session.reissued' }, { limit: 2, cursor: null })).items
      assert.deepEqual(event?.data, { presented: 1, recorded: 2, address: '198.51.100.7', address_before: '192.0.2.1', withdrawn: 2, generation: 3 })
      assert.deepEqual(event?.actor, { kind: 'user', id: user.id })
      const silent = await heardDuring(org, async () => {
        assert.deepEqual(kindsOf([await present(org, session, 1), await present(org, session, 1)]), { replay: 2 })
      })
      assert.equal(silent.filter((change) => change.kind === 'session' && change.session === session.id).length, 0)
      assert.deepEqual(kindsOf([await present(org, session, 2), await present(org, session, 3)]), { reuse: 1, ended: 1 })
    },
  },
  {
    name: 'reuse ends the session and all tabs of its device for everybody, once, and leaves all others (S44, peers.md 4 row 4)',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const [root, other] = [await opened(org, user.id), await opened(org, user.id)]
      const session = await opened(org, user.id, second({ parent: root.id, usedAt: PAST }))
      const branch = await opened(org, user.id, { parent: session.id })
      const twig = await opened(org, user.id, { parent: branch.id })
      // Opened with the credential that was stolen: beside the session, not below it.
      const thiefs = await opened(org, user.id, { parent: root.id })
      const presented = await Promise.all(Array.from({ length: 10 }, () => present(org, session, 1)))
      assert.deepEqual(kindsOf(presented), { reuse: 1, ended: 9 })
      for (const ended of [root, session, branch, twig, thiefs]) {
        const now = await stored(org, ended)
        assert.equal(now.end, 'reuse_detected')
        assert.ok(now.revokedAt !== null && now.revokedAt > PAST)
        const refused = await present(org, ended, now.generation)
        assert.deepEqual(refused.kind === 'known' ? refused.judgement : refused, { kind: 'ended', why: 'reuse_detected' })
      }
      assert.equal((await stored(org, other)).revokedAt, null)
      assert.deepEqual(await toldOf(org, session), ['session.reuse_detected'])
      const [event] = (await store.events.list(org.organization, { type: 'session.reuse_detected' }, { limit: 2, cursor: null })).items
      const data = { presented: 1, recorded: 2, address: '198.51.100.7', address_before: '192.0.2.1', user_agent: 'Browser 2' }
      assert.deepEqual(event?.data, data)
    },
  },
  {
    name: 'in a jar that tabs share it is noted, once, that a generation was handed out again, and nobody hears of it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const [shared, own] = [await opened(org, user.id, { mode: 'cookie' }), await opened(org, user.id)]
      for (const session of [shared, own]) await present(org, session, 1)
      const heard = await heardDuring(org, async () => {
        for (const session of [shared, own]) {
          const presented = await Promise.all(Array.from({ length: 20 }, () => present(org, session, 1)))
          assert.deepEqual(kindsOf(presented), { replay: 20 })
        }
      })
      assert.deepEqual(
        heard.filter((change) => change.kind === 'session'),
        [],
      )
      const noted = await stored(org, shared)
      const [{ againAt, ...first } = { againAt: undefined }] = noted.recent
      assert.ok(againAt !== undefined && againAt >= noted.issuedAt)
      assert.deepEqual(first, { generation: 2, from: 1, issuedAt: noted.issuedAt })
      assert.equal((await stored(org, own)).recent[0]?.againAt, undefined)
      const crossed = [{ generation: 2, from: 1, issuedAt: PAST, againAt: PAST } as const, { generation: 3, from: 2, issuedAt: PAST }]
      const late = await opened(org, user.id, { mode: 'cookie', generation: 3, previous: 2, usedAt: PAST, recent: crossed })
      assert.deepEqual(kindsOf([await present(org, late, 2), await present(org, late, 4)]), { reissue: 1, rotate: 1 })
    },
  },
  {
    name: 'a generation that was taken back is reuse, and one ahead of the record moves the record',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const session = await opened(org, user.id, { generation: 3, previous: 1, recent: [{ generation: 3, from: 1, issuedAt: PAST }] })
      assert.deepEqual(kindsOf([await present(org, session, 2)]), { reuse: 1 })
      const restored = await opened(org, user.id, second())
      assert.deepEqual(kindsOf([await present(org, restored, 7), await present(org, restored, 7)]), { roll_forward: 1, replay: 1 })
      assert.equal((await stored(org, restored)).generation, 8)
      assert.deepEqual(await toldOf(org, restored), ['session.rolled_forward'])
    },
  },
  {
    name: 'a session past its idle or its absolute lifetime is refused, and nothing is written',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const idle = await opened(org, user.id, { idleExpiresAt: PAST + 1 })
      const old = await opened(org, user.id, { idleExpiresAt: PAST + 1, expiresAt: PAST + 1 })
      for (const [session, why] of [[idle, 'idle'] as const, [old, 'absolute'] as const]) {
        const refused = await present(org, session, 1)
        assert.deepEqual(refused.kind === 'known' ? refused.judgement : refused, { kind: 'ended', why })
        assert.deepEqual(await stored(org, session), session)
        assert.deepEqual(await toldOf(org, session), [])
      }
      assert.deepEqual(await store.sessions.listOf(user.id), [])
    },
  },
  {
    name: 'how long ago a session was replaced is told by the clock of the database, whatever that of the node said',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      for (const at of [PAST, FUTURE]) {
        const session = await opened(org, user.id)
        assert.equal(await store.sessions.end(session.id, 'replaced', at, org.event('session.ended')), 'ended')
        const refused = await present(org, session, 1)
        assert.deepEqual(refused.kind === 'known' ? refused.judgement : refused, { kind: 'ended', why: 'replaced' })
      }
    },
  },
  {
    name: 'the first sight of a generation is kept, and only of the current one',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const [one, other] = [await opened(org, user.id, second()), await opened(org, user.id)]
      const mark = (session: Session, generation: number, at: number) => ({ session: session.id, generation, at })
      await store.sessions.markUsed([mark(other, 1, PAST + 5), mark(one, 1, PAST + 5), mark(one, 3, PAST + 5)])
      assert.deepEqual([(await stored(org, one)).usedAt, (await stored(org, other)).usedAt], [null, PAST + 5])
      await store.sessions.markUsed([mark(one, 2, PAST + 7), mark(other, 1, PAST + 9)])
      assert.deepEqual([(await stored(org, one)).usedAt, (await stored(org, other)).usedAt], [PAST + 7, PAST + 5])
      assert.deepEqual(kindsOf([await present(org, one, 2)]), { rotate: 1 })
      assert.equal((await stored(org, one)).usedAt, null)
      await store.sessions.markUsed([])
    },
  },
  {
    name: 'a session that ends while it is presented stays ended, and a branch that is being opened ends with it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const session = await opened(org, user.id)
      const end = () => store.sessions.end(session.id, 'signed_out', PAST + 9, { ...org.event('session.ended'), subject: session.id })
      const branches = Array.from({ length: 10 }, () => newSession(org, user.id, { parent: session.id }))
      const open = (branch: Session) => store.sessions.open(branch, org.event('session.opened'))
      const presented = Array.from({ length: 20 }, () => present(org, session, 1))
      const [ends] = await Promise.all([Promise.all([end(), end()]), Promise.all(presented), ...branches.map(open)])
      assert.deepEqual([...ends].sort(), ['already', 'ended'])
      const { rotate = 0, replay = 0, ended = 0 } = kindsOf(await Promise.all(presented))
      assert.ok(rotate <= 1 && rotate + replay + ended === 20)
      assert.deepEqual(kindsOf([await present(org, session, 1), await present(org, session, 2)]), { ended: 2 })
      for (const branch of branches) assert.equal((await stored(org, branch)).end, 'signed_out')
      const late = await opened(org, user.id, { parent: session.id })
      assert.deepEqual([(await stored(org, late)).revokedAt, (await stored(org, late)).end], [PAST + 9, 'signed_out'])
      const orphan = await opened(org, user.id, { parent: newId('ses', context.entropy) })
      assert.equal((await stored(org, orphan)).end, 'signed_out')
      assert.deepEqual(await toldOf(org, session), ['session.ended'])
      const nobody = newId('ses', context.entropy)
      assert.equal(await store.sessions.end(nobody, 'signed_out', PAST, org.event('session.ended')), 'gone')
    },
  },
  {
    name: 'all sessions of a person end but one and its branches, or those of one organization, and what was live is named',
    async run(store, context) {
      const [org, elsewhere] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      const [user, stranger] = [await person(org), await person(org)]
      const foreign = await opened(org, stranger.id)
      const root = await opened(org, user.id)
      const own = await opened(org, user.id, { parent: root.id })
      const twig = await opened(org, user.id, { parent: own.id })
      const sibling = await opened(org, user.id, { parent: root.id })
      const idle = await opened(org, user.id, { idleExpiresAt: PAST + 1 })
      const abroad = await opened(org, user.id, { organization: elsewhere.organization })
      const abroadBranch = await opened(org, user.id, { parent: abroad.id })
      const ids = (...sessions: readonly Session[]) => sessions.map(({ id }) => id).sort()
      const endAll = (except: Session | null, organization: TestOrganization | null) =>
        store.sessions.endAll(
          user.id,
          { except: except?.id ?? null, organization: organization?.organization ?? null },
          'password_changed',
          PAST + 4,
          org.event('session.ended'),
        )
      assert.deepEqual(await endAll(null, elsewhere), ids(abroad, abroadBranch))
      assert.deepEqual(
        (await store.sessions.listOf(user.id)).map(({ id }) => id),
        ids(root, own, twig, sibling).reverse(),
      )
      assert.deepEqual(await endAll(own, null), ids(root, sibling))
      assert.equal((await stored(org, idle)).end, 'password_changed')
      assert.deepEqual(
        (await store.sessions.listOf(user.id)).map(({ id }) => id),
        ids(own, twig).reverse(),
      )
      const both = await Promise.all([endAll(null, null), endAll(null, null)])
      assert.deepEqual(both.flat().sort(), ids(own, twig))
      assert.deepEqual(await endAll(null, null), [])
      assert.equal((await stored(org, foreign)).revokedAt, null)
      const { items } = await store.events.list(org.organization, { type: 'session.ended' }, { limit: 9, cursor: null })
      assert.equal(items.length, 3)
    },
  },
  {
    name: 'a proof of identity and a change of organization are heard of, and change nothing that is over',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const session = await opened(org, user.id)
      const heard = await heardDuring(org, () => store.sessions.reauthenticated(session.id, ['pwd', 'hwk'], PAST + 8))
      assert.deepEqual(
        heard.filter((change) => change.kind === 'session'),
        [{ kind: 'session', session: session.id }],
      )
      const now = await stored(org, session)
      assert.deepEqual([now.methods, now.authenticatedAt, now.generation], [['pwd', 'hwk'], PAST + 8, 1])
      const ending = () => store.sessions.end(session.id, 'ended_by_admin', PAST, org.event('session.ended'))
      assert.ok((await heardDuring(org, ending)).some((change) => change.kind === 'session'))
      const over = await stored(org, session)
      await store.sessions.reauthenticated(session.id, ['pwd'], PAST + 9)
      await store.sessions.switchOrganization(session.id, (await TestOrganization.open(store, context)).organization)
      assert.deepEqual(await stored(org, session), over)
    },
  },
  {
    name: 'sessions that ended long ago are removed, in pieces, and those that went on are not',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const user = await person(org)
      const early = PAST - 1_000_000
      const [idle, revoked] = [await opened(org, user.id, { idleExpiresAt: early }), await opened(org, user.id)]
      await store.sessions.end(revoked.id, 'signed_out', early + 1, org.event('session.ended'))
      let removed = 0
      for (let piece = -1; piece !== 0; removed += piece) piece = await store.sessions.purge(early + 2, 1)
      assert.ok(removed >= 2)
      await present(org, await opened(org, user.id, { id: revoked.id }), 1)
      const now = (await stored(org, revoked)).issuedAt
      const went = await opened(org, user.id, { idleExpiresAt: now + HOUR })
      assert.deepEqual(kindsOf([await present(org, went, 1)]), { rotate: 1 })
      for (let time = 0; time < 2; time++) await store.sessions.purge(now + 2 * HOUR, 200)
      assert.equal(await store.sessions.get(idle.id), undefined)
      assert.equal((await stored(org, went)).generation, 2)
      assert.deepEqual(await present(org, idle, 1), { kind: 'unknown' })
    },
  },
]
