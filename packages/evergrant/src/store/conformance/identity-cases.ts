import assert from 'node:assert/strict'
import type { Factor } from '../../core/identity/factor.ts'
import type { ThrottleRule } from '../../core/identity/throttle.ts'
import type { Ticket } from '../../core/identity/ticket.ts'
import { newId, type UserId } from '../../core/ids.ts'
import type { User } from '../../core/user/user.ts'
import { opened, stored } from './people.ts'
import type { StoreCase, StoreContext } from './store-case.ts'
import { bytesOf, FUTURE, PAST, TestOrganization, textOf } from './test-organization.ts'

async function person({ store, context, organization, event }: TenantParts): Promise<UserId> {
  const id = newId('usr', context.entropy)
  const user: User = {
    id,
    email: `${id}@example.com`,
    emailVerifiedAt: null,
    name: null,
    externalId: null,
    passwordHash: null,
    passwordChangedAt: null,
    disabledAt: null,
    createdAt: PAST,
    updatedAt: PAST,
    version: 1,
  }
  assert.equal(await store.users.insert(user, { organization, user: id, role: 'member', createdAt: PAST }, null, event), 'inserted')
  return id
}

type TenantParts = Pick<TestOrganization, 'store' | 'context' | 'organization'> & { readonly event: ReturnType<TestOrganization['event']> }

const partsOf = (org: TestOrganization): TenantParts => ({
  store: org.store,
  context: org.context,
  organization: org.organization,
  event: org.event('user.created'),
})

function ticketOf({ context, organization }: TestOrganization, changes: Partial<Ticket> = {}): Ticket {
  return {
    hash: `hash of ${context.entropy.uuid()}`,
    purpose: 'invitation',
    user: null,
    organization,
    data: { email: 'ana@example.com' },
    attempts: 0,
    createdAt: PAST,
    expiresAt: FUTURE,
    ...changes,
  }
}

export function factorOf(user: UserId, context: StoreContext, changes: Partial<Factor> = {}): Factor {
  return {
    id: newId('fct', context.entropy),
    user,
    kind: 'totp',
    name: 'Phone',
    secret: bytesOf('sealed'),
    lastStep: null,
    credentialId: null,
    publicKey: null,
    signCount: 0,
    transports: [],
    createdAt: PAST,
    confirmedAt: null,
    lastUsedAt: null,
    ...changes,
  }
}

const RULE: ThrottleRule = { free: 3, baseMs: 3_600_000, capMs: 3_600_000, forgetMs: 3_600_000 }

