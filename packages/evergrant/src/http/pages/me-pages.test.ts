// The owner's page: what one connected, where one is signed in, how one signs in, and what is held; for people, and for owners without a user.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { UserId } from '../../core/ids.ts'
import { connectionOf } from '../../testing/people.ts'
import { openPeoplePages, PASSWORD, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
let integration: `int_${string}`
let key: string
beforeAll(async () => {
  place = await openPeoplePages()
  integration = await place.integrate('notes', { signIn: null })
  key = (await place.parts.services.apiKeys.create(place.organization, { name: 'k', scopes: ['connect'], expiresAt: null }, { kind: 'cli', id: null })).text
}, 60_000)
afterAll(() => place.close())

let people = 0
async function somebody() {
  people += 1
  const email = `person${people}@example.com`
  const user = await place.person(email)
  return { user, email, visitor: await place.signedIn(email) }
}
const connect = (owner: string, account: string) => connectionOf(place.store, { organization: place.organization, integration, owner, account })
const stateOf = async (id: `con_${string}`) => (await place.store.connections.get(place.organization, id))?.connection.state

/** Its grant is over, and no link could say at the end that the right account granted: it is not known. */
async function brokenWithoutLink(owner: string): Promise<string> {
  const actor = { kind: 'cli', id: null } as const
  const { text: writer } = await place.parts.services.apiKeys.create(place.organization, { name: 'w', scopes: ['connections:write'], expiresAt: null }, actor)
  const grant = { integration: 'notes', owner, access_token: 'at', expires_at: '2020-01-01T00:00:00Z' }
  const made = await place.ask('POST', '/api/v1/connections', writer, grant)
  expect(made.status, made.text).toBe(201)
  expect((await place.ask('POST', `/api/v1/connections/${made.json.id}/refresh`, writer)).json.code).toBe('connection_expired')
  return made.json.id
}

describe('connections', () => {
  test('of the person alone are listed; an empty page says what will be there', async () => {
    const [one, other] = [await somebody(), await somebody()]
    expect((await one.visitor.get('/me')).body).toContain('You have not connected anything yet')
    await connect(one.user.id, 'ada')
    await connect(other.user.id, 'eve')
    const { body } = await one.visitor.get('/me')
    expect(body).toContain('ada')
    expect(body).not.toContain('eve')
    expect(body).toContain('Know which account is yours')
  })

  test('are disconnected after a question; looking at the question changes nothing', async () => {
    const { user, visitor } = await somebody()
    const id = await connect(user.id, 'ada')
    expect((await visitor.get(`/me/connections/${id}/disconnect`)).body).toContain('Disconnect Practice?')
    expect(await stateOf(id)).toBe('active')
    expect((await visitor.postFrom('https://evil.example', `/me/connections/${id}/disconnect`)).status).toBe(403)
    expect(await stateOf(id)).toBe('active')
    expect((await visitor.post(`/me/connections/${id}/disconnect`)).location).toBe('/me?done=disconnected')
    expect(await stateOf(id)).toBe('disconnected')
    expect((await visitor.get('/me')).body).toContain('Disconnected (1)')
  })

  test('that no link repairs are reconnected with a button by who is signed in', async () => {
    const { user, visitor } = await somebody()
    const id = await brokenWithoutLink(user.id)
    expect((await visitor.get('/me')).body).toContain(`action="/me/connections/${id}/reconnect"`)
    expect((await visitor.post(`/me/connections/${id}/reconnect`)).location).toMatch(/^\/connect\//)
  })

  test('of somebody else are as unknown as connections that never were', async () => {
    const [one, other] = [await somebody(), await somebody()]
    const foreign = await connect(other.user.id, 'eve')
    for (const id of [foreign, 'con_01990f7e-0000-7000-8000-000000000000', 'nonsense', '..%2f..']) {
      for (const act of ['disconnect', 'reconnect']) expect((await one.visitor.post(`/me/connections/${id}/${act}`)).status, `${id} ${act}`).toBe(404)
    }
    expect(await stateOf(foreign)).toBe('active')
  })

  test('need somebody who is signed in, and lead to signing in and back', async () => {
    const { user } = await somebody()
    const id = await connect(user.id, 'ada')
    const stranger = place.browser()
    expect((await stranger.post(`/me/connections/${id}/disconnect`)).location).toBe('/auth/sign-in?return_url=%2Fme')
    expect(await stateOf(id)).toBe('active')
  })
})

describe('devices', () => {
  test('are listed with this one first, ended singly and all others at once', async () => {
    const { user, email, visitor } = await somebody()
    await place.signedIn(email)
    await place.signedIn(email)
    const sessions = await place.store.sessions.listOf(user.id)
    const page = await visitor.get('/me/devices')
    expect(page.body.indexOf('This device')).toBeLessThan(page.body.indexOf('Sign out this device'))
    const other = /\/me\/devices\/(ses_[^/]+)\/end/.exec(page.body)?.[1] ?? ''
    expect((await visitor.post(`/me/devices/${other}/end`)).location).toBe('/me/devices?done=device_ended')
    expect(await place.store.sessions.listOf(user.id)).toHaveLength(sessions.length - 1)
    await visitor.post('/me/devices/end-others')
    expect(await place.store.sessions.listOf(user.id)).toHaveLength(1)
    expect((await visitor.get('/me')).status).toBe(200)
  })

  test('are ended only by who proved lately who they are; after that the button works (S56)', async () => {
    const { user, email, visitor } = await somebody()
    await place.signedIn(email)
    const { body } = await visitor.get('/me/devices')
    const action = /\/me\/devices\/ses_[^/]+\/end/.exec(body)?.[0] ?? ''
    await place.makeStale(user.id)
    expect((await visitor.post(action)).location).toBe('/auth/confirm?return_url=%2Fme%2Fdevices')
    expect(await place.store.sessions.listOf(user.id)).toHaveLength(2)
    expect((await visitor.post('/auth/confirm', { password: PASSWORD, return_url: '/me/devices' })).location).toBe('/me/devices')
    expect((await visitor.post(action)).location).toBe('/me/devices?done=device_ended')
  })

  test('are offered to be signed out wherever a way to sign in is changed (ASVS 7.4.3)', async () => {
    const { email, visitor } = await somebody()
    await place.signedIn(email)
    expect((await visitor.get('/me/security')).body).toContain('action="/me/devices/end-others"')
  })

  test('of somebody else are as unknown as none', async () => {
    const [one, other] = [await somebody(), await somebody()]
    const [theirs] = await place.store.sessions.listOf(other.user.id)
    for (const id of [theirs?.id, 'nonsense']) expect((await one.visitor.post(`/me/devices/${id}/end`)).status).toBe(404)
    expect(await place.store.sessions.listOf(other.user.id)).toHaveLength(1)
  })
})

describe('what cannot be undone, or opens another way in', () => {
  test.each([
    ['adding an authenticator', 'POST', '/me/security/totp'],
    ['signing out all other devices', 'POST', '/me/devices/end-others'],
    ['exporting', 'POST', '/me/data/export'],
    ['asking to be erased', 'GET', '/me/data/erase'],
    ['being erased', 'POST', '/me/data/erase'],
  ] as const)('%s needs a proof of identity that is at most ten minutes old', async (_what, method, path) => {
    const { user, visitor } = await somebody()
    await place.makeStale(user.id)
    const seen = method === 'GET' ? await visitor.get(path) : await visitor.post(path, { word: 'erase' })
    expect(seen.location).toMatch(/^\/auth\/confirm\?return_url=%2Fme%2F/)
    expect(await place.store.users.get(user.id)).toBeDefined()
    const confirmed = await visitor.post('/auth/confirm', { password: PASSWORD, return_url: '/me/data' })
    expect(confirmed.location).toBe('/me/data')
    expect((await visitor.get('/me/data/erase')).status).toBe(200)
  })

  test('a wrong password confirms nothing', async () => {
    const { user, visitor } = await somebody()
    await place.makeStale(user.id)
    const seen = await visitor.post('/auth/confirm', { password: 'not it at all', return_url: '/me/data' })
    expect(seen.status).toBe(401)
    expect(seen.body).toContain('This is not your password')
    expect((await visitor.get('/me/data/erase')).status).toBe(303)
  })
})

describe('the person’s data', () => {
  test('is exported as a file without a secret', async () => {
    const { user, email, visitor } = await somebody()
    await connect(user.id, 'ada')
    const seen = await visitor.post('/me/data/export')
    expect(seen.headers['content-disposition']).toContain('attachment')
    expect(JSON.parse(seen.body)).toMatchObject({ owner: user.id, user: { email }, connections: [{ account: { id: 'ada' } }] })
    expect(seen.body).not.toContain('argon2')
  })

  test('is erased after a word typed by hand, and the page says what became of each connection', async () => {
    const { user, visitor } = await somebody()
    await connect(user.id, 'ada')
    expect((await visitor.post('/me/data/erase', { word: 'yes' })).status).toBe(400)
    const seen = await visitor.post('/me/data/erase', { word: 'erase' })
    expect(seen.body).toContain('You are erased')
    expect(await place.store.users.get(user.id as UserId)).toBeUndefined()
    expect((await visitor.get('/me')).status).toBe(303)
  })
})

test('a password is changed on the page: all other devices end, this one goes on', async () => {
  const { user, email, visitor } = await somebody()
  await place.signedIn(email)
  expect((await visitor.post('/me/security/password', { current: 'not it', password: 'another kettle battery orbit' })).status).toBe(401)
  const seen = await visitor.post('/me/security/password', { current: PASSWORD, password: 'another kettle battery orbit' })
  expect(seen.location).toBe('/me/security?done=password_set')
  expect(await place.store.sessions.listOf(user.id)).toHaveLength(1)
  expect((await visitor.get('/me')).status).toBe(200)
})

describe('the page of an owner without a user', () => {
  const linkFor = async (owner: string): Promise<string> => {
    const made = await place.ask('POST', `/api/v1/owners/${owner}/page`, key)
    expect(made.status, made.text).toBe(201)
    return new URL(made.json.url).pathname
  }

  test('opens in the browser that presses the button first, once, and shows this owner alone', async () => {
    const [own, foreign] = [await connect('customer-1', 'ada'), await connect('customer-2', 'eve')]
    const link = await linkFor('customer-1')
    const visitor = place.browser()
    for (let look = 0; look < 3; look += 1) expect((await visitor.get(link)).body).toContain('customer-1')
    expect(visitor.cookies.size).toBe(0)
    const opened = await visitor.post(link)
    expect(opened.location).toBe('/me/visit')
    const { body } = await visitor.follow(opened)
    expect(body).toContain('ada')
    expect(body).not.toContain('eve')
    expect((await place.browser().post(link)).status).toBe(410)
    expect((await place.browser().get('/me/visit')).status).toBe(410)
    expect((await visitor.post(`/me/visit/connections/${foreign}/disconnect`)).status).toBe(404)
    expect((await visitor.post(`/me/visit/connections/${own}/disconnect`)).location).toBe('/me/visit?done=disconnected')
    expect([await stateOf(own), await stateOf(foreign)]).toEqual(['disconnected', 'active'])
  })

  test('sends whoever cannot be told apart from a stranger back to the application to reconnect, and has no button that is refused', async () => {
    const id = await brokenWithoutLink('customer-5')
    const visitor = place.browser()
    const { body } = await visitor.follow(await visitor.post(await linkFor('customer-5')))
    expect(body).toContain(id)
    expect(body).toContain('To reconnect it, open the application that you use it with.')
    expect(body).not.toContain(`/me/visit/connections/${id}/reconnect`)
  })

  test('is no way in anywhere else, and ends when they leave', async () => {
    await connect('customer-3', 'ada')
    const visitor = place.browser()
    await visitor.post(await linkFor('customer-3'))
    for (const path of ['/me', '/me/devices', '/me/security', '/me/data']) expect((await visitor.get(path)).status).toBe(303)
    await visitor.post('/me/visit/leave')
    expect((await visitor.get('/me/visit')).status).toBe(410)
  })

  test('is never opened by a form of another site, nor made without the right', async () => {
    const link = await linkFor('customer-4')
    expect((await place.browser().postFrom('https://evil.example', link)).status).toBe(403)
    expect((await place.ask('POST', '/api/v1/owners/customer-4/page', null)).status).toBe(401)
    const reader = (
      await place.parts.services.apiKeys.create(place.organization, { name: 'r', scopes: ['connections:read'], expiresAt: null }, { kind: 'cli', id: null })
    ).text
    expect((await place.ask('POST', '/api/v1/owners/customer-4/page', reader)).status).toBe(403)
  })

  test('is written into the events, without the owner’s name', async () => {
    await linkFor('customer-5')
    const { items } = await place.store.events.list(place.organization, { type: 'owner.page_made' }, { limit: 1, cursor: null })
    expect(items[0]?.subject).toMatch(/^owner-/)
    expect(JSON.stringify(items)).not.toContain('customer-5')
  })
})
