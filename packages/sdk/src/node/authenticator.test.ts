import fc from 'fast-check'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { badTokens, signedToken } from '../../../evergrant/src/testing/bad-tokens.ts'
import { type IssuerServer, startIssuer } from '../../../evergrant/src/testing/issuer-server.ts'
import { createProofKey } from '../proof/proof-key.ts'
import { AuthenticationError, type Authenticator, type AuthenticatorOptions, createAuthenticator, type RequestLike, type Requirements } from './index.ts'

const JWKS = '/.well-known/jwks.json'
const VALIDATE = '/api/v1/auth/validate'
let issuer: IssuerServer
let authenticator: Authenticator

const make = (options: Partial<AuthenticatorOptions> = {}): Authenticator => createAuthenticator({ issuer: issuer.url, ...options })
const requestWith = (token: string | null, headers: Record<string, string> = {}): RequestLike => ({
  headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
})
const refusal = async (request: RequestLike, by: Authenticator = authenticator, requirements?: Requirements): Promise<AuthenticationError> => {
  const error: unknown = await by.authenticate(request, requirements).then(
    () => new Error('let in'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof AuthenticationError) return error
  throw error
}

beforeEach(async () => {
  issuer = await startIssuer()
  authenticator = make()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await issuer.close()
})

test('a genuine token says who sent the request', async () => {
  const { claims } = await issuer.parts()
  const token = await issuer.token({ ...claims, role: 'admin', amr: ['pwd', 'otp'] })
  const session = await authenticator.authenticate(requestWith(token))
  expect(session).toMatchObject({
    user: claims.sub,
    session: claims.sid,
    organization: claims.org,
    owner: claims.owner,
    role: 'admin',
    methods: ['pwd', 'otp'],
  })
  expect(session.expiresAt).toEqual(new Date(claims.exp * 1_000))
  expect(session.authenticatedAt).toEqual(new Date(claims.auth_time * 1_000))
})

test('what the server itself issues is believed', async () => {
  const { tokens } = issuer
  const { token: text } = await tokens.issue((await import('../../../evergrant/src/testing/access-lab.ts')).signedInAt(Date.now()))
  const lab = make({ issuer: 'https://evergrant.example', jwksUrl: `${issuer.url}${JWKS}` })
  expect(await lab.authenticate(requestWith(text))).toMatchObject({ role: 'member' })
})

test.each([
  ['a Request', (token: string) => new Request('https://api.example.com/x', { headers: { authorization: `Bearer ${token}` } })],
  ['headers of Node', (token: string) => ({ headers: { authorization: `Bearer ${token}`, accept: ['a', 'b'] }, method: 'GET', url: '/x' })],
  ['another spelling of the scheme', (token: string) => ({ headers: new Headers({ Authorization: `bearer   ${token}` }) })],
])('the token is found in %s', async (_title, request) => {
  expect(await authenticator.authenticate(request(await issuer.token()))).toMatchObject({ role: 'member' })
})

test.each([
  ['no header', {}],
  ['another scheme', { authorization: 'Basic YTpi' }],
  ['a scheme without a token', { authorization: 'Bearer ' }],
  ['two tokens', { authorization: ['Bearer a', 'Bearer b'] }],
])('without a token (%s) nobody is signed in, and the answer says so', async (_title, headers) => {
  const error = await refusal({ headers })
  expect(error).toMatchObject({ code: 'session_missing', status: 401, action: 'sign_in' })
  expect(error.headers).toMatchObject({ 'evergrant-auth': 'missing', 'www-authenticate': 'Bearer error="invalid_token"', 'cache-control': 'no-store' })
  expect(issuer.asked).toEqual({})
})

test('nobody is let in by a token of the list, and none of them signs anybody out (S17, peers row 58)', async () => {
  const genuine = await issuer.parts()
  expect(await authenticator.authenticate(requestWith(signedToken(genuine)))).toMatchObject({ role: 'member' })
  expect(await authenticator.authenticate(requestWith(signedToken({ ...genuine, key: genuine.other })))).toMatchObject({ role: 'member' })
  const bad = badTokens(genuine)
  const answered: Record<string, string> = {}
  for (const { name, token } of bad) {
    const error = await refusal(requestWith(token)).catch((thrown: unknown) => String(thrown))
    const answer = error instanceof AuthenticationError ? `${error.status} ${error.code}` : error
    if (answer !== '401 access_token_expired') answered[name] = answer
  }
  // Spaces and line ends make it no credential at all.
  expect(answered).toEqual({ 'an empty text': '401 session_missing', 'a line break': '401 session_missing', 'a JSON serialization': '401 session_missing' })
  expect(bad.length).toBeGreaterThan(60)
})

test('whatever is sent, the answer is a refusal of that token and never an error', async () => {
  const token = await issuer.token()
  await authenticator.authenticate(requestWith(token))
  const altered = fc
    .tuple(fc.nat(token.length - 2), fc.constantFrom(...'AZaz09-_.='))
    .map(([index, letter]) => token.slice(0, index) + letter + token.slice(index + 1))
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        altered,
        fc.string(),
        fc.array(fc.base64String()).map((parts) => parts.join('.')),
      ),
      async (text) => {
        fc.pre(text !== token)
        expect((await refusal(requestWith(text))).status).toBe(401)
      },
    ),
    { numRuns: 300 },
  )
})

