import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PracticeProvider, startPracticeProvider } from './provider.ts'
import { field, Rehearsal } from './rehearsal.ts'

let provider: PracticeProvider
let client: Rehearsal
beforeAll(async () => {
  provider = await startPracticeProvider()
  client = new Rehearsal(`${provider.url}/p4`)
})
afterAll(() => provider.close())

const codeOf = (url: URL): string => url.searchParams.get('code') ?? ''

test('discovery names the issuer of the profile under both well-known paths and in both places', async () => {
  const paths = ['/p4/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/p4', '/p4/.well-known/oauth-authorization-server']
  for (const path of paths) {
    const document = (await (await fetch(`${provider.url}${path}`)).json()) as Record<string, unknown>
    expect(document).toMatchObject({ issuer: client.issuer, token_endpoint: `${client.issuer}/token`, code_challenge_methods_supported: ['S256'] })
  }
})

test('consent leads back with code, state and issuer, and the code becomes tokens', async () => {
  const back = await client.decide('allow', ['openid', 'notes:read'], { nonce: 'n-1' }, 'grace')
  expect(`${back.origin}${back.pathname}`).toBe(client.redirectUri)
  expect(back.searchParams.get('state')).toBe('some-state')
  expect(back.searchParams.get('iss')).toBe(client.issuer)
  const reply = await client.exchange(codeOf(back))
  expect(reply).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 3600, scope: 'openid notes:read' } })
  const me = await client.api('/api/me', field(reply, 'access_token'))
  expect(await me.json()).toMatchObject({ sub: 'grace', generation: 1 })
})

test('the ID token is signed by the published key and carries the nonce', async () => {
  const back = await client.decide('allow', ['openid'], { nonce: 'n-2' })
  const token = field(await client.exchange(codeOf(back)), 'id_token')
  const [header = '', payload = '', signature = ''] = token.split('.')
  const { keys } = (await (await fetch(`${client.issuer}/jwks`)).json()) as { keys: JsonWebKey[] }
  const key = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' })
  expect(verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))).toBe(true)
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ iss: client.issuer, aud: 'practice', sub: 'ada', nonce: 'n-2' })
})

test('the consent page shows the scopes and has no script', async () => {
  const response = await client.consentPage()
  const page = await response.text()
  expect(response.status).toBe(200)
  expect(page).toContain('value="notes:read" checked')
  expect(page).not.toContain('<script')
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
})

test('a value of the request cannot become markup of the consent page', async () => {
  const page = await (await client.consentPage({ state: '"><script>alert(1)</script>' })).text()
  expect(page).not.toContain('<script>alert')
  expect(page).toContain('&lt;script&gt;')
})

test('an unticked scope is not granted', async () => {
  const reply = await client.exchange(codeOf(await client.decide('allow', ['openid'])))
  expect(field(reply, 'scope')).toBe('openid')
  const notes = await client.api('/api/notes', field(reply, 'access_token'))
  expect([notes.status, notes.headers.get('www-authenticate')]).toEqual([403, expect.stringContaining('insufficient_scope')])
})

test('a denial leads back with access_denied and the state', async () => {
  const back = await client.decide('deny', ['openid'])
  expect([back.searchParams.get('error'), back.searchParams.get('state'), back.searchParams.get('code')]).toEqual(['access_denied', 'some-state', null])
})

test.each([
  ['an unknown client', { client_id: 'stranger' }],
  ['a foreign redirect address', { redirect_uri: 'https://attacker.example/callback' }],
  ['a redirect address with a fragment', { redirect_uri: 'http://127.0.0.1:9/callback#x' }],
])('%s gets a page and no redirect', async (_, changes) => {
  const response = await client.consentPage(changes)
  expect([response.status, response.headers.get('location')]).toEqual([400, null])
})

test.each([
  ['no challenge', { code_challenge: null }, 'invalid_request'],
  ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
  ['a scope nobody knows', { scope: 'openid everything' }, 'invalid_scope'],
])('%s leads back with an error', async (_, changes, error) => {
  const response = await client.consentPage(changes)
  const back = new URL(response.headers.get('location') ?? '')
  expect([back.searchParams.get('error'), back.searchParams.get('state')]).toEqual([error, 'some-state'])
})

test('a code works once; the second use revokes what the first one granted', async () => {
  const code = codeOf(await client.decide('allow', ['openid']))
  const reply = await client.exchange(code)
  expect((await client.exchange(code)).body).toMatchObject({ error: 'invalid_grant' })
  expect((await client.api('/api/me', field(reply, 'access_token'))).status).toBe(401)
})

test('a code is dead after sixty seconds', async () => {
  const code = codeOf(await client.decide('allow', ['openid']))
  provider.control.advanceClock(60_000)
  expect((await client.exchange(code)).body).toMatchObject({ error: 'invalid_grant' })
})

