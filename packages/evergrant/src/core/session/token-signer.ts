import type { SigningKeyId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'

/** What our tokens are signed with. ES256 is read, too, so that a change of algorithm needs no stop. */
export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256'] as const
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number]

/** A key as everybody may see it: an entry of the JWKS (RFC 7517), whose `kid` is the key's id. */
export interface PublicSigningKey {
  readonly id: SigningKeyId
  readonly algorithm: SigningAlgorithm
  readonly publicJwk: JsonObject
}

export interface PrivateSigningKey {
  readonly id: SigningKeyId
  readonly algorithm: SigningAlgorithm
  /** A private JWK as JSON. */
  readonly privateJwk: string
}

/** What a token must say beside its signature. */
export interface TokenExpectation {
  readonly type: string
  readonly issuer: string
  /** One of these. */
  readonly audience: string | readonly string[]
  readonly now: Instant
  readonly leewaySeconds: number
}

/** Why a token is not believed; for logs and tests. A caller learns only that it is not valid any more. */
export type TokenRefusal =
  | 'malformed'
  | 'algorithm_refused'
  | 'key_unknown'
  | 'signature_wrong'
  | 'type_wrong'
  | 'issuer_wrong'
  | 'audience_wrong'
  | 'expired'
  | 'not_yet_valid'
  | 'claims_incomplete'

export type TokenReading = { readonly kind: 'verified'; readonly claims: JsonObject } | { readonly kind: 'refused'; readonly why: TokenRefusal }

/** Port to the signatures of JWTs (RFC 7519, RFC 8725). */
export interface TokenSigner {
  /** A new Ed25519 key. `publicJwk` carries `kid`, `alg` and `use`, and nothing private. */
  generate(id: SigningKeyId): Promise<{ readonly algorithm: SigningAlgorithm; readonly publicJwk: JsonObject; readonly privateJwk: string }>
  sign(type: string, claims: JsonObject, key: PrivateSigningKey): Promise<string>
  /**
   * The key is chosen by `kid` among `keys` alone: nothing in the token can bring one (`jwk`, `jku`, `x5u`, `x5c`). The algorithm is the key's own.
   * Never rejects because of the token.
   */
  verify(token: string, keys: readonly PublicSigningKey[], expected: TokenExpectation): Promise<TokenReading>
}
