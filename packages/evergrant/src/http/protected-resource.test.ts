import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { systemEntropy } from '../system.ts'
import { testSeal } from '../testing/seal.ts'
import { createSessionLab, type SessionLab } from '../testing/session-lab.ts'

const BASE = 'https://evergrant.example'
const DEVICES = '/api/v1/users/me/sessions'
/** Every kind of signature that a key can make and a client could try. */
const SIGNATURES = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']

const published = async (lab: SessionLab) => (await lab.call('GET', '/.well-known/oauth-protected-resource', { key: null })).json

/** How a session that is bound to a key of this kind is answered when it proves that key. */
async function callWith(lab: SessionLab, algorithm: string) {
  const { privateKey, publicKey } = await generateKeyPair(algorithm)
  const jwk = await exportJWK(publicKey)
  const opened = await lab.services.sessions.open({
    user: lab.ana,
    organization: lab.organization,
    mode: 'bearer',
    methods: ['pwd'],
    keyThumbprint: await calculateJwkThumbprint(jwk, 'sha256'),
    address: null,
    userAgent: null,
  })
  const claims = { htm: 'GET', htu: BASE + DEVICES, jti: systemEntropy.uuid(), iat: Math.floor(lab.time.clock.wall() / 1_000) }
  const dpop = await new SignJWT({ ...claims, ath: testSeal().digest(opened.accessToken) })
    .setProtectedHeader({ alg: algorithm, typ: 'dpop+jwt', jwk })
    .sign(privateKey)
  return lab.call('GET', DEVICES, { key: null, headers: { authorization: `DPoP ${opened.accessToken}`, dpop } })
}

test('what a proof may be signed with is published, and exactly that is accepted (RFC 9449 section 5.1, RFC 9728)', async () => {
  const lab = await createSessionLab()
  const { dpop_signing_alg_values_supported: algorithms } = await published(lab)
  const accepted: string[] = []
  for (const algorithm of SIGNATURES) {
    const answer = await callWith(lab, algorithm)
    if (answer.status === 200) accepted.push(algorithm)
    else {
      expect([answer.status, answer.json.code], algorithm).toEqual([401, 'dpop_proof_invalid'])
      expect(answer.headers['www-authenticate'], algorithm).toBe(`DPoP error="invalid_dpop_proof", algs="${algorithms.join(' ')}"`)
    }
  }
  expect(accepted).toEqual(algorithms)
  await lab.app.close()
})

test('anybody may ask what is accepted', async () => {
  const lab = await createSessionLab()
  const answer = await lab.call('GET', '/.well-known/oauth-protected-resource', { key: null })
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(answer.json).toEqual({
    resource: BASE,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
    dpop_bound_access_tokens_required: false,
    resource_documentation: `${BASE}/docs/api`,
  })
  await lab.app.close()
})

test('an access token in the address or in the body is none: the header is the only way (RFC 9728 `bearer_methods_supported`)', async () => {
  const lab = await createSessionLab()
  const { accessToken } = await lab.signIn('bearer')
  expect((await published(lab)).bearer_methods_supported).toEqual(['header'])
  expect((await lab.call('GET', DEVICES, { key: accessToken })).status).toBe(200)
  expect((await lab.call('GET', `${DEVICES}?access_token=${accessToken}`, { key: null })).status).toBe(401)
  expect((await lab.call('DELETE', DEVICES, { key: null, body: { access_token: accessToken } })).status).toBe(401)
  await lab.app.close()
})
