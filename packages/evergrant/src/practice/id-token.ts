import { createHash, generateKeyPairSync, sign } from 'node:crypto'

/** Signs ID tokens with ES256 (RFC 7518 section 3.4) by a key made at start. */
export class IdTokenSigner {
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #keyId: string

  constructor() {
    this.#keyId = createHash('sha256')
      .update(this.#key.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
      .slice(0, 12)
  }

  jwks(): { readonly keys: readonly object[] } {
    return { keys: [{ ...this.#key.publicKey.export({ format: 'jwk' }), kid: this.#keyId, use: 'sig', alg: 'ES256' }] }
  }

  sign(claims: Readonly<Record<string, unknown>>): string {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${part({ alg: 'ES256', typ: 'JWT', kid: this.#keyId })}.${part(claims)}`
    const signature = sign('sha256', Buffer.from(input), { key: this.#key.privateKey, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
}
