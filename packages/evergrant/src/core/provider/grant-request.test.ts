import { expect, test } from 'vitest'
import { defineProvider, type ProviderDraft } from '../../providers/define.ts'
import { contextOf } from '../../testing/provider-contexts.ts'
import { decodeJwt } from './base64url.ts'
import type { RenewedGrant } from './grant-kind.ts'
import { grantRequest } from './grant-request.ts'
import type { OwnCredentials } from './own-credentials.ts'
import type { ProviderRequest } from './wire.ts'

const signing = { algorithm: 'RS256', header: {}, claims: { iss: '{issuer}', sub: '{subject}' }, lifetimeSeconds: 300 } as const
const SIGNING = {
  signer: { sign: (_algorithm: string, key: string) => Buffer.from(key).toString('base64url'), hash: () => '', hmacChain: () => '' },
  now: () => 0,
  unique: () => 'id',
}

async function requestOf(
  grant: RenewedGrant,
  draft: Omit<ProviderDraft, 'id' | 'name'>,
  credentials: OwnCredentials,
  scopes: readonly string[] = [],
): Promise<ProviderRequest> {
  const record = defineProvider({ id: 'acme', name: 'Acme', grant, ...draft, token: { url: 'https://acme.example/token', ...draft.token } })
  return grantRequest(await contextOf(record, { clientSecret: 'integration-secret', signing: SIGNING }), { grant, credentials, scopes })
}
const fieldsOf = ({ body }: ProviderRequest) => Object.fromEntries(new URLSearchParams(body ?? ''))

test.each([
  ['body', {}, { client_id: 'client-1', client_secret: 'integration-secret' }],
  ['none', {}, { client_id: 'client-1' }],
  ['body', { client_id: 'own', client_secret: 'own-secret' }, { client_id: 'own', client_secret: 'own-secret' }],
  ['body', { client_id: 'public' }, { client_id: 'public' }],
] as const)('client credentials with %s and %j', async (clientAuth, credentials, expected) => {
  expect(fieldsOf(await requestOf('client_credentials', { token: { clientAuth } }, credentials))).toEqual({ grant_type: 'client_credentials', ...expected })
})

test("the scopes are the integration's, else those of the record, and go where the record says", async () => {
  const authorize = { defaultScopes: ['a'], requiredScopes: ['z'] }
  expect(fieldsOf(await requestOf('client_credentials', { authorize }, {})).scope).toBe('a z')
  expect(fieldsOf(await requestOf('client_credentials', { authorize }, {}, ['b'])).scope).toBe('b z')
  expect(fieldsOf(await requestOf('client_credentials', { authorize: { ...authorize, scopeParameter: null } }, {})).scope).toBeUndefined()
  expect(fieldsOf(await requestOf('client_credentials', { authorize: { ...authorize, scopeSeparator: ',' } }, {})).scope).toBe('a,z')
})

test('the key of the integration signs and is sent nowhere; with a key of its own a connection leaves the secret to the client', async () => {
  const shared = await requestOf('jwt_bearer', { token: { clientAuth: 'body', signing } }, { subject: 'ada' })
  expect(fieldsOf(shared)).not.toHaveProperty('client_secret')
  expect(fieldsOf(shared).assertion?.split('.')[2]).toBe(Buffer.from('integration-secret').toString('base64url'))
  const own = fieldsOf(await requestOf('jwt_bearer', { token: { clientAuth: 'body', signing } }, { subject: 'ada', private_key: 'own-key' }))
  expect([own.client_secret, own.assertion?.split('.')[2]]).toEqual(['integration-secret', Buffer.from('own-key').toString('base64url')])
})

test('who signs is the client, unless the connection names another issuer', async () => {
  const issuerOf = async (credentials: OwnCredentials) =>
    decodeJwt(fieldsOf(await requestOf('jwt_bearer', { token: { signing } }, credentials)).assertion ?? '')?.claims.iss
  expect([await issuerOf({}), await issuerOf({ issuer: 'robot' })]).toEqual(['client-1', 'robot'])
})

test('scopes stand in the claims or beside the assertion, never in both', async () => {
  const inside = fieldsOf(await requestOf('jwt_bearer', { token: { signing: { ...signing, claims: { scope: '{scope}' } } } }, {}, ['a', 'b']))
  expect([inside.scope, decodeJwt(inside.assertion ?? '')?.claims.scope]).toEqual([undefined, 'a b'])
  const beside = fieldsOf(await requestOf('jwt_bearer', { token: { signing } }, {}, ['a', 'b']))
  expect([beside.scope, decodeJwt(beside.assertion ?? '')?.claims.scope]).toEqual(['a b', undefined])
})

test('a record that does not say how it signs is refused in words', async () => {
  await expect(requestOf('installation', {}, {})).rejects.toThrow('does not say how its requests are signed')
})
