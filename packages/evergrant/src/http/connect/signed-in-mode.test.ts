// Completion mode `signed_in`: the owner is who is signed in to Evergrant in the same browser, and nobody else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConnectSessionId } from '../../core/ids.ts'
import type { PageVisitor } from '../../testing/page-visitor.ts'
import { signIn as signInByToken } from '../../testing/people.ts'
import { APP_RETURN, openPeoplePages, PASSWORD, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
let key: string
beforeAll(async () => {
  place = await openPeoplePages()
  await place.integrate('notes', { signIn: null })
  key = (await place.parts.services.apiKeys.create(place.organization, { name: 'k', scopes: ['connect'], expiresAt: null }, { kind: 'cli', id: null })).text
}, 60_000)
afterAll(() => place.close())

let people = 0
async function somebody(): Promise<{ readonly owner: string; readonly visitor: PageVisitor; readonly email: string }> {
  people += 1
  const email = `person${people}@example.com`
  const user = await place.person(email)
  return { owner: user.id, email, visitor: await place.signedIn(email) }
}

async function newLink(owner: string, more: Record<string, unknown> = {}): Promise<{ readonly id: ConnectSessionId; readonly path: string }> {
  const made = await place.ask('POST', '/api/v1/connect/sessions', key, { integration: 'notes', owner, mode: 'signed_in', return_url: APP_RETURN, ...more })
  expect(made.status, made.text).toBe(201)
  return { id: made.json.id, path: new URL(made.json.url).pathname }
}

const connectionsOf = async (owner: string) => (await place.store.connections.list(place.organization, { owner }, { limit: 50, cursor: null })).items
const stateOf = async (id: ConnectSessionId) => (await place.store.connectSessions.load(id))?.state

test('the callback completes by itself for its owner, and the application learns only that it is done', async () => {
  const { owner, visitor } = await somebody()
  const link = await newLink(owner)
  const callback = await visitor.consent((await visitor.post(link.path)).location ?? '', 'ada')
  const back = await visitor.follow(callback)
  expect(back.location).toBe(`${APP_RETURN}?session=${link.id}`)
  expect((await connectionsOf(owner)).map(({ connection }) => connection.account)).toEqual(['ada'])
  expect(await stateOf(link.id)).toBe('completed')
  // The same answer again, and nothing twice.
  expect((await visitor.follow(callback)).location).toBe(back.location)
  expect(await connectionsOf(owner)).toHaveLength(1)
})

test('without an address to return to, our own page says that it is done', async () => {
  const { owner, visitor } = await somebody()
  const link = await newLink(owner, { return_url: undefined })
  const page = await visitor.follow(await visitor.consent((await visitor.post(link.path)).location ?? '', 'ben'))
  expect(page.status).toBe(200)
  expect(page.body).toContain('Practice is connected')
  expect(page.body).toContain('Connected as')
})

test('somebody without a session signs in first, and comes back to the link', async () => {
  const { owner, email } = await somebody()
  const link = await newLink(owner)
  const visitor = place.browser()
  const away = await visitor.post(link.path)
  expect(away.location).toBe(`/auth/sign-in?return_url=${encodeURIComponent(link.path)}`)
  expect(await stateOf(link.id)).toBe('open')
  const back = await visitor.post('/auth/sign-in', { email, password: PASSWORD, return_url: link.path })
  expect(back.location).toBe(link.path)
  expect((await visitor.get(link.path)).status).toBe(200)
})

test('who signed out on the way signs in again, and the waiting grant goes on', async () => {
  const { owner, visitor, email } = await somebody()
  const link = await newLink(owner)
  const callback = await visitor.consent((await visitor.post(link.path)).location ?? '', 'cleo')
  await visitor.post('/auth/sign-out')
  const away = await visitor.follow(callback)
  expect(away.status).toBe(200)
  expect(away.body).toContain('Sign in')
  expect(await stateOf(link.id)).toBe('staged')
  expect(await connectionsOf(owner)).toHaveLength(0)
  const returnUrl = new URL((await visitor.get(callback)).location ?? '', 'http://here').searchParams.get('return_url') ?? ''
  expect(returnUrl).toMatch(/^\/connect\/done\//)
  const back = await visitor.follow(await visitor.post('/auth/sign-in', { email, password: PASSWORD, return_url: returnUrl }))
  expect(back.location).toBe(`${APP_RETURN}?session=${link.id}`)
  expect(await connectionsOf(owner)).toHaveLength(1)
})

test('somebody else cannot begin a flow that was made for another, and nothing is spent', async () => {
  const [owner, other] = [await somebody(), await somebody()]
  const link = await newLink(owner.owner)
  const seen = await other.visitor.post(link.path)
  expect(seen.status).toBe(403)
  expect(seen.body).toContain('somebody else')
  expect(await stateOf(link.id)).toBe('open')
})

test('a flow that ends with somebody else in the browser is burned, its grant given back, and an event written (S1)', async () => {
  const [owner, other] = [await somebody(), await somebody()]
  const link = await newLink(owner.owner)
  const callback = await owner.visitor.consent((await owner.visitor.post(link.path)).location ?? '', 'dora')
  await owner.visitor.post('/auth/sign-in', { email: other.email, password: PASSWORD })
  const seen = await owner.visitor.follow(callback)
  expect(seen.status).toBe(403)
  expect(await stateOf(link.id)).toBe('burned')
  expect(await connectionsOf(owner.owner)).toHaveLength(0)
  expect(await connectionsOf(other.owner)).toHaveLength(0)
  const { items } = await place.store.events.list(place.organization, { subject: link.id, type: 'connect.refused' }, { limit: 5, cursor: null })
  expect(items.map(({ data }) => data['code'])).toEqual(['connect_owner_mismatch'])
  // Also not with the right person afterwards.
  await owner.visitor.post('/auth/sign-in', { email: owner.email, password: PASSWORD })
  expect((await owner.visitor.follow(callback)).status).toBe(409)
})

test('an owner is a name inside one organization: a person of the same name elsewhere finishes nothing (S7)', async () => {
  const maker = await place.person('maker@example.com', 'owner')
  const { organization } = await place.parts.services.users.createOrganization(maker.id, { name: 'Elsewhere', slug: 'elsewhere' })
  await place.integrate('notes', { signIn: null }, organization.id)
  const theirs = (await place.parts.services.apiKeys.create(organization.id, { name: 'k', scopes: ['connect'], expiresAt: null }, { kind: 'cli', id: null }))
    .text
  const { owner, visitor } = await somebody()
  const made = await place.ask('POST', '/api/v1/connect/sessions', theirs, { integration: 'notes', owner, mode: 'signed_in' })
  expect((await visitor.post(new URL(made.json.url).pathname)).status).toBe(403)
})

test('an API that is asked by a person makes a session of this mode for themselves', async () => {
  const member = await signInByToken(place, { role: 'member', organization: place.organization })
  const made = await place.ask('POST', '/api/v1/connect/sessions', member.token, { integration: 'notes' })
  expect(made.json).toMatchObject({ mode: 'signed_in', owner: member.id })
  const operator = await signInByToken(place, { role: 'operator', organization: place.organization })
  expect((await place.ask('POST', '/api/v1/connect/sessions', operator.token, { integration: 'notes' })).json).toMatchObject({ owner: operator.id })
  const forOther = await place.ask('POST', '/api/v1/connect/sessions', operator.token, {
    integration: 'notes',
    owner: 'user-7',
    mode: 'verified',
    return_url: APP_RETURN,
  })
  expect(forOther.json).toMatchObject({ mode: 'verified', owner: 'user-7' })
})

test('a backend still needs an address for mode verified, and cannot complete this mode itself', async () => {
  expect((await place.ask('POST', '/api/v1/connect/sessions', key, { integration: 'notes', owner: 'o' })).json).toMatchObject({
    code: 'invalid_request',
    field: '/return_url',
  })
  const { owner } = await somebody()
  const link = await newLink(owner)
  const done = await place.ask('POST', '/api/v1/connect/complete', key, { session: link.id, code: 'x', owner })
  expect(done.json).toMatchObject({ code: 'connect_code_invalid' })
})

test('the wrong account at a reconnect changes nothing, and the right one repairs under the same id (S19)', async () => {
  const { owner, visitor } = await somebody()
  const first = await newLink(owner)
  await visitor.follow(await visitor.consent((await visitor.post(first.path)).location ?? '', 'emil'))
  const [row] = await connectionsOf(owner)
  const begun = await visitor.post(`/me/connections/${row?.connection.id}/reconnect`)
  expect(begun.location).toMatch(/^\/connect\//)
  const wrong = await visitor.follow(await visitor.consent((await visitor.post(begun.location ?? '')).location ?? '', 'fred'))
  expect(wrong.body).toContain('different Practice account')
  expect((await connectionsOf(owner)).map(({ connection }) => connection.account)).toEqual(['emil'])
  const again = await visitor.post(`/me/connections/${row?.connection.id}/reconnect`)
  const right = await visitor.follow(await visitor.consent((await visitor.post(again.location ?? '')).location ?? '', 'emil'))
  expect(right.body).toContain('connected again')
  const [after, ...more] = await connectionsOf(owner)
  expect(more).toEqual([])
  expect(after?.connection.id).toBe(row?.connection.id)
  expect(after?.credential.generation).toBe(2)
})
