import { type FileHandle, open, readdir, readFile, stat, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Scan, scanFrames } from './frame.ts'

/** One file that is being written. A failed write or sync ends its use for good (what the kernel then holds is unknown). */
export interface Segment {
  readonly sequence: number
  readonly path: string
  readonly capacity: number
  readonly handle: FileHandle
  used: number
}

/** A file that is only read any more. */
export interface OldSegment {
  readonly sequence: number
  readonly path: string
  readonly modifiedAt: number
  readonly scan: Scan
}

const NAME = /^answers-(\d{8})\.journal$/
const ZEROS = Buffer.alloc(1024 * 1024)

/**
 * A new file, written full of zeros and synced with its folder: later syncs then carry data only, not the file's growth.
 */
export async function createSegment(folder: string, sequence: number, capacity: number): Promise<Segment> {
  const path = join(folder, `answers-${String(sequence).padStart(8, '0')}.journal`)
  const handle = await open(path, 'wx+', 0o600)
  try {
    for (let at = 0; at < capacity; at += ZEROS.length) await handle.write(ZEROS, 0, Math.min(ZEROS.length, capacity - at), at)
    await handle.sync()
    await syncFolder(folder)
  } catch (error) {
    await handle.close()
    await unlink(path)
    throw error
  }
  return { sequence, path, capacity, handle, used: 0 }
}

export async function writeSegment(segment: Segment, bytes: Buffer): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await segment.handle.write(bytes, written, bytes.length - written, segment.used + written)
    written += bytesWritten
  }
  segment.used += bytes.length
  await segment.handle.datasync()
  // A deleted file takes writes and syncs as long as it is open, and nobody finds it again.
  if ((await segment.handle.stat()).nlink === 0)
    throw new Error(`${segment.path} was deleted while this node wrote it; stop the node, bring its data folder back, start it`)
}

/** Ends writing and gives the unused zeros back. */
export async function finishSegment(segment: Segment): Promise<void> {
  await segment.handle.truncate(segment.used)
  await segment.handle.close()
}

/** All files of the folder, oldest first, read whole. Unused zeros at their end are given back; nothing else is changed. */
export async function readSegments(folder: string): Promise<readonly OldSegment[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort()
  const segments: OldSegment[] = []
  for (const name of names) {
    const path = join(folder, name)
    const bytes = await readFile(path)
    const scan = scanFrames(bytes)
    const { mtimeMs } = await stat(path)
    if (!scan.torn && bytes.length > scan.end) await truncate(path, scan.end)
    segments.push({ sequence: Number(NAME.exec(name)?.[1]), path, modifiedAt: mtimeMs, scan })
  }
  return segments
}

/** One file after the other, the one being written included; nothing is changed. */
export async function* scanFolder(folder: string): AsyncIterable<Scan> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort()
  for (const name of names) {
    const bytes = await readFile(join(folder, name)).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    })
    if (bytes !== null) yield scanFrames(bytes)
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
