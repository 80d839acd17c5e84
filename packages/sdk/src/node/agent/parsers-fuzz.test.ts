// What the client reads: answers, files, codes, tokens, proofs. Anything may stand there; the outcome is a value of the right shape or an error of ours.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isEvergrantError } from '../../evergrant-error.ts'
import { importPublicKey, isSignedBy, type PublicJwk, publicJwk, readJws } from '../../proof/jws.ts'
import { readProof } from '../../proof/read-proof.ts'
import { readAccessToken } from '../access-token.ts'
import { readCredentials, writeCredentials } from './credential-file.ts'
import { readCode } from './enrolment.ts'
import { readTokenAnswer } from './token-answer.ts'

const bytes = fc.uint8Array({ maxLength: 400 }).map((raw) => Buffer.from(raw).toString('latin1'))
const part = fc.oneof(
  bytes,
  fc.string({ unit: 'binary' }),
  fc.json().map((text) => Buffer.from(text).toString('base64url')),
)
const jwsLike = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'))
const RUNS = { numRuns: 1_500 }

/** @throws whatever is no error that a caller can tell from a crash */
function outcome<Value>(work: () => Value): Value | null {
  try {
    return work()
  } catch (error) {
    if (isEvergrantError(error)) return null
    throw error
  }
}

test('no text makes the reader of a JWS throw, and what it reads has three parts', () => {
  fc.assert(
    fc.property(fc.oneof(bytes, jwsLike), (text) => {
      const read = readJws(text, 4_096)
      if (read !== null) expect(text.split('.')).toHaveLength(3)
    }),
    RUNS,
  )
})

test('no record that is no key becomes one, and a private or symmetric part never comes along', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom('kty', 'crv', 'x', 'y', 'd', 'k', '__proto__'),
        fc.oneof(part, fc.anything(), fc.constantFrom('EC', 'OKP', 'P-256', 'Ed25519')),
      ),
      (jwk) => {
        for (const algorithm of ['ES256', 'EdDSA'] as const) {
          const key = publicJwk(jwk, algorithm)
          if (key !== null) expect(Object.keys(key).sort()).toEqual(algorithm === 'ES256' ? ['crv', 'kty', 'x', 'y'] : ['crv', 'kty', 'x'])
        }
      },
    ),
    RUNS,
  )
})

test('nothing in the header is taken for a proof', async () => {
  const target = { method: 'GET', url: 'https://api.example/x', accessToken: 'token', thumbprint: 'A'.repeat(43), now: 0 }
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, jwsLike), async (text) => {
      expect((await readProof(text, target as never)).kind).toBe('refused')
    }),
    { numRuns: 500 },
  )
})

test('nothing is taken for an access token, and the refusal is one of ours', async () => {
  const keys = { find: async () => undefined }
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, jwsLike), async (text) => {
      const read = await readAccessToken(text, keys as never, { issuer: 'https://e.example', audience: 'https://e.example', now: 0 } as never).catch(
        (error: unknown) => {
          if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) throw error
          return null
        },
      )
      expect(read).toBeNull()
    }),
    { numRuns: 500 },
  )
})

test('a code is read whole or not at all', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        part,
        part.map((text) => `egc_${text}`),
        jwsLike.map((text) => `egc_A.${text}`),
      ),
      (text) => {
        const read = readCode(text)
        if (read !== null) expect(read.secret).toMatch(/^egc_[A-Za-z0-9_-]+$/)
      },
    ),
    RUNS,
  )
})

test('a code that lost its end names no other server than the one it was made for', () => {
  const whole = `egc_abc.${Buffer.from('https://connect.example.co.uk/auth/').toString('base64url')}`
  expect(readCode(whole)).toEqual({ secret: 'egc_abc', server: 'https://connect.example.co.uk/auth' })
  const servers = Array.from(whole, (_, end) => readCode(whole.slice(0, end))?.server ?? null).filter((server) => server !== null)
  for (const server of servers.filter((server) => URL.canParse(server))) expect(new URL(server).origin).toBe('https://connect.example.co.uk')
  expect(servers).toContain('https://connect.example.co.uk')
})

