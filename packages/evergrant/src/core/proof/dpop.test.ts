import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createProofKey } from '../../../../sdk/src/proof/proof-key.ts'
import { proofVerifier } from '../../seal/token-signer.ts'
import { openVolatileStore } from '../../store/memory/volatile-store.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { testSeal } from '../../testing/seal.ts'
import { Fault } from '../fault/fault.ts'
import { MINUTE, SECOND } from '../time.ts'
import { readProof } from './dpop.ts'
import { DpopProofs, type ProvenRequest } from './dpop-proofs.ts'
import { proofTarget } from './proof-target.ts'

const URL_CALLED = 'https://evergrant.example/api/v1/auth/refresh'
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed25519 = generateKeyPairSync('ed25519')
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')

interface Made {
  readonly header?: object
  readonly claims?: object
  readonly pair?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
}

/** A proof that is right, but for what is altered. */
function proof(at: number, { header = {}, claims = {}, pair = p256 }: Made = {}): string {
  const ec = pair.privateKey.asymmetricKeyType === 'ec'
  const jwk = pair.publicKey.export({ format: 'jwk' })
  const input = `${encoded({ typ: 'dpop+jwt', alg: ec ? 'ES256' : 'EdDSA', jwk, ...header })}.${encoded({ jti: 'a', htm: 'POST', htu: URL_CALLED, iat: Math.floor(at / 1_000), ...claims })}`
  const signature = ec
    ? sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
    : sign(null, Buffer.from(input), pair.privateKey)
  return `${input}.${signature.toString('base64url')}`
}

function open(start?: number) {
  const time = createManualTime(start)
  const store = openVolatileStore({ clock: time.clock, timers: time.timers })
  const node = () => new DpopProofs({ verifier: proofVerifier, seen: store.proofsSeen, seal: testSeal(), clock: time.clock })
  const proofs = node()
  const check = (headers: string | readonly string[], changes: Partial<ProvenRequest> = {}, by = proofs): Promise<string> =>
    by
      .check({ headers: typeof headers === 'string' ? [headers] : headers, method: 'POST', url: URL_CALLED, accessToken: null, boundTo: null, ...changes })
      .catch((error: unknown) =>
        error instanceof Fault ? `${error.code} ${error.details.detail?.replace(/^The proof of possession was refused\. /, '')}` : String(error),
      )
  return { time, check, node, proofs, store, at: () => time.clock.wall() }
}

test('a proof of either kind of key gives the thumbprint of its key (RFC 7638)', async () => {
  const { check, at } = open()
  const { crv, kty, x, y } = p256.publicKey.export({ format: 'jwk' })
  expect(await check(proof(at()))).toBe(hash(JSON.stringify({ crv, kty, x, y })))
  const okp = ed25519.publicKey.export({ format: 'jwk' })
  expect(await check(proof(at(), { pair: ed25519 }))).toBe(hash(JSON.stringify({ crv: okp.crv, kty: okp.kty, x: okp.x })))
})

test('the proofs of the SDK are accepted', async () => {
  const { check, proofs } = open(Date.now())
  const key = await createProofKey()
  const accessToken = 'a token'
  expect(await check(await key.proofFor({ method: 'POST', url: `${URL_CALLED}?x=1#y`, accessToken }), { accessToken, boundTo: key.thumbprint })).toBe(
    key.thumbprint,
  )
  expect(await check(await key.proofFor({ method: 'POST', url: URL_CALLED, nonce: proofs.nonces.current() }), { nonceRequired: true })).toBe(key.thumbprint)
})

