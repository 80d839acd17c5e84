import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { expect, test } from 'vitest'
import { decodeBase64Url, encodeBase64Url } from './base64url.ts'
import { importPublicKey, isSignedBy, publicJwk, readJws, thumbprintOf } from './jws.ts'
import { createProofKey } from './proof-key.ts'

test('thumbprints are those of RFC 8037 appendix A.3 and RFC 9449 section 6.1', async () => {
  const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const
  expect(await thumbprintOf(okp)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  const ec = { kty: 'EC', crv: 'P-256', x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs', y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA' } as const
  expect(await thumbprintOf(ec)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
})

test('a proof is what another library takes for one, and its key never leaves', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  const key = await createProofKey(pair)
  const proof = await key.proofFor({ method: 'POST', url: 'https://a.example/x?y#z', accessToken: 'token', nonce: 'n' })
  const { jwk, typ, alg } = decodeProtectedHeader(proof)
  expect([typ, alg, Object.keys(jwk ?? {}).sort()]).toEqual(['dpop+jwt', 'ES256', ['crv', 'kty', 'x', 'y']])
  expect(await calculateJwkThumbprint(jwk as JWK)).toBe(key.thumbprint)
  const { payload } = await compactVerify(proof, await importJWK(jwk as JWK, 'ES256'))
  expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({
    jti: expect.any(String),
    htm: 'POST',
    htu: 'https://a.example/x',
    iat: expect.any(Number),
    ath: 'PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A',
    nonce: 'n',
  })
  await expect(crypto.subtle.exportKey('jwk', pair.privateKey)).rejects.toThrow()
})

test('no two proofs are the same', async () => {
  const key = await createProofKey()
  const proofs = await Promise.all(Array.from({ length: 50 }, () => key.proofFor({ method: 'GET', url: 'https://a.example/' })))
  expect(new Set(proofs).size).toBe(50)
})

test('a pair of keys that does not sign is refused', async () => {
  const other = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify'])
  await expect(createProofKey(other)).rejects.toThrow(TypeError)
})

test.each([[''], ['f'], ['fo'], ['foo'], ['\u00ff\u00fe\u00fd\u0000']])('base64url of %j comes back', (text) => {
  const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0))
  const encoded = encodeBase64Url(bytes)
  expect(encoded).toBe(Buffer.from(bytes).toString('base64url'))
  expect(decodeBase64Url(encoded)).toEqual(bytes)
})

test.each([['a'], ['a='], ['a+b='], ['a/bc'], ['a bc'], ['\u00e4bcd']])('%j is no base64url', (text) => {
  expect(decodeBase64Url(text)).toBeNull()
})

const vectors = fileURLToPath(new URL('../../../../../shared/vectors/', import.meta.url))
const hasVectors = existsSync(vectors)
if (!hasVectors) console.warn(`SKIPPED: Wycheproof vectors are not beside the checkout (${vectors})`)

interface Group {
  readonly public?: Readonly<Record<string, unknown>>
  readonly tests: readonly { readonly tcId: number; readonly jws: string; readonly result: string }[]
}

test.skipIf(!hasVectors)('a JWS under ES256 is believed where Wycheproof says so, and nowhere else (S74)', async () => {
  const { testGroups }: { testGroups: readonly Group[] } = JSON.parse(readFileSync(`${vectors}wycheproof_json_web_signature.json`, 'utf8'))
  let [valid, invalid] = [0, 0]
  for (const { public: given = {}, tests } of testGroups.filter((group) => group.public?.['alg'] === 'ES256' && group.public['use'] === 'sig')) {
    const jwk = publicJwk(given, 'ES256')
    const key = jwk === null ? null : await importPublicKey(jwk, 'ES256').catch(() => null)
    for (const { tcId, jws, result } of tests) {
      const read = readJws(jws, 10_000)
      // The payloads of the vectors are no JSON, so the signature alone is looked at.
      const believed = key !== null && (await isSignedBy(read ?? signatureOf(jws), key, 'ES256'))
      expect(believed && algorithmOf(jws) === 'ES256', `vector ${tcId}`).toBe(result === 'valid')
      if (result === 'valid') valid += 1
      else invalid += 1
    }
  }
  expect(valid).toBeGreaterThan(0)
  expect(invalid).toBeGreaterThan(10)
})

function signatureOf(jws: string): NonNullable<ReturnType<typeof readJws>> {
  const [header = '', payload = '', signature = ''] = jws.split('.')
  return {
    header: {},
    claims: {},
    algorithm: null,
    signed: new TextEncoder().encode(`${header}.${payload}`),
    signature: decodeBase64Url(signature) ?? new Uint8Array(),
  }
}

function algorithmOf(jws: string): unknown {
  try {
    return JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()).alg
  } catch {
    return null
  }
}