test('a refused token is answered so that the client refreshes and sends the request again', async () => {
  const error = await refusal(requestWith(await issuer.token({ exp: 1 })))
  expect(error).toMatchObject({ code: 'access_token_expired', status: 401, action: 'retry' })
  expect(error.headers).toEqual({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'evergrant-auth': 'expired',
    'www-authenticate': 'Bearer error="invalid_token"',
  })
  const response = error.toResponse()
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({ ...error.problem(), code: 'access_token_expired', action: 'retry', status: 401 })
})

test('clocks may differ by five seconds, or by what is said', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const now = Math.floor(Date.now() / 1_000)
  const over = await issuer.token({ exp: now - 4 })
  expect(await authenticator.authenticate(requestWith(over))).toBeDefined()
  expect((await refusal(requestWith(over), make({ clockTolerance: 0 }))).code).toBe('access_token_expired')
  expect(await make({ clockTolerance: 60 }).authenticate(requestWith(await issuer.token({ exp: now - 50 })))).toBeDefined()
})

test('a token for another audience is refused, and one of several audiences will do (peers row 28)', async () => {
  const own = make({ audience: 'https://api.example.com' })
  expect((await refusal(requestWith(await issuer.token()), own)).message).toContain('not meant for https://api.example.com')
  const many = await issuer.token({ aud: ['https://x.example', 'https://api.example.com'] as unknown as string })
  expect(await own.authenticate(requestWith(many))).toBeDefined()
})

test('a role that is not on the list is refused with 403, for all routes or for one', async () => {
  const token = await issuer.token({ role: 'viewer' })
  const error = await refusal(requestWith(token), make({ roles: ['owner', 'admin'] }))
  expect(error).toMatchObject({ code: 'role_missing', status: 403, action: 'contact_admin' })
  expect(error.headers).toMatchObject({ 'evergrant-auth': 'scope', 'www-authenticate': 'Bearer error="insufficient_scope"' })
  expect((await refusal(requestWith(token), authenticator, { roles: ['member'] })).code).toBe('role_missing')
  expect(await make({ roles: ['owner'] }).authenticate(requestWith(token), { roles: ['viewer'] })).toMatchObject({ role: 'viewer' })
})

test('a route whose roles are undefined, as from settings without them, asks for those of the authenticator', async () => {
  const undecided = { roles: undefined } as never
  expect((await refusal(requestWith(await issuer.token({ role: 'viewer' })), make({ roles: ['owner'] }), undecided)).code).toBe('role_missing')
})

test('what must not be done with an open laptop asks for a recent proof of identity', async () => {
  const token = await issuer.token({ auth_time: Math.floor(Date.now() / 1_000) - 700 })
  expect(await refusal(requestWith(token), authenticator, { authenticatedWithin: 600 })).toMatchObject({ code: 'reauthentication_required', status: 403 })
  expect(await authenticator.authenticate(requestWith(token), { authenticatedWithin: 900 })).toBeDefined()
})

