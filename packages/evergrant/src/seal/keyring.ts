import { Fault } from '../core/fault/fault.ts'
import { Secret } from '../core/seal/secret.ts'

export interface MasterKey {
  /** 1 to 32 of `a-z A-Z 0-9 _ -`. It stands in clear in every value sealed with the key. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Secret<Uint8Array>
}

/** A master key that only a key service can open: what the service answered when it was wrapped. */
interface WrappedKey {
  readonly id: string
  readonly wrapped: string
}

/** One entry of a keyring as it is written down. */
export type KeyEntry = MasterKey | WrappedKey

/** Seals with the primary key, opens with any. Never empty, ids unique. */
export interface Keyring {
  /** The key that seals now. */
  readonly primary: MasterKey
  find(id: string): MasterKey | undefined
  /** In the order in which they are written down: the first is the one that shall seal. */
  ids(): readonly string[]
}

export const KEY_BYTES = 32
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/
/** How a key service marks its answers; plain base64 has no colon. */
const WRAPPED = /^vault:v\d{1,9}:[A-Za-z0-9+/]+=*$/

/** @throws Fault `invalid_request` when there is no key or an id appears twice. */
export function createKeyring(keys: readonly MasterKey[]): Keyring {
  requireUsableKeys(keys)
  const [primary] = keys
  if (primary === undefined) throw emptyRing()
  const byId = new Map(keys.map((key) => [key.id, key]))
  return { primary, find: (id) => byId.get(id), ids: () => [...byId.keys()] }
}

/** @throws Fault `invalid_request` when there is no key or an id appears twice. */
export function requireUsableKeys(keys: readonly KeyEntry[]): void {
  if (keys.length === 0) throw emptyRing()
  if (new Set(keys.map(({ id }) => id)).size !== keys.length)
    throw new Fault('invalid_request', { detail: 'A master key id appears twice in the keyring: give each key its own id.' })
}

function emptyRing(): Fault {
  return new Fault('invalid_request', { detail: 'The keyring is empty: give at least one master key as id:base64.' })
}

/**
 * Reads `id:base64` entries, or `id:vault:v1:...`, separated by commas or white space, the one that shall seal first.
 * @throws Fault `invalid_request`; the message has positions and ids, never a key.
 */
export function parseKeyEntries(text: string): readonly KeyEntry[] {
  const entries = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry, index) => parseEntry(entry, index + 1))
  requireUsableKeys(entries)
  return entries
}

/** The keyring of such a text, for keys that need no key service. @throws Fault `invalid_request` */
export function parseMasterKeys(text: string): Keyring {
  return createKeyring(parseKeyEntries(text).map(plainKey))
}

/** @throws Fault `invalid_request` for a wrapped one */
export function plainKey(entry: KeyEntry): MasterKey {
  if ('wrapped' in entry) throw refuse(`master key ${entry.id} is wrapped by a key service: set EVERGRANT_VAULT_KEY and EVERGRANT_VAULT_TOKEN`)
  return entry
}

/** As it is written into a variable. */
export function entryText(entry: KeyEntry): string {
  return `${entry.id}:${'wrapped' in entry ? entry.wrapped : Buffer.from(entry.key.reveal()).toString('base64')}`
}

function parseEntry(entry: string, position: number): KeyEntry {
  const colon = entry.indexOf(':')
  if (colon < 0) throw refuse(`master key ${position} has no id: write id:base64, for example k1:<output of \`openssl rand -base64 32\`>`)
  return keyEntry(entry.slice(0, colon), entry.slice(colon + 1), position)
}

/** @throws Fault `invalid_request` */
export function keyEntry(id: string, value: string, position: number): KeyEntry {
  if (!KEY_ID.test(id)) throw refuse(`the id of master key ${position} must be 1 to 32 letters, digits, _ or -`)
  if (WRAPPED.test(value)) return { id, wrapped: value }
  const key = new Uint8Array(Buffer.from(value, 'base64'))
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(value)) throw refuse(`master key ${id} must be ${KEY_BYTES} bytes in base64: make one with \`openssl rand -base64 32\``)
  return masterKey(id, key)
}

/** @throws Fault `invalid_request` when these bytes are no key */
export function masterKey(id: string, key: Uint8Array): MasterKey {
  if (!KEY_ID.test(id)) throw refuse(`the id of master key ${id.slice(0, 40)} must be 1 to 32 letters, digits, _ or -`)
  if (key.length !== KEY_BYTES) throw refuse(`master key ${id} must be ${KEY_BYTES} bytes in base64: make one with \`openssl rand -base64 32\``)
  if (key.every((byte) => byte === key[0])) throw refuse(`master key ${id} is not random: make one with \`openssl rand -base64 32\``)
  return { id, key: new Secret(key) }
}

function refuse(detail: string): Fault {
  return new Fault('invalid_request', { detail, field: 'EVERGRANT_MASTER_KEYS' })
}