const wrong: readonly [string, (at: number) => string | readonly string[], string][] = [
  ['no proof', () => [], 'is missing'],
  ['two proofs', (at) => [proof(at), proof(at)], 'more than one'],
  ['two proofs in one field', (at) => `${proof(at)}, ${proof(at)}`, 'more than one'],
  ['a text that is no JWT', () => 'proof', 'no compact JWS'],
  ['no signature', (at) => proof(at).replace(/\.[^.]*$/, '.'), 'no compact JWS'],
  ['oversized', (at) => proof(at, { claims: { jti: 'x'.repeat(10_000) } }), 'no compact JWS'],
  ['another type', (at) => proof(at, { header: { typ: 'JWT' } }), 'dpop+jwt'],
  ['an access token in its place', (at) => proof(at, { header: { typ: 'at+jwt' } }), 'dpop+jwt'],
  ['a critical extension', (at) => proof(at, { header: { crit: ['exp'] } }), 'crit'],
  ['alg none', (at) => proof(at, { header: { alg: 'none' } }), 'alg'],
  ['alg HS256', (at) => proof(at, { header: { alg: 'HS256' } }), 'alg'],
  ['alg RS256, which is not offered', (at) => proof(at, { header: { alg: 'RS256' } }), 'alg'],
  ['alg of the other kind of key', (at) => proof(at, { header: { alg: 'EdDSA' } }), 'public key'],
  ['no key', (at) => proof(at, { header: { jwk: undefined } }), 'public key'],
  ['a private key', (at) => proof(at, { header: { jwk: p256.privateKey.export({ format: 'jwk' }) } }), 'private key'],
  ['a symmetric key', (at) => proof(at, { header: { jwk: { kty: 'oct', k: 'AAAA' } } }), 'private key'],
  ['a point that is not on its curve', (at) => proof(at, { header: { jwk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } } }), 'signature'],
  [
    'another key than the one that signed',
    (at) => proof(at, { header: { jwk: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) } }),
    'signature',
  ],
  ['no jti', (at) => proof(at, { claims: { jti: undefined } }), '`jti`'],
  ['a jti that is a number, however wide', (at) => proof(at, { claims: { jti: -9007199254740992 } }), '`jti`'],
  ['no htm', (at) => proof(at, { claims: { htm: undefined } }), '`jti`'],
  ['no htu', (at) => proof(at, { claims: { htu: undefined } }), '`jti`'],
  ['no iat', (at) => proof(at, { claims: { iat: undefined } }), '`jti`'],
  ['an iat that is a text', (at) => proof(at, { claims: { iat: '1' } }), '`jti`'],
  ['another method', (at) => proof(at, { claims: { htm: 'GET' } }), 'method'],
  ['another spelling of the method', (at) => proof(at, { claims: { htm: 'post' } }), 'method'],
  ['another path', (at) => proof(at, { claims: { htu: `${URL_CALLED}/x` } }), 'address'],
  ['another host', (at) => proof(at, { claims: { htu: 'https://attacker.example/api/v1/auth/refresh' } }), 'address'],
  ['http for https', (at) => proof(at, { claims: { htu: URL_CALLED.replace('https', 'http') } }), 'address'],
  ['a path alone', (at) => proof(at, { claims: { htu: '/api/v1/auth/refresh' } }), 'address'],
]

test.each(wrong)('%s is refused, and the sentence says why (S50, RFC 9449 section 4.3)', async (_title, made, why) => {
  const { check, at } = open()
  const refused = await check(made(at()))
  expect(refused).toMatch(/^dpop_proof_invalid /)
  expect(refused).toContain(why)
})

test('an access token and its proof belong together', async () => {
  const { check, at } = open()
  const ath = hash('token')
  expect(await check(proof(at()), { accessToken: 'token' })).toContain('`ath`')
  expect(await check(proof(at(), { claims: { ath: hash('other') } }), { accessToken: 'token' })).toContain('`ath`')
  expect(await check(proof(at(), { claims: { ath } }), { accessToken: 'token', boundTo: 'other key' })).toContain('another key')
  expect(await check(proof(at(), { claims: { ath } }), { accessToken: 'token' })).toHaveLength(43)
})

test('query and fragment are not compared, nor spellings that mean the same', async () => {
  const { check, at } = open()
  const htu = 'HTTPS://Evergrant.Example:443/api/v1/auth/%72efresh'
  expect(await check(proof(at(), { claims: { htu } }), { url: `${URL_CALLED}?code=1` })).toHaveLength(43)
})

test('a proof is good once, on whichever node and whatever its kind of words (S50)', async () => {
  const { check, node, at } = open()
  const used = proof(at())
  expect(await check(used)).toHaveLength(43)
  expect(await check(used)).toContain('used before')
  expect(await check(used, {}, node())).toContain('used before')
  expect(await check(proof(at(), { claims: { extra: 1 } }))).toContain('used before')
  expect(await check(proof(at(), { claims: { jti: 'b' } }))).toHaveLength(43)
  const concurrent = proof(at(), { claims: { jti: 'c' } })
  const outcomes = await Promise.all(Array.from({ length: 16 }, () => check(concurrent, {}, node())))
  expect(outcomes.filter((outcome) => outcome.length === 43)).toHaveLength(1)
})

