import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { type Seal, type SealContext, SealError } from '../core/seal/seal.ts'
import type { Secret } from '../core/seal/secret.ts'
import type { Entropy } from '../core/time.ts'
import type { Keyring } from './keyring.ts'

/** First byte of every sealed value; another layout gets another number. */
const FORMAT = 1
const SALT = 16
const NONCE = 12
const TAG = 16

interface AesSealOptions {
  readonly keyring: Keyring
  /** 32 random bytes of this installation, see `openSeal`: fingerprints and MACs outlive a change of master keys. */
  readonly root: Secret<Uint8Array>
  readonly entropy: Entropy
}

/**
 * Layout: format (1) | length of key id (1) | key id | salt (16) | nonce (12) | ciphertext | tag (16).
 * Key = HKDF-SHA256(master key; purpose, format, key id, salt) (RFC 5869). A key seals at most 64 values, each under a
 * nonce of its own; random nonces would allow 2^32 (SP 800-38D section 8.3).
 */
export function createAesSeal({ keyring, root, entropy }: AesSealOptions): Seal {
  const masters = new Map<string, Master>()
  const masterOf = (keyId: string): Master => {
    const known = masters.get(keyId)
    if (known !== undefined) return known
    const found = keyring.find(keyId)
    if (found === undefined) throw new SealError('seal_key_missing', keyId)
    const master = masterFrom(keyId, found.key.reveal())
    masters.set(keyId, master)
    return master
  }
  const purposeKeys = new Map<string, KeyObject>()
  const purposeKey = (purpose: string): KeyObject => {
    const known = purposeKeys.get(purpose)
    if (known !== undefined) return known
    const info = Buffer.from(`evergrant ${purpose} v1\x01`, 'latin1')
    const key = createSecretKey(createHmac('sha256', extracted(root.reveal())).update(info).digest())
    purposeKeys.set(purpose, key)
    return key
  }
  let current: SealingKey | undefined
  const sealingKey = (): SealingKey => {
    // Which key seals may change while a node runs.
    if (current === undefined || current.used === VALUES_PER_KEY || current.master.keyId !== keyring.primary.id)
      current = freshKey(masterOf(keyring.primary.id), entropy)
    return current
  }
  const hmac = (purpose: string, data: string): string => createHmac('sha256', purposeKey(purpose)).update(data, 'utf8').digest('base64url')
  return {
    seal: (plaintext, context) => sealWith(sealingKey(), plaintext, context),
    open: (sealed, context) => new Uint8Array(openSealed(masterOf, sealed, context)),
    openText: (sealed, context) => openSealed(masterOf, sealed, context).toString('utf8'),
    fingerprint: (secret) => hmac('fingerprint', secret),
    mac: (purpose, data) => hmac(`mac ${purpose}`, data),
    digest: (value) => hash('sha256', value, 'base64url'),
  }
}

/** A master key, made ready for deriving. The header stands in clear before every value sealed with it. */
interface Master {
  readonly keyId: string
  readonly header: string
  /** The two messages of an HMAC whose key and first words never change: only the salt, and then the inner hash, are written in. */
  readonly inner: Buffer
  readonly outer: Buffer
}

const HASH = 32
const BLOCK = 64
/** Format and key id take part in the derivation: under another id the same master key gives another key. */
const PURPOSE = 'evergrant seal '

/**
 * HKDF-SHA256 (RFC 5869) in its two steps: extraction (2.2) once per master key, expansion (2.3) once per value, with the
 * value's random salt in `info`. The HMAC of the expansion (RFC 2104) is written as its two hashes, because an HMAC
 * object costs more than both; the derived key is a key object, because Node spends more on checking raw key bytes than
 * on the cipher.
 */
function masterFrom(keyId: string, secret: Uint8Array): Master {
  const key = extracted(secret).export()
  const header = String.fromCharCode(FORMAT, keyId.length) + keyId
  const inner = Buffer.concat([padded(key, 0x36), Buffer.from(PURPOSE + header, 'latin1'), Buffer.alloc(SALT), Uint8Array.of(1)])
  return { keyId, header, inner, outer: Buffer.concat([padded(key, 0x5c), Buffer.alloc(HASH)]) }
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  return new Uint8Array(BLOCK).map((_, index) => (key[index] ?? 0) ^ pad)
}

