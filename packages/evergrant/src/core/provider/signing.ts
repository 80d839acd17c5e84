import type { Instant } from '../time.ts'
import type { SignatureFacts, SigningFacts } from './record.ts'

/**
 * Port to the keys' arithmetic. Synchronous: an RSA signature takes about a millisecond, and a request is built in one turn.
 * Keys are PEM (PKCS#8, PKCS#1, SEC 1) or a private JWK as JSON (RFC 7517); no message of a thrown error holds any of it.
 */
export interface Signer {
  /** Base64url of the JWS signature over `input` (RFC 7515 section 5.1). @throws Fault `invalid_request` when the key cannot be read or does not fit the algorithm */
  sign(algorithm: SigningFacts['algorithm'], key: string, input: string): string
  /** Digest of a text, or its HMAC under `secret`. */
  hash(algorithm: Exclude<SignatureFacts['algorithm'], 'ed25519'>, secret: string, text: string, encoding: SignatureFacts['encoding']): string
  /** HMAC-SHA-256 of each text under the digest of the one before it, of the first under `secret`; the last one in hexadecimal. */
  hmacChain(secret: string, texts: readonly string[]): string
}

/** What a signed request needs beside its key. */
export interface SigningPorts {
  readonly signer: Signer
  readonly now: () => Instant
  /** A new `jti` for each JWT. */
  readonly unique: () => string
}
