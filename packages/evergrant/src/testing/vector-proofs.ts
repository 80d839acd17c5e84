import { createPrivateKey } from 'node:crypto'
import { judgeProof, readProof } from '../core/proof/dpop.ts'
import type { DpopNonces } from '../core/proof/dpop-nonces.ts'
import type { Clock } from '../core/time.ts'
import { proofVerifier } from '../seal/token-signer.ts'
import { algorithmOf, keyOf, type PrivateJwk, sha256, signed, VECTOR_URL, type VectorKey, vectorKey } from './vector-machine.ts'

export interface ProofVector {
  readonly title: string
  readonly request: { readonly method: string; readonly url: string; readonly credential?: string; readonly access_token?: string }
  /** The values of all `DPoP` fields. */
  readonly dpop: readonly string[]
  /** `accepted`, or the first check of RFC 9449 section 4.3 that fails, or `nonce_needed`. */
  readonly result: string
  /** Of the key that made it, where it is accepted. */
  readonly thumbprint: string | null
}

/** RFC 7515 appendix A.3. */
const ES256_JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
}

export const VECTOR_KEYS: Readonly<Record<'es256' | 'ed25519', VectorKey>> = {
  es256: keyOf(createPrivateKey({ key: ES256_JWK, format: 'jwk' })),
  ed25519: vectorKey(Uint8Array.from({ length: 32 }, (_, index) => index)),
}

const URL_CALLED = `${VECTOR_URL}/api/v1/auth/sdk/refresh`
const CREDENTIAL = 'egs_1.01900000-0000-7000-8000-000000000000.7.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const ACCESS_TOKEN = 'an access token'

interface Draft {
  readonly key?: VectorKey
  readonly header?: object
  readonly claims?: object
  readonly text?: (proof: string) => string
  readonly request?: Partial<ProofVector['request']>
  readonly twice?: boolean
  readonly bare?: true
}

const { es256, ed25519 } = VECTOR_KEYS
const READ = { method: 'GET', url: `${VECTOR_URL}/api/v1/connections?limit=5`, access_token: ACCESS_TOKEN } as const
const READ_CLAIMS = { htm: 'GET', htu: `${VECTOR_URL}/api/v1/connections`, rth: undefined, ath: sha256(ACCESS_TOKEN) }

const UNSIGNED = 'the signature of r = 0 and s = 0'
const DRAFTS: Readonly<Record<string, Draft>> = {
  'ES256, over a refresh token': {},
  'EdDSA, over a refresh token': { key: ed25519 },
  'EdDSA, with an access token, to an address with a query': { key: ed25519, request: READ, claims: READ_CLAIMS },
  'a clock that is two hours wrong: the nonce counts': { claims: { iat: 1_767_218_400 } },
  'the address in another spelling': { claims: { htu: 'HTTPS://EVERGRANT.example:443/api/v1/auth/sdk/%72efresh?x=1#y' } },
  'more members in its jwk, which are left out of the thumbprint': { header: { jwk: { ...es256.publicJwk, kid: 'one', use: 'sig', alg: 'ES256' } } },
  'no proof': { text: () => '' },
  'two proofs': { twice: true },
  'two proofs in one field': { text: (proof) => `${proof}, ${proof}` },
  'a text that is no JWS': { text: () => 'proof' },
  'no signature': { text: (proof) => proof.replace(/[^.]*$/, '') },
  'padding after the signature': { text: (proof) => `${proof}=` },
  'longer than 4,096 characters': { claims: { jti: 'x'.repeat(4_096) } },
  'another typ': { header: { typ: 'JWT' } },
  'an access token in its place': { header: { typ: 'at+jwt' } },
  'a critical extension': { header: { crit: ['exp'], exp: 1 } },
  'alg none': { header: { alg: 'none' } },
  'alg HS256': { header: { alg: 'HS256' } },
  'alg RS256': { header: { alg: 'RS256' } },
  'alg EdDSA for a P-256 key': { header: { alg: 'EdDSA' } },
  'no jwk': { header: { jwk: undefined } },
  'a private jwk': { header: { jwk: es256.jwk } },
  'a symmetric jwk': { header: { jwk: { kty: 'oct', k: 'AAAA' } } },
  'a coordinate of 31 bytes': { header: { jwk: { ...es256.publicJwk, x: 'A'.repeat(42) } } },
  'a point that is not on its curve': { header: { jwk: { ...es256.publicJwk, x: 'A'.repeat(43) } } },
  'signed by another key': { header: { jwk: { ...ed25519.publicJwk }, alg: 'EdDSA' } },
  [UNSIGNED]: { text: (proof) => proof.replace(/[^.]*$/, 'A'.repeat(86)) },
  'no jti': { claims: { jti: undefined } },
  'no htm': { claims: { htm: undefined } },
  'no htu': { claims: { htu: undefined } },
  'no iat': { claims: { iat: undefined } },
  'an iat that is a text': { claims: { iat: '1767225600' } },
  'an empty nonce': { claims: { nonce: '' } },
  'another method': { claims: { htm: 'GET' } },
  'the method in small letters': { claims: { htm: 'post' } },
  'another path': { claims: { htu: `${VECTOR_URL}/api/v1/auth/sdk/recover` } },
  'another host': { claims: { htu: 'https://attacker.example/api/v1/auth/sdk/refresh' } },
  'http for https': { claims: { htu: 'http://evergrant.example/api/v1/auth/sdk/refresh' } },
  'a path alone': { claims: { htu: '/api/v1/auth/sdk/refresh' } },
  'the hash of another credential': { claims: { rth: sha256('another') } },
  'no rth': { claims: { rth: undefined } },
  'no ath beside an access token': { key: ed25519, request: READ, claims: { ...READ_CLAIMS, ath: undefined } },
  'the ath of another access token': { key: ed25519, request: READ, claims: { ...READ_CLAIMS, ath: sha256('another') } },
  'no nonce': { bare: true },
  'a nonce of somebody else': { claims: { nonce: 'theirs' } },
  'a nonce with another MAC': { claims: { nonce: `1.${'A'.repeat(43)}` } },
}

