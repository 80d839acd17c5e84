import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '../core/fault/fault.ts'
import { Secret } from '../core/seal/secret.ts'
import type { Entropy } from '../core/time.ts'

export interface MasterKey {
  /** 1 to 32 of `a-z A-Z 0-9 _ -`. It stands in clear in every value sealed with the key. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Secret<Uint8Array>
}

/** Seals with the first key, opens with any. Never empty, ids unique. */
export interface Keyring {
  readonly primary: MasterKey
  find(id: string): MasterKey | undefined
  ids(): readonly string[]
}

const KEY_BYTES = 32
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/

/** @throws Fault `invalid_request` when there is no key or an id appears twice. */
export function createKeyring(keys: readonly MasterKey[]): Keyring {
  const primary = keys[0]
  if (primary === undefined) throw new Fault('invalid_request', { detail: 'The keyring is empty: give at least one master key as id:base64.' })
  const byId = new Map(keys.map((key) => [key.id, key]))
  if (byId.size !== keys.length) throw new Fault('invalid_request', { detail: 'A master key id appears twice in the keyring: give each key its own id.' })
  return { primary, find: (id) => byId.get(id), ids: () => [...byId.keys()] }
}

/**
 * Reads `id:base64` entries separated by commas or white space, primary first.
 * @throws Fault `invalid_request`; the message has positions and ids, never a key.
 */
export function parseMasterKeys(text: string): Keyring {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
  return createKeyring(entries.map((entry, index) => parseEntry(entry, index + 1)))
}

function parseEntry(entry: string, position: number): MasterKey {
  const colon = entry.indexOf(':')
  if (colon < 0) throw refuse(`master key ${position} has no id: write id:base64, for example k1:<output of \`openssl rand -base64 32\`>`)
  return masterKey(entry.slice(0, colon), entry.slice(colon + 1), position)
}

function masterKey(id: string, base64: string, position: number): MasterKey {
  if (!KEY_ID.test(id)) throw refuse(`the id of master key ${position} must be 1 to 32 letters, digits, _ or -`)
  const key = new Uint8Array(Buffer.from(base64, 'base64'))
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(base64) || key.length !== KEY_BYTES) {
    throw refuse(`master key ${id} must be ${KEY_BYTES} bytes in base64: make one with \`openssl rand -base64 32\``)
  }
  if (key.every((byte) => byte === key[0])) throw refuse(`master key ${id} is not random: make one with \`openssl rand -base64 32\``)
  return { id, key: new Secret(key) }
}

function refuse(detail: string): Fault {
  return new Fault('invalid_request', { detail, field: 'EVERGRANT_MASTER_KEYS' })
}

/** Where the embedded default keeps its keys. */
export function keyFile(dataDir: string): string {
  return join(dataDir, 'keys.json')
}

/**
 * Opens `data/keys.json`, or makes it with one fresh key. The file is readable by its owner alone.
 * @throws Fault `invalid_request` when others could read the file or it is malformed.
 */
export function openKeyFile(path: string, entropy: Entropy): Keyring {
  if (!existsSync(path)) writeKeyFile(path, entropy)
  refuseWideMode(path)
  return createKeyring(readEntries(path).map((entry, index) => masterKey(entry.id, entry.key, index + 1)))
}

/** @throws Fault `invalid_request` when a file with secrets can be read by others than its owner. */
export function refuseWideMode(path: string): void {
  const mode = statSync(path).mode & 0o777
  if ((mode & 0o077) === 0 || process.platform === 'win32') return
  throw new Fault('invalid_request', {
    detail: `${path} can be read by others (mode 0${mode.toString(8)}): run chmod 600 ${path} and start again.`,
    field: path,
  })
}

function writeKeyFile(path: string, entropy: Entropy): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const key = Buffer.from(entropy.bytes(KEY_BYTES)).toString('base64')
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, `${JSON.stringify({ keys: [{ id: 'k1', key }] }, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  chmodSync(path, 0o600)
  syncFolder(dirname(path))
}

/** Without this a crash could forget the new file's name, and with it every value sealed since. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function readEntries(path: string): { id: string; key: string }[] {
  const malformed = (why: string) =>
    new Fault('invalid_request', { detail: `${path} ${why}: restore it from a backup; expected {"keys":[{"id":"k1","key":"<base64>"}]}.`, field: path })
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw malformed('is not JSON')
  }
  const keys = typeof parsed === 'object' && parsed !== null && 'keys' in parsed ? parsed.keys : undefined
  if (!Array.isArray(keys)) throw malformed('has no list of keys')
  return keys.map((entry: unknown) => {
    if (typeof entry === 'object' && entry !== null && 'id' in entry && 'key' in entry && typeof entry.id === 'string' && typeof entry.key === 'string') {
      return { id: entry.id, key: entry.key }
    }
    throw malformed('has an entry without id and key')
  })
}
