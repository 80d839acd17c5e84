import { beforeAll, describe, expect, test } from 'vitest'
import { APP_ORIGIN, cookieOf, createSessionLab, PAGE, type SessionLab } from '../../testing/session-lab.ts'
import { allowedOrigins, requireSameSite } from './same-site.ts'

let lab: SessionLab
beforeAll(async () => {
  lab = await createSessionLab()
})

/** Every route that changes something for whoever has the cookie, and what to send that would do it. */
const ROUTES = [
  ['/api/v1/auth/refresh', undefined],
  ['/api/v1/auth/logout', { scope: 'everywhere' }],
] as const

const OWN = 'https://evergrant.example'
const { 'evergrant-client': _client, ...withoutClient } = PAGE
const { origin: _origin, ...withoutOrigin } = PAGE

/** Requests that a page of somebody else, or a form, can make a browser send. */
const FOREIGN: readonly (readonly [string, Record<string, string>])[] = [
  ['a foreign origin', { ...PAGE, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['a foreign origin that claims to be of the same origin', { ...PAGE, origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
  ['a neighbour that is not listed', { ...PAGE, origin: 'https://other.evergrant.example' }],
  ['no origin, from the same site', { ...withoutOrigin }],
  ['no origin and nothing else', { 'evergrant-client': '1' }],
  ['no origin, from another site', { ...withoutOrigin, 'sec-fetch-site': 'cross-site' }],
  ['the origin `null`', { ...PAGE, origin: 'null' }],
  ['our own origin, said to be from another site', { ...PAGE, origin: OWN, 'sec-fetch-site': 'cross-site' }],
  ['a listed origin on another site', { ...PAGE, 'sec-fetch-site': 'cross-site' }],
  ['a listed origin without the header of the client', { ...withoutClient }],
  ['the listed origin in capitals', { ...PAGE, origin: APP_ORIGIN.toUpperCase() }],
  ['the listed origin with a slash', { ...PAGE, origin: `${APP_ORIGIN}/` }],
  ['the listed origin with a port', { ...PAGE, origin: `${APP_ORIGIN}:8443` }],
  ['the listed origin over plain http', { ...PAGE, origin: APP_ORIGIN.replace('https', 'http') }],
  ['an origin that begins like the listed one', { ...PAGE, origin: `${APP_ORIGIN}.evil.example` }],
  ['an origin that ends like the listed one', { ...PAGE, origin: 'https://evil-app.evergrant.example' }],
]

describe.each(ROUTES)('%s with the cookie (S52)', (url, body) => {
  test.each(FOREIGN)('is refused for %s, and nothing changes', async (_what, headers) => {
    const { refreshCredential, accessToken } = await lab.signIn('cookie')
    const answer = await lab.call('POST', url, { key: null, body, headers: { ...headers, cookie: `__Host-evergrant_session=${refreshCredential}` } })
    expect([answer.status, answer.json.code, cookieOf(answer)]).toEqual([403, 'cross_site_request', null])
    expect(answer.json.detail.length).toBeGreaterThan(40)
    expect((await lab.validate(accessToken)).json.active).toBe(true)
    expect((await lab.refresh(refreshCredential)).json.generation).toBe(2)
  })

  test.each([
    ['text/plain', 'text/plain', '{"scope":"everywhere"}', 415],
    ['a form', 'application/x-www-form-urlencoded', 'scope=everywhere', 415],
    ['a form with a file', 'multipart/form-data; boundary=x', '--x--', 415],
    ['JSON with another name', 'text/json', '{}', 415],
  ])('is refused as %s', async (_what, type, payload, status) => {
    const { refreshCredential, accessToken } = await lab.signIn('cookie')
    const answer = await lab.app.inject({
      method: 'POST',
      url,
      payload,
      headers: { ...PAGE, 'content-type': type, cookie: `__Host-evergrant_session=${refreshCredential}` },
    })
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([status, undefined])
    expect((await lab.validate(accessToken)).status).toBe(200)
    expect((await lab.refresh(refreshCredential)).json.generation).toBe(2)
  })

  test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const)('takes no %s, whatever method another header names', async (method) => {
    const { refreshCredential } = await lab.signIn('cookie')
    const answer = await lab.app.inject({
      method,
      url,
      headers: { ...PAGE, 'x-http-method-override': 'POST', 'x-method-override': 'POST', cookie: `__Host-evergrant_session=${refreshCredential}` },
    })
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([405, undefined])
    expect((await lab.refresh(refreshCredential)).json.generation).toBe(2)
  })

  test.each([
    ['a page of a listed origin', { ...PAGE }],
    ['a page of ours', { ...PAGE, origin: OWN, 'sec-fetch-site': 'same-origin' }],
    ['a browser that names no site', { origin: APP_ORIGIN, 'evergrant-client': '1' }],
    ['a page of ours in a browser that leaves the origin out', { 'sec-fetch-site': 'same-origin', 'evergrant-client': '1' }],
  ])('answers %s', async (_what, headers) => {
    const { refreshCredential } = await lab.signIn('cookie')
    const answer = await lab.call('POST', url, { key: null, body, headers: { ...headers, cookie: `__Host-evergrant_session=${refreshCredential}` } })
    expect(answer.status).toBe(200)
  })
})

test('a method that a query names is no method', async () => {
  const { refreshCredential } = await lab.signIn('cookie')
  const headers = { ...PAGE, cookie: `__Host-evergrant_session=${refreshCredential}` }
  expect((await lab.call('GET', '/api/v1/auth/logout?_method=POST', { key: null, headers })).status).toBe(405)
  expect((await lab.refresh(refreshCredential)).status).toBe(200)
})

const TOKEN = 'a'.repeat(43)
const PASSWORD = 'a long phrase of words 81'

/** Every POST below auth/: what to send, and whether it reads or sets the cookie. */
const POSTS: Readonly<Record<string, { readonly body: object; readonly cookie: boolean }>> = {
  refresh: { body: {}, cookie: true },
  logout: { body: {}, cookie: true },
  login: { body: { email: 'eve@example.com', password: PASSWORD }, cookie: true },
  'login/passkey': { body: { ticket: TOKEN, passkey: {} }, cookie: true },
  reauthenticate: { body: { password: PASSWORD }, cookie: true },
  password: { body: { password: PASSWORD }, cookie: true },
  'password/reset': { body: { token: TOKEN, password: PASSWORD }, cookie: true },
  'verify-email': { body: { token: TOKEN }, cookie: true },
  'invitations/accept': { body: { token: TOKEN, password: PASSWORD }, cookie: true },
  setup: { body: { token: TOKEN, email: 'eve@example.com', password: PASSWORD }, cookie: true },
  // The ticket says which mode it is for, and nobody has this one.
  'login/second-factor': { body: { ticket: TOKEN, code: '123456' }, cookie: false },
  'login/passkey/options': { body: {}, cookie: false },
  'reauthenticate/passkey/options': { body: {}, cookie: false },
  'sign-up': { body: { email: 'eve@example.com' }, cookie: false },
  'verify-email/send': { body: {}, cookie: false },
  'password/forgot': { body: { email: 'eve@example.com' }, cookie: false },
  'invitations/look': { body: { token: TOKEN }, cookie: false },
  // Of a bearer session alone.
  branch: { body: {}, cookie: false },
  // Needs an access token, which no other page has; and the cookie that it sets is the one that the browser has.
  organization: { body: { organization: 'org_01890000-0000-7000-8000-000000000000' }, cookie: false },
  // Of programs, which have no cookie.
  'sdk/device': { body: {}, cookie: false },
  'sdk/refresh': { body: {}, cookie: false },
  'sdk/recover': { body: {}, cookie: false },
  'sdk/revoke': { body: {}, cookie: false },
}

test('a new POST below auth/ has to say in this table whether it reads or sets the cookie', async () => {
  const document = await lab.call('GET', '/api/v1/openapi.json', { key: null })
  const posts = Object.entries<object>(document.json.paths).flatMap(([path, methods]) =>
    path.startsWith('/api/v1/auth/') && 'post' in methods ? [path.slice(13)] : [],
  )
  expect(posts.sort()).toEqual(Object.keys(POSTS).sort())
})

test.each(Object.keys(POSTS))('auth/%s gives no cookie to a page of somebody else, even with the access token at hand (S52, S53)', async (name) => {
  const { body = {}, cookie = false } = POSTS[name] ?? {}
  const { refreshCredential, accessToken } = await lab.signIn('cookie')
  const foreign = FOREIGN.filter(([what]) =>
    ['a foreign origin', 'no origin and nothing else', 'a listed origin without the header of the client'].includes(what),
  )
  expect(foreign).toHaveLength(3)
  for (const [what, headers] of foreign) {
    const answer = await lab.call('POST', `/api/v1/auth/${name}`, {
      key: accessToken,
      body,
      headers: { ...headers, cookie: `__Host-evergrant_session=${refreshCredential}` },
    })
    expect(answer.headers['set-cookie'], what).toBeUndefined()
    if (cookie) expect([answer.status, answer.json.code], what).toEqual([403, 'cross_site_request'])
  }
})

test('what a header says of its site is repeated only where it is a word that browsers say', () => {
  const origins = allowedOrigins(OWN, [])
  const told = (site: string | string[]): string => {
    try {
      requireSameSite({ headers: { 'evergrant-client': '1', origin: OWN, 'sec-fetch-site': site as string } }, origins)
      return 'let through'
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
  }
  expect(told('cross-site')).toContain('Sec-Fetch-Site: cross-site')
  expect(told('<script>')).toContain('(something else)')
  expect(told(['cross-site', 'none'])).toContain('(something else)')
})
