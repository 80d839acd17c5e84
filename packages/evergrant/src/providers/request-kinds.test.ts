import { createVerify, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { accountFromAnswer, accountRequest, isOwnWord } from '../core/provider/account.ts'
import { apiHeaders } from '../core/provider/api.ts'
import { authorizeUrl } from '../core/provider/authorize.ts'
import { decodeJwt } from '../core/provider/base64url.ts'
import type { ProviderContext } from '../core/provider/context.ts'
import { grantRequest } from '../core/provider/grant-request.ts'
import { recordRequest } from '../core/provider/record-request.ts'
import type { SigningPorts } from '../core/provider/signing.ts'
import { exchangeRequest, refreshRequest, revokeRequest } from '../core/provider/token-request.ts'
import { createKeySigner } from '../seal/key-signer.ts'
import { contextOf } from '../testing/provider-contexts.ts'
import { requestProblems } from './check-requests.ts'
import { defineProvider, type ProviderDraft } from './define.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const signing: SigningPorts = { signer: createKeySigner(), now: () => NOW, unique: () => 'jti-1' }
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PEM = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const draft = (changes: Partial<ProviderDraft>): ProviderDraft => ({
  id: 'kinds',
  name: 'Kinds',
  ...changes,
  authorize: { url: 'https://kinds.example/authorize', ...changes.authorize },
  token: { url: 'https://kinds.example/token', ...changes.token },
})
const context = (changes: Partial<ProviderDraft>, more: Partial<ProviderContext> = {}) => contextOf(defineProvider(draft(changes)), { signing, ...more })
const exchange = (of: ProviderContext) => exchangeRequest(of, { code: 'c', redirectUri: 'https://app.example/cb', verifier: null })
const refresh = (of: ProviderContext) => refreshRequest(of, { refreshToken: 'r', scopes: [] })
const form = (body: string | null) => Object.fromEntries(new URLSearchParams(body ?? ''))

describe('client authentication', () => {
  test('secret_as_username: Basic with an empty password, and no client id anywhere', async () => {
    const request = exchange(await context({ token: { clientAuth: 'secret_as_username' } }))
    expect(request.basic).toEqual({ username: 'secret-of-client-1', password: '', raw: true })
    expect(request.body).toBe('grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fapp.example%2Fcb')
  })

  test("header: the Authorization value is the record's own", async () => {
    const request = refresh(
      await context({ token: { clientAuth: 'header', authorization: 'Client {client_secret}', refreshParameters: { client_id: '{client_id}' } } }),
    )
    expect(request.headers).toMatchObject({ authorization: 'Client secret-of-client-1' })
    expect(request.body).toBe('grant_type=refresh_token&refresh_token=r&client_id=client-1')
  })

  test('header: without a value for it nothing is built', async () => {
    const of = await context({ token: { clientAuth: 'header', authorization: '{unknown}' } })
    expect(() => refresh(of)).toThrow('an Authorization header that cannot be written')
  })

  test('signed_secret: the client secret is a JWT signed with the key, as Apple wants it', async () => {
    const claims = { iss: '{team}', sub: '{client_id}', aud: 'https://appleid.apple.com' }
    const variables = {
      team: { label: 'Team', pattern: '[A-Z0-9]{10}', example: 'TEAM123456' },
      key_id: { label: 'Key', pattern: '[A-Z0-9]{10}', example: 'KEY1234567' },
    }
    const facts = { algorithm: 'ES256', header: { kid: '{key_id}' }, claims, lifetimeSeconds: 300 } as const
    const of = await context({ variables, token: { clientAuth: 'signed_secret', signing: facts } }, { clientSecret: PEM })
    const sent = form(exchange(of).body)
    const jwt = decodeJwt(sent['client_secret'] ?? '')
    expect(sent['client_id']).toBe('client-1')
    expect(jwt?.header).toEqual({ typ: 'JWT', kid: 'KEY1234567', alg: 'ES256' })
    expect(jwt?.claims).toMatchObject({ iss: 'TEAM123456', sub: 'client-1', aud: 'https://appleid.apple.com', iat: NOW / 1_000 - 60, exp: NOW / 1_000 + 240 })
    const [head, body, signature] = (sent['client_secret'] ?? '').split('.')
    const verified = createVerify('sha256')
      .update(`${head}.${body}`)
      .verify({ key: key.publicKey, dsaEncoding: 'ieee-p1363' }, signature ?? '', 'base64url')
    expect(verified).toBe(true)
  })

  test('private_key_jwt: RFC 7523 section 2.2, for itself, to the token endpoint, once', async () => {
    const facts = { algorithm: 'ES256', header: {}, claims: {}, lifetimeSeconds: 300 } as const
    const of = await context(
      { token: { clientAuth: 'private_key_jwt', signing: facts }, revoke: { url: 'https://kinds.example/revoke' } },
      { clientSecret: PEM },
    )
    for (const body of [exchange(of).body, refresh(of).body, revokeRequest(of, { accessToken: null, refreshToken: 'r' })?.body ?? null]) {
      const sent = form(body)
      expect(sent['client_assertion_type']).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      expect(decodeJwt(sent['client_assertion'] ?? '')?.claims).toMatchObject({
        iss: 'client-1',
        sub: 'client-1',
        aud: 'https://kinds.example/token',
        jti: 'jti-1',
      })
      expect(sent['client_secret']).toBeUndefined()
    }
    expect(refresh(of).body).not.toContain('PRIVATE')
  })

  test('tls: the certificate goes with the request, and the client names itself', async () => {
    const of = await context({ token: { clientAuth: 'tls' } }, { clientSecret: 'PEM of both' })
    expect(refresh(of)).toMatchObject({ certificate: 'PEM of both', basic: null, body: 'grant_type=refresh_token&refresh_token=r&client_id=client-1' })
  })

  test('a key or certificate never stands in a request, whatever the record says', async () => {
    const facts = { algorithm: 'ES256', header: {}, claims: {}, lifetimeSeconds: 300 } as const
    const leak = { a: '{client_secret}' }
    const check = { request: { url: 'https://kinds.example/me', parameters: leak, headers: { 'X-A': '{client_secret}' } } }
    for (const clientAuth of ['signed_secret', 'private_key_jwt', 'tls'] as const) {
      const token = { clientAuth, signing: facts, headers: leak, refreshParameters: leak, refresh: { clientAuth: 'body' as const } }
      const revoke = {
        url: 'https://kinds.example/revoke',
        clientAuth: 'basic' as const,
        parameters: leak,
        fallback: { clientAuth: 'body' as const, token: 'access' as const },
      }
      const of = await context({ token, revoke, check }, { clientSecret: PEM })
      const line = PEM.split('\n')[1] ?? ''
      const requests = [
        exchange(of),
        refresh(of),
        revokeRequest(of, { accessToken: null, refreshToken: 'r' }),
        revokeRequest(of, { accessToken: 'a', refreshToken: null }),
      ]
      const looked = of.record.check === null ? null : recordRequest(of, of.record.check.request, 'a')
      for (const request of [...requests, looked]) expect(JSON.stringify({ ...request, certificate: undefined })).not.toContain(line)
    }
  })

  test("the integration's key is not sent beside a connection's own, and a password is", async () => {
    const signing = { algorithm: 'ES256', header: {}, claims: {}, lifetimeSeconds: 300 } as const
    const input = { grant: 'jwt_bearer', credentials: { private_key: PEM }, scopes: [] } as const
    const sent = async (clientSecret: string) =>
      form(grantRequest(await context({ grant: 'jwt_bearer', token: { signing } }, { clientSecret }), input).body)['client_secret']
    expect([await sent(PEM), await sent(JSON.stringify(key.privateKey.export({ format: 'jwk' }))), await sent('a password')]).toEqual([
      undefined,
      undefined,
      'a password',
    ])
  })

  test('a certificate is shown to the API as well (RFC 8705 section 3)', async () => {
    const account = [{ from: 'request', url: 'https://kinds.example/me', path: 'id' }] as const
    const of = await context({ token: { clientAuth: 'tls' }, account }, { clientSecret: 'PEM of both' })
    expect(accountRequest(of, 'a')?.certificate).toBe('PEM of both')
    expect(accountRequest(await context({ account }), 'a')).not.toHaveProperty('certificate')
  })

  test('metadata that knows no such way leaves a client that signs as it is', async () => {
    const facts = { algorithm: 'ES256', header: {}, claims: {}, lifetimeSeconds: 300 } as const
    const discovery = { kind: 'oidc', issuer: 'https://id.example.com' } as const
    const of = await context({ discovery, token: { clientAuth: 'private_key_jwt', signing: facts } }, { clientSecret: PEM })
    expect(of.endpoints.clientAuth).toBeUndefined()
  })
})

describe('bodies', () => {
  test('query: a POST whose parameters stand in the URL', async () => {
    const request = refresh(await context({ token: { bodyFormat: 'query', url: 'https://kinds.example/token?v=2' } }))
    expect(request).toMatchObject({ method: 'POST', body: null })
    expect(request.url).toBe('https://kinds.example/token?v=2&grant_type=refresh_token&refresh_token=r&client_id=client-1&client_secret=secret-of-client-1')
  })

  test('xml: one element for each parameter, escaped', async () => {
    const request = refreshRequest(await context({ token: { bodyFormat: 'xml', clientAuth: 'basic' } }), { refreshToken: '<r&"\u0000', scopes: [] })
    expect(request.headers).toMatchObject({ 'content-type': 'application/xml' })
    expect(request.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><request><grant_type>refresh_token</grant_type><refresh_token>&lt;r&amp;&quot;\uFFFD</refresh_token></request>',
    )
  })

  test('a signature over the body as it is sent, with its timestamp', async () => {
    const signature = { algorithm: 'hmac_sha256', text: '{timestamp}.{body}', encoding: 'hex', header: 'X-Signature', timestampHeader: 'X-Time' } as const
    const request = refresh(await context({ token: { signature } }))
    const time = String(NOW / 1_000)
    expect(request.headers).toMatchObject({
      'x-time': time,
      'x-signature': signing.signer.hash('hmac_sha256', 'secret-of-client-1', `${time}.${request.body}`, 'hex'),
    })
  })

  test.each(['hex', 'base64'] as const)('an Ed25519 signature in %s over what is sent and where, by a key that is never sent', async (encoding) => {
    const pair = generateKeyPairSync('ed25519')
    const clientSecret = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const text = '{method} {host}{path} {timestamp} {body}'
    const token = {
      url: 'https://kinds.example/token?v=1',
      clientAuth: 'none',
      headers: { leak: '{client_secret}' },
      signature: { algorithm: 'ed25519', text, encoding, header: 'X-Signature' },
    } as const
    const request = refresh(await context({ token }, { clientSecret }))
    const message = `POST kinds.example/token?v=1 ${NOW / 1_000} ${request.body}`
    expect(verify(null, Buffer.from(message), pair.publicKey, Buffer.from(request.headers['x-signature'] ?? '', encoding))).toBe(true)
    expect([request.body, request.headers['leak']]).toEqual(['grant_type=refresh_token&refresh_token=r&client_id=client-1', undefined])
  })

  test('a record that signs and would send its key as well is refused', () => {
    const aws = { service: 'sts', region: 'eu-west-1' }
    const problemsOf = (token: ProviderDraft['token'], more: Partial<ProviderDraft> = {}) =>
      requestProblems(defineProvider(draft({ ...more, token: { url: 'https://kinds.example/token', ...token } }))).map(({ path }) => path)
    const signature = { algorithm: 'ed25519', text: '{body}', header: 'sign' } as const
    expect(problemsOf({ signature, clientAuth: 'none' })).toEqual([])
    expect(problemsOf({ signature })).toEqual(['token.clientAuth'])
    expect(problemsOf({ awsSignature: aws, clientAuth: 'none', refresh: { clientAuth: 'basic' } })).toEqual(['token.refresh.clientAuth'])
    expect(problemsOf({ signature: { ...signature, text: '{body}{client_secret}{nonce}' }, clientAuth: 'none' })).toEqual([
      'token.signature.text',
      'token.signature.text',
    ])
    expect(problemsOf({ awsSignature: aws, clientAuth: 'none', headers: { key: '{client_secret}' } })).toEqual(['token.headers.key'])
    const signing = { algorithm: 'RS256', claims: {}, lifetimeSeconds: 600 } as const
    expect(problemsOf({ awsSignature: aws, clientAuth: 'none', signing }, { grant: 'installation' })).toEqual(['token.awsSignature'])
  })

  test('an end is confirmed only where that proves something', () => {
    const verdicts = (verdict: 'dead' | 'config') => [{ where: { error: 'gone' }, verdict, confirm: 'https://kinds.example/app' }] as const
    const problemsOf = (more: Partial<ProviderDraft>) => requestProblems(defineProvider(draft(more))).map(({ path, text }) => `${path} ${text}`)
    const basic = { url: 'https://kinds.example/token', clientAuth: 'basic' } as const
    expect(problemsOf({ grant: 'client_credentials', token: basic, verdicts: verdicts('dead') })).toEqual([])
    expect(problemsOf({ token: basic, verdicts: verdicts('dead') })[0]).toContain('verdicts.0.confirm needs a grant without a browser')
    expect(problemsOf({ grant: 'client_credentials', token: basic, verdicts: verdicts('config') })[0]).toContain('goes with the verdicts dead and expired')
  })

  test('braces in a body are no template of the signature', async () => {
    const signature = { algorithm: 'sha256', text: '{body}{client_secret}', encoding: 'base64', header: 'sign', timestampHeader: null } as const
    const request = refreshRequest(await context({ token: { signature, bodyFormat: 'json' } }), { refreshToken: '{client_id}', scopes: [] })
    expect(request.headers['sign']).toBe(signing.signer.hash('sha256', '', `${request.body}secret-of-client-1`, 'base64'))
  })
})

describe('refreshes that differ from the exchange', () => {
  test('method, body, client, names and headers of their own', async () => {
    const own = {
      method: 'POST',
      bodyFormat: 'json',
      clientAuth: 'basic',
      rename: { refresh_token: 'token' },
      omit: ['grant_type'],
      headers: { 'X-Step': 'refresh' },
    } as const
    const of = await context({
      token: { method: 'GET', rename: { code: 'auth_code' }, omit: ['redirect_uri'], headers: { 'X-Step': 'exchange' }, refresh: own },
    })
    expect(exchange(of)).toMatchObject({ method: 'GET', body: null, headers: { 'x-step': 'exchange' } })
    expect(exchange(of).url).toBe('https://kinds.example/token?grant_type=authorization_code&auth_code=c&client_id=client-1&client_secret=secret-of-client-1')
    expect(refresh(of)).toMatchObject({ method: 'POST', body: '{"token":"r"}', headers: { 'x-step': 'refresh' }, basic: { username: 'client-1' } })
  })

  test('the redirect URI is repeated where the record says so', async () => {
    const redirectUri = 'https://app.example/cb'
    expect(form(refresh(await context({ token: { refresh: { redirectUri: true } } }, { redirectUri })).body)['redirect_uri']).toBe(redirectUri)
    expect(form(refresh(await context({}, { redirectUri })).body)['redirect_uri']).toBeUndefined()
  })

  test('an access token that renews itself, as Instagram wants it', async () => {
    const refreshing = { presents: 'access_token', method: 'GET', omit: ['client_id', 'client_secret'] } as const
    const of = await context({
      token: { refreshUrl: 'https://graph.example/refresh', refreshParameters: { grant_type: 'ig_refresh_token' }, refresh: refreshing },
    })
    expect(refreshRequest(of, { refreshToken: 'access-1', scopes: [] }).url).toBe(
      'https://graph.example/refresh?access_token=access-1&grant_type=ig_refresh_token',
    )
  })
})

describe('templates', () => {
  const shop = { shop: { label: 'Shop', pattern: '[a-z-]+', example: 'my-shop' } }

  test('parameters and headers use variables, facts and the client id; what nobody told is left out', async () => {
    const token = { headers: { 'X-Shop': '{shop}', 'X-None': '{none}' }, refreshParameters: { realm: '{realm}', who: 'a {client_id}', none: '{none}' } }
    const request = refresh(await context({ variables: shop, token }, { facts: { realm: 'r-1' } }))
    expect(request.headers).toEqual({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', 'x-shop': 'my-shop' })
    expect(form(request.body)).toMatchObject({ realm: 'r-1', who: 'a client-1' })
    expect(form(request.body)['none']).toBeUndefined()
  })

  test('no value of a header breaks its line', async () => {
    const request = refresh(await context({ token: { headers: { 'X-Fact': '{fact}' } } }, { facts: { fact: 'one\r\nevil: two' } }))
    expect(request.headers['x-fact']).toBe('oneevil: two')
  })

  const installation = {
    installation: { label: 'Installation', pattern: '[0-9a-f-]{36}', example: '7a485448-a9e2-4c85-8a3c-4f44175783c9', askedOf: 'provider' },
  } as const
  const sentry = { variables: installation, token: { url: 'https://sentry.example/{installation}/authorizations/' } }

  test('a token URL waits for what only the provider tells, and is refused without it', async () => {
    const of = await context(sentry, { variables: {} })
    expect(of.endpoints.token).toBe('https://sentry.example/{installation}/authorizations/')
    expect(() => exchange(of)).toThrow('The variable "installation" is missing')
    const told = { ...of, facts: { installation: '7a485448-a9e2-4c85-8a3c-4f44175783c9' } }
    expect(exchange(told).url).toBe('https://sentry.example/7a485448-a9e2-4c85-8a3c-4f44175783c9/authorizations/')
  })

  test('what a provider tells must match the pattern of its variable before it reaches a URL', async () => {
    const of = await context(sentry, { variables: {}, facts: { installation: '../../evil' } })
    expect(() => exchange(of)).toThrow('"installation" does not match')
  })

  test("a token server that the callback names is one of the provider's own", async () => {
    const server = {
      label: 'Server',
      pattern: 'https://accounts\\.zoho\\.(?:com|eu)',
      example: 'https://accounts.zoho.eu',
      default: 'https://accounts.zoho.com',
      askedOf: 'provider',
    } as const
    const zoho = { variables: { 'accounts-server': server }, token: { url: '{accounts-server}/oauth/v2/token' } }
    const resolved = (facts: Record<string, string>) => context(zoho, { variables: facts })
    expect((await resolved({})).endpoints.token).toBe('https://accounts.zoho.com/oauth/v2/token')
    expect((await resolved({ 'accounts-server': 'https://accounts.zoho.eu' })).endpoints.refresh).toBe('https://accounts.zoho.eu/oauth/v2/token')
    await expect(resolved({ 'accounts-server': 'https://accounts.zoho.com.evil.example' })).rejects.toThrow('does not match')
  })
})

describe('the authorization URL', () => {
  const input = { redirectUri: 'https://app.example/cb', state: 's', scopes: [], codeChallenge: null, nonce: null, extra: {} }

  test('parameters use variables', async () => {
    const variables = { tenant: { label: 'Tenant', pattern: '[a-z]+', example: 'acme' } }
    const url = new URL(authorizeUrl(await context({ variables, authorize: { parameters: { realm: 'x-{tenant}', app: '{client_id}' } } }), input))
    expect([url.searchParams.get('realm'), url.searchParams.get('app')]).toEqual(['x-acme', 'client-1'])
  })

  test('a parameter goes out as it is, but for what would end it', async () => {
    const authorize = { unencoded: ['redirect_uri', 'scope'], defaultScopes: ['a:read', 'b:&#x'], scopeSeparator: ',' } as const
    const url = authorizeUrl(await context({ authorize }), input)
    expect(url).toContain('redirect_uri=https://app.example/cb&')
    expect(url).toContain('&scope=a:read,b:%26%23x')
  })

  test('a query behind the # of a page whose router reads it there', async () => {
    const at = async (url: string) => authorizeUrl(await context({ authorize: { url, inFragment: true } }), input).split('response_type')[0]
    expect(await at('https://kinds.example/#/oauth/authorize')).toBe('https://kinds.example/#/oauth/authorize?')
    expect(await at('https://kinds.example/#/oauth?app=1')).toBe('https://kinds.example/#/oauth?app=1&')
    expect(await at('https://kinds.example/login')).toBe('https://kinds.example/login#')
  })
})

describe('the account', () => {
  const none = { idToken: null, accessToken: null }

  test('is cut out of a longer text, or not there', async () => {
    const of = await context({ account: [{ from: 'answer', path: 'id', pattern: '/id/[^/]+/([^/]+)$' }] })
    expect(accountFromAnswer(of, { id: 'https://login.example/id/00D/005' }, none, null)?.account).toBe('005')
    expect(accountFromAnswer(of, { id: 'elsewhere' }, none, null)).toBeNull()
  })

  test('is what we were told before the flow', async () => {
    const variables = { shop: { label: 'Shop', pattern: '[a-z-]+', example: 'my-shop' } }
    expect(accountFromAnswer(await context({ variables, account: [{ from: 'variable', name: 'shop' }] }), {}, none, null)).toEqual({
      account: 'my-shop',
      label: null,
    })
  })

  test('is the part of an address that stays the same when its host changes', async () => {
    const variables = { home: { label: 'Home', pattern: 'https://.+', example: 'https://rest1.example/e999/', askedOf: 'provider' } } as const
    const of = (home: string) =>
      context({ variables, account: [{ from: 'variable', name: 'home', pattern: '//[^/]+/([^/]+)/' }] }, { variables: {}, facts: { home } })
    expect(accountFromAnswer(await of('https://rest1.example/e999/'), {}, none, null)?.account).toBe('e999')
    expect(accountFromAnswer(await of('https://rest2.example/e999/'), {}, none, null)?.account).toBe('e999')
    expect(accountFromAnswer(await of('https://rest1.example'), {}, none, null)).toBeNull()
    expect(isOwnWord(await of('https://rest2.example/e999/'), 'e999')).toBe(true)
  })

  test('is asked for with headers and a body of their own', async () => {
    const body = '{"query":"query { me {id} }"}'
    const request = {
      from: 'request',
      method: 'POST',
      url: 'https://api.example/graphql',
      headers: { 'X-Token': '{access_token}' },
      body,
      path: 'data.me.id',
    } as const
    expect(accountRequest(await context({ account: [request] }), 'a-1')).toEqual({
      method: 'POST',
      url: 'https://api.example/graphql',
      headers: { accept: 'application/json', authorization: 'Bearer a-1', 'x-token': 'a-1', 'content-type': 'application/json' },
      basic: null,
      body,
    })
  })

  test('is asked for with the token in the query, where the API has it there', async () => {
    const api = { base: 'https://api.example', authorization: { query: 'access_token' } }
    const of = await context({ api, account: [{ from: 'request', url: 'https://api.example/me?fields=id', path: 'id' }] })
    expect(accountRequest(of, 'a 1')?.url).toBe('https://api.example/me?fields=id&access_token=a%201')
    expect(apiHeaders(of, 'a 1')).toEqual({})
  })
})

describe('revocation', () => {
  const tokens = { accessToken: 'a', refreshToken: 'r' }

  test('names the account instead of a token', async () => {
    const revoke = {
      url: 'https://kinds.example/{client_id}/deauthorize',
      clientAuth: 'none',
      parameter: null,
      parameters: { stripe_user_id: '{account}' },
    } as const
    const of = await context({ revoke })
    expect(revokeRequest(of, { accessToken: null, refreshToken: null, account: 'acct_1' })).toMatchObject({
      url: 'https://kinds.example/client-1/deauthorize',
      body: 'stripe_user_id=acct_1',
      basic: null,
    })
    expect(revokeRequest(of, { ...tokens, account: null })).toBeNull()
  })

  test('deletes the account, its id encoded, with the token as Bearer', async () => {
    const revoke = {
      url: 'https://kinds.example/v3/users/{account}',
      method: 'DELETE',
      clientAuth: 'bearer',
      parameter: null,
      token: 'access',
      format: 'json',
    } as const
    expect(revokeRequest(await context({ revoke }), { ...tokens, account: 'a/1' })).toEqual({
      method: 'DELETE',
      url: 'https://kinds.example/v3/users/a%2F1',
      headers: { accept: 'application/json', authorization: 'Bearer a' },
      basic: null,
      body: null,
    })
  })

  test("with an Authorization value of the record's own and facts in its parameters, as Square wants it", async () => {
    const revoke = {
      url: 'https://kinds.example/revoke',
      clientAuth: 'header',
      authorization: 'Client {client_secret}',
      token: 'access',
      parameter: 'access_token',
      parameters: { client_id: '{client_id}', merchant_id: '{merchant}' },
      format: 'json',
    } as const
    const request = revokeRequest(await context({ revoke }, { facts: { merchant: 'm-1' } }), tokens)
    expect(request?.headers).toMatchObject({ authorization: 'Client secret-of-client-1' })
    expect(JSON.parse(request?.body ?? '')).toEqual({ access_token: 'a', client_id: 'client-1', merchant_id: 'm-1' })
  })

  test('uses a URL that facts complete', async () => {
    const of = await context({ answer: { facts: { instance_url: 'instance_url' } }, revoke: { url: '{instance_url}/services/oauth2/revoke' } })
    expect(revokeRequest({ ...of, facts: { instance_url: 'https://na1.example' } }, tokens)?.url).toBe('https://na1.example/services/oauth2/revoke')
  })
})

test('scopes that nobody knows were granted are not asked for on a refresh: the provider would refuse them, and the grant with them', async () => {
  const of = await context({ token: { scopesOnRefresh: true } })
  expect(new URLSearchParams(refreshRequest(of, { refreshToken: 'r', scopes: [] }).body ?? '').has('scope')).toBe(false)
  expect(new URLSearchParams(refreshRequest(of, { refreshToken: 'r', scopes: ['files.read'] }).body ?? '').get('scope')).toContain('files.read')
})
