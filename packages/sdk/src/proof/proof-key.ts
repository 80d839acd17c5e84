import { digestOf, encodeBase64Url } from './base64url.ts'
import { isRecord, publicJwk, thumbprintOf } from './jws.ts'

export interface ProofRequest {
  readonly method: string
  /** Absolute; query and fragment are left out of the proof. */
  readonly url: string
  /** The access token that goes with the request. None at `auth/refresh`. */
  readonly accessToken?: string
  /** Of the last answer's `DPoP-Nonce`. */
  readonly nonce?: string
}

/** A key that never leaves this machine, and the proofs that it makes. */
export interface ProofKey {
  /** RFC 7638 thumbprint: the `cnf.jkt` of tokens that are bound to it. */
  readonly thumbprint: string
  /** The value of the `DPoP` header: for this request alone, once. */
  proofFor(request: ProofRequest): Promise<string>
}

const ES256 = { name: 'ECDSA', namedCurve: 'P-256' }

/** A new key (P-256, not extractable), or one that you kept: an IndexedDB keeps a `CryptoKeyPair` as it is. */
export async function createProofKey(kept?: CryptoKeyPair): Promise<ProofKey> {
  const { privateKey, publicKey } = kept ?? (await crypto.subtle.generateKey(ES256, false, ['sign', 'verify']))
  const exported: unknown = await crypto.subtle.exportKey('jwk', publicKey)
  const jwk = isRecord(exported) ? publicJwk(exported, 'ES256') : null
  if (jwk === null) throw new TypeError('A proof key is a pair of P-256 keys for signing.')
  const header = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk })
  return {
    thumbprint: await thumbprintOf(jwk),
    proofFor: async ({ method, url, accessToken, nonce }) => {
      const claims = {
        jti: crypto.randomUUID(),
        htm: method,
        htu: url.replace(/[?#].*$/s, ''),
        iat: Math.floor(Date.now() / 1_000),
        ...(accessToken === undefined ? {} : { ath: await digestOf(accessToken) }),
        ...(nonce === undefined ? {} : { nonce }),
      }
      const input = `${header}.${encoded(claims)}`
      const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, new TextEncoder().encode(input))
      return `${input}.${encodeBase64Url(signature)}`
    },
  }
}

function encoded(value: object): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)))
}