function extracted(secret: Uint8Array): KeyObject {
  return createSecretKey(createHmac('sha256', Buffer.alloc(HASH)).update(secret).digest())
}

function derived({ inner, outer }: Master, salt: Uint8Array): KeyObject {
  inner.set(salt, inner.length - 1 - SALT)
  outer.set(hash('sha256', inner, 'buffer'), BLOCK)
  return createSecretKey(hash('sha256', outer, 'buffer'))
}

/** The id of the master key a value is sealed with. @throws SealError when it is no sealed value of a known format. */
export function sealedWith(sealed: Uint8Array): string {
  const length = sealed[1] ?? 0
  if (sealed[0] !== FORMAT || length === 0 || sealed.length < 2 + length + SALT + NONCE + TAG) throw new SealError('seal_broken', 'unknown')
  return String.fromCharCode(...sealed.subarray(2, 2 + length))
}

const CIPHER = { authTagLength: TAG } as const

/** More would save nothing that can be measured: deriving is a third of the cost of sealing one value. */
const VALUES_PER_KEY = 64

/** One derived key, and what stands before the ciphertext of all that it seals: only the last byte of the nonce differs. */
interface SealingKey {
  readonly master: Master
  readonly key: KeyObject
  readonly prefix: Buffer
  used: number
}

function freshKey(master: Master, entropy: Entropy): SealingKey {
  const random = entropy.bytes(SALT + NONCE)
  const prefix = Buffer.concat([Buffer.from(master.header, 'latin1'), random])
  return { master, key: derived(master, random.subarray(0, SALT)), prefix, used: 0 }
}

function sealWith(sealing: SealingKey, plaintext: string | Uint8Array, context: SealContext): Uint8Array {
  const { master, key, prefix } = sealing
  // Counted before anything can fail: a nonce is never tried twice.
  prefix[prefix.length - 1] = ((prefix[prefix.length - 1] ?? 0) + 1) & 0xff
  sealing.used += 1
  const cipher = createCipheriv('aes-256-gcm', key, prefix.subarray(prefix.length - NONCE), CIPHER)
  cipher.setAAD(associatedData(master, context))
  const clear = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  cipher.final()
  const sealed = room(prefix.length + clear.length + TAG)
  sealed.set(prefix)
  sealed.set(clear, prefix.length)
  sealed.set(cipher.getAuthTag(), prefix.length + clear.length)
  return sealed
}

/** Ciphertexts lie side by side in blocks: a buffer of its own for each costs more to make and to pass on than its bytes. */
const ROOM = 8_192
let block = new Uint8Array(ROOM)
let taken = 0

function room(length: number): Uint8Array {
  if (length > ROOM / 4) return new Uint8Array(length)
  if (taken + length > ROOM) {
    block = new Uint8Array(ROOM)
    taken = 0
  }
  taken += length
  return block.subarray(taken - length, taken)
}

function openSealed(masterOf: (keyId: string) => Master, sealed: Uint8Array, context: SealContext): Buffer {
  const master = masterOf(sealedWith(sealed))
  const at = master.header.length
  const nonce = sealed.subarray(at + SALT, at + SALT + NONCE)
  const decipher = createDecipheriv('aes-256-gcm', derived(master, sealed.subarray(at, at + SALT)), nonce, CIPHER)
  decipher.setAAD(associatedData(master, context))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
  try {
    const clear = decipher.update(sealed.subarray(at + SALT + NONCE, sealed.length - TAG))
    decipher.final()
    return clear
  } catch {
    throw new SealError('seal_broken', master.keyId)
  }
}

/** Each part after its length, so that no two contexts give the same bytes. */
function associatedData({ header }: Master, { organization, table, row, column }: SealContext): Uint8Array {
  const place = `${organization.length}:${organization}${table.length}:${table}${row.length}:${row}${column.length}:${column}`
  return Buffer.from(header + place, 'utf8')
}
