import { expect, test } from 'vitest'
import { Fault } from '../core/fault/fault.ts'
import type { JsonObject } from '../core/json.ts'
import { HOUR } from '../core/time.ts'
import { METADATA, shipped } from '../testing/provider-contexts.ts'
import { createProviderDirectory } from './directory.ts'
import { catalogue } from './index.ts'
import { metadataUrls } from './metadata.ts'

const issuer = 'https://id.example.com'

function house(answer: (url: string) => JsonObject | Error) {
  const asked: string[] = []
  let now = 0
  const directory = createProviderDirectory({
    records: catalogue,
    clock: { wall: () => now, mono: () => now },
    fetchJson: async (url) => {
      asked.push(url)
      const document = answer(url)
      if (document instanceof Error) throw document
      return document
    },
  })
  const resolve = (id = 'oidc', variables: Record<string, string> = { issuer }) => directory.resolve(shipped(id), variables)
  const pass = (ms: number) => {
    now += ms
  }
  return { directory, asked, resolve, pass }
}

test('endpoints come from the discovery document, asked for once an hour', async () => {
  const { asked, resolve, pass } = house(() => METADATA)
  const [first] = await Promise.all([resolve(), resolve(), resolve()])
  expect(first).toEqual({
    authorize: `${issuer}/authorize`,
    token: `${issuer}/token`,
    refresh: `${issuer}/token`,
    revoke: `${issuer}/revoke`,
    userinfo: `${issuer}/userinfo`,
    issuer,
    issuerInCallback: true,
    pkce: true,
  })
  pass(HOUR - 1)
  await resolve()
  expect(asked).toEqual([`${issuer}/.well-known/openid-configuration`])
  pass(1)
  await resolve()
  expect(asked).toHaveLength(2)
})

test('the last good document outlives an outage, and an outage is not hammered', async () => {
  let down = false
  const { asked, resolve, pass } = house(() => (down ? new Error('ECONNREFUSED') : METADATA))
  await resolve()
  down = true
  pass(2 * HOUR)
  expect((await resolve()).token).toBe(`${issuer}/token`)
  await resolve()
  expect(asked).toHaveLength(2)
  pass(60_000)
  await resolve()
  expect(asked).toHaveLength(3)
})

test('an issuer that stays down is asked less and less often, once a minute in the end, and anew after a success', async () => {
  let document: JsonObject | Error = new Error('down')
  const { asked, resolve, pass } = house(() => document)
  const times: number[] = []
  for (let second = 0; second < 300; second += 1) {
    const before = asked.length
    await resolve().catch(() => {})
    if (asked.length > before) times.push(second)
    pass(1_000)
  }
  expect(times).toEqual([0, 5, 15, 35, 75, 135, 195, 255])
  document = METADATA
  pass(60_000)
  await resolve()
  document = new Error('down again')
  pass(HOUR)
  expect((await resolve()).token).toBe(`${issuer}/token`)
})

test('an issuer that was never reached is asked again after five seconds, not at every refresh', async () => {
  let down = true
  const { asked, resolve, pass } = house(() => (down ? new Error('ETIMEDOUT') : METADATA))
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(resolve()).rejects.toMatchObject({ code: 'provider_unavailable', message: expect.stringContaining('ETIMEDOUT') })
  expect(asked).toHaveLength(1)
  down = false
  pass(5_000)
  expect((await resolve()).token).toBe(`${issuer}/token`)
})

const bad: [string, JsonObject][] = [
  ['another issuer', { ...METADATA, issuer: 'https://evil.example' }],
  ['no issuer', { ...METADATA, issuer: null }],
  ['an issuer below the asked one', { ...METADATA, issuer: `${issuer}/tenant` }],
  ['an http token endpoint', { ...METADATA, token_endpoint: 'http://id.example.com/token' }],
  ['a loopback http endpoint of a public issuer', { ...METADATA, token_endpoint: 'http://127.0.0.1/token' }],
  ['an endpoint with credentials', { ...METADATA, authorization_endpoint: 'https://u:p@id.example.com/authorize' }],
  ['an endpoint that is a script', { ...METADATA, authorization_endpoint: 'javascript:alert(1)' }],
  ['an endpoint that is a number', { ...METADATA, token_endpoint: 7 }],
  ['no token endpoint', { ...METADATA, token_endpoint: null }],
]

test.each(bad)('a document with %s is refused (S16)', async (_, document) => {
  const { resolve } = house(() => document)
  const failure = await resolve().catch((cause: unknown) => cause)
  expect(failure).toBeInstanceOf(Fault)
  expect(failure).toMatchObject({ code: 'provider_unavailable' })
})