const ticketCases: readonly StoreCase[] = [
  {
    name: 'a ticket is found as it was stored, under its own purpose only, and not once it is too old',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const ticket = ticketOf(org)
      await store.tickets.insert(ticket)
      assert.deepEqual(await store.tickets.find(ticket.hash, 'invitation'), ticket)
      assert.equal(await store.tickets.find(ticket.hash, 'reset_password'), undefined)
      assert.equal(await store.tickets.spend(ticket.hash, 'sign_up'), undefined)
      const old = ticketOf(org, { expiresAt: PAST + 1 })
      await store.tickets.insert(old)
      assert.equal(await store.tickets.find(old.hash, 'invitation'), undefined)
      assert.equal(await store.tickets.spend(old.hash, 'invitation'), undefined)
      assert.deepEqual(await store.tickets.invitations(org.organization), [ticket])
    },
  },
  {
    name: 'of 25 who spend one ticket at once, one gets it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const ticket = ticketOf(org)
      await store.tickets.insert(ticket)
      const spent = await Promise.all(Array.from({ length: 25 }, () => store.tickets.spend(ticket.hash, 'invitation')))
      assert.deepEqual(
        spent.filter((found) => found !== undefined),
        [ticket],
      )
      assert.equal(await store.tickets.find(ticket.hash, 'invitation'), undefined)
      assert.deepEqual(await store.tickets.invitations(org.organization), [])
    },
  },
  {
    name: 'wrong answers to a ticket are counted, and after the limit it answers nobody',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const ticket = ticketOf(org, { purpose: 'second_factor' })
      await store.tickets.insert(ticket)
      const tried = await Promise.all(Array.from({ length: 8 }, () => store.tickets.attempt(ticket.hash, 'second_factor', 5)))
      assert.equal(tried.filter((found) => found !== undefined).length, 5)
      assert.equal((await store.tickets.find(ticket.hash, 'second_factor'))?.attempts, 5)
    },
  },
  {
    name: 'with a link for a new password end the others of the same user, and nothing else',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [ana, ben] = [await person(partsOf(org)), await person(partsOf(org))]
      const reset = (user: UserId) => ticketOf(org, { purpose: 'reset_password', user, organization: null })
      const [first, second, other, step] = [reset(ana), reset(ana), reset(ben), ticketOf(org, { purpose: 'second_factor', user: ana })]
      for (const ticket of [first, second, other, step]) await store.tickets.insert(ticket)
      assert.deepEqual(await store.tickets.spend(second.hash, 'reset_password'), second)
      assert.equal(await store.tickets.find(first.hash, 'reset_password'), undefined)
      assert.deepEqual(await store.tickets.find(other.hash, 'reset_password'), other)
      assert.deepEqual(await store.tickets.find(step.hash, 'second_factor'), step)
      assert.equal(await store.tickets.endAll(ana, ['second_factor', 'reset_password']), 1)
      assert.equal(await store.tickets.find(step.hash, 'second_factor'), undefined)
    },
  },
  {
    name: 'with one setup token end all others',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [first, second] = [ticketOf(org, { purpose: 'setup' }), ticketOf(org, { purpose: 'setup' })]
      await store.tickets.insert(first)
      await store.tickets.insert(second)
      const spent = await Promise.all([store.tickets.spend(first.hash, 'setup'), store.tickets.spend(second.hash, 'setup')])
      assert.equal(spent.filter((found) => found !== undefined).length, 1)
    },
  },
  {
    name: 'tickets past their end are forgotten, others stay',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [old, live] = [ticketOf(org, { expiresAt: PAST }), ticketOf(org)]
      await store.tickets.insert(old)
      await store.tickets.insert(live)
      while ((await store.tickets.purge(PAST + 1, 100)) === 100);
      assert.deepEqual(await store.tickets.find(live.hash, 'invitation'), live)
      await store.tickets.insert({ ...old, expiresAt: FUTURE })
      assert.notEqual(await store.tickets.find(old.hash, 'invitation'), undefined)
    },
  },
]

