// Whatever stands in the place of a proof or of a token: a refusal, never a crash, and never an acceptance. RFC 9449's own examples, and Wycheproof.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { secretOfCode } from '../../core/agent/enrolment-service.ts'
import { readSdkRefreshToken, sdkRefreshToken } from '../../core/agent/sdk-refresh-token.ts'
import { readProof } from '../../core/proof/dpop.ts'
import { proofVerifier } from '../../seal/token-signer.ts'
import { type AgentLab, createAgentLab } from '../../testing/agent-lab.ts'
import type { AgentMachine } from '../../testing/agent-machine.ts'
import { RECOVER, REFRESH, REVOKE } from '../../testing/sdk-calls.ts'
import { testSeal } from '../../testing/seal.ts'
import { sha256, signed, VECTOR_URL } from '../../testing/vector-machine.ts'
import { judged, VECTOR_KEYS } from '../../testing/vector-proofs.ts'

let lab: AgentLab
let machine: AgentMachine
beforeAll(async () => {
  lab = await createAgentLab()
  machine = await lab.enrolled(await lab.agent({ access: ['token'], connections: [{}] }))
})

const seal = testSeal()
const bytes = fc.uint8Array({ maxLength: 600 }).map((raw) => Buffer.from(raw).toString('latin1'))
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const junk = fc.oneof(
  bytes,
  fc.string({ unit: 'binary' }),
  fc.json().map((text) => Buffer.from(text).toString('base64url')),
)
const jwsLike = fc.array(junk, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'))

/** One change of a text: a sign, a cut, a piece twice, two pieces exchanged. */
const changed = (text: string): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc
        .tuple(fc.nat(text.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
        .map(([at, sign]) => text.slice(0, at) + sign + text.slice(at + 1)),
      fc.tuple(fc.nat(text.length), fc.nat(text.length)).map(([from, to]) => text.slice(0, Math.min(from, to)) + text.slice(Math.max(from, to))),
      fc.tuple(fc.nat(text.length), junk).map(([at, more]) => text.slice(0, at) + more + text.slice(at)),
      fc.shuffledSubarray(text.split('.')).map((parts) => parts.join('.')),
    )
    .filter((mutant) => mutant !== text)

describe('proofs', () => {
  const asked = { method: 'POST', url: VECTOR_URL + REFRESH, credential: 'a token' }
  const claims = () => ({ jti: 'a', htm: 'POST', htu: asked.url, iat: 1, rth: sha256(asked.credential), nonce: lab.services.proofs.nonces.current() })
  const said = async (headers: readonly string[]) => (await judged(headers, asked, { now: lab.time.clock.wall(), nonces: lab.services.proofs.nonces })).result

  test('raw bytes, and what looks like a JWS, are refused with a name', async () => {
    const run = async (text: string) => (await said([text])) !== 'accepted'
    await fc.assert(fc.asyncProperty(fc.oneof(bytes, jwsLike), run), { numRuns: 1_500 })
  })

  test.each(Object.entries(VECTOR_KEYS))(
    'a genuine proof of %s that was changed anywhere is refused, unless it says and signs the same',
    async (_name, key) => {
      const genuine = signed(key.key, { typ: 'dpop+jwt', alg: key.publicJwk['kty'] === 'EC' ? 'ES256' : 'EdDSA', jwk: key.publicJwk }, claims())
      expect(await said([genuine])).toBe('accepted')
      const parsed = readProof([genuine])
      const run = async (mutant: string) => {
        if ((await said([mutant])) !== 'accepted') return
        // The last letter of base64url has bits that no byte uses: the proof is the same, and so is what remembers that it was used.
        const read = readProof([mutant])
        if (typeof read === 'string' || typeof parsed === 'string') throw new Error('an accepted proof can be read')
        expect([read.claims, read.jwk]).toEqual([parsed.claims, parsed.jwk])
        expect(Buffer.from(mutant.split('.')[2] ?? '', 'base64url')).toEqual(Buffer.from(genuine.split('.')[2] ?? '', 'base64url'))
      }
      await fc.assert(fc.asyncProperty(changed(genuine), run), { numRuns: 800 })
    },
  )

  test('a header and claims of any shape, rightly signed by a key of anybody, are refused where one member is not what it must be', async () => {
    const key = VECTOR_KEYS.ed25519
    const header = { typ: 'dpop+jwt', alg: 'EdDSA', jwk: key.publicJwk }
    const value = fc.oneof(fc.anything(), fc.constantFrom(null, '', 0, -1, 1e308, [], {}, 'none', 'POST'))
    const spoilt = fc.tuple(fc.constantFrom('typ', 'alg', 'jwk', 'crit', 'jti', 'htm', 'htu', 'iat', 'rth', 'nonce'), value)
    const run = async ([member, given]: [string, unknown]) => {
      const isHeader = ['typ', 'alg', 'jwk', 'crit'].includes(member)
      const right: Readonly<Record<string, unknown>> = isHeader ? header : claims()
      let json: unknown
      try {
        json = JSON.parse(JSON.stringify({ [member]: given }))[member]
      } catch {
        return
      }
      // Any text is a `jti`, any finite number an `iat` beside a nonce; and what is not there cannot be critical.
      if (json === right[member] || (member === 'jti' && typeof json === 'string' && json !== '') || (member === 'iat' && typeof json === 'number')) return
      if (member === 'crit' && json === undefined) return
      const made = isHeader ? signed(key.key, { ...header, [member]: json }, claims()) : signed(key.key, header, { ...claims(), [member]: json })
      expect(await said([made]), `${member} = ${JSON.stringify(json)}`).not.toBe('accepted')
    }
    await fc.assert(fc.asyncProperty(spoilt, run), { numRuns: 600 })
  })

  test("the RFC's own proofs are rightly signed, and refused for their time, their address and their use", async () => {
    const { nonces } = lab.services.proofs
    const HEADER =
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19'
    /** Section 4.1. */
    const token = `${HEADER}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg`
    /** Section 7.1. */
    const resource = `${HEADER}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA`
    for (const proof of [token, resource]) {
      const read = readProof([proof])
      if (typeof read === 'string') throw new Error(read)
      // Section 6.1.
      expect(await proofVerifier.verify(read)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
      expect(await said([proof])).toMatch(/^(method|target)_wrong$/)
    }
    const theirs = { method: 'POST', url: 'https://server.example.com/token' }
    const access = { method: 'GET', url: 'https://resource.example.org/protectedresource', access_token: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU' }
    const at = (seconds: number) => ({ now: seconds * 1_000, nonces })
    // Their clocks are right at their time; a server that wants its nonce wants it then as well.
    expect((await judged([token], theirs, at(1_562_262_616))).result).toBe('nonce_needed')
    expect((await judged([resource], access, at(1_562_262_618))).result).toBe('nonce_needed')
    expect((await judged([resource], { ...access, access_token: 'another' }, at(1_562_262_618))).result).toBe('access_token_wrong')
    expect((await judged([token], { ...theirs, credential: 'a token' }, at(1_562_262_616))).result).toBe('credential_wrong')
  })
})

const vectors = fileURLToPath(new URL('../../../../../../shared/vectors/', import.meta.url))
const hasVectors = existsSync(vectors)
if (!hasVectors) console.warn(`SKIPPED: Wycheproof vectors are not beside the checkout (${vectors})`)

interface Group {
  readonly publicKey: { readonly pk?: string; readonly uncompressed?: string }
  readonly tests: readonly { readonly tcId: number; readonly sig: string; readonly result: string }[]
}

test.skipIf(!hasVectors).each([
  ['wycheproof_ecdsa_secp256r1_sha256_p1363.json', 'ES256'],
  ['wycheproof_ed25519.json', 'EdDSA'],
] as const)('no signature of %s makes a proof by its key, valid or not: none was made over one', async (file, algorithm) => {
  const { testGroups }: { testGroups: readonly Group[] } = JSON.parse(readFileSync(vectors + file, 'utf8'))
  let looked = 0
  for (const { publicKey, tests } of testGroups) {
    const jwk = jwkOf(publicKey)
    for (const { tcId, sig } of tests) {
      looked += 1
      const text = `${encoded({ typ: 'dpop+jwt', alg: algorithm, jwk })}.${encoded({ jti: 'a', htm: 'POST', htu: VECTOR_URL, iat: 1 })}.${Buffer.from(sig, 'hex').toString('base64url')}`
      const read = readProof([text])
      if (typeof read !== 'string') expect(await proofVerifier.verify(read), `vector ${tcId}`).toBeNull()
    }
  }
  expect(looked).toBeGreaterThan(140)
})

function jwkOf({ pk, uncompressed }: Group['publicKey']): object {
  const part = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')
  if (uncompressed !== undefined) return { kty: 'EC', crv: 'P-256', x: part(uncompressed.slice(2, 66)), y: part(uncompressed.slice(66, 130)) }
  return { kty: 'OKP', crv: 'Ed25519', x: part(pk ?? '') }
}

describe('tokens', () => {
  const genuine = () => machine.refreshToken ?? ''

  test('nothing but what this server made is read, byte for byte', () => {
    const read = readSdkRefreshToken(genuine(), seal)
    if (read === null) throw new Error('the genuine one is read')
    expect(sdkRefreshToken(read, seal)).toBe(genuine())
    fc.assert(
      fc.property(fc.oneof(junk, jwsLike, changed(genuine())), (text) => readSdkRefreshToken(text, seal) === null),
      { numRuns: 5_000 },
    )
  })

  test('another generation, attempt or installation under the same MAC is nothing', () => {
    const [prefix, uuid, , attempt, mac] = genuine().split('.')
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10 ** 14 }),
        (generation) => readSdkRefreshToken([prefix, uuid, generation, attempt, mac].join('.'), seal) === null,
      ),
    )
  })

  test('whatever stands in a code, reading it gives a text or nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          junk,
          jwsLike,
          junk.map((text) => `egc_${text}`),
        ),
        (text) => /^(egc_[A-Za-z0-9_-]+)?$/.test(secretOfCode(text) ?? ''),
      ),
      { numRuns: 2_000 },
    )
  })

  test('over HTTP: any bytes as token, proof and attempt are refused by a problem that is no fault of ours, and lock nobody', async () => {
    const header = fc.oneof(
      // What a header may carry at all.
      fc.stringMatching(/^[\x20-\x7e]{1,200}$/),
      fc
        .array(
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
          { minLength: 3, maxLength: 3 },
        )
        .map((parts) => parts.join('.')),
    )
    const path = fc.constantFrom<string>(REFRESH, RECOVER, REVOKE, '/api/v1/agents/enroll')
    const run = async (to: string, dpop: string, token: string, attempt: string) => {
      const field = to === RECOVER ? 'old_refresh_token' : to === '/api/v1/agents/enroll' ? 'code' : 'refresh_token'
      const body = { [field]: token, ...(to === REVOKE ? {} : { attempt_id: attempt }) }
      const { status, json } = await lab.call('POST', to, { key: null, headers: { dpop }, body })
      expect([status, typeof json.code]).toEqual([expect.toSatisfy((code: number) => [400, 401, 413, 429].includes(code)), 'string'])
      // The bucket of one address fills up while nothing else happens.
      await lab.time.advance(100)
    }
    const attempt = fc.oneof(fc.constant('A'.repeat(22)), junk)
    await fc.assert(fc.asyncProperty(path, header, fc.oneof(junk, changed(genuine())), attempt, run), { numRuns: 300 })
    expect((await machine.refresh()).json.metadata.source).toBe('token_rotation')
  })
})
