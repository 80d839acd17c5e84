import { decodeBase64Url, digestOf } from './base64url.ts'

/** What is believed. There is no way to ask for another one. */
export const ALGORITHMS = ['EdDSA', 'ES256'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

export type JsonRecord = Readonly<Record<string, unknown>>

/** A compact JWS, read and not yet believed. */
interface Jws {
  readonly header: JsonRecord
  readonly claims: JsonRecord
  readonly algorithm: Algorithm | null
  readonly signed: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

/** The members that define a public key (RFC 7638 section 3.2). */
export type PublicJwk =
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }

/** Null for what is no JWS of three parts, is longer than `lengthMax`, or asks for an extension (`crit`), of which none is understood. */
export function readJws(text: string, lengthMax: number): Jws | null {
  if (text.length > lengthMax) return null
  const [first = '', second = '', third = '', ...more] = text.split('.')
  if (more.length > 0 || third === '') return null
  const header = readJson(first)
  const claims = readJson(second)
  const signature = decodeBase64Url(third)
  if (header === null || claims === null || signature === null || header['crit'] !== undefined) return null
  const algorithm = ALGORITHMS.find((known) => known === header['alg']) ?? null
  return { header, claims, algorithm, signed: new TextEncoder().encode(`${first}.${second}`), signature }
}

function readJson(part: string): JsonRecord | null {
  const bytes = decodeBase64Url(part)
  if (bytes === null) return null
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** 32 bytes. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/
const isCoordinate = (value: unknown): value is string => typeof value === 'string' && COORDINATE.test(value)

/** The public key in a JWK, without anything else that stands there; null when it is none that fits the algorithm. */
export function publicJwk(jwk: JsonRecord, algorithm: Algorithm): PublicJwk | null {
  const { kty, crv, x, y } = jwk
  if (algorithm === 'EdDSA') return kty === 'OKP' && crv === 'Ed25519' && isCoordinate(x) ? { kty, crv, x } : null
  return kty === 'EC' && crv === 'P-256' && isCoordinate(x) && isCoordinate(y) ? { kty, crv, x, y } : null
}

const KEY_KINDS = { EdDSA: { name: 'Ed25519' }, ES256: { name: 'ECDSA', namedCurve: 'P-256' } } as const
const SIGNATURES = { EdDSA: { name: 'Ed25519' }, ES256: { name: 'ECDSA', hash: 'SHA-256' } } as const

/** @throws DOMException when the coordinates are no point */
export function importPublicKey(jwk: PublicJwk, algorithm: Algorithm): Promise<CryptoKey> {
  return crypto.subtle.importKey('jwk', { ...jwk }, KEY_KINDS[algorithm], false, ['verify'])
}

export async function isSignedBy({ signature, signed }: Jws, key: CryptoKey, algorithm: Algorithm): Promise<boolean> {
  try {
    return await crypto.subtle.verify(SIGNATURES[algorithm], key, signature, signed)
  } catch {
    return false
  }
}

/** RFC 7638: SHA-256 over the defining members in the order of their names. */
export function thumbprintOf(jwk: PublicJwk): Promise<string> {
  const { crv, kty, x } = jwk
  return digestOf(JSON.stringify(jwk.kty === 'EC' ? { crv, kty, x, y: jwk.y } : { crv, kty, x }))
}
