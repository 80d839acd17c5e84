import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { decodeJwt } from '../core/provider/base64url.ts'
import { signJwt } from '../core/provider/jwt.ts'
import type { SigningFacts } from '../core/provider/record.ts'
import { createKeySigner } from './key-signer.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed25519 = generateKeyPairSync('ed25519')
const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const ports = { signer: createKeySigner(), now: () => 1_700_000_000_000, unique: () => 'id-1' }
const facts = (algorithm: SigningFacts['algorithm'], more: Partial<SigningFacts> = {}): SigningFacts => ({
  algorithm,
  header: { kid: '{key_id}' },
  claims: { iss: '{client_id}', sub: '{subject}', aud: '{token_url}' },
  lifetimeSeconds: 600,
  ...more,
})
const values = { client_id: 'app-1', token_url: 'https://id.example/token' }

test.each([
  ['RS256', rsa, 'sha256', {}],
  ['RS384', rsa, 'sha384', {}],
  ['PS256', rsa, 'sha256', { padding: 6, saltLength: -1 }],
  ['ES256', p256, 'sha256', { dsaEncoding: 'ieee-p1363' }],
  ['ES384', p384, 'sha384', { dsaEncoding: 'ieee-p1363' }],
  ['EdDSA', ed25519, null, {}],
] as const)('a JWT under %s verifies with the public key', (algorithm, pair, digest, options) => {
  const jwt = signJwt({ facts: facts(algorithm), key: pkcs8(pair.privateKey), values }, ports)
  const [header, claims, signature] = jwt.split('.')
  const signed = Buffer.from(`${header}.${claims}`)
  expect(verify(digest, signed, { key: pair.publicKey, ...options }, Buffer.from(signature ?? '', 'base64url'))).toBe(true)
  expect(decodeJwt(jwt)?.header).toEqual({ typ: 'JWT', alg: algorithm })
})

test('times count from a minute ago, and a claim whose value is not there is left out', () => {
  const jwt = signJwt({ facts: facts('RS256'), key: pkcs8(rsa.privateKey), values: { ...values, key_id: 'k1' } }, ports)
  expect(decodeJwt(jwt)?.header).toEqual({ typ: 'JWT', kid: 'k1', alg: 'RS256' })
  expect(decodeJwt(jwt)?.claims).toEqual({ jti: 'id-1', iss: 'app-1', aud: 'https://id.example/token', iat: 1_699_999_940, exp: 1_700_000_540 })
})

test('claims keep every sign of other scripts', () => {
  const jwt = signJwt({ facts: facts('EdDSA'), key: pkcs8(ed25519.privateKey), values: { ...values, subject: 'Żółć 漢字 😀' } }, ports)
  expect(decodeJwt(jwt)?.claims.sub).toBe('Żółć 漢字 😀')
})

test('a key is read as PKCS#1, as SEC 1, as JWK, and with its line ends escaped', () => {
  const ways = [
    ['RS256', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['ES256', p256.privateKey.export({ type: 'sec1', format: 'pem' }).toString()],
    ['ES256', JSON.stringify(p256.privateKey.export({ format: 'jwk' }))],
    ['RS256', pkcs8(rsa.privateKey).replaceAll('\n', '\\n')],
  ] as const
  for (const [algorithm, key] of ways) expect(signJwt({ facts: facts(algorithm), key, values }, ports)).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{40,}$/)
})

test.each([
  ['text that is no key', 'RS256', 'hunter2-is-no-key', 'cannot be read as a private key'],
  ['a public key', 'RS256', createPublicKey(rsa.privateKey).export({ type: 'spki', format: 'pem' }).toString(), 'cannot be read as a private key'],
  ['a key of another kind', 'ES256', pkcs8(rsa.privateKey), 'is not a P-256 key, which ES256 needs'],
  ['a curve of another algorithm', 'ES256', pkcs8(p384.privateKey), 'is not a P-256 key, which ES256 needs'],
  ['a short RSA key', 'RS256', pkcs8(generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey), 'fewer than 2048 bits'],
] as const)('%s is refused in words that do not repeat it', (_what, algorithm, key, words) => {
  const signing = () => signJwt({ facts: facts(algorithm), key, values }, ports)
  expect(signing).toThrow(words)
  expect(signing).not.toThrow('hunter2')
})

test('where nothing signs, the request is refused and not sent unsigned', () => {
  expect(() => signJwt({ facts: facts('RS256'), key: pkcs8(rsa.privateKey), values }, undefined)).toThrow('nothing here signs')
})

test('hashes agree with RFC 4231 case 2 and FIPS 180-4', () => {
  const { signer } = ports
  expect(signer.hash('hmac_sha256', 'Jefe', 'what do ya want for nothing?', 'hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  expect(signer.hash('sha256', '', 'abc', 'base64')).toBe('ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=')
})