test('a loopback issuer may use http', async () => {
  const local = 'http://localhost:4000'
  const { resolve } = house(() => ({ issuer: local, authorization_endpoint: `${local}/authorize`, token_endpoint: `${local}/token` }))
  expect(await resolve('oidc', { issuer: local })).toMatchObject({ token: `${local}/token`, pkce: true, issuerInCallback: false })
})

test('the issuer of the document keeps its slash, whichever way the operator wrote it', async () => {
  const { resolve } = house(() => ({ ...METADATA, issuer: `${issuer}/` }))
  expect((await resolve()).issuer).toBe(`${issuer}/`)
})

test.each<[unknown, object]>([
  [['client_secret_post'], { clientAuth: 'body' }],
  [['none'], { clientAuth: 'none' }],
])('token_endpoint_auth_methods_supported %j gives %j', async (methods, expected) => {
  const { resolve } = house(() => JSON.parse(JSON.stringify({ ...METADATA, token_endpoint_auth_methods_supported: methods })))
  expect(await resolve()).toMatchObject(expected)
})

test('the way that a record names holds as long as the server accepts it', async () => {
  const document = { ...METADATA, token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'] }
  const { directory, resolve } = house(() => document)
  expect((await resolve()).clientAuth).toBeUndefined()
  const own = { ...shipped('oidc'), token: { ...shipped('oidc').token, clientAuth: 'body' as const } }
  expect((await directory.resolve(own, { issuer })).clientAuth).toBeUndefined()
})

test('a client that proves itself with a signature over its requests sends no secret, whatever the metadata lists', async () => {
  const { directory } = house(() => ({ ...METADATA, token_endpoint_auth_methods_supported: ['client_secret_post'] }))
  const { token } = shipped('oidc')
  const signature = { algorithm: 'ed25519', text: '{body}', encoding: 'hex', header: 'sign', timestampHeader: null } as const
  const wayOf = async (more: object) =>
    (await directory.resolve({ ...shipped('oidc'), token: { ...token, clientAuth: 'none', ...more } }, { issuer })).clientAuth
  expect(await wayOf({})).toBe('body')
  expect(await wayOf({ signature })).toBeUndefined()
  expect(await wayOf({ awsSignature: { service: 'sts', region: 'eu-west-1' } })).toBeUndefined()
})

test('a server whose metadata names other PKCE methods only gets no challenge', async () => {
  const { resolve } = house(() => ({ ...METADATA, code_challenge_methods_supported: ['plain'] }))
  expect((await resolve()).pkce).toBe(false)
})

test('RFC 8414 metadata is looked for in its own place first, then where OpenID puts it', () => {
  expect(metadataUrls('rfc8414', 'https://a.example/t1')).toEqual([
    'https://a.example/.well-known/oauth-authorization-server/t1',
    'https://a.example/.well-known/openid-configuration/t1',
    'https://a.example/t1/.well-known/openid-configuration',
  ])
  expect(metadataUrls('oidc', 'https://a.example/t1/')).toEqual(['https://a.example/t1/.well-known/openid-configuration'])
})

test('a SMART document stands below the FHIR base URL, and need not name an issuer', async () => {
  expect(metadataUrls('smart', 'https://fhir.example.org/R4/')).toEqual(['https://fhir.example.org/R4/.well-known/smart-configuration'])
  const { issuer: _issuer, ...document } = METADATA
  const { asked, resolve } = house(() => document)
  const endpoints = await resolve('smart-on-fhir', { fhir_base_url: 'https://fhir.example.org/R4' })
  expect(endpoints).toMatchObject({ token: METADATA.token_endpoint, issuer: null, pkce: true })
  expect(asked).toEqual(['https://fhir.example.org/R4/.well-known/smart-configuration'])
})

test("a missing or malformed variable is the caller's fault, named with an example", async () => {
  const { resolve, asked } = house(() => METADATA)
  for (const variables of [{}, { issuer: 'http://id.example.com' }, { issuer: 'https://u@id.example.com' }]) {
    expect(await resolve('oidc', variables).catch((cause: unknown) => cause)).toMatchObject({ code: 'invalid_request', details: { field: 'variables.issuer' } })
  }
  expect(asked).toEqual([])
})

test('records without discovery ask nobody', async () => {
  const { resolve, asked, directory } = house(() => new Error('no'))
  expect((await resolve('okta', { domain: 'acme.okta.com' })).token).toBe('https://acme.okta.com/oauth2/default/v1/token')
  expect((await resolve('okta', { domain: 'acme.okta.com', server: 'oauth2' })).token).toBe('https://acme.okta.com/oauth2/v1/token')
  expect((await resolve('github', {})).revoke).toBe('https://api.github.com/applications/{client_id}/token')
  expect(asked).toEqual([])
  expect(directory.get('nobody')).toBeUndefined()
  expect(directory.list()).toHaveLength(catalogue.length)
})
