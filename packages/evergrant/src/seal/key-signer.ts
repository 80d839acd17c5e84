import { constants, createHash, createHmac, createPrivateKey, type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto'
import { Fault } from '../core/fault/fault.ts'
import type { Signer } from '../core/provider/signing.ts'

type Algorithm = Parameters<Signer['sign']>[0]

/** What each algorithm of RFC 7518 section 3.1 and RFC 8037 asks of its key. */
const KEYS: Readonly<Record<Algorithm, { readonly type: string; readonly curve?: string; readonly digest: string | null; readonly what: string }>> = {
  RS256: { type: 'rsa', digest: 'sha256', what: 'an RSA key' },
  RS384: { type: 'rsa', digest: 'sha384', what: 'an RSA key' },
  PS256: { type: 'rsa', digest: 'sha256', what: 'an RSA key' },
  ES256: { type: 'ec', curve: 'prime256v1', digest: 'sha256', what: 'a P-256 key' },
  ES384: { type: 'ec', curve: 'secp384r1', digest: 'sha384', what: 'a P-384 key' },
  EdDSA: { type: 'ed25519', digest: null, what: 'an Ed25519 key' },
}
/** RFC 7518 section 3.3. */
const RSA_BITS_MIN = 2_048
/** Parsing a key costs more than signing with it; beyond this the oldest is forgotten. */
const KEPT_KEYS = 200

/** Signs with Node's own arithmetic. Keys stay parsed in memory, as the client secrets that they are stay opened. */
export function createKeySigner(): Signer {
  const parsed = new Map<string, KeyObject>()
  const keyOf = (algorithm: Algorithm, text: string): KeyObject => {
    const key = parsed.get(text) ?? readKey(text)
    check(algorithm, key)
    parsed.delete(text)
    parsed.set(text, key)
    const oldest = parsed.size > KEPT_KEYS ? parsed.keys().next().value : undefined
    if (oldest !== undefined) parsed.delete(oldest)
    return key
  }
  return {
    sign: (algorithm, key, input) => sign(KEYS[algorithm].digest, Buffer.from(input), optionsOf(algorithm, keyOf(algorithm, key))).toString('base64url'),
    hmacChain: (secret, texts) => texts.reduce<Buffer>((key, text) => createHmac('sha256', key).update(text).digest(), Buffer.from(secret)).toString('hex'),
    hash: (algorithm, secret, text, encoding) => (algorithm === 'sha256' ? createHash('sha256') : createHmac('sha256', secret)).update(text).digest(encoding),
  }
}

function optionsOf(algorithm: Algorithm, key: KeyObject): SignKeyObjectInput {
  // RFC 7518 section 3.4: the two numbers one after the other, not DER.
  if (algorithm.startsWith('ES')) return { key, dsaEncoding: 'ieee-p1363' }
  if (algorithm === 'PS256') return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return { key }
}

function readKey(text: string): KeyObject {
  try {
    if (!text.trimStart().startsWith('{')) return createPrivateKey(pem(text))
    return createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
  } catch {
    // OpenSSL's own words may quote the key.
    throw unusable('cannot be read as a private key: it must be PEM (PKCS#8, PKCS#1 or SEC 1, without a passphrase) or a private JWK')
  }
}

/** Keys travel through JSON files and variables, where line ends become the two signs `\n`. */
function pem(text: string): string {
  return text.includes('\n') ? text : text.replaceAll('\\n', '\n')
}

function check(algorithm: Algorithm, key: KeyObject): void {
  const { type, curve, what } = KEYS[algorithm]
  const found = key.asymmetricKeyDetails
  if (key.asymmetricKeyType !== type || (curve !== undefined && found?.namedCurve !== curve)) throw unusable(`is not ${what}, which ${algorithm} needs`)
  if (type === 'rsa' && (found?.modulusLength ?? 0) < RSA_BITS_MIN) throw unusable(`is an RSA key of fewer than ${RSA_BITS_MIN} bits`)
}

function unusable(problem: string): Fault {
  return new Fault('invalid_request', { detail: `The private key ${problem}.` })
}