test('a proof is remembered for as long as it could be used again', async () => {
  const { check, time, store, at } = open()
  const used = proof(at() + 60 * SECOND)
  expect(await check(used)).toHaveLength(43)
  for (let elapsed = 0; elapsed <= 6 * MINUTE; elapsed += 10 * SECOND) {
    await store.proofsSeen.forget(at(), 100)
    expect(await check(used)).not.toHaveLength(43)
    await time.advance(10 * SECOND)
  }
})

test.each([
  ['two minutes old', 'accepted', -2 * MINUTE],
  ['older than two minutes', 'answered with a nonce', -2 * MINUTE - SECOND],
  ['a minute ahead', 'accepted', MINUTE],
  ['more than a minute ahead', 'answered with a nonce', MINUTE + SECOND],
])('a proof that is %s by its own clock is %s', async (_title, outcome, offset) => {
  const { check, at } = open()
  expect(await check(proof(at() + offset))).toMatch(outcome === 'accepted' ? /^.{43}$/ : /^dpop_nonce_required/)
})

test('whoever has a wrong clock gets in with a nonce of ours', async () => {
  const { check, proofs, at, time, node } = open()
  const wrongClock = at() - 400 * MINUTE
  expect(await check(proof(wrongClock))).toMatch(/^dpop_nonce_required/)
  const nonce = proofs.nonces.current()
  expect(await check(proof(wrongClock, { claims: { nonce } }), {}, node())).toHaveLength(43)
  await time.advance(4 * MINUTE)
  expect(await check(proof(wrongClock, { claims: { nonce, jti: 'b' } }))).toHaveLength(43)
  await time.advance(2 * MINUTE)
  expect(await check(proof(wrongClock, { claims: { nonce, jti: 'c' } }))).toMatch(/^dpop_nonce_required/)
})

test('where a nonce is asked for, only one of ours counts', async () => {
  const { check, at, proofs } = open()
  const nonce = proofs.nonces.current()
  expect(await check(proof(at()), { nonceRequired: true })).toMatch(/^dpop_nonce_required/)
  for (const made of ['', 'x', nonce.slice(0, -1), `${nonce}x`, `zz${nonce}`, nonce.replace(/^./, '0')])
    expect(await check(proof(at(), { claims: { nonce: made === '' ? 'none' : made } }), { nonceRequired: true })).toMatch(/^dpop_nonce_required/)
  expect(await check(proof(at(), { claims: { nonce } }), { nonceRequired: true })).toHaveLength(43)
})

test('whatever stands in the header, the answer is a fault and never anything else', async () => {
  const { check } = open()
  const part = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.object().map(encoded),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 4 }).map((parts) => parts.join('.')),
      async (text) => {
        expect(await check(text)).toMatch(/^dpop_proof_invalid/)
      },
    ),
    { numRuns: 300 },
  )
})

test('no sign of a genuine proof can be altered', async () => {
  const { check, at } = open()
  const genuine = proof(at())
  await fc.assert(
    fc.asyncProperty(fc.nat(genuine.length - 2), fc.constantFrom(...'AZaz09-_.'), async (index, letter) => {
      const altered = genuine.slice(0, index) + letter + genuine.slice(index + 1)
      fc.pre(altered !== genuine)
      expect(await check(altered)).not.toHaveLength(43)
    }),
    { numRuns: 300 },
  )
})

test('header and claims of any shape are read or refused by name', () => {
  fc.assert(
    fc.property(fc.object(), fc.object(), (header, claims) => {
      const read = readProof([`${encoded({ typ: 'dpop+jwt', alg: 'ES256', ...header })}.${encoded(claims)}.AAAA`])
      expect(typeof read).toBe('string')
    }),
  )
})

test.each([
  ['https://a.example', 'https://a.example/'],
  ['https://A.example:443/x?y#z', 'https://a.example/x'],
  ['http://a.example:80/', 'http://a.example/'],
  ['http://a.example:443/', 'http://a.example:443/'],
  ['https://a.example/%7Ex%2fy', 'https://a.example/~x%2Fy'],
  ['https://user@a.example/', null],
  ['ftp://a.example/', null],
  ['https:///x', null],
  ['//a.example/x', null],
  ['https://a.example\\@b.example/', null],
  ['', null],
])('%j is compared as %j', (url, target) => {
  expect(proofTarget(url)).toBe(target)
})
