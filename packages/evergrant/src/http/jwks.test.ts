import { expect, test } from 'vitest'
import { createApiLab } from '../testing/api-lab.ts'

test('anybody may read the keys of access tokens, and keep them for five minutes', async () => {
  const lab = await createApiLab()
  const answer = await lab.call('GET', '/.well-known/jwks.json', { key: null })
  expect(answer.status).toBe(200)
  expect(answer.headers['cache-control']).toBe('public, max-age=300')
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(answer.json.keys).toHaveLength(2)
  for (const key of answer.json.keys) {
    expect(key).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      kid: expect.stringMatching(/^sgk_/),
      alg: 'EdDSA',
      use: 'sig',
    })
  }
  await lab.app.close()
})

test('an operator changes the key before its time, and a stolen one with all that it signed', async () => {
  const lab = await createApiLab()
  const kids = async (): Promise<string[]> => (await lab.call('GET', '/.well-known/jwks.json')).json.keys.map(({ kid }: { kid: string }) => kid)
  const before = await kids()
  const rotated = await lab.call('POST', '/api/v1/admin/signing-keys/rotate')
  expect([rotated.status, rotated.json.keys.length]).toEqual([200, 3])
  expect(await kids()).toEqual(expect.arrayContaining(before))
  const stolen = await lab.call('POST', '/api/v1/admin/signing-keys/rotate', { body: { stolen: true } })
  expect([stolen.status, stolen.json.keys.length]).toEqual([200, 2])
  expect((await kids()).filter((kid) => rotated.json.keys.includes(kid))).toEqual([])
  await lab.app.close()
})

test('another organization, and a key that may not, change no signing key', async () => {
  const lab = await createApiLab()
  const before = (await lab.call('GET', '/.well-known/jwks.json')).json
  const foreign = await lab.keyFor(['admin'], await lab.anotherOrganization())
  const reader = await lab.keyFor(['connections:read'])
  for (const key of [foreign, reader])
    expect((await lab.call('POST', '/api/v1/admin/signing-keys/rotate', { key, body: { stolen: true } })).json.code).toBe('forbidden')
  expect((await lab.call('GET', '/.well-known/jwks.json')).json).toEqual(before)
  await lab.app.close()
})