test.each([
  ['an issuer that is no URL', { issuer: 'evergrant' }],
  ['an issuer without a scheme, whose host looks like one', { issuer: 'localhost:4400' }],
  ['a misspelt validate, which would ask for less than was meant', { validate: 'allways' as never }],
  ['one role that is no list', { roles: 'owner' as never }],
  ['a role that does not exist', { roles: ['root'] as never }],
  ['an empty list of roles', { roles: [] }],
  ['a tolerance of hours', { clockTolerance: 7_200 }],
  ['a tolerance that is no number', { clockTolerance: Number.NaN }],
  ['a tolerance that is text, which would let tokens in that are over', { clockTolerance: '5' as never }],
  ['an option that there is not, which would ask for less than was meant', { role: ['admin'] } as never],
])('%s is refused at the start', (_title, options) => {
  expect(() => make(options)).toThrow(TypeError)
  expect(() => make(options)).toThrow(/^`\w+` /)
})

test.each([
  ['a misspelt name', { role: ['admin'] } as never],
  ['roles that are no list', { roles: 'admin' as never }],
  ['seconds that are text', { authenticatedWithin: '600' as never }],
  ['seconds that are no number', { authenticatedWithin: Number.NaN }],
])('a route that asks with %s lets nobody in, and says which name is wrong', async (_title, requirements) => {
  const request = requestWith(await issuer.token({ auth_time: 1 }))
  await expect(authenticator.authenticate(request, requirements)).rejects.toThrow(TypeError)
  await expect(authenticator.authenticate(request, requirements)).rejects.toThrow(/^`\w+` is|^`roles` lists/)
})

test('keys are asked for once, however many requests come first', async () => {
  const token = await issuer.token()
  await Promise.all(Array.from({ length: 50 }, () => authenticator.authenticate(requestWith(token))))
  expect(issuer.asked[JWKS]).toBe(1)
})

test('a new key is found when a token names it, by all who come meanwhile; made-up names cost a request each 30 s', async () => {
  await authenticator.authenticate(requestWith(await issuer.token()))
  await issuer.keys.rotateNow({ stolen: true, actor: { kind: 'cli', id: null } })
  issuer.keys.forget()
  const token = await issuer.token()
  await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(requestWith(token))))
  expect(issuer.asked[JWKS]).toBe(2)
  for (let n = 0; n < 20; n += 1) expect((await refusal(requestWith(await issuer.token({}, { kid: `sgk_${n}` })))).code).toBe('access_token_expired')
  expect(issuer.asked[JWKS]).toBe(2)
  later(31_000)
  await refusal(requestWith(await issuer.token({}, { kid: 'sgk_later' })))
  expect(issuer.asked[JWKS]).toBe(3)
})

test('a key that is not published any more is not believed ten minutes later, also when nobody asked meanwhile', async () => {
  const old = await issuer.token({ exp: Math.floor(Date.now() / 1_000) + 7_200 })
  await authenticator.authenticate(requestWith(old))
  await issuer.keys.rotateNow({ stolen: true, actor: { kind: 'cli', id: null } })
  issuer.keys.forget()
  later(601_000)
  expect((await refusal(requestWith(old))).message).toContain('does not publish')
})

test('keys older than five minutes are read again beside the work', async () => {
  const token = await issuer.token({ exp: Math.floor(Date.now() / 1_000) + 7_200 })
  await authenticator.authenticate(requestWith(token))
  later(301_000)
  await authenticator.authenticate(requestWith(token))
  await expect.poll(() => issuer.asked[JWKS]).toBe(2)
})

test('while the server is down, known keys go on, and it is asked every 30 s at most', async () => {
  const token = await issuer.token({ exp: Math.floor(Date.now() / 1_000) + 86_400 })
  await authenticator.authenticate(requestWith(token))
  issuer.instead = (_request, response) => void response.writeHead(503).end('<html>no</html>')
  later(3_600_000)
  for (let n = 0; n < 20; n += 1) expect(await authenticator.authenticate(requestWith(token))).toBeDefined()
  expect(issuer.asked[JWKS]).toBe(2)
  issuer.instead = null
  await issuer.close()
  later(3_631_000)
  expect(await authenticator.authenticate(requestWith(token))).toBeDefined()
  await issuer.reopen()
  later(3_662_000)
  expect(await authenticator.authenticate(requestWith(token))).toBeDefined()
  expect(issuer.asked[JWKS]).toBe(3)
})

