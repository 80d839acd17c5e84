import { createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import type { ProofCipher, SignedMessage } from '../core/push/proof-cipher.ts'

/** What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410 section 4). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const HMACS = { hmac_sha1: 'sha1', hmac_sha256: 'sha256' } as const

/** Signatures of pushes, with Node's own arithmetic. */
export const proofCipher: ProofCipher = {
  fits: (kind, signed) => {
    const given = decoded(signed)
    if (given === null) return false
    if (kind === 'ed25519') {
      const key = publicKey(signed.secret)
      return key !== null && given.length === 64 && verify(null, wholeOf(signed), key, given)
    }
    const hmac = createHmac(HMACS[kind], signed.secret)
    for (const part of signed.message) hmac.update(part)
    const expected = hmac.digest()
    return given.length === expected.length && timingSafeEqual(given, expected)
  },
}

function decoded({ signature, encoding }: SignedMessage): Buffer | null {
  if (encoding === 'hex') return /^(?:[0-9a-f]{2})+$/i.test(signature) ? Buffer.from(signature, 'hex') : null
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(signature) ? Buffer.from(signature, 'base64') : null
}

function wholeOf({ message }: SignedMessage): Buffer {
  return Buffer.concat(message.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}

function publicKey(hex: string): KeyObject | null {
  if (!/^[0-9a-f]{64}$/i.test(hex)) return null
  return createPublicKey({ key: Buffer.concat([ED25519_PREFIX, Buffer.from(hex, 'hex')]), format: 'der', type: 'spki' })
}