const factorCases: readonly StoreCase[] = [
  {
    name: 'an authenticator counts once it is confirmed, and one that was never confirmed makes room for the next',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const user = await person(partsOf(org))
      const [lost, kept] = [factorOf(user, context), factorOf(user, context)]
      await store.factors.insert(lost, null, null)
      await store.factors.insert(kept, null, null)
      const [only, ...others] = await store.factors.listOf(user)
      assert.deepEqual(others, [])
      assert.deepEqual({ ...only, secret: null }, { ...kept, secret: null })
      assert.equal(textOf(only?.secret ?? null), 'sealed')
      const event = org.event('user.factor_added')
      const confirmation = { user, id: kept.id, step: 7, codes: ['code 1', 'code 2'], at: PAST, event }
      assert.deepEqual(await store.factors.confirm(confirmation), { kind: 'added', codes: true })
      assert.equal(await store.factors.confirm({ ...confirmation, step: 8, codes: ['code 3'], event: org.event('user.factor_added') }), 'gone')
      assert.equal(await store.factors.codesLeft(user), 2)
      assert.equal((await store.factors.listOf(user))[0]?.lastStep, 7)
    },
  },
  {
    name: 'each time step and each recovery code counts once, however many come at once',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const user = await person(partsOf(org))
      const factor = factorOf(user, context, { confirmedAt: PAST })
      await store.factors.insert(factor, ['code'], org.event('user.factor_added'))
      const steps = await Promise.all(Array.from({ length: 10 }, () => store.factors.useStep(factor.id, 42, PAST)))
      assert.equal(steps.filter(Boolean).length, 1)
      assert.equal(await store.factors.useStep(factor.id, 41, PAST), false)
      assert.equal(await store.factors.useStep(factor.id, 43, PAST), true)
      const codes = await Promise.all(Array.from({ length: 10 }, () => store.factors.spendCode(user, 'code', PAST)))
      assert.equal(codes.filter(Boolean).length, 1)
      assert.equal(await store.factors.spendCode(user, 'other', PAST), false)
      assert.equal(await store.factors.codesLeft(user), 0)
    },
  },
  {
    name: 'a passkey is known by its credential id, once on the server, and its count only grows',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [user, other] = [await person(partsOf(org)), await person(partsOf(org))]
      const credentialId = `credential-${user}`
      const passkey: Partial<Factor> = {
        kind: 'passkey',
        secret: null,
        credentialId,
        publicKey: bytesOf('cose'),
        transports: ['usb'],
        confirmedAt: PAST,
        signCount: 5,
      }
      const factor = factorOf(user, context, passkey)
      assert.deepEqual(await store.factors.insert(factor, ['a', 'b'], org.event('user.factor_added')), { kind: 'added', codes: true })
      assert.equal(await store.factors.insert(factorOf(other, context, passkey), null, org.event('user.factor_added')), 'taken')
      const found = await store.factors.byCredential(credentialId)
      assert.deepEqual({ ...found, publicKey: null }, { ...factor, publicKey: null })
      assert.equal(textOf(found?.publicKey ?? null), 'cose')
      assert.equal(await store.factors.useCount(factor.id, 5, PAST), false)
      assert.equal(await store.factors.useCount(factor.id, 6, PAST), true)
      assert.equal(await store.factors.useCount(factor.id, 0, PAST), false)
      const uncounted = factorOf(user, context, { ...passkey, credentialId: `uncounted-${user}`, signCount: 0 })
      assert.deepEqual(await store.factors.insert(uncounted, ['c'], org.event('user.factor_added')), { kind: 'added', codes: false })
      assert.equal(await store.factors.useCount(uncounted.id, 0, PAST), true)
      assert.equal(await store.factors.useCount(uncounted.id, 0, PAST), true)
      assert.equal(await store.factors.codesLeft(user), 2, 'codes that are left stay good')
    },
  },
  {
    name: 'with the last factor go the recovery codes; nobody removes what is not theirs',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [user, other] = [await person(partsOf(org)), await person(partsOf(org))]
      const [first, second] = [
        factorOf(user, context, { confirmedAt: PAST, kind: 'passkey', credentialId: `1-${user}` }),
        factorOf(user, context, { confirmedAt: PAST }),
      ]
      await store.factors.insert(first, ['a', 'b'], org.event('user.factor_added'))
      await store.factors.insert(second, ['c'], org.event('user.factor_added'))
      assert.equal(await store.factors.remove(other, first.id, org.event('user.factor_removed')), 'gone')
      assert.equal(await store.factors.remove(user, first.id, org.event('user.factor_removed')), 'removed')
      assert.equal(await store.factors.codesLeft(user), 2)
      await store.factors.replaceCodes(user, ['x', 'y', 'z'], org.event('user.recovery_codes_replaced'))
      assert.equal(await store.factors.codesLeft(user), 3)
      assert.equal(await store.factors.spendCode(user, 'a', PAST), false)
      assert.equal(await store.factors.remove(user, second.id, org.event('user.factor_removed')), 'removed')
      assert.equal(await store.factors.codesLeft(user), 0)
      assert.deepEqual(await store.factors.listOf(user), [])
    },
  },
  {
    name: 'all factors, codes, begun steps and sessions of a person go at once, with the numbers in the event, and of ten who ask one does it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [user, other] = [await person(partsOf(org)), await person(partsOf(org))]
      await store.factors.insert(factorOf(user, context, { confirmedAt: PAST }), ['a', 'b', 'c'], null)
      await store.factors.insert(factorOf(user, context, { confirmedAt: PAST, kind: 'passkey', credentialId: `1-${user}` }), null, null)
      await store.factors.insert(factorOf(user, context), null, null)
      assert.equal(await store.factors.spendCode(user, 'a', PAST), true)
      await store.factors.insert(factorOf(other, context, { confirmedAt: PAST }), ['d'], null)
      const step = ticketOf(org, { purpose: 'second_factor', user })
      const reset = ticketOf(org, { purpose: 'reset_password', user })
      for (const ticket of [step, reset]) await store.tickets.insert(ticket)
      const [open, kept] = [await opened(org, user), await opened(org, other)]
      const at = PAST + 5
      const events = () => ({
        removed: { ...org.event('user.factors_removed'), subject: user, data: {} },
        ended: { ...org.event('session.ended'), subject: user },
      })
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => store.factors.removeAll(user, at, events())))
      const done = { totp: 1, passkeys: 1, recoveryCodes: 2, sessions: 1 }
      assert.deepEqual(
        outcomes.filter((outcome) => outcome !== 'none'),
        [done],
      )
      assert.deepEqual(await store.factors.listOf(user), [])
      assert.equal(await store.factors.codesLeft(user), 0)
      assert.equal(await store.tickets.find(step.hash, 'second_factor'), undefined)
      assert.notEqual(await store.tickets.find(reset.hash, 'reset_password'), undefined)
      const { revokedAt, end } = await stored(org, open)
      assert.deepEqual([revokedAt, end], [at, 'ended_by_admin'])
      assert.equal((await store.factors.listOf(other)).length, 1)
      assert.equal(await store.factors.codesLeft(other), 1)
      assert.equal((await stored(org, kept)).revokedAt, null)
      const { items } = await store.events.list(org.organization, { subject: user }, { limit: 10, cursor: null })
      assert.deepEqual(
        items.filter(({ type }) => type === 'user.factors_removed').map(({ data }) => data),
        [{ totp: 1, passkeys: 1, recovery_codes: 2, sessions: 1 }],
      )
      assert.equal(items.filter(({ type }) => type === 'session.ended').length, 1)
      // One that was never confirmed is no second step.
      await store.factors.insert(factorOf(user, context), null, null)
      assert.equal(await store.factors.removeAll(user, at, events()), 'none')
      assert.equal((await store.factors.listOf(user)).length, 1)
    },
  },
  {
    name: 'authenticators that were never confirmed are forgotten; with an erased person goes all that proved them',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const user = await person(partsOf(org))
      const confirmed = factorOf(user, context, { confirmedAt: PAST })
      await store.factors.insert(confirmed, ['a'], org.event('user.factor_added'))
      await store.factors.insert(factorOf(user, context), null, null)
      while ((await store.factors.purge(PAST + 1, 100)) === 100);
      assert.deepEqual(
        (await store.factors.listOf(user)).map(({ id }) => id),
        [confirmed.id],
      )
      const ticket = ticketOf(org, { purpose: 'reset_password', user })
      await store.tickets.insert(ticket)
      assert.equal(await store.users.erase(user, PAST, org.event('user.erased')), 'erased')
      assert.deepEqual(await store.factors.listOf(user), [])
      assert.equal(await store.factors.codesLeft(user), 0)
      assert.equal(await store.tickets.find(ticket.hash, 'reset_password'), undefined)
    },
  },
]

