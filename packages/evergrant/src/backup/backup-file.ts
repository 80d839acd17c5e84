import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, lstat, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve, sep } from 'node:path'
import { BackupError, reasonOf } from './backup-error.ts'
import { HEAD_BYTES } from './envelope.ts'

/** In a folder: sorted by name is sorted by time. */
const NAME = /^evergrant-\d{8}T\d{6}Z\.age$/
const PART = /^evergrant-\d{8}T\d{6}Z\.age\.part$/

export interface Destination {
  readonly path: string
  /** Set when the operator named a folder: old backups in it may go. */
  readonly folder: string | null
}

/**
 * Where a backup goes: a file that is not there yet, or a new name in a folder.
 * @throws BackupError when it cannot go there, or would lie below `forbidden`: the data folder, with the keys and the database itself
 */
export async function destinationOf(to: string, at: number, forbidden: string): Promise<Destination> {
  const found = await stat(to).catch(() => null)
  if (found !== null && !found.isDirectory()) throw new BackupError(`${to} is a file that is there already: name another file, or a folder.`)
  if (found === null && to.endsWith(sep)) throw new BackupError(`There is no folder ${to}: make it first, with mode 0700.`)
  // Who means a folder that is not there would get a file of its name in the first night, and nothing in all others.
  if (found === null && extname(to) === '')
    throw new BackupError(`There is no folder ${to}: make it first, with mode 0700. If a file is meant, give it a name that ends with .age.`)
  const folder = found === null ? dirname(resolve(to)) : resolve(to)
  const real = await realpath(folder).catch(() => {
    throw new BackupError(`There is no folder ${folder}: make it first, with mode 0700.`)
  })
  const data = await realpath(forbidden).catch(() => resolve(forbidden))
  if (`${real}${sep}`.startsWith(`${data}${sep}`)) {
    throw new BackupError(
      `${real} is in the data folder, beside the database and its keys: whatever takes one takes the other. Name a folder elsewhere, best on another disk.`,
    )
  }
  if (found === null) return { path: join(real, basename(to)), folder: null }
  const name = `evergrant-${new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')}.age`
  if ((await stat(join(real, name)).catch(() => null)) !== null)
    throw new BackupError(`${join(real, name)} is there already: a backup was made in this second.`)
  return { path: join(real, name), folder: real }
}

export interface WrittenFile {
  readonly bytes: number
  /** Of the encrypted file, as `sha256sum` prints it. */
  readonly sha256: string
}

/**
 * Writes beside the place under another name, with mode 0600, syncs, reads it again from the file, and moves it into place. A run that
 * fails leaves nothing.
 * @throws BackupError when the disk refuses, or does not give back what it was given
 */
export async function writeBackupFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<WrittenFile> {
  const part = `${path}.part`
  const handle = await open(part, 'wx', 0o600).catch((error: unknown) => {
    throw new BackupError(
      `${part} cannot be made (${reasonOf(error)}): another backup writes there, or one was interrupted and left it (then remove it), or this user may not.`,
      {
        cause: error,
      },
    )
  })
  try {
    const written = await drain(handle, bytes)
    await handle.sync()
    await handle.close()
    const again = await digestOf(part)
    if (again.sha256 !== written.sha256 || again.bytes !== written.bytes) throw new BackupError(`The disk does not give back what was written to ${part}.`)
    await rename(part, path)
    await syncFolder(dirname(path))
    return written
  } catch (error) {
    await handle.close().catch(() => {})
    await rm(part, { force: true })
    throw isDiskError(error) ? new BackupError(`${path} cannot be written: ${reasonOf(error)}. No backup was made.`, { cause: error }) : error
  }
}

async function drain(handle: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<WrittenFile> {
  const hash = createHash('sha256')
  let length = 0
  for await (const portion of bytes) {
    hash.update(portion)
    length += portion.length
    await handle.writeFile(portion)
  }
  return { bytes: length, sha256: hash.digest('hex') }
}

async function digestOf(path: string): Promise<WrittenFile> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const portion of createReadStream(path)) {
    hash.update(portion)
    bytes += portion.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code)) && 'syscall' in error
}

/** A backup as it lies there: its first bytes, and all of them. */
interface BackupFile {
  readonly head: Uint8Array
  readonly bytes: AsyncIterable<Uint8Array>
}

/** @throws BackupError when there is none, or it is no ordinary file: a device or a pipe has no end */
export async function openBackupFile(path: string): Promise<BackupFile> {
  const found = await stat(path).catch((error: unknown) => {
    throw new BackupError(`${path} cannot be read (${reasonOf(error)}).`, { cause: error })
  })
  if (!found.isFile()) throw new BackupError(`${path} is no file.`)
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return { head: buffer.subarray(0, bytesRead), bytes: createReadStream(path, { highWaterMark: 256 * 1024 }) }
  } finally {
    await handle.close()
  }
}

/**
 * Removes all but the newest `keep` backups of a folder, and what interrupted runs left before the oldest of those. Other names, and
 * what is no ordinary file, are left alone. Returns the names that went.
 */
export async function removeOld(folder: string, keep: number): Promise<readonly string[]> {
  const gone: string[] = []
  for (const name of outlived(await readdir(folder), keep)) {
    const path = join(folder, name)
    if (!(await lstat(path)).isFile()) continue
    await rm(path)
    gone.push(name)
  }
  return gone
}

/** Pure. Nothing goes while there are fewer than `keep`. */
export function outlived(names: readonly string[], keep: number): readonly string[] {
  const complete = names.filter((name) => NAME.test(name)).sort()
  const oldest = complete.at(-keep)
  if (oldest === undefined) return []
  return names.filter((name) => (NAME.test(name) || PART.test(name)) && name < oldest).sort()
}
