import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import { systemEntropy } from '../system.ts'
import { createTokenSigner, proofVerifier } from './token-signer.ts'

const signer = createTokenSigner()
const now = Date.UTC(2026, 0, 1)
const claims = { iss: 'https://a', aud: 'https://a', sub: 'usr_1', iat: now / 1_000, exp: now / 1_000 + 600, jti: '1' }
const expected = { type: 'at+jwt', issuer: 'https://a', audience: 'https://a', now, leewaySeconds: 5 }

async function newKey() {
  const id = newId('sgk', systemEntropy)
  return { id, ...(await signer.generate(id)) }
}

test('what one key signed verifies with its public half, and with no other', async () => {
  const [one, two] = [await newKey(), await newKey()]
  const token = await signer.sign('at+jwt', claims, one)
  expect(await signer.verify(token, [two, one], expected)).toEqual({ kind: 'verified', claims })
  expect(await signer.verify(token, [two], expected)).toEqual({ kind: 'refused', why: 'key_unknown' })
  expect(await signer.verify(token, [{ ...two, id: one.id }], expected)).toEqual({ kind: 'refused', why: 'signature_wrong' })
})

test('two keys of one name are none: which is meant would be up to the sender', async () => {
  const [one, two] = [await newKey(), await newKey()]
  const token = await signer.sign('at+jwt', claims, one)
  expect(await signer.verify(token, [one, { ...two, id: one.id }], expected)).toEqual({ kind: 'refused', why: 'key_unknown' })
})

test('the public half has nothing private in it', async () => {
  const { publicJwk, privateJwk } = await newKey()
  expect(Object.keys(publicJwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  expect(JSON.stringify(publicJwk)).not.toContain(JSON.parse(privateJwk).d)
})

const vectors = fileURLToPath(new URL('../../../../../shared/vectors/', import.meta.url))
const hasVectors = existsSync(vectors)
if (!hasVectors) console.warn(`SKIPPED: Wycheproof vectors are not beside the checkout (${vectors})`)

interface JwsGroup {
  readonly comment: string
  readonly public?: JsonObject
  readonly private?: JsonObject
  readonly tests: readonly { readonly tcId: number; readonly comment: string; readonly jws: string; readonly result: string }[]
}

/** Whatever their payload, a JWS of theirs is believed only where its signature is right and its algorithm is that of the key. */
test.skipIf(!hasVectors)('no JWS that Wycheproof calls invalid passes for a proof by its key (S74)', async () => {
  const { testGroups }: { testGroups: readonly JwsGroup[] } = JSON.parse(readFileSync(`${vectors}wycheproof_json_web_signature.json`, 'utf8'))
  let [valid, invalid] = [0, 0]
  for (const group of testGroups) {
    const key = group.public ?? group.private ?? {}
    // What a key says of its own use is left out of a proof: it is believed to have made the signature, and nothing else.
    if (key.kty !== 'EC' || key.crv !== 'P-256' || key.alg !== 'ES256' || key.use !== 'sig') continue
    const jwk = { kty: 'EC', crv: 'P-256', x: key.x ?? '', y: key.y ?? '' }
    for (const { tcId, comment, jws, result } of group.tests) {
      const believed = (await proofVerifier.verify({ text: jws, algorithm: 'ES256', jwk })) !== null
      if (result === 'valid') valid += Number(believed)
      else {
        invalid += 1
        expect(believed, `vector ${tcId}: ${comment}`).toBe(false)
      }
    }
  }
  expect(valid).toBeGreaterThan(0)
  expect(invalid).toBeGreaterThan(10)
})

test.skipIf(!hasVectors)('none of the invalid JWS of Wycheproof is an access token, whatever key is published', async () => {
  const { testGroups }: { testGroups: readonly JwsGroup[] } = JSON.parse(readFileSync(`${vectors}wycheproof_json_web_signature.json`, 'utf8'))
  let checked = 0
  for (const { public: publicJwk, private: privateJwk, tests } of testGroups) {
    const jwk = publicJwk ?? privateJwk ?? {}
    const id = `sgk_${String(jwk.kid ?? '')}` as const
    for (const { tcId, jws } of tests) {
      checked += 1
      expect(await signer.verify(jws, [{ id, algorithm: 'ES256', publicJwk: jwk }], expected), `vector ${tcId}`).toMatchObject({ kind: 'refused' })
    }
  }
  expect(checked).toBeGreaterThan(300)
})

test.skipIf(!hasVectors)('Ed25519 as it is used here agrees with Wycheproof (S74)', async () => {
  interface Group {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly { readonly tcId: number; readonly msg: string; readonly sig: string; readonly result: string }[]
  }
  const { testGroups }: { testGroups: readonly Group[] } = JSON.parse(readFileSync(`${vectors}wycheproof_ed25519.json`, 'utf8'))
  let checked = 0
  for (const { publicKey, tests } of testGroups) {
    const key = await crypto.subtle.importKey('raw', Buffer.from(publicKey.pk, 'hex'), 'Ed25519', false, ['verify']).catch(() => null)
    for (const { tcId, msg, sig, result } of tests) {
      checked += 1
      const believed = key !== null && (await crypto.subtle.verify('Ed25519', key, Buffer.from(sig, 'hex'), Buffer.from(msg, 'hex')).catch(() => false))
      expect(believed, `vector ${tcId}`).toBe(result === 'valid')
    }
  }
  expect(checked).toBeGreaterThan(100)
})

test('a key that is no key of a pair is a defect of ours, and no refusal of the token', async () => {
  const own = await newKey()
  const token = await signer.sign('at+jwt', claims, own)
  const symmetric = { ...own, publicJwk: { kty: 'oct', k: 'c2VjcmV0', kid: own.id } }
  await expect(signer.verify(token, [symmetric], expected)).rejects.toThrow()
  const secret = { ...own, privateJwk: JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' }) }
  await expect(signer.sign('at+jwt', claims, secret)).rejects.toThrow('a symmetric key cannot sign our tokens')
})