const throttleCases: readonly StoreCase[] = [
  {
    name: 'of 25 attempts at once as many are let through as the rule has free, and all are told to wait after that (S64, S67)',
    run: async (store, context) => {
      const name = `name ${context.entropy.uuid()}`
      const waits = await Promise.all(Array.from({ length: 25 }, () => store.throttles.charge([{ name, rule: RULE }])))
      assert.equal(waits.filter((ms) => ms === 0).length, 3)
      assert.ok(waits.every((ms) => ms >= 0 && ms <= RULE.capMs))
      await store.throttles.clear([name])
      assert.equal(await store.throttles.charge([{ name, rule: RULE }]), 0)
    },
  },
  {
    name: 'an attempt is charged to all of its names or to none, and may be given back',
    run: async (store, context) => {
      const [full, free] = [`full ${context.entropy.uuid()}`, `free ${context.entropy.uuid()}`]
      for (let attempt = 0; attempt < 3; attempt++) assert.equal(await store.throttles.charge([{ name: full, rule: RULE }]), 0)
      for (let attempt = 0; attempt < 5; attempt++) {
        const wait = await store.throttles.charge([
          { name: free, rule: RULE },
          { name: full, rule: RULE },
        ])
        assert.ok(wait > 0)
      }
      for (let attempt = 0; attempt < 3; attempt++) assert.equal(await store.throttles.charge([{ name: free, rule: RULE }]), 0)
      assert.ok((await store.throttles.charge([{ name: free, rule: RULE }])) > 0)
      await store.throttles.giveBack([free, `nobody ${context.entropy.uuid()}`])
      assert.equal(await store.throttles.charge([{ name: free, rule: RULE }]), 0)
      await store.throttles.purge(PAST, 100)
      assert.ok((await store.throttles.charge([{ name: free, rule: RULE }])) > 0)
    },
  },
]

/** Tickets, second factors and the counts of attempts. */
export const identityCases: readonly StoreCase[] = [...ticketCases, ...factorCases, ...throttleCases]
