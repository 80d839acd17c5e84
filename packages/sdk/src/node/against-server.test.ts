import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createSessionLab, type SessionLab } from '../../../evergrant/src/testing/session-lab.ts'
import { createProofKey } from '../proof/proof-key.ts'
import { AuthenticationError, type Authenticator, type AuthenticatorOptions, createAuthenticator, type RequestLike } from './index.ts'

/** The public URL of the lab; requests to it are sent to where it listens. */
const ISSUER = 'https://evergrant.example'
const CALLED = 'https://api.example.com/orders'
let lab: SessionLab
let local: string

beforeAll(async () => {
  lab = await createSessionLab()
  local = await lab.app.listen({ host: '127.0.0.1', port: 0 })
})
beforeEach(() => lab.time.setWall(Date.now()))
afterAll(() => lab.app.close())

const toLocal: typeof fetch = (input, init) => fetch(String(input).replace(ISSUER, local), init)
const make = (options: Partial<AuthenticatorOptions> = {}): Authenticator => createAuthenticator({ issuer: ISSUER, fetch: toLocal, ...options })
const bearer = (token: string): RequestLike => ({ headers: { authorization: `Bearer ${token}` } })
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'let in',
    (error: unknown) => (error instanceof AuthenticationError ? error.code : String(error)),
  )
const open = (keyThumbprint: string | null = null) =>
  lab.services.sessions.open({
    user: lab.ana,
    organization: lab.organization,
    mode: 'bearer',
    methods: ['pwd'],
    keyThumbprint,
    address: null,
    userAgent: null,
  })

test('a sign-out is seen at once with validate, and when the token ends without', async () => {
  const { accessToken, signedIn } = await open()
  const [asking, checking] = [make({ validate: 'always' }), make()]
  expect(await asking.authenticate(bearer(accessToken))).toMatchObject({ user: lab.ana.id, session: signedIn.session.id, role: signedIn.role })
  await lab.services.sessions.end(signedIn.session, 'here', { address: null, userAgent: null })
  expect(await codeOf(asking.authenticate(bearer(accessToken)))).toBe('session_signed_out')
  expect(await codeOf(checking.authenticate(bearer(accessToken)))).toBe('let in')
})

test('a stolen signing key is believed nowhere once the keys were read again', async () => {
  const { accessToken } = await open()
  expect(await codeOf(make().authenticate(bearer(accessToken)))).toBe('let in')
  await lab.call('POST', '/api/v1/admin/signing-keys/rotate', { body: { stolen: true } })
  expect(await codeOf(make().authenticate(bearer(accessToken)))).toBe('access_token_expired')
  expect((await lab.call('GET', '/api/v1/auth/validate', { key: accessToken })).json.code).toBe('access_token_expired')
  expect(await codeOf(make({ validate: 'always' }).authenticate(bearer((await open()).accessToken)))).toBe('let in')
})

test('a token that is bound to a key is proven at the API, and validated without a second proof (S50)', async () => {
  const key = await createProofKey()
  const { accessToken } = await open(key.thumbprint)
  const asking = make({ validate: 'always' })
  const request = async () =>
    new Request(CALLED, { headers: { authorization: `DPoP ${accessToken}`, dpop: await key.proofFor({ method: 'GET', url: CALLED, accessToken }) } })
  expect(await codeOf(asking.authenticate(await request()))).toBe('let in')
  expect(await codeOf(asking.authenticate(new Request(CALLED, { headers: { authorization: `Bearer ${accessToken}` } })))).toBe('dpop_proof_invalid')
})

test('the proofs of the SDK open the API of the server itself, and are refused there for another address (S50)', async () => {
  const key = await createProofKey()
  const { accessToken } = await open(key.thumbprint)
  const devices = `${ISSUER}/api/v1/users/me/sessions`
  const call = async (proven: string) => {
    const dpop = await key.proofFor({ method: 'GET', url: proven, accessToken })
    return (await lab.call('GET', '/api/v1/users/me/sessions', { key: null, headers: { authorization: `DPoP ${accessToken}`, dpop } })).status
  }
  expect([await call(devices), await call(CALLED)]).toEqual([200, 401])
})

test('when the database is away, the answer is that it cannot be told', async () => {
  const { accessToken } = await open()
  const asking = make({ validate: 'always' })
  lab.database.down = true
  expect(await codeOf(asking.authenticate(bearer(accessToken)))).toBe('connection_failed')
  lab.database.down = false
  expect(await codeOf(asking.authenticate(bearer(accessToken)))).toBe('let in')
})
