import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { parsePlainJson } from '../provider/answer-body.ts'
import { decodeJwt } from '../provider/base64url.ts'
import { type Instant, MINUTE, SECOND } from '../time.ts'
import { proofTarget } from './proof-target.ts'

/** RFC 9449 section 4.2. */
const PROOF_TYPE = 'dpop+jwt'
/** What a proof may be signed with: published as `dpop_signing_alg_values_supported`, and exactly what is accepted. */
export const PROOF_ALGORITHMS = ['ES256', 'EdDSA'] as const
type ProofAlgorithm = (typeof PROOF_ALGORITHMS)[number]

/** How old a proof may be, and how far ahead of us its clock. With a nonce of ours its clock does not count. */
const PROOF_AGE_MS = 2 * MINUTE
const PROOF_AHEAD_MS = MINUTE
const PROOF_LENGTH_MAX = 4_096

export type ProofRefusal =
  | 'missing'
  | 'more_than_one'
  | 'malformed'
  | 'type_wrong'
  | 'algorithm_refused'
  | 'key_wrong'
  | 'key_private'
  | 'claims_incomplete'
  | 'signature_wrong'
  | 'method_wrong'
  | 'target_wrong'
  | 'access_token_wrong'
  | 'credential_wrong'
  | 'other_key'
  | 'used_before'

/** A proof that is well made; its signature has not been looked at. */
interface ReadProof {
  readonly text: string
  readonly algorithm: ProofAlgorithm
  /** The public key, reduced to the members that define it (RFC 7638 section 3.2). */
  readonly jwk: JsonObject
  readonly claims: ProofClaims
}

interface ProofClaims {
  readonly jti: string
  readonly htm: string
  readonly htu: string
  /** Seconds. */
  readonly iat: number
  readonly ath: string | null
  /** Ours: SHA-256, base64url, of the credential in the body, so that no captured proof goes with another one. */
  readonly rth: string | null
  readonly nonce: string | null
}

/** Port to the signature: the RFC 7638 thumbprint (SHA-256, base64url) of the key when it made the signature, else null. Never rejects because of the proof. */
export interface ProofVerifier {
  verify(proof: Pick<ReadProof, 'text' | 'algorithm' | 'jwk'>): Promise<string | null>
}

/** The request that the proof came with. */
interface ProofExpectation {
  readonly method: string
  /** As the caller sees it, with or without a query. */
  readonly url: string
  readonly now: Instant
  /** SHA-256, base64url, of the access token beside it; null where there is none. */
  readonly accessTokenHash: string | null
  /** SHA-256, base64url, of the credential in the body; null where `rth` is not asked for. */
  readonly credentialHash: string | null
  /** Thumbprint of the key that the credential is bound to; null where it is not bound yet. */
  readonly boundTo: string | null
  /** When the freshness of this nonce ends; null when it is not one of ours, or is too old. */
  readonly nonceEnds: (nonce: string) => Instant | null
  readonly nonceRequired: boolean
}

type ProofVerdict =
  /** `until`: after it the same proof is refused by its age, so that it need not be remembered for longer. */
  | { readonly kind: 'proven'; readonly thumbprint: string; readonly jti: string; readonly until: Instant }
  | { readonly kind: 'nonce_needed' }
  | { readonly kind: 'refused'; readonly why: ProofRefusal }

