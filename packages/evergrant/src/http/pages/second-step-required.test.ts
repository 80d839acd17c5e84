// The pages of somebody whose organization asks for a second step that they do not have yet: one way is open, and it leads back.
import { TOTP } from 'otpauth'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Role } from '../../core/user/user.ts'
import type { PageVisitor } from '../../testing/page-visitor.ts'
import { openPeoplePages, PASSWORD, type PeoplePages } from '../../testing/people-place.ts'

const APP = 'https://app.example.com/deep'

let place: PeoplePages
beforeAll(async () => {
  place = await openPeoplePages({ env: { EVERGRANT_ALLOWED_ORIGINS: 'https://app.example.com' } })
}, 60_000)
afterAll(() => place.close())

const demand = (roles: readonly Role[]) =>
  place.parts.services.users.requireSecondFactor({ organization: place.organization, actor: { kind: 'cli', id: null }, role: 'owner', user: null }, roles)

/** Presses the button, reads the key as a person would, and sends the code. */
async function addAuthenticator(visitor: PageVisitor, form: Readonly<Record<string, string>>): Promise<{ readonly totp: TOTP; readonly body: string }> {
  const begun = await visitor.post('/me/security/totp', form)
  const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(begun.body)?.[1]?.replaceAll(' ', '') ?? ''
  const action = /action="(\/me\/security\/totp\/fct_[^"]+)"/.exec(begun.body)?.[1] ?? ''
  const sent = /name="return_url" value="([^"]+)"/.exec(begun.body)?.[1]
  const totp = new TOTP({ secret })
  const done = await visitor.post(action, { code: totp.generate(), secret, ...(sent === undefined ? {} : { return_url: sent }) })
  return { totp, body: done.body }
}

test('signing in leads to where a second step is added, every other page leads there too, and after it the person goes where they wanted', async () => {
  await demand([])
  await place.person('ana@example.com', 'admin')
  await demand(['admin'])
  const visitor = place.browser()
  const signedIn = await visitor.post('/auth/sign-in', { email: 'ana@example.com', password: PASSWORD, return_url: APP })
  expect(signedIn.location).toBe(`/me/security?return_url=${encodeURIComponent(APP)}`)
  const page = await visitor.follow(signedIn)
  expect(page.body).toContain('Your organization asks you for a second step')
  for (const hidden of ['Change your password', 'href="/me/devices"', 'href="/me/data"']) expect(page.body).not.toContain(hidden)
  for (const path of ['/me', '/me/devices', '/me/data', '/me/data/erase']) expect((await visitor.get(path)).location, path).toBe('/me/security')
  for (const path of ['/me/security/password', '/me/security/codes', '/me/data/export', '/me/devices/end-others'])
    expect((await visitor.post(path)).location, path).toBe('/me/security')
  const { body } = await addAuthenticator(visitor, { return_url: APP })
  expect(body).toContain('Your recovery codes')
  expect(body).toContain(`href="${APP}"`)
  expect(body).toContain('href="/me/devices"')
  expect((await visitor.get('/me/devices')).status).toBe(200)
})

test('a device that signed in before the person had a second step shows it, and goes on', async () => {
  await demand([])
  const user = await place.person('ben@example.com', 'operator')
  const [older, newer] = [await place.signedIn('ben@example.com'), await place.signedIn('ben@example.com')]
  const { totp } = await addAuthenticator(newer, {})
  await demand(['operator'])
  expect((await newer.get('/me')).status).toBe(200)
  expect((await older.get('/me')).location).toBe('/me/security')
  const page = await older.get('/me/security')
  expect(page.body).toContain('Show your second step')
  expect(page.body).not.toContain('Add an authenticator app')
  expect((await older.post('/auth/confirm', { password: PASSWORD })).status).toBe(401)
  const shown = await older.post('/auth/confirm', { code: totp.generate({ timestamp: Date.now() + 30_000 }) })
  expect(shown.location).toBe('/me')
  expect((await older.get('/me')).status).toBe(200)
  expect(await place.store.sessions.listOf(user.id)).toHaveLength(2)
})

test('who is only half in is nobody to a connect flow, and the sign-in page says what is missing', async () => {
  await demand([])
  await place.integrate('notes', { signIn: null })
  const { services } = place.parts
  const { text: key } = await services.apiKeys.create(place.organization, { name: 'k', scopes: ['connect'], expiresAt: null }, { kind: 'cli', id: null })
  const user = await place.person('cleo@example.com', 'viewer')
  const visitor = await place.signedIn('cleo@example.com')
  const link = await place.ask('POST', '/api/v1/connect/sessions', key, { integration: 'notes', owner: user.id, mode: 'signed_in' })
  const { pathname } = new URL(link.json.url)
  expect((await visitor.get(pathname)).status).toBe(200)
  await demand(['viewer'])
  expect((await visitor.post(pathname)).location).toBe(`/auth/sign-in?return_url=${encodeURIComponent(pathname)}`)
  const { body } = await visitor.get('/auth/sign-in?return_url=%2Fme%2Fdata')
  expect(body).toContain('Add a second step</a> to go on')
  expect(body).toContain('href="/me/security?return_url=%2Fme%2Fdata"')
})

test('adding an account elsewhere as another way in is refused before the second step is there', async () => {
  await demand([])
  const through = await place.integrate('practice')
  await place.person('dora@example.com', 'admin')
  const visitor = await place.signedIn('dora@example.com')
  await demand(['admin'])
  const begun = await visitor.post(`/auth/sign-in/${through}`)
  const page = await visitor.follow(await visitor.consent(begun.location ?? '', 'doras-account'))
  expect(page.status, page.body).toBe(403)
  expect(page.body).toContain('Please add a second step first')
  expect(await place.userOf('doras-account')).toBeUndefined()
})
