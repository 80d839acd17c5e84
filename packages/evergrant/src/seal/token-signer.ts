import { type CryptoKey, calculateJwkThumbprint, compactVerify, errors, exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import type { JsonObject } from '../core/json.ts'
import type { ProofVerifier } from '../core/proof/dpop.ts'
import {
  type PublicSigningKey,
  SIGNING_ALGORITHMS,
  type TokenExpectation,
  type TokenReading,
  type TokenRefusal,
  type TokenSigner,
} from '../core/session/token-signer.ts'

const MADE_WITH = 'EdDSA'
/** Claims that any token of ours has, whatever else it says. */
const REQUIRED_CLAIMS = ['iss', 'aud', 'sub', 'iat', 'exp', 'jti']

/** JWTs with the platform's own arithmetic. Keys are read once and stay read for as long as somebody holds them. */
export function createTokenSigner(): TokenSigner {
  const readKeys = new WeakMap<object, Promise<CryptoKey>>()
  const keyOf = (holder: object, jwk: () => JWK, algorithm: string): Promise<CryptoKey> => {
    const known = readKeys.get(holder)
    if (known !== undefined) return known
    const read = readKey(jwk(), algorithm)
    readKeys.set(holder, read)
    return read
  }
  return {
    generate: async (id) => {
      const { privateKey, publicKey } = await generateKeyPair(MADE_WITH, { extractable: true })
      const { kty, crv, x } = await exportJWK(publicKey)
      const publicJwk: JsonObject = { kty: kty ?? '', crv: crv ?? '', x: x ?? '', kid: id, alg: MADE_WITH, use: 'sig' }
      return { algorithm: MADE_WITH, publicJwk, privateJwk: JSON.stringify(await exportJWK(privateKey)) }
    },
    sign: async (type, claims, key) => {
      const { algorithm, id, privateJwk } = key
      const signing = await keyOf(key, () => JSON.parse(privateJwk) as JWK, algorithm)
      return new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ: type, kid: id }).sign(signing)
    },
    verify: (token, keys, expected) => verify(token, expected, (kid) => chosen(keys, kid), keyOf),
  }
}

type KeyOf = (holder: object, jwk: () => JWK, algorithm: string) => Promise<CryptoKey>

/** Two keys of one name would leave it to the caller which of them is meant. */
function chosen(keys: readonly PublicSigningKey[], kid: string | undefined): PublicSigningKey | undefined {
  const named = keys.filter(({ id }) => id === kid)
  return named.length === 1 ? named[0] : undefined
}

class Refused extends Error {
  readonly why: TokenRefusal
  constructor(why: TokenRefusal) {
    super(why)
    this.why = why
  }
}

async function verify(
  token: string,
  expected: TokenExpectation,
  find: (kid: string | undefined) => PublicSigningKey | undefined,
  keyOf: KeyOf,
): Promise<TokenReading> {
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid, alg }) => {
        const key = find(kid)
        if (key === undefined) throw new Refused('key_unknown')
        if (key.algorithm !== alg) throw new Refused('algorithm_refused')
        return keyOf(key.publicJwk, () => publicPart(key), key.algorithm)
      },
      {
        algorithms: [...SIGNING_ALGORITHMS],
        typ: expected.type,
        issuer: expected.issuer,
        audience: [expected.audience].flat(),
        currentDate: new Date(expected.now),
        clockTolerance: expected.leewaySeconds,
        requiredClaims: REQUIRED_CLAIMS,
      },
    )
    return { kind: 'verified', claims: payload as JsonObject }
  } catch (error) {
    const why = refusalOf(error)
    if (why === null) throw error
    return { kind: 'refused', why }
  }
}

/** Only what defines the key: whatever else an entry says (`x5u`, `key_ops`) has no say here. */
function publicPart({ publicJwk }: PublicSigningKey): JWK {
  const { kty, crv, x, y } = publicJwk
  return { kty, crv, x, ...(y === undefined ? {} : { y }) } as JWK
}

const CLAIM_REFUSALS: Readonly<Record<string, TokenRefusal>> = { typ: 'type_wrong', iss: 'issuer_wrong', aud: 'audience_wrong', nbf: 'not_yet_valid' }

/** Null for what is a defect of ours and not of the token. */
function refusalOf(error: unknown): TokenRefusal | null {
  if (error instanceof Refused) return error.why
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIM_REFUSALS[error.claim] ?? 'claims_incomplete'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm_refused'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature_wrong'
  return error instanceof errors.JOSEError ? 'malformed' : null
}

/** `importJWK` answers with bytes for symmetric keys alone, which nothing here ever reads. */
async function readKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm)
  if (key instanceof Uint8Array) throw new TypeError('a symmetric key cannot sign our tokens')
  return key
}

/** Signatures of proofs, by the key that they bring: it is believed to have made them, and nothing else. */
export const proofVerifier: ProofVerifier = {
  verify: async ({ text, algorithm, jwk }) => {
    try {
      const key = await readKey(jwk as JWK, algorithm)
      await compactVerify(text, key, { algorithms: [algorithm] })
      return await calculateJwkThumbprint(jwk as JWK, 'sha256')
    } catch {
      // A point that is not on its curve, or a signature that does not fit: both are the proof's own trouble.
      return null
    }
  },
}