/** Steps 1 to 5 and 7 of RFC 9449 section 4.3. `headers` are the values of all `DPoP` fields of the request. */
export function readProof(headers: readonly string[]): ReadProof | ProofRefusal {
  const [text, ...more] = headers
  if (text === undefined || text === '') return 'missing'
  // Some servers join equal fields with a comma, which no JWT has.
  if (more.length > 0 || text.includes(',')) return 'more_than_one'
  const decoded = text.length > PROOF_LENGTH_MAX ? null : decodeJwt(text, parsePlainJson)
  if (decoded === null || !decoded.signed) return 'malformed'
  const { header } = decoded
  if (header.typ !== PROOF_TYPE || header.crit !== undefined) return 'type_wrong'
  const algorithm = PROOF_ALGORITHMS.find((known) => known === header.alg)
  if (algorithm === undefined) return 'algorithm_refused'
  const jwk = publicKey(header.jwk, algorithm)
  if (typeof jwk === 'string') return jwk
  const claims = claimsOf(decoded.claims)
  return claims === null ? 'claims_incomplete' : { text, algorithm, jwk, claims }
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const KEY_SHAPES: Readonly<Record<ProofAlgorithm, { readonly kty: string; readonly crv: string; readonly coordinates: readonly string[] }>> = {
  ES256: { kty: 'EC', crv: 'P-256', coordinates: ['x', 'y'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', coordinates: ['x'] },
}
/** 32 bytes. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/

function publicKey(jwk: JsonValue | undefined, algorithm: ProofAlgorithm): JsonObject | ProofRefusal {
  if (!isJsonObject(jwk)) return 'key_wrong'
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return 'key_private'
  const { kty, crv, coordinates } = KEY_SHAPES[algorithm]
  if (jwk.kty !== kty || jwk.crv !== crv) return 'key_wrong'
  const values = coordinates.map((name) => jwk[name])
  if (!values.every((value) => typeof value === 'string' && COORDINATE.test(value))) return 'key_wrong'
  return { kty, crv, ...Object.fromEntries(coordinates.map((name, index) => [name, values[index] ?? null])) }
}

function claimsOf({ jti, htm, htu, iat, ath, rth, nonce }: JsonObject): ProofClaims | null {
  if (!isText(jti) || !isText(htm) || !isText(htu) || typeof iat !== 'number' || !Number.isFinite(iat)) return null
  if (!isOptionalText(ath) || !isOptionalText(rth) || !isOptionalText(nonce)) return null
  return { jti, htm, htu, iat, ath: ath ?? null, rth: rth ?? null, nonce: nonce ?? null }
}

const isText = (value: JsonValue | undefined): value is string => typeof value === 'string' && value !== ''
const isOptionalText = (value: JsonValue | undefined): value is string | undefined => value === undefined || isText(value)

/** Steps 8 to 12 of RFC 9449 section 4.3, for a proof whose signature was made by the key with this thumbprint. */
export function judgeProof({ claims }: Pick<ReadProof, 'claims'>, thumbprint: string, expected: ProofExpectation): ProofVerdict {
  const refused = (why: ProofRefusal): ProofVerdict => ({ kind: 'refused', why })
  if (claims.htm !== expected.method) return refused('method_wrong')
  const target = proofTarget(claims.htu)
  if (target === null || target !== proofTarget(expected.url)) return refused('target_wrong')
  if (expected.accessTokenHash !== null && claims.ath !== expected.accessTokenHash) return refused('access_token_wrong')
  if (expected.credentialHash !== null && claims.rth !== expected.credentialHash) return refused('credential_wrong')
  if (expected.boundTo !== null && thumbprint !== expected.boundTo) return refused('other_key')
  const proven = (until: Instant): ProofVerdict => ({ kind: 'proven', thumbprint, jti: claims.jti, until })
  if (claims.nonce !== null) {
    const ends = expected.nonceEnds(claims.nonce)
    // A nonce that is over, and a clock that is wrong, are mended by the same new nonce.
    return ends === null ? { kind: 'nonce_needed' } : proven(ends)
  }
  if (expected.nonceRequired) return { kind: 'nonce_needed' }
  const age = expected.now - claims.iat * SECOND
  if (age > PROOF_AGE_MS || age < -PROOF_AHEAD_MS) return { kind: 'nonce_needed' }
  return proven(Math.ceil(claims.iat * SECOND) + PROOF_AGE_MS + SECOND)
}