test.each([
  ['nothing listens', null],
  ['a proxy answers with HTML', (response: Response1) => response.writeHead(200).end('<html>')],
  ['an empty list', (response: Response1) => response.writeHead(200).end('{"keys":[]}')],
  ['keys of other kinds', (response: Response1) => response.writeHead(200).end('{"keys":[{"kty":"RSA","kid":"a","alg":"RS256","n":"x","e":"AQAB"}]}')],
  ['far too much', (response: Response1) => response.writeHead(200).end(`{"keys":[],"x":"${'x'.repeat(100_000)}"}`)],
  ['a redirect', (response: Response1) => response.writeHead(302, { location: 'https://attacker.example/' }).end()],
])('without any key (%s) it cannot be told, and nobody is signed out', async (_title, instead) => {
  const token = await issuer.token()
  if (instead === null) await issuer.close()
  else issuer.instead = (_request, response) => void instead(response)
  const error = await refusal(requestWith(token))
  expect(error).toMatchObject({ code: 'connection_failed', status: 503, action: 'wait' })
  expect(error.headers).toMatchObject({ 'retry-after': '5' })
  expect(error.headers['evergrant-auth']).toBeUndefined()
  expect(error.headers['www-authenticate']).toBeUndefined()
})

type Response1 = Parameters<NonNullable<IssuerServer['instead']>>[1]

test('two keys of one name are both left out', async () => {
  const token = await issuer.token()
  const { keys } = await issuer.keys.published()
  const named: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
  const other = keys.find(({ kid }) => kid !== named)
  issuer.instead = (_request, response) => void response.writeHead(200).end(JSON.stringify({ keys: [...keys, { ...other, kid: named }] }))
  expect((await refusal(requestWith(token))).message).toContain('does not publish')
})

test('with validate, the server is asked each time, and its role counts', async () => {
  const asking = make({ validate: 'always', roles: ['admin', 'viewer'] })
  const token = await issuer.token({ role: 'admin' })
  issuer.validate = { status: 200, body: { active: true, user: { role: 'viewer' } } }
  expect(await asking.authenticate(requestWith(token))).toMatchObject({ role: 'viewer' })
  issuer.validate = { status: 200, body: { active: true, user: { role: 'member' } } }
  expect((await refusal(requestWith(token), asking)).code).toBe('role_missing')
  expect(issuer.asked[VALIDATE]).toBe(2)
  await authenticator.authenticate(requestWith(token))
  expect(issuer.asked[VALIDATE]).toBe(2)
})

test('requests that come together with one token ask once, and the next one asks again', async () => {
  // The server's answer waits until all ten are let through to the question: signatures are looked at on other threads, in any time.
  let verified = 0
  const verify = crypto.subtle.verify.bind(crypto.subtle)
  const together = new Promise<void>((resolve) => {
    vi.spyOn(crypto.subtle, 'verify').mockImplementation(async (...given) => {
      const good = await verify(...given)
      verified += 1
      if (verified === 10) setImmediate(resolve)
      return good
    })
  })
  const ask = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    if (String(input).endsWith(VALIDATE)) await together
    return ask(input, init)
  })
  const asking = make({ validate: 'always' })
  const token = await issuer.token()
  await Promise.all(Array.from({ length: 10 }, () => asking.authenticate(requestWith(token))))
  expect(issuer.asked[VALIDATE]).toBe(1)
  await asking.authenticate(requestWith(token))
  expect(issuer.asked[VALIDATE]).toBe(2)
})

test.each(['session_expired', 'session_signed_out', 'session_revoked', 'session_reuse_detected', 'access_token_expired'] as const)(
  'what the server says (%s) is passed on at once',
  async (code) => {
    const asking = make({ validate: 'always' })
    issuer.validate = { status: 401, body: { code, detail: 'Said by the server.' } }
    const error = await refusal(requestWith(await issuer.token()), asking)
    expect(error).toMatchObject({ code, status: 401, message: 'Said by the server.' })
    expect(error.headers['evergrant-auth']).toBe(code === 'session_expired' || code === 'access_token_expired' ? 'expired' : 'revoked')
  },
)

test.each([
  ['503', { status: 503, body: { code: 'store_unavailable' }, headers: { 'retry-after': '7' } }, '7'],
  ['429', { status: 429, body: { code: 'rate_limited' } }, '5'],
  ['a 401 of somebody else', { status: 401, body: { error: 'proxy' } }, '5'],
  ['a 401 about our own credential', { status: 401, body: { code: 'unauthenticated' } }, '5'],
  ['200 without a word', { status: 200, body: {} }, '5'],
  ['a role that nobody knows', { status: 200, body: { active: true, user: { role: 'root' } } }, '5'],
])('when the server cannot say (%s), the answer is 503 and nobody is signed out', async (_title, validate, retryAfter) => {
  const asking = make({ validate: 'always' })
  issuer.validate = validate
  const error = await refusal(requestWith(await issuer.token()), asking)
  expect(error).toMatchObject({ code: 'connection_failed', status: 503 })
  expect(error.headers['retry-after']).toBe(retryAfter)
})

