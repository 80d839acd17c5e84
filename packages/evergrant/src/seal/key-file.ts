import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '../core/fault/fault.ts'
import type { Entropy } from '../core/time.ts'
import { KEY_BYTES, type KeyEntry, keyEntry, masterKey, requireUsableKeys } from './keyring.ts'

/** Of a draft's name: process ids come again, and two containers may share a folder. */
const DRAFT_BYTES = 8

/** Where the embedded default keeps its keys. */
export function keyFile(dataDir: string): string {
  return join(dataDir, 'keys.json')
}

/**
 * The entries of `data/keys.json`, which is made with one fresh key where there is none. The file is readable by its owner alone.
 * @throws Fault `invalid_request` when others could read the file, it is malformed or has no key, or an id stands in it twice
 */
export function openKeyEntries(path: string, entropy: Entropy): readonly KeyEntry[] {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeNew(path, [freshKey('k1', entropy)])
    syncFolder(dirname(path))
  }
  return readKeyEntries(path)
}

/** @throws Fault `invalid_request` */
export function readKeyEntries(path: string): readonly KeyEntry[] {
  refuseWideMode(path)
  const entries = readEntries(path).map((entry, index) => keyEntry(entry.id, entry.key, index + 1))
  requireUsableKeys(entries)
  return entries
}

/** 32 random bytes under this id. */
export function freshKey(id: string, entropy: Entropy): KeyEntry {
  return masterKey(id, entropy.bytes(KEY_BYTES))
}

/** An id that no key has: one more than the highest `k` number. */
export function nextKeyId(entries: readonly Pick<KeyEntry, 'id'>[]): string {
  const numbers = entries.map(({ id }) => Number(/^k(\d{1,9})$/.exec(id)?.[1] ?? 0))
  return `k${Math.max(0, ...numbers) + 1}`
}

/**
 * Puts these entries in the place of the file's, in one step that a crash cannot halve: a key that sealed something must not be
 * in neither file. The draft is this write's own: another process may be writing the file in the same moment.
 */
export function replaceKeyFile(path: string, entries: readonly KeyEntry[], entropy: Entropy): void {
  requireUsableKeys(entries)
  const draft = `${path}.${process.pid}-${Buffer.from(entropy.bytes(DRAFT_BYTES)).toString('hex')}`
  try {
    writeNew(draft, entries)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}

/**
 * PostgreSQL's rule for its own keys: a file of ours is for us alone; a file of root may be read by one group, because that is how a service manager or a Kubernetes
 * volume hands a secret to a process that is not root. Nobody else reads it, and no group writes it.
 * @throws Fault `invalid_request` when a file with secrets can be read by others
 */
export function refuseWideMode(path: string): void {
  const { mode, uid } = statSync(path)
  const allowed = uid === 0 && process.getuid?.() !== 0 ? 0o740 : 0o700
  if ((mode & 0o777 & ~allowed) === 0 || process.platform === 'win32') return
  throw new Fault('invalid_request', {
    detail: `${path} can be read by others (mode 0${(mode & 0o777).toString(8)}): run chmod 600 ${path} and start again.`,
    field: path,
  })
}

function writeNew(path: string, entries: readonly KeyEntry[]): void {
  const keys = entries.map((entry) => ({ id: entry.id, key: 'wrapped' in entry ? entry.wrapped : Buffer.from(entry.key.reveal()).toString('base64') }))
  const file = openSync(path, 'wx', 0o600)
  try {
    // All of it: a disk that fills up takes a part without a word.
    writeFileSync(file, `${JSON.stringify({ keys }, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
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
  const text = textOf(path)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
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

/** A file that is there and whole, and not for this user, wants no backup. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    const detail = `${path} cannot be read (${code}): it must be a file that the user of this process may read. Nothing is wrong with the keys in it, as far as this tells.`
    throw new Fault('invalid_request', { detail, field: path, cause })
  }
}
