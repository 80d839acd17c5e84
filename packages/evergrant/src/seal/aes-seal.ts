import { createCipheriv, createDecipheriv, hash } from 'node:crypto'
import { type Seal, type SealContext, SealError } from '../core/seal/seal.ts'
import type { Secret } from '../core/seal/secret.ts'
import type { Entropy } from '../core/time.ts'
import { type HmacKey, hkdfKey, hmacKey, hmacSha256 } from './hmac.ts'
import type { Keyring, MasterKey } from './keyring.ts'

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
 * Key = HKDF-SHA256(master key, salt, purpose and key id), so no key ever seals two values (RFC 5869, SP 800-38D).
 */
export function createAesSeal({ keyring, root, entropy }: AesSealOptions): Seal {
  const purposeKeys = new Map<string, HmacKey>()
  const purposeKey = (purpose: string): HmacKey => {
    const known = purposeKeys.get(purpose)
    if (known !== undefined) return known
    const key = hmacKey(hkdfKey(root.reveal(), new Uint8Array(0), Buffer.from(`evergrant ${purpose} v1`)))
    purposeKeys.set(purpose, key)
    return key
  }
  const hmac = (purpose: string, data: string): string => hmacSha256(purposeKey(purpose), Buffer.from(data, 'utf8')).toString('base64url')
  const open = (sealed: Uint8Array, context: SealContext): Uint8Array => openSealed(keyring, sealed, context)
  return {
    seal: (plaintext, context) => sealWith(keyring.primary, plaintext, context, entropy),
    open,
    openText: (sealed, context) => Buffer.from(open(sealed, context)).toString('utf8'),
    fingerprint: (secret) => hmac('fingerprint', secret),
    mac: (purpose, data) => hmac(`mac ${purpose}`, data),
    digest: (value) => hash('sha256', value, 'base64url'),
  }
}

/** The id of the master key a value is sealed with. @throws SealError when it is no sealed value of a known format. */
export function sealedWith(sealed: Uint8Array): string {
  return readHeader(sealed).keyId
}

function sealWith(master: MasterKey, plaintext: string | Uint8Array, context: SealContext, entropy: Entropy): Uint8Array {
  const random = entropy.bytes(SALT + NONCE)
  const header = headerOf(master.id)
  const key = hkdfKey(master.key.reveal(), random.subarray(0, SALT), valueInfo(header))
  const cipher = createCipheriv('aes-256-gcm', key, random.subarray(SALT), { authTagLength: TAG })
  cipher.setAAD(associatedData(header, context))
  const clear = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext
  return new Uint8Array(Buffer.concat([header, random, cipher.update(clear), cipher.final(), cipher.getAuthTag()]))
}

function openSealed(keyring: Keyring, sealed: Uint8Array, context: SealContext): Uint8Array {
  const { keyId, header } = readHeader(sealed)
  const master = keyring.find(keyId)
  if (master === undefined) throw new SealError('seal_key_missing', keyId)
  const salt = sealed.subarray(header.length, header.length + SALT)
  const nonce = sealed.subarray(header.length + SALT, header.length + SALT + NONCE)
  const key = hkdfKey(master.key.reveal(), salt, valueInfo(header))
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
function valueInfo(header: Uint8Array): Uint8Array {
  return Buffer.concat([PURPOSE, header])
}

const PURPOSE = Buffer.from('evergrant seal ')

/** Each part after its length, so that no two contexts give the same bytes. */
function associatedData(header: Uint8Array, { organization, table, row, column }: SealContext): Uint8Array {
  const place = `${organization.length}:${organization}${table.length}:${table}${row.length}:${row}${column.length}:${column}`
  return Buffer.concat([header, Buffer.from(place, 'utf8')])
}