test('a token is never sent along a redirect', async () => {
  const asking = make({ validate: 'always' })
  const token = await issuer.token()
  await asking.authenticate(requestWith(token))
  issuer.validate = { status: 302, body: {}, headers: { location: `${issuer.url}/elsewhere` } }
  expect((await refusal(requestWith(token), asking)).code).toBe('connection_failed')
  expect(issuer.asked['/elsewhere']).toBeUndefined()
})

test('a runtime whose fetch does not know `redirect: error`, as some at the edge, checks tokens, too', async () => {
  const edge: typeof globalThis.fetch = (input, init) =>
    init?.redirect === 'error' ? Promise.reject(new TypeError('Invalid redirect value, must be one of "follow" or "manual"')) : globalThis.fetch(input, init)
  const asking = make({ validate: 'always', fetch: edge })
  expect(await asking.authenticate(requestWith(await issuer.token()))).toBeDefined()
})

const CALLED = 'https://api.example.com/orders'

test('a token that is bound to a key needs a proof of that key, once, for this address (S50)', async () => {
  const key = await createProofKey()
  const accessToken = await issuer.token({ cnf: { jkt: key.thumbprint } })
  const request = (proof: string | null, changes: { url?: string; method?: string; scheme?: string } = {}) =>
    new Request(changes.url ?? CALLED, {
      method: changes.method ?? 'POST',
      headers: { authorization: `${changes.scheme ?? 'DPoP'} ${accessToken}`, ...(proof === null ? {} : { dpop: proof }) },
    })
  const proof = () => key.proofFor({ method: 'POST', url: CALLED, accessToken })
  const used = await proof()
  expect(await authenticator.authenticate(request(used))).toBeDefined()
  expect((await refusal(request(used))).message).toContain('used before')
  expect((await refusal(request(null))).message).toContain('missing')
  expect((await refusal(request(await proof(), { url: `${CALLED}/1` }))).message).toContain('htu')
  expect((await refusal(request(await proof(), { method: 'PUT' }))).message).toContain('htm')
  expect((await refusal(request(await proof(), { scheme: 'Bearer' }))).message).toContain('scheme DPoP')
  expect((await refusal(request(await (await createProofKey()).proofFor({ method: 'POST', url: CALLED, accessToken })))).message).toContain('another key')
  expect((await refusal(request(await key.proofFor({ method: 'POST', url: CALLED, accessToken: 'other' })))).message).toContain('ath')
  expect((await refusal(request(`${await proof()}, ${await proof()}`))).message).toContain('more than one')
  const error = await refusal(request('x'))
  expect(error).toMatchObject({ code: 'dpop_proof_invalid', status: 401, action: 'retry' })
  expect(error.headers['www-authenticate']).toBe('Bearer error="invalid_token", DPoP error="invalid_dpop_proof", algs="ES256 EdDSA"')
})

test('behind a proxy the public origin is what a proof names', async () => {
  const key = await createProofKey()
  const accessToken = await issuer.token({ cnf: { jkt: key.thumbprint } })
  const own = make({ origin: 'https://api.example.com/' })
  const headers = async () => ({ authorization: `DPoP ${accessToken}`, dpop: await key.proofFor({ method: 'POST', url: CALLED, accessToken }) })
  expect(await own.authenticate({ method: 'POST', url: '/orders?page=2', headers: await headers() })).toBeDefined()
  expect(await own.authenticate(new Request('http://10.0.0.7:3000/orders', { method: 'POST', headers: await headers() }))).toBeDefined()
  await expect(authenticator.authenticate({ method: 'POST', url: '/orders', headers: await headers() })).rejects.toThrow('`origin`')
})

test('a token that is not bound is refused with the scheme of bound ones', async () => {
  expect((await refusal({ headers: { authorization: `DPoP ${await issuer.token()}` } })).code).toBe('dpop_proof_invalid')
})

/** Moves the clock that ages keys; tokens stay as old as they are. */
function later(ms: number): void {
  const start = performance.now()
  vi.spyOn(performance, 'now').mockImplementation(() => start + ms)
}
