import { constants, type Stats } from 'node:fs'
import { lstat, mkdir, open, readdir, realpath, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import process from 'node:process'
import { storeError } from './client-errors.ts'
import { newAttemptId } from './dpop.ts'

const WINDOWS = process.platform === 'win32'
const LENGTH_MAX = 1024 * 1024
const REPLACE_TRIES = 20
const REPLACE_PAUSE_MS = 25

export const errorCode = (error: unknown): string => (error as NodeJS.ErrnoException | null)?.code ?? ''

/** Makes the folder (0700) where it is missing, and refuses one that others could write into. */
export async function openFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw storeError('credential_store_unwritable', `The folder ${path} cannot be made. Set EVERGRANT_HOME to a folder of yours that can be written.`, cause)
  }
  await checkFolder(path)
}

/** Refuses a folder of somebody else, one that others may write into, and one below a folder where others may put another one in its place. */
export async function checkFolder(path: string): Promise<void> {
  if (WINDOWS) return
  const real = await realpath(path)
  const own = await lstat(real)
  if (isForeign(own)) throw storeError('credential_store_unsafe', `The folder ${path} belongs to another user. Set EVERGRANT_HOME to a folder of yours.`)
  if ((own.mode & 0o022) !== 0)
    throw storeError('credential_store_unsafe', `Others may write into the folder ${path}, and so could replace your credentials. Run: chmod 700 ${path}`)
  await checkAbove(dirname(real), path)
}

/** As {@link checkFolder}, of a folder that may not be there yet: it would be made below what is there. Makes nothing. */
export async function checkFolderToBe(path: string): Promise<void> {
  if (WINDOWS) return
  const real = await realpath(path).catch(() => null)
  if (real !== null) return checkFolder(path)
  let above = dirname(path)
  while (above !== dirname(above) && (await realpath(above).catch(() => null)) === null) above = dirname(above)
  await checkAbove(await realpath(above), path)
}

async function checkAbove(first: string, path: string): Promise<void> {
  for (let parent = first; ; parent = dirname(parent)) {
    const { mode } = await lstat(parent)
    // With the sticky bit, as on /tmp, nobody can rename what belongs to another.
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0)
      throw storeError('credential_store_unsafe', `Everybody may write into ${parent}, which holds ${path}. Run: chmod o-w ${parent}`)
    if (parent === dirname(parent)) return
  }
}

/** The text of a file that nobody else may read; null when there is none. @throws CredentialStoreError with the command that mends it */
export async function readPrivate(path: string): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY | (WINDOWS ? 0 : constants.O_NOFOLLOW)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null
    if (errorCode(error) === 'ELOOP' || errorCode(error) === 'EMLINK')
      throw storeError('credential_store_unsafe', `${path} is a symbolic link, and links are not followed. Put the file itself there, or set EVERGRANT_HOME.`)
    throw storeError('credential_store_unreadable', `${path} cannot be read (${errorCode(error)}). It must belong to the user that runs this program.`, error)
  })
  if (file === null) return null
  try {
    const stats = await file.stat()
    checkFile(path, stats)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

function checkFile(path: string, stats: Stats): void {
  if (!stats.isFile() || stats.size > LENGTH_MAX) throw storeError('credential_store_unreadable', `${path} is no file of this client.`)
  if (WINDOWS) return
  if (isForeign(stats)) throw storeError('credential_store_unsafe', `${path} belongs to another user. Enrol as the user that runs this program.`)
  if ((stats.mode & 0o077) !== 0) throw storeError('credential_store_unsafe', `Others may read ${path}. Run: chmod 600 ${path}`)
}

function isForeign({ uid }: Stats): boolean {
  return process.getuid !== undefined && uid !== process.getuid()
}

/**
 * Replaces the file as a whole: whoever reads it, and whatever crashes, finds the text from before or this one. Durable when it resolves.
 * @throws CredentialStoreError
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${newAttemptId()}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await replace(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await unlink(temporary).catch(() => {})
    throw storeError('credential_store_unwritable', `${path} cannot be written (${errorCode(cause) || 'unknown'}). What it holds is unchanged.`, cause)
  }
}

const TEMPORARY = /^\d+\.[A-Za-z0-9_-]{22}\.tmp$/

/** What writers left who were killed before they renamed it: it holds what the file holds. Only for who has the lock of the file, so that nobody is writing now. */
export async function sweepTemporary(path: string): Promise<void> {
  const [folder, prefix] = [dirname(path), `${basename(path)}.`]
  for (const name of await readdir(folder).catch(() => []))
    if (name.startsWith(prefix) && TEMPORARY.test(name.slice(prefix.length))) await unlink(join(folder, name)).catch(() => {})
}

/** On Windows a file that somebody reads at this moment cannot be replaced. */
async function replace(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await rename(from, to)
    } catch (error) {
      if (!WINDOWS || tries >= REPLACE_TRIES || !['EPERM', 'EACCES', 'EBUSY'].includes(errorCode(error))) throw error
      await new Promise((resolve) => setTimeout(resolve, REPLACE_PAUSE_MS))
    }
  }
}

/** A rename lasts only when its folder was synced. Windows has no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (WINDOWS) return
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw storeError('credential_store_unwritable', `${path} cannot be removed (${errorCode(error)}).`, error)
  })
}