/**
 * What the checks of the server say to each. `signatures`: see {@link signaturesIn}.
 */
export async function proofVectors(clock: Pick<Clock, 'wall'>, nonces: DpopNonces, signatures: ReadonlyMap<string, string>): Promise<readonly ProofVector[]> {
  const now = clock.wall()
  const nonce = nonces.current()
  const made: ProofVector[] = []
  for (const [title, { key = es256, header = {}, claims = {}, text = (proof: string) => proof, request, twice = false, bare = false }] of Object.entries(
    DRAFTS,
  )) {
    const asked = { method: 'POST', url: URL_CALLED, ...(request ?? { credential: CREDENTIAL }) }
    const all = { jti: 'a', htm: 'POST', htu: URL_CALLED, iat: Math.floor(now / 1_000), rth: sha256(CREDENTIAL), ...(bare ? {} : { nonce }), ...claims }
    const drawn = signed(key.key, { typ: 'dpop+jwt', alg: algorithmOf(key), jwk: key.publicJwk, ...header }, all)
    const input = drawn.slice(0, drawn.lastIndexOf('.'))
    const proof = text(`${input}.${signatures.get(`${title}\n${input}`) ?? drawn.slice(input.length + 1)}`)
    const dpop = proof === '' ? [] : twice ? [proof, proof] : [proof]
    made.push({ title, request: asked, dpop, ...(await judged(dpop, asked, { now, nonces })) })
  }
  return made
}

export async function judged(
  dpop: readonly string[],
  { method, url, credential, access_token: accessToken }: ProofVector['request'],
  { now, nonces }: { readonly now: number; readonly nonces: DpopNonces },
): Promise<Pick<ProofVector, 'result' | 'thumbprint'>> {
  const refused = (result: string) => ({ result, thumbprint: null })
  const read = readProof(dpop)
  if (typeof read === 'string') return refused(read)
  const thumbprint = await proofVerifier.verify(read)
  if (thumbprint === null) return refused('signature_wrong')
  const verdict = judgeProof(read, thumbprint, {
    method,
    url,
    now,
    accessTokenHash: accessToken === undefined ? null : sha256(accessToken),
    credentialHash: credential === undefined ? null : sha256(credential),
    boundTo: null,
    nonceEnds: (text) => nonces.ends(text),
    nonceRequired: true,
  })
  if (verdict.kind === 'refused') return refused(verdict.why)
  return verdict.kind === 'proven' ? { result: 'accepted', thumbprint } : refused('nonce_needed')
}

/** What each proof of an earlier file signed, and its signature: a new ES256 signature would have other bytes. */
export function signaturesIn(proofs: readonly ProofVector[]): ReadonlyMap<string, string> {
  return new Map(
    proofs.flatMap(({ title, dpop: [proof = ''] }) => {
      const [, input = '', signature = ''] = /^([^.]+\.[^.]+)\.([A-Za-z0-9_-]{86})\b/.exec(proof) ?? []
      return signature === '' || title === UNSIGNED ? [] : [[`${title}\n${input}`, signature] as const]
    }),
  )
}

export const thumbprintVectors = (): readonly { readonly jwk: PrivateJwk; readonly thumbprint: string }[] => [
  ...Object.values(VECTOR_KEYS).map(({ publicJwk, thumbprint }) => ({ jwk: publicJwk, thumbprint })),
  { jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }, thumbprint: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' },
  {
    jwk: { kty: 'EC', crv: 'P-256', x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs', y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA' },
    thumbprint: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
  },
]

export const hashVectors = (): readonly { readonly credential: string; readonly hash: string }[] =>
  [CREDENTIAL, ACCESS_TOKEN, 'egc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'grün'].map((credential) => ({ credential, hash: sha256(credential) }))
