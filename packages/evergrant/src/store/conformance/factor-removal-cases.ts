import assert from 'node:assert/strict'
import type { FactorId, SessionId, UserId } from '../../core/ids.ts'
import { factorOf } from './identity-cases.ts'
import { membershipOf, opened, person } from './people.ts'
import type { StoreCase } from './store-case.ts'
import { PAST, TestOrganization } from './test-organization.ts'

const ROUNDS = 10

/** What somebody adds who is signed in, and the removal of it all. */
function factorsOf(org: TestOrganization, user: UserId, by?: SessionId) {
  const { store, context } = org
  const added = () => org.event('user.factor_added')
  const passkey = () => factorOf(user, context, { kind: 'passkey', secret: null, credentialId: context.entropy.uuid(), confirmedAt: PAST })
  const codes = () => [context.entropy.uuid(), context.entropy.uuid()]
  return {
    passkey: () => store.factors.insert(passkey(), codes(), added(), by),
    start: async () => {
      const factor = factorOf(user, context)
      return { factor, outcome: await store.factors.insert(factor, null, null, by) }
    },
    confirm: ({ id }: { readonly id: FactorId }) => store.factors.confirm({ user, id, step: 1, codes: codes(), at: PAST, event: added() }, by),
    codes: () => store.factors.replaceCodes(user, codes(), org.event('user.recovery_codes_replaced'), by),
    removeAll: () => store.factors.removeAll(user, PAST, { removed: org.event('user.factors_removed'), ended: org.event('session.ended') }),
    remove: (id: FactorId) => store.factors.remove(user, id, org.event('user.factor_removed')),
    left: async () => [(await store.factors.listOf(user)).length, await store.factors.codesLeft(user)],
  }
}

export const factorRemovalCases: readonly StoreCase[] = [
  {
    name: 'what is added to the factors while all of them are removed is gone with them, or refused: nothing lands afterwards',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      for (const adding of ['passkey', 'confirm', 'codes'] as const) {
        for (let round = 0; round < ROUNDS; round++) {
          const { id: user } = await person(org)
          const own = factorsOf(org, user, (await opened(org, user)).id)
          await own.passkey()
          const { factor } = await own.start()
          const [removed] = await Promise.all([own.removeAll(), adding === 'confirm' ? own.confirm(factor) : own[adding]()])
          assert.notEqual(removed, 'none')
          assert.deepEqual(await own.left(), [0, 0], adding)
        }
      }
    },
  },
  {
    name: 'a session that is over adds nothing to the factors, and neither does one that is forgotten',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { id: user } = await person(org)
      const session = await opened(org, user)
      const own = factorsOf(org, user, session.id)
      assert.deepEqual(await own.passkey(), { kind: 'added', codes: true })
      const { factor, outcome } = await own.start()
      assert.deepEqual(outcome, { kind: 'added', codes: false })
      await store.sessions.end(session.id, 'signed_out', PAST, org.event('session.ended'))
      for (const late of [own, factorsOf(org, user, 'ses_unknown')]) {
        assert.equal(await late.passkey(), 'session_over')
        assert.equal((await late.start()).outcome, 'session_over')
        assert.equal(await late.confirm(factor), 'session_over')
        assert.equal(await late.codes(), 'session_over')
      }
      assert.deepEqual(await own.left(), [2, 2])
      const other = factorsOf(org, user, (await opened(org, user)).id)
      assert.deepEqual(await other.confirm(factor), { kind: 'added', codes: false })
      assert.equal(await other.codes(), 'replaced')
    },
  },
  {
    name: 'recovery codes are of somebody with a factor, and of two first factors that come at once one brings them',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      for (let round = 0; round < ROUNDS; round++) {
        const { id: user } = await person(org)
        const own = factorsOf(org, user, (await opened(org, user)).id)
        const { factor } = await own.start()
        assert.equal(await own.codes(), 'none')
        assert.deepEqual(await own.left(), [1, 0])
        const both = await Promise.all([own.passkey(), own.confirm(factor)])
        assert.deepEqual(both.map((one) => typeof one === 'object' && one.codes).toSorted(), [false, true])
        assert.deepEqual(await own.left(), [2, 2])
        const [first, second] = await store.factors.listOf(user)
        if (first === undefined || second === undefined) throw new Error('two factors were added')
        // The last one takes the codes along, also when new ones are asked for at that moment.
        await store.factors.remove(user, first.id, org.event('user.factor_removed'))
        const last = await Promise.all([store.factors.remove(user, second.id, org.event('user.factor_removed')), own.codes()])
        assert.equal(last[0], 'removed')
        assert.deepEqual(await own.left(), [0, 0])
      }
    },
  },
  {
    name: 'of two who remove the last two factors at once, one finds that an organization of the person asks for one, and keeps it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await store.organizations.requireSecondFactor(org.organization, ['admin'], org.event('organization.updated'))
      for (let round = 0; round < ROUNDS; round++) {
        const { id: user } = await person(org, 'admin')
        const own = factorsOf(org, user)
        await own.passkey()
        await own.passkey()
        const held = await store.factors.listOf(user)
        const both = await Promise.all(held.map(({ id }) => own.remove(id)))
        assert.deepEqual(
          both.filter((one) => one !== 'removed'),
          [{ kind: 'demanded', by: (await store.organizations.get(org.organization))?.name }],
        )
        assert.deepEqual(await own.left(), [1, 2])
      }
    },
  },
  {
    name: 'the last factor goes where nobody asks for one, and one that was never confirmed goes at any time and stands for none',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      await store.organizations.requireSecondFactor(org.organization, ['owner', 'admin'], org.event('organization.updated'))
      const other = await TestOrganization.open(store, context)
      for (const [role, asked] of [
        ['admin', true],
        ['operator', false],
      ] as const) {
        const { id: user } = await person(other, 'admin')
        await store.users.addMember(membershipOf(org, user, role), org.event('user.joined'))
        const own = factorsOf(org, user)
        await own.passkey()
        const [confirmed] = await store.factors.listOf(user)
        const { factor } = await own.start()
        if (confirmed === undefined) throw new Error('a passkey was added')
        const last = await own.remove(confirmed.id)
        assert.equal(typeof last === 'object' ? last.kind : last, asked ? 'demanded' : 'removed')
        assert.equal(await own.remove(factor.id), 'removed')
        assert.deepEqual(await own.left(), asked ? [1, 2] : [0, 0])
      }
    },
  },
]
