import { decodeBase64Url } from '../../proof/base64url.ts'
import { isRecord, type JsonRecord, type PublicJwk, publicJwk, thumbprintOf } from '../../proof/jws.ts'
import { configurationError } from './client-errors.ts'

/** Where the private key lives. */
export type KeyCustody = 'hardware' | 'keychain' | 'file' | 'environment' | 'workload'

/** A key that signs for this machine (ES256, P-256). Implement it for a TPM, an enclave or a PKCS#11 token: nothing else asks for the private key. */
export interface KeyProvider {
  readonly custody: KeyCustody
  publicJwk(): Promise<Extract<PublicJwk, { kty: 'EC' }>>
  /** ECDSA with SHA-256; r and s side by side, 64 bytes (RFC 7518 section 3.4). */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
}

/** A provider with its RFC 7638 thumbprint. */
export interface MachineKey {
  readonly provider: KeyProvider
  readonly jwk: Extract<PublicJwk, { kty: 'EC' }>
  readonly thumbprint: string
}

const ES256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const

export async function machineKeyOf(provider: KeyProvider): Promise<MachineKey> {
  const jwk = await provider.publicJwk()
  return { provider, jwk, thumbprint: await thumbprintOf(jwk) }
}

/** A new private key as a JWK, for a place that keeps it. */
export async function newPrivateJwk(): Promise<JsonRecord> {
  const { privateKey } = await crypto.subtle.generateKey(ES256, true, ['sign', 'verify'])
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', privateKey)
  return { kty, crv, x, y, d }
}

/** A key in memory. @throws EvergrantError `invalid_configuration` for what is no private P-256 key */
export async function softwareKey(jwk: JsonRecord, custody: KeyCustody): Promise<KeyProvider> {
  const { kty, crv, x, y, d } = jwk
  const open = publicJwk({ kty, crv, x, y }, 'ES256')
  if (open === null || open.kty !== 'EC' || typeof d !== 'string') throw configurationError('A private key of this machine must be a P-256 key (ES256).')
  const key = await crypto.subtle.importKey('jwk', { ...open, d }, ES256, false, ['sign'])
  return {
    custody,
    publicJwk: () => Promise.resolve(open),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(SIGNING, key, bytes)),
  }
}

/** A private key as people hand it over: a JWK in JSON, or PKCS#8 as PEM. */
export async function readPrivateKey(text: string): Promise<JsonRecord> {
  const trimmed = text.trim()
  if (trimmed.startsWith('{')) {
    const jwk: unknown = parseJson(trimmed)
    if (isRecord(jwk)) return jwk
  }
  const pem = /^-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s\\n]+)-----END PRIVATE KEY-----$/.exec(trimmed)?.[1]
  const bytes = pem === undefined ? null : decodeBase64Url(pem.replaceAll('\\n', '').replace(/[\s=]/g, '').replaceAll('+', '-').replaceAll('/', '_'))
  if (bytes === null) throw configurationError('EVERGRANT_PRIVATE_KEY must be a private P-256 key: a JWK in JSON, or PKCS#8 in PEM.')
  const key = await crypto.subtle.importKey('pkcs8', bytes, ES256, true, ['sign']).catch(() => null)
  if (key === null) throw configurationError('EVERGRANT_PRIVATE_KEY is no P-256 key.')
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', key)
  return { kty, crv, x, y, d }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
