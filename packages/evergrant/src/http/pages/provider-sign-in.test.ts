// Signing in through an integration: one user, one identity, one connection, whoever repeats, replays or interferes.
import { TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../core/ids.ts'
import { DAY } from '../../core/time.ts'
import { systemEntropy } from '../../system.ts'
import type { PageVisitor } from '../../testing/page-visitor.ts'
import { APP_RETURN, openPeoplePages, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
let through: string
beforeAll(async () => {
  place = await openPeoplePages()
  through = await place.integrate('practice')
}, 60_000)
afterAll(() => place.close())

/** Presses the button and answers where the provider's page is. */
async function begin(visitor: PageVisitor, id = through, form: Readonly<Record<string, string>> = {}): Promise<string> {
  const seen = await visitor.post(`/auth/sign-in/${id}`, form)
  expect(seen.status, seen.body).toBe(303)
  return seen.location ?? ''
}

async function signIn(
  account: string,
  visitor = place.browser(),
  id = through,
): Promise<{ readonly visitor: PageVisitor; readonly page: Awaited<ReturnType<PageVisitor['follow']>> }> {
  const page = await visitor.follow(await visitor.consent(await begin(visitor, id), account))
  return { visitor, page }
}

const connectionsOf = async (owner: string) => (await place.store.connections.list(place.organization, { owner }, { limit: 50, cursor: null })).items
const eventsOf = async (type: 'connect.refused' | 'user.created' | 'connect.failed') =>
  (await place.store.events.list(place.organization, { type }, { limit: 50, cursor: null })).items
const exchanges = () => place.practice.control.counts('p4').exchange
const isSignedIn = async (visitor: PageVisitor) => (await visitor.get('/me')).status === 200

describe('somebody new', () => {
  test('sees the application and the provider named, and looking changes nothing', async () => {
    const before = await place.store.events.list(place.organization, {}, { limit: 1, cursor: null })
    const visitor = place.browser()
    const seen = await visitor.get('/auth/sign-in/practice')
    expect(seen.status).toBe(200)
    expect(seen.body).toContain('Sign in with Practice')
    expect(seen.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(visitor.cookies.size).toBe(0)
    expect((await place.store.events.list(place.organization, {}, { limit: 1, cursor: null })).items).toEqual(before.items)
  })

  test('becomes a user with an identity, a connection and a session, and comes to their page', async () => {
    const { visitor, page } = await signIn('nora')
    expect(page.status, page.body).toBe(200)
    expect(page.body).toContain('Your connections')
    expect(page.body).toContain('nora')
    const user = await place.userOf('nora')
    expect(user).toMatchObject({ email: null, passwordHash: null })
    expect(await place.store.users.membershipsOf(user?.id ?? 'usr_')).toMatchObject([{ organization: place.organization, role: 'member' }])
    const [row, ...more] = await connectionsOf(user?.id ?? '')
    expect(more).toEqual([])
    expect(row?.connection).toMatchObject({ account: 'nora', state: 'active' })
    expect(await isSignedIn(visitor)).toBe(true)
  })

  test('is the same user with the same connection when they come again, from another browser', async () => {
    const first = await place.userOf('nora')
    const [before] = await connectionsOf(first?.id ?? '')
    const { page } = await signIn('nora')
    expect(page.status).toBe(200)
    expect((await place.userOf('nora'))?.id).toBe(first?.id)
    const [after, ...more] = await connectionsOf(first?.id ?? '')
    expect(more).toEqual([])
    expect(after?.connection.id).toBe(before?.connection.id)
    expect(after?.credential.generation).toBe((before?.credential.generation ?? 0) + 1)
  })

  test('is never found by e-mail: an account whose label is a known address is somebody else', async () => {
    const ana = await place.person('ana@practice.example', 'owner')
    await signIn('ana')
    const made = await place.userOf('ana')
    expect(made?.id).not.toBe(ana.id)
    expect(made?.email).toBeNull()
  })

  test('comes back to an address of the integration, and to no other', async () => {
    const visitor = place.browser()
    const back = await visitor.follow(await visitor.consent(await begin(visitor, through, { return_url: APP_RETURN }), 'back'))
    expect(back.location).toBe(APP_RETURN)
    for (const return_url of [`${APP_RETURN}/`, 'https://app.example.com/', 'https://evil.example', '//evil.example', '/me//evil', '/\\evil', 'javascript:1'])
      expect((await visitor.post(`/auth/sign-in/${through}`, { return_url })).status, return_url).toBe(400)
  })

  test('is refused where the setting makes no users, clearly, and without a trace of them', async () => {
    const closed = await place.integrate('closed', { signIn: { createUsers: false, role: 'member' } })
    const { visitor, page } = await signIn('stranger', place.browser(), closed)
    expect(page.status).toBe(403)
    expect(page.body).toContain('New people join by invitation')
    expect(await place.userOf('stranger')).toBeUndefined()
    expect(await isSignedIn(visitor)).toBe(false)
  })

  test('gets the role of the setting', async () => {
    const operators = await place.integrate('operators', { signIn: { createUsers: true, role: 'operator' } })
    await signIn('otto', place.browser(), operators)
    expect(await place.store.users.membershipsOf((await place.userOf('otto'))?.id ?? 'usr_')).toMatchObject([{ role: 'operator' }])
  })
})

describe('who interferes', () => {
  test('another browser cannot finish the flow: refused, nobody made, an event (S1)', async () => {
    const [first, second] = [place.browser(), place.browser()]
    await begin(second)
    const callback = await first.consent(await begin(first), 'mallory')
    const before = exchanges()
    const seen = await second.follow(callback)
    expect(seen.status).toBe(403)
    expect(seen.body).toContain('started in another browser')
    expect(exchanges()).toBe(before)
    expect(await place.userOf('mallory')).toBeUndefined()
    expect((await eventsOf('connect.refused'))[0]?.data['why']).toBe('other_browser')
    expect(await isSignedIn(second)).toBe(false)
  })

  test('a browser without the cookie is refused in words (S2)', async () => {
    const visitor = place.browser()
    const callback = await visitor.consent(await begin(visitor), 'mallory')
    const seen = await place.browser().follow(callback)
    expect(seen.status).toBe(403)
    expect(seen.body).toContain('allow cookies')
  })

  test('twenty twins of one callback make one exchange, one user, one connection and one session (S3)', async () => {
    const visitor = place.browser()
    const callback = await visitor.consent(await begin(visitor), 'twenty')
    const before = exchanges()
    const all = await Promise.all(Array.from({ length: 20 }, () => visitor.get(callback)))
    expect(new Set(all.map(({ location }) => location))).toEqual(new Set(['/me']))
    expect(exchanges()).toBe(before + 1)
    const user = await place.userOf('twenty')
    expect(await connectionsOf(user?.id ?? '')).toHaveLength(1)
    expect(await place.store.sessions.listOf(user?.id ?? 'usr_')).toHaveLength(1)
    expect(await isSignedIn(visitor)).toBe(true)
  })

  test('a callback out of the history signs nobody in after a sign-out (S3)', async () => {
    const visitor = place.browser()
    const callback = await visitor.consent(await begin(visitor), 'history')
    await visitor.follow(callback)
    expect(await isSignedIn(visitor)).toBe(true)
    await visitor.post('/auth/sign-out')
    const seen = await visitor.follow(callback)
    expect(seen.status).toBe(409)
    expect(await isSignedIn(visitor)).toBe(false)
  })

  test('a crash between storing the person and opening the session costs nothing: the same callback opens it', async () => {
    const visitor = place.browser()
    const callback = await visitor.consent(await begin(visitor), 'crashed')
    await visitor.follow(callback)
    const user = await place.userOf('crashed')
    const [session] = await place.store.sessions.listOf(user?.id ?? 'usr_')
    await visitor.post('/auth/sign-out')
    // As if the process had ended before the session was written.
    await place.store.sessions.purge(Date.now() + 400 * 24 * 3_600_000, 1_000)
    expect(await place.store.sessions.get(session?.id ?? 'ses_')).toBeUndefined()
    visitor.cookies.delete('evergrant_session')
    expect((await visitor.follow(callback)).status).toBe(200)
    expect(await isSignedIn(visitor)).toBe(true)
    expect((await place.store.sessions.listOf(user?.id ?? 'usr_')).map(({ id }) => id)).toEqual([session?.id])
    expect(await connectionsOf(user?.id ?? '')).toHaveLength(1)
  }, 15_000)

  test('the state of one integration is refused at the callback of another (S4)', async () => {
    await place.integrate('other')
    const visitor = place.browser()
    const callback = await visitor.consent(await begin(visitor), 'mixed')
    const before = exchanges()
    const seen = await visitor.follow(callback.replace('/connect/callback/practice', '/connect/callback/other'))
    expect(seen.status).toBe(400)
    expect(exchanges()).toBe(before)
    expect(await place.userOf('mixed')).toBeUndefined()
  })

  test('a form of another site starts nothing (S53)', async () => {
    const visitor = place.browser()
    expect((await visitor.postFrom('https://evil.example', `/auth/sign-in/${through}`)).status).toBe(403)
    expect(visitor.cookies.size).toBe(0)
  })

  test('the session id is new at every sign-in, and the one before is over (S38)', async () => {
    const { visitor } = await signIn('again')
    const user = await place.userOf('again')
    const [first] = await place.store.sessions.listOf(user?.id ?? 'usr_')
    await signIn('again', visitor)
    const [second, ...more] = await place.store.sessions.listOf(user?.id ?? 'usr_')
    expect(more).toEqual([])
    expect(second?.id).not.toBe(first?.id)
  })

  test('a disabled person does not come in', async () => {
    await signIn('gone')
    const user = await place.userOf('gone')
    const governor = { organization: place.organization, actor: { kind: 'cli', id: null } as const, role: 'owner' as const, user: null }
    await place.parts.services.users.change(governor, user?.id ?? 'usr_', { disabled: true })
    const { visitor, page } = await signIn('gone')
    expect(page.status).toBe(403)
    expect(await isSignedIn(visitor)).toBe(false)
  })

  test('who cancels at the provider sees it, and may try again', async () => {
    const visitor = place.browser()
    const page = await visitor.follow(await visitor.consent(await begin(visitor), 'shy', 'deny'))
    expect(page.body).toContain('Access was not granted')
    expect(page.body).toContain('Other ways to sign in')
  })
})

describe('two organizations', () => {
  test('one person signs in to both with one account, and each has a connection of its own (S20)', async () => {
    const maker = await place.person('maker@example.com', 'owner')
    const { organization } = await place.parts.services.users.createOrganization(maker.id, { name: 'Elsewhere', slug: 'elsewhere' })
    const elsewhere = await place.integrate('practice', {}, organization.id)
    await signIn('both')
    const { page } = await signIn('both', place.browser(), elsewhere)
    expect(page.body).toContain('Elsewhere')
    const user = await place.userOf('both')
    expect((await place.store.users.membershipsOf(user?.id ?? 'usr_')).map((held) => held.organization).toSorted()).toEqual(
      [place.organization, organization.id].toSorted(),
    )
    const there = await place.store.connections.list(organization.id, { owner: user?.id ?? '' }, { limit: 5, cursor: null })
    expect(there.items).toHaveLength(1)
    expect(await connectionsOf(user?.id ?? '')).toHaveLength(1)
  })

  test('somebody whom one of them gave an external id does not join the other, where that may be the owner of connections', async () => {
    const maker = await place.person('second-maker@example.com', 'owner')
    const { organization } = await place.parts.services.users.createOrganization(maker.id, { name: 'Abroad', slug: 'abroad' })
    const abroad = await place.integrate('practice', {}, organization.id)
    await signIn('named')
    const user = (await place.userOf('named')) ?? expect.fail()
    const event = {
      id: newId('evt', systemEntropy),
      organization: place.organization,
      type: 'user.updated',
      at: user.updatedAt,
      actor: { kind: 'cli', id: null },
      connection: null,
      subject: user.id,
      data: {},
    } as const
    await place.store.users.update({ ...user, externalId: 'customer-7', version: user.version + 1 }, event)
    const { page } = await signIn('named', place.browser(), abroad)
    expect(page.body).not.toContain('Your connections')
    expect((await place.store.users.membershipsOf(user.id)).map((held) => held.organization)).toEqual([place.organization])
    const there = await place.store.connections.list(organization.id, {}, { limit: 5, cursor: null })
    expect(there.items).toEqual([])
  })
})

describe('somebody who is signed in', () => {
  test('adds the account to themselves, and is found by it from then on', async () => {
    const ben = await place.person('ben@example.com')
    const visitor = await place.signedIn('ben@example.com')
    expect((await visitor.get(`/auth/sign-in/${through}`)).body).toContain('Add Practice to your account')
    await signIn('bens-account', visitor)
    expect((await place.userOf('bens-account'))?.id).toBe(ben.id)
    expect(await connectionsOf(ben.id)).toHaveLength(1)
    const { visitor: another } = await signIn('bens-account')
    expect((await another.get('/me')).body).toContain('ben@example.com')
  })

  test('proves first who they are when that is long ago, and not by the provider', async () => {
    const cleo = await place.person('cleo@example.com')
    const visitor = await place.signedIn('cleo@example.com')
    await place.makeStale(cleo.id)
    const seen = await visitor.post(`/auth/sign-in/${through}`)
    expect(seen.location).toMatch(/^\/auth\/confirm\?return_url=/)
    const confirmed = await visitor.post('/auth/confirm', { password: 'correct kettle battery orbit', return_url: `/auth/sign-in/${through}` })
    expect(confirmed.location).toBe(`/auth/sign-in/${through}`)
    await signIn('cleos-account', visitor)
    expect((await place.userOf('cleos-account'))?.id).toBe(cleo.id)
    // All tests of this file come from one address, whose tries are counted.
    await place.store.throttles.purge(Date.now() + DAY, 1_000)
    // That the provider says it again proves nothing anew of somebody who has a password.
    const callback = await visitor.consent(await begin(visitor), 'cleos-account')
    await place.makeStale(cleo.id)
    await visitor.follow(callback)
    expect(await isSignedIn(visitor)).toBe(true)
    expect((await visitor.post('/me/data/export')).location).toMatch(/^\/auth\/confirm/)
  })

  test('is never given an account that signs in somebody else, and nobody is merged', async () => {
    await signIn('taken')
    const owner = await place.userOf('taken')
    const dora = await place.person('dora@example.com')
    const visitor = await place.signedIn('dora@example.com')
    const { page } = await signIn('taken', visitor)
    expect(page.status).toBe(409)
    expect(page.body).toContain('belongs to somebody else')
    expect((await place.userOf('taken'))?.id).toBe(owner?.id)
    expect(await connectionsOf(dora.id)).toHaveLength(0)
  })

  test('who signed out meanwhile gets nothing added: the flow is burned', async () => {
    const emil = await place.person('emil@example.com')
    const visitor = await place.signedIn('emil@example.com')
    const callback = await visitor.consent(await begin(visitor), 'emils-account')
    await visitor.post('/auth/sign-out')
    const page = await visitor.follow(callback)
    expect(page.status).toBe(403)
    expect(await place.userOf('emils-account')).toBeUndefined()
    expect(await connectionsOf(emil.id)).toHaveLength(0)
    expect((await visitor.follow(callback)).status).toBe(409)
  })
})

describe('the setting', () => {
  const patch = (body: unknown, credential: string) => place.ask('PATCH', `/api/v1/integrations/${through}`, credential, body)

  test('is read, and written by administrators alone', async () => {
    const { apiKeys } = place.parts.services
    const key = async (scopes: readonly ('admin' | 'integrations:write')[]) =>
      (await apiKeys.create(place.organization, { name: 'k', scopes, expiresAt: null }, { kind: 'cli', id: null })).text
    const [admin, writer] = [await key(['admin']), await key(['integrations:write'])]
    const shown = await place.ask('GET', `/api/v1/integrations/${through}`, admin)
    expect(shown.json.settings.sign_in).toEqual({ create_users: true, role: 'member' })
    expect((await patch({ settings: { sign_in: { create_users: true, role: 'owner' } } }, admin)).status).toBe(400)
    expect((await patch({ settings: { sign_in: null } }, writer)).status).toBe(403)
    // Also not where it points to: whoever turned it to a server of theirs could come in as anybody.
    expect((await patch({ variables: { issuer: 'https://id.example.com' } }, writer)).status).toBe(403)
    expect((await patch({ settings: { sign_in: { create_users: true } } }, admin)).json.settings.sign_in).toEqual({ create_users: true, role: 'member' })
  })

  test('is refused where an account is not the word of the provider', async () => {
    const wanted = {
      name: 'x',
      clientId: 'id',
      clientSecret: 's',
      scopes: [],
      variables: {},
      settings: { signIn: { createUsers: true, role: 'member' } },
    } as const
    const create = (provider: string, slug: string) =>
      place.parts.services.integrations.create(place.organization, { ...wanted, provider, slug }, { kind: 'cli', id: null })
    await expect(create('shopify', 'shop')).rejects.toThrow(/claim to be somebody else|for everybody/)
    await expect(create('intuit', 'books')).rejects.toThrow(/claim to be somebody else/)
  })

  test('of an integration that is unknown, or not marked, leads nowhere', async () => {
    await place.integrate('plain', { signIn: null })
    for (const named of ['plain', 'nothing', newId('int', systemEntropy)]) expect((await place.browser().get(`/auth/sign-in/${named}`)).status).toBe(404)
    expect((await place.browser().get('/auth/sign-in')).body).not.toContain('/auth/sign-in/plain')
  })
})

describe('somebody with a second step', () => {
  test('is asked for it after the provider, too: the provider stands where the password stands', async () => {
    const user = await place.person('gina@example.com')
    const visitor = await place.signedIn('gina@example.com')
    await signIn('ginas-account', visitor)
    const begun = await visitor.post('/me/security/totp')
    const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(begun.body)?.[1]?.replaceAll(' ', '') ?? ''
    const action = /action="(\/me\/security\/totp\/fct_[^"]+)"/.exec(begun.body)?.[1] ?? ''
    await visitor.post(action, { code: new TOTP({ secret }).generate(), secret })
    const another = place.browser()
    const page = await another.follow(await another.consent(await begin(another, through, { return_url: APP_RETURN }), 'ginas-account'))
    expect(page.body).toContain('One more step')
    expect(await isSignedIn(another)).toBe(false)
    const done = await another.post('/auth/second-step', { code: new TOTP({ secret }).generate({ timestamp: Date.now() + 30_000 }), return_url: APP_RETURN })
    expect(done.location).toBe(APP_RETURN)
    expect(await isSignedIn(another)).toBe(true)
    expect((await place.store.sessions.listOf(user.id))[0]?.methods).toEqual(['fed', 'otp'])
  })
})