test('an answer of any shape gives tokens with everything that is stored, or the error that repeats the attempt', () => {
  const field = fc.oneof(fc.anything(), fc.string(), fc.double(), fc.constant({ id: 'ins_1' }))
  const names = [
    'access_token',
    'refresh_token',
    'expires_in',
    'generation',
    'installation',
    'agent',
    'organization',
    'metadata',
    'recovery',
    'token_type',
  ] as const
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), field), (body) => {
      const answer = outcome(() => readTokenAnswer(body))
      if (answer === null) return
      expect([typeof answer.access_token, typeof answer.refresh_token, typeof answer.expires_in, typeof answer.generation]).toEqual([
        'string',
        'string',
        'number',
        'number',
      ])
      expect(typeof answer.installation.id).toBe('string')
    }),
    RUNS,
  )
})

test('a credential file of any content is read as one that can be written back, or is left alone with an error of ours', () => {
  const value = fc.oneof(fc.anything(), fc.constantFrom(1, 0, '', 'x', [], {}, [null], [{}]))
  const file = fc.oneof(
    bytes,
    fc.json(),
    fc.record({ version: fc.constantFrom(1, 2, '1'), profiles: value, pending: value }, { requiredKeys: [] }).map((record) => {
      try {
        return JSON.stringify(record) ?? ''
      } catch {
        return '{}'
      }
    }),
  )
  fc.assert(
    fc.property(file, (text) => {
      const read = outcome(() => readCredentials(text, 'credentials.json'))
      if (read === null) return
      expect(read).toEqual(readCredentials(writeCredentials(read), 'credentials.json'))
      for (const one of [...read.profiles, ...read.pending]) expect(typeof one.server).toBe('string')
    }),
    RUNS,
  )
})

const vectors = fileURLToPath(new URL('../../../../../../shared/vectors/', import.meta.url))
const hasVectors = existsSync(vectors)
if (!hasVectors) console.warn(`SKIPPED: Wycheproof vectors are not beside the checkout (${vectors})`)

interface Group {
  readonly publicKey: { readonly pk?: string; readonly uncompressed?: string }
  readonly tests: readonly { readonly tcId: number; readonly msg: string; readonly sig: string; readonly result: string }[]
}

test.skipIf(!hasVectors).each([
  ['wycheproof_ecdsa_secp256r1_sha256_p1363.json', 'ES256'],
  ['wycheproof_ed25519.json', 'EdDSA'],
] as const)('a signature is believed exactly where %s says so', async (file, algorithm) => {
  const { testGroups }: { testGroups: readonly Group[] } = JSON.parse(readFileSync(vectors + file, 'utf8'))
  let [valid, invalid] = [0, 0]
  for (const { publicKey, tests } of testGroups) {
    const key = await importPublicKey(jwkOf(publicKey), algorithm).catch(() => null)
    for (const { tcId, msg, sig, result } of tests) {
      const jws = { header: {}, claims: {}, algorithm, signed: new Uint8Array(Buffer.from(msg, 'hex')), signature: new Uint8Array(Buffer.from(sig, 'hex')) }
      expect(key !== null && (await isSignedBy(jws, key, algorithm)), `vector ${tcId}`).toBe(result === 'valid')
      if (result === 'valid') valid += 1
      else invalid += 1
    }
  }
  expect(valid).toBeGreaterThan(50)
  expect(invalid).toBeGreaterThan(50)
})

function jwkOf({ pk, uncompressed }: Group['publicKey']): PublicJwk {
  const coordinate = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')
  if (uncompressed !== undefined) return { kty: 'EC', crv: 'P-256', x: coordinate(uncompressed.slice(2, 66)), y: coordinate(uncompressed.slice(66, 130)) }
  return { kty: 'OKP', crv: 'Ed25519', x: coordinate(pk ?? '') }
}
