import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PEM = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const JWK = JSON.stringify(pair.privateKey.export({ format: 'jwk' }))
const WRONG_CURVE = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const SIGNING = { algorithm: 'ES256', header: {}, claims: {}, lifetimeSeconds: 300 } as const
const URL = 'https://provider.example/token'

const labWith = (token: NonNullable<NonNullable<Parameters<typeof createApiLab>[0]>['record']>['token']) =>
  createApiLab({ record: { token: { url: URL, ...token } } })
const create = (lab: ApiLab, secret: string | null, slug = 'mine') =>
  lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug, client_id: 'c', ...(secret === null ? {} : { client_secret: secret }) } })

test.each([
  ['nothing', null, 'Scripted signs its requests: `client_secret` must be the private key that signs (ES256): PEM or JWK'],
  ['a password', 'hunter2', 'cannot be read as a private key'],
  ['a public key', pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'cannot be read as a private key'],
  ['a key of another curve', WRONG_CURVE, 'is not a P-256 key, which ES256 needs'],
])('a provider that wants signed requests gets no integration with %s', async (_name, secret, message) => {
  const lab = await labWith({ clientAuth: 'signed_secret', signing: SIGNING })
  const { status, json, text } = await create(lab, secret)
  expect([status, json.code, json.field]).toEqual([400, 'invalid_request', '/client_secret'])
  expect(json.detail).toContain(message)
  if (secret !== null) expect(text).not.toContain(secret.split('\n')[1] ?? secret)
})

test('a key that signs is taken as PEM and as JWK, and cannot be changed into one that does not', async () => {
  const lab = await labWith({ refresh: { clientAuth: 'private_key_jwt' }, signing: SIGNING })
  expect((await create(lab, PEM)).status).toBe(201)
  expect((await create(lab, JWK, 'other')).status).toBe(201)
  const patch = (body: Record<string, unknown>) => lab.call('PATCH', '/api/v1/integrations/mine', { body })
  for (const client_secret of [null, 'hunter2']) expect((await patch({ client_secret })).json).toMatchObject({ status: 400, field: '/client_secret' })
  expect((await patch({ name: 'New' })).status).toBe(200)
  expect((await patch({ client_secret: JWK })).status).toBe(200)
})

test('a client certificate needs its key beside it', async () => {
  const lab = await labWith({ clientAuth: 'tls' })
  for (const [secret, message] of [
    [null, 'the PEM of the certificate and of its private key, one after the other'],
    [PEM, 'it holds no certificate (BEGIN CERTIFICATE)'],
  ] as const) {
    const { status, json } = await create(lab, secret)
    expect([status, json.field]).toEqual([400, '/client_secret'])
    expect(json.detail).toContain(message)
  }
})

test('a provider that wants Ed25519 or AWS signatures gets no integration without their key', async () => {
  const signature = { algorithm: 'ed25519', text: '{body}', header: 'X-Signature' } as const
  const lab = await labWith({ clientAuth: 'none', signature })
  for (const secret of [null, 'hunter2', PEM]) expect((await create(lab, secret)).json).toMatchObject({ status: 400, field: '/client_secret' })
  const own = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  expect((await create(lab, own)).status).toBe(201)
  const aws = await labWith({ clientAuth: 'none', awsSignature: { service: 'sts', region: 'eu-west-1' } })
  expect((await create(aws, null)).json.detail).toContain('`client_secret` must be the secret access key')
  expect((await create(aws, 'any words')).status).toBe(201)
})

test('beside the keys of connections an integration may have a password, but no key that does not sign', async () => {
  const lab = await createApiLab({ record: { grant: 'jwt_bearer', token: { url: URL, signing: SIGNING } } })
  expect((await create(lab, 'a password')).status).toBe(201)
  expect((await create(lab, WRONG_CURVE, 'wrong')).json).toMatchObject({ status: 400, field: '/client_secret' })
})

test('a secret that is no key is not looked at', async () => {
  expect((await create(await labWith({}), 'any words')).status).toBe(201)
})
