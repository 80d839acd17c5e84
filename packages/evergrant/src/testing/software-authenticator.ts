import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { JsonObject } from '../core/json.ts'

type Cbor = number | string | Uint8Array | ReadonlyMap<number | string, Cbor>

/** As much of RFC 8949 as an authenticator writes. */
function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)])])
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length])
  if (length < 256) return Buffer.from([(major << 5) | 24, length])
  return Buffer.from([(major << 5) | 25, length >> 8, length & 255])
}

interface AuthenticatorOptions {
  readonly origin: string
  /** Whether it checks who is there (PIN, finger, face). */
  readonly userVerified?: boolean
  /** Null: it does not count. */
  readonly count?: number | null
}

const PRESENT = 0x01
const VERIFIED = 0x04
const ATTESTED = 0x40

/** A passkey in memory: ES256, no attestation, as browsers give its answers to a page (WebAuthn Level 3 section 6). */
export class SoftwareAuthenticator {
  readonly id = randomBytes(16)
  origin: string
  userVerified: boolean
  /** Grows with each use, unless it does not count. */
  count: number | null
  #key: KeyObject | null = null

  constructor({ origin, userVerified = true, count = 0 }: AuthenticatorOptions) {
    this.origin = origin
    this.userVerified = userVerified
    this.count = count
  }

  /** Answers `navigator.credentials.create`. */
  create(options: { readonly challenge: string; readonly rp: { readonly id?: string } }): JsonObject {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const cose = cbor(
      new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]),
    )
    const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, cose])
    const authData = Buffer.concat([this.#data(options.rp.id ?? '', ATTESTED), attested])
    const attestation = cbor(
      new Map<string, Cbor>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ]),
    )
    return this.#answer('webauthn.create', options.challenge, { attestationObject: attestation.toString('base64url'), transports: ['internal'] })
  }

  /** Answers `navigator.credentials.get`. */
  get(options: { readonly challenge: string; readonly rpId?: string }): JsonObject {
    if (this.#key === null) throw new Error('this passkey was never made')
    if (this.count !== null) this.count += 1
    const authData = this.#data(options.rpId ?? '', 0)
    const client = this.#client('webauthn.get', options.challenge)
    const signature = createSign('sha256')
      .update(Buffer.concat([authData, createHash('sha256').update(client).digest()]))
      .sign(this.#key)
    return this.#answer('webauthn.get', options.challenge, { authenticatorData: authData.toString('base64url'), signature: signature.toString('base64url') })
  }

  #data(rpId: string, flags: number): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(this.count ?? 0)
    const all = flags | PRESENT | (this.userVerified ? VERIFIED : 0)
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([all]), counter])
  }

  #client(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }))
  }

  #answer(type: string, challenge: string, response: JsonObject): JsonObject {
    const id = this.id.toString('base64url')
    const clientDataJSON = this.#client(type, challenge).toString('base64url')
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: { clientDataJSON, ...response } }
  }
}
