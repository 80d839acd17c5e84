// A session that only another issuer vouches for (decision 0036): where it may go, and what it may change.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OrganizationId, UserId } from '../../core/ids.ts'
import type { PageVisitor } from '../../testing/page-visitor.ts'
import { openPeoplePages, PASSWORD, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
let through: string
let accepting: OrganizationId
let foreign: OrganizationId
beforeAll(async () => {
  place = await openPeoplePages()
  through = await place.integrate('practice')
  accepting = await newOrganization('accepting')
  foreign = await newOrganization('foreign')
  await place.integrate('practice', {}, accepting)
  await place.integrate('practice', { signIn: null }, foreign)
}, 60_000)
afterAll(() => place.close())

async function newOrganization(slug: string): Promise<OrganizationId> {
  const founder = await place.person(`founder-of-${slug}@example.com`, 'owner')
  return (await place.parts.services.users.createOrganization(founder.id, { name: slug, slug })).organization.id
}

async function signIn(account: string, visitor: PageVisitor = place.browser()): Promise<PageVisitor> {
  const begun = await visitor.post(`/auth/sign-in/${through}`)
  expect((await visitor.follow(await visitor.consent(begun.location ?? '', account))).status).toBe(200)
  return visitor
}

let joined = 0
async function join(user: UserId, organization: OrganizationId): Promise<void> {
  joined += 1
  const event = { id: `evt_joined_${joined}` as const, organization, type: 'user.joined' as const, at: 0, actor: { kind: 'cli', id: null } as const }
  await place.store.users.addMember({ organization, user, role: 'member', createdAt: 0 }, { ...event, connection: null, subject: user, data: {} })
}

/** An access token of the newest session of this person. */
async function tokenOf(user: UserId): Promise<string> {
  const [newest] = await place.store.sessions.listOf(user)
  if (newest === undefined) throw new Error('nobody is signed in')
  return (await place.parts.services.sessions.current(newest.id)).accessToken
}

const go = async (user: UserId, organization: OrganizationId) => place.ask('POST', '/api/v1/auth/organization', await tokenOf(user), { organization })

async function personOf(account: string): Promise<UserId> {
  const user = await place.userOf(account)
  if (user === undefined) throw new Error(`${account} is nobody`)
  return user.id
}

describe('goes to another organization of the person', () => {
  test('that signs people in with the same issuer, and to no other', async () => {
    await signIn('nora')
    const nora = await personOf('nora')
    for (const organization of [accepting, foreign]) await join(nora, organization)
    expect((await go(nora, foreign)).json).toMatchObject({ status: 403, code: 'reauthentication_required', field: '/organization' })
    expect((await go(nora, accepting)).status).toBe(200)
    expect((await go(nora, foreign)).json?.code).toBe('reauthentication_required')
    expect((await go(nora, place.organization)).status).toBe(200)
  })

  test('and to any other once the person has proven it here', async () => {
    const user = await place.person('ben@example.com')
    await signIn('bens-account', await place.signedIn('ben@example.com'))
    await join(user.id, foreign)
    const visitor = await signIn('bens-account')
    expect((await go(user.id, foreign)).json?.code).toBe('reauthentication_required')
    expect((await visitor.post('/auth/confirm', { password: PASSWORD })).location).toBe('/me')
    expect((await go(user.id, foreign)).status).toBe(200)
  })

  test('but not where nobody knows whose word it was', async () => {
    await signIn('omar')
    const omar = await personOf('omar')
    await join(omar, accepting)
    const user = await place.store.users.get(omar)
    if (user === undefined) throw new Error('omar is nobody')
    const facts = { organization: place.organization, mode: 'bearer', userAgent: null, address: null } as const
    await place.parts.services.sessions.open({ user, methods: ['fed'], ...facts })
    expect((await go(omar, accepting)).json?.code).toBe('reauthentication_required')
  })
})

describe('of somebody who has a password here', () => {
  test('changes no way in and erases nothing before the password was shown, however fresh it is', async () => {
    const user = await place.person('cleo@example.com')
    await signIn('cleos-account', await place.signedIn('cleo@example.com'))
    const visitor = await signIn('cleos-account')
    expect((await place.store.sessions.listOf(user.id))[0]?.methods).toEqual(['fed'])
    for (const path of ['/me/security/totp', '/me/data/export', '/me/data/erase'])
      expect((await visitor.post(path, { word: 'erase' })).location, path).toMatch(/^\/auth\/confirm/)
    const token = await tokenOf(user.id)
    expect((await place.ask('DELETE', '/api/v1/users/me', token)).json?.code).toBe('reauthentication_required')
    await visitor.post('/auth/confirm', { password: PASSWORD })
    expect((await visitor.post('/me/security/totp')).status).toBe(200)
  })

  test('keeps what was proven in it when a way in is added', async () => {
    const user = await place.person('dora@example.com')
    const visitor = await signIn('doras-account', await place.signedIn('dora@example.com'))
    expect((await place.store.sessions.listOf(user.id))[0]?.methods).toEqual(['pwd', 'fed'])
    expect((await visitor.post('/me/security/totp')).status).toBe(200)
  })
})