test.each([
  ['another redirect address', { redirect_uri: 'http://127.0.0.1:9/other' }],
  ['another verifier', { code_verifier: 'x'.repeat(43) }],
  ['an empty verifier', { code_verifier: '' }],
])('a code with %s is refused', async (_, changes) => {
  const code = codeOf(await client.decide('allow', ['openid']))
  expect(await client.exchange(code, changes)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  expect((await client.exchange(code)).status).toBe(200)
})

test('a code of one profile is worth nothing at another', async () => {
  const code = codeOf(await client.decide('allow', ['openid']))
  const other = new Rehearsal(`${provider.url}/p3`)
  expect((await other.exchange(code, { code_verifier: client.verifier })).status).toBe(400)
})

test('a client proves itself by Basic or by the body, and not by both', async () => {
  const { refreshToken } = provider.control.issueGrant({ profile: 'p0' })
  const p0 = new Rehearsal(`${provider.url}/p0`)
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
  const inBody = { client_id: 'practice', client_secret: 'practice-secret' }
  expect((await p0.token(form)).status).toBe(200)
  expect((await p0.token({ ...form, ...inBody }, null)).status).toBe(200)
  expect((await p0.token({ ...form, ...inBody })).status).toBe(401)
  const refused = await p0.token({ ...form, ...inBody, client_secret: 'wrong' }, null)
  expect([refused.status, refused.body['error'], refused.headers.get('www-authenticate')]).toEqual([401, 'invalid_client', expect.stringContaining('Basic')])
})

test('a refresh token of another client is refused and spends nothing', async () => {
  provider.control.registerClient({ clientId: 'second', clientSecret: 'second-secret', redirectUris: ['https://app.example/callback'] })
  const { grant, refreshToken } = provider.control.issueGrant({ profile: 'p4' })
  const stolen = await client.token({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'second', client_secret: 'second-secret' }, null)
  expect(stolen.body).toMatchObject({ error: 'invalid_grant' })
  expect(provider.control.grant(grant)).toMatchObject({ state: 'live', generation: 1 })
  expect((await client.refresh(refreshToken)).status).toBe(200)
})

test('a registered client gets its redirect address compared exactly', async () => {
  provider.control.registerClient({ clientId: 'exact', clientSecret: 's', redirectUris: ['https://app.example/callback'] })
  expect((await client.consentPage({ client_id: 'exact', redirect_uri: 'https://app.example/callback' })).status).toBe(200)
  expect((await client.consentPage({ client_id: 'exact', redirect_uri: 'https://app.example/callback/' })).status).toBe(400)
})

test('a body that is not a form is refused', async () => {
  const response = await fetch(`${client.issuer}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"grant_type":"refresh_token"}',
  })
  expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_request' })])
})

test('introspection and revocation tell and end the truth', async () => {
  const { grant, accessToken, refreshToken } = provider.control.issueGrant({ profile: 'p4' })
  expect((await client.post('/introspect', { token: accessToken })).body).toMatchObject({ active: true, sub: 'ada', token_type: 'Bearer' })
  expect((await client.post('/introspect', { token: refreshToken })).body).toMatchObject({ active: true })
  expect((await client.post('/revoke', { token: refreshToken }, null)).status).toBe(401)
  expect((await client.post('/revoke', { token: 'unknown' })).status).toBe(200)
  expect((await client.post('/revoke', { token: refreshToken })).status).toBe(200)
  expect((await client.post('/introspect', { token: accessToken })).body).toEqual({ active: false })
  expect(provider.control.grant(grant).revoked?.cause).toBe('client')
})

test('the API refuses an expired access token and streams to a live one', async () => {
  const { grant, accessToken } = provider.control.issueGrant({ profile: 'p4' })
  const lines = await (await client.api('/api/stream?pieces=3&ms=0', accessToken)).text()
  expect(lines.trim().split('\n')).toEqual(['{"piece":1}', '{"piece":2}', '{"piece":3}'])
  const echo = await client.api('/api/echo', accessToken, { method: 'POST', body: 'hello' })
  expect(await echo.json()).toMatchObject({ body: 'hello' })
  provider.control.expireAccess(grant)
  const refused = await client.api('/api/me', accessToken)
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('invalid_token')])
  expect(provider.control.grant(grant).apiCalls.map(({ path }) => path)).toEqual(['/p4/api/stream', '/p4/api/echo'])
})

test('Strava-shaped: granted scopes come in the callback and the athlete only with the exchange', async () => {
  const strava = new Rehearsal(`${provider.url}/strava`)
  const changes = { scope: 'read,activity:read', code_challenge: null, code_challenge_method: null }
  const back = await strava.decide('allow', ['read', 'activity:read'], changes)
  expect([back.searchParams.get('scope'), back.searchParams.get('iss')]).toEqual(['read,activity:read', null])
  const reply = await strava.post(
    '/oauth/token',
    { grant_type: 'authorization_code', code: codeOf(back), client_id: 'practice', client_secret: 'practice-secret' },
    null,
  )
  expect(reply.body).toMatchObject({ expires_in: 21600, athlete: { id: expect.any(Number), username: 'ada' } })
})
