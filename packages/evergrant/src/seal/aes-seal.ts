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

export interface AesSealOptions {
  readonly keyring: Keyring
  /** 32 random bytes of this installation, see `openSeal`: fingerprints and MACs outlive a change of master keys. */
  readonly root: Secret<Uint8Array>
  readonly entropy: Entropy
}

/**
 * Layout: format (1) | length of key id (1) | key id | salt (16) | nonce (12) | ciphertext | tag (16).
 * Key = HKDF-SHA256(master key; purpose, format, key id, salt), so no key ever seals two values (RFC 5869, SP 800-38D).
 */
export function createAesSeal({ keyring, root, entropy }: AesSealOptions): Seal {
  const masters = new Map<string, KeyObject>()
  const masterOf = (keyId: string): KeyObject => {
    const known = masters.get(keyId)
    if (known !== undefined) return known
    const master = keyring.find(keyId)
    if (master === undefined) throw new SealError('seal_key_missing', keyId)
    const key = extracted(master.key.reveal())
    masters.set(keyId, key)
    return key
  }
  const purposeKeys = new Map<string, KeyObject>()
  const purposeKey = (purpose: string): KeyObject => {
    const known = purposeKeys.get(purpose)
    if (known !== undefined) return known
    const key = expanded(extracted(root.reveal()), Buffer.from(`evergrant ${purpose} v1`))
    purposeKeys.set(purpose, key)
    return key
  }
  const hmac = (purpose: string, data: string): string => createHmac('sha256', purposeKey(purpose)).update(data, 'utf8').digest('base64url')
  const open = (sealed: Uint8Array, context: SealContext): Uint8Array => openSealed(masterOf, sealed, context)
  return {
    seal: (plaintext, context) => sealWith(keyring.primary.id, masterOf(keyring.primary.id), plaintext, context, entropy),
    open,
    openText: (sealed, context) => Buffer.from(open(sealed, context)).toString('utf8'),
    fingerprint: (secret) => hmac('fingerprint', secret),
    mac: (purpose, data) => hmac(`mac ${purpose}`, data),
    digest: (value) => hash('sha256', value, 'base64url'),
  }
}

/**
 * HKDF-SHA256 (RFC 5869) in its two steps: extraction (2.2) once per master key, expansion (2.3) once per value, with the
 * value's random salt in `info`. One HMAC per value, on key objects, because Node spends more on checking raw key bytes
 * than on the cipher.
 */
function extracted(secret: Uint8Array): KeyObject {
  return createSecretKey(createHmac('sha256', Buffer.alloc(32)).update(secret).digest())
}

function expanded(key: KeyObject, ...info: readonly Uint8Array[]): KeyObject {
  const block = createHmac('sha256', key)
  for (const part of info) block.update(part)
  return createSecretKey(block.update(FIRST_BLOCK).digest())
}

const FIRST_BLOCK = Uint8Array.of(1)

/** The id of the master key a value is sealed with. @throws SealError when it is no sealed value of a known format. */
export function sealedWith(sealed: Uint8Array): string {
  return readHeader(sealed).keyId
}

function sealWith(keyId: string, master: KeyObject, plaintext: string | Uint8Array, context: SealContext, entropy: Entropy): Uint8Array {
  const random = entropy.bytes(SALT + NONCE)
  const header = headerOf(keyId)
  const key = expanded(master, PURPOSE, header, random.subarray(0, SALT))
  const cipher = createCipheriv('aes-256-gcm', key, random.subarray(SALT), { authTagLength: TAG })
  cipher.setAAD(associatedData(header, context))
  const clear = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext
  return new Uint8Array(Buffer.concat([header, random, cipher.update(clear), cipher.final(), cipher.getAuthTag()]))
}

function openSealed(masterOf: (keyId: string) => KeyObject, sealed: Uint8Array, context: SealContext): Uint8Array {
  const { keyId, header } = readHeader(sealed)
  const master = masterOf(keyId)
  const salt = sealed.subarray(header.length, header.length + SALT)
  const nonce = sealed.subarray(header.length + SALT, header.length + SALT + NONCE)
  const key = expanded(master, PURPOSE, header, salt)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG })
  decipher.setAAD(associatedData(header, context))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
  try {
    const clear = decipher.update(sealed.subarray(header.length + SALT + NONCE, sealed.length - TAG))
    decipher.final()
    return new Uint8Array(clear)
  } catch {
    throw new SealError('seal_broken', keyId)
  }
}

function readHeader(sealed: Uint8Array): { keyId: string; header: Uint8Array } {
  const length = sealed[1] ?? 0
  if (sealed[0] !== FORMAT || length === 0 || sealed.length < 2 + length + SALT + NONCE + TAG) throw new SealError('seal_broken', 'unknown')
  const header = sealed.subarray(0, 2 + length)
  return { keyId: Buffer.from(header.subarray(2)).toString('latin1'), header }
}

function headerOf(keyId: string): Uint8Array {
  return Buffer.concat([Buffer.from([FORMAT, keyId.length]), Buffer.from(keyId, 'latin1')])
}

/** Format and key id take part in the derivation: under another id the same master key gives another key. */
const PURPOSE = Buffer.from('evergrant seal ')

/** Each part after its length, so that no two contexts give the same bytes. */
function associatedData(header: Uint8Array, { organization, table, row, column }: SealContext): Uint8Array {
  const place = `${organization.length}:${organization}${table.length}:${table}${row.length}:${row}${column.length}:${column}`
  return Buffer.concat([header, Buffer.from(place, 'utf8')])
}
