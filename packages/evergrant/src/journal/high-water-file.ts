import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectionId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { HighWater, HighWaterOrigin, Mark } from '../core/refresh/high-water.ts'
import type { Timers } from '../core/time.ts'
import { BUCKETS, bucketBytes, forgetInBuckets, linesByBucket, readBucket, removeBuckets, writeBucket } from './mark-buckets.ts'
import { encodeMark, encodeOrigin, encodeTick, type MarkScan, scanMarks } from './mark-lines.ts'
import { syncFolder } from './segment.ts'

export interface HighWaterOptions {
  /** Bytes of the log before it is merged into the buckets, at least; 2 MB by default. */
  readonly mergeAt?: number
  /** Marks kept in memory; 50,000 by default. */
  readonly recent?: number
}

const MERGE_AT = 2 * 1024 * 1024
const RECENT = 50_000
const FLUSH_MS = 500
const LOG = 'recent.marks'
const HEAD = 4_096
const TAIL = 512 * 1024

/**
 * The marks of one node, in a folder of its own beside the journal: a log of the latest, and buckets with one line for
 * each connection. `folder` belongs to one process.
 * @throws an error of the file system when the folder cannot be made or read
 */
export async function openHighWaterFile(folder: string, timers: Pick<Timers, 'after'>, log: Log, options: HighWaterOptions = {}): Promise<HighWater> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, LOG)
  const found = await readRecent(path)
  const handle = await open(path, 'a', 0o600)
  const setting = { folder, timers, log, handle, mergeAt: options.mergeAt ?? MERGE_AT, recent: options.recent ?? RECENT }
  return new HighWaterFile(setting, found, (await handle.stat()).size, await bucketBytes(folder))
}

/** The head names the origin, and the last ticks are near the end: a long log is not read whole. */
async function readRecent(path: string): Promise<MarkScan> {
  const handle = await open(path, 'r').catch(() => null)
  if (handle === null) return scanMarks('')
  try {
    const { size } = await handle.stat()
    if (size > 2 * TAIL) {
      const head = await portion(handle, 0, HEAD)
      const tail = await portion(handle, size - TAIL, TAIL)
      const scan = scanMarks(`${head.slice(0, head.indexOf('\n') + 1)}${tail.slice(tail.indexOf('\n') + 1)}`)
      if (scan.ticks >= 2) return scan
    }
    return scanMarks(await portion(handle, 0, size))
  } finally {
    await handle.close()
  }
}

async function portion(handle: FileHandle, at: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at)
  return buffer.toString('latin1', 0, bytesRead)
}

interface Setting {
  readonly folder: string
  readonly timers: Pick<Timers, 'after'>
  readonly log: Log
  readonly handle: FileHandle
  readonly mergeAt: number
  readonly recent: number
}

class HighWaterFile implements HighWater {
  readonly remembered: HighWater['remembered']
  readonly #setting: Setting
  readonly #recent = new Map<ConnectionId, Mark>()
  /** Raised since the tick before the last one: a tick covers what was raised before its predecessor. */
  #sinceTick: Mark[] = []
  #sinceEarlier: Mark[]
  #handle: FileHandle
  #written: number
  #merged: number
  #waiting: string[] = []
  #cancel: (() => void) | null = null
  #writing: Promise<void> = Promise.resolve()
  #origin: HighWaterOrigin | null
  #tick: number
  #ended = false

  constructor(setting: Setting, found: MarkScan, written: number, merged: number) {
    this.#setting = setting
    this.#handle = setting.handle
    this.#written = written
    this.#merged = merged
    this.#origin = found.origin
    this.#tick = found.tick
    this.#sinceEarlier = [...found.uncovered]
    this.remembered = found.origin === null ? null : { ...found.origin, tick: found.tick }
  }

  raise(mark: Mark): void {
    const known = this.#recent.get(mark.connection)
    if (this.#ended || (known !== undefined && known.generation >= mark.generation)) return
    this.#recent.delete(mark.connection)
    this.#recent.set(mark.connection, mark)
    this.#forgetOldest()
    this.#sinceTick.push(mark)
    this.#write(encodeMark(mark))
  }

  recent(connection: ConnectionId): Mark | undefined {
    return this.#recent.get(connection)
  }

  ticked(tick: number): void {
    this.#tick = tick
    this.#sinceEarlier = this.#sinceTick
    this.#sinceTick = []
    this.#write(encodeTick(tick))
  }

  uncovered(): readonly Mark[] {
    return [...this.#sinceEarlier, ...this.#sinceTick]
  }

  async *all(): AsyncIterable<readonly Mark[]> {
    await this.#merge()
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) yield (await readBucket(this.#setting.folder, bucket)).marks()
  }

  async begin(origin: HighWaterOrigin, tick: number, forget: 'all' | ReadonlySet<ConnectionId>): Promise<void> {
    await this.#merge()
    await this.#inTurn(async () => {
      if (forget === 'all') await removeBuckets(this.#setting.folder)
      else await forgetInBuckets(this.#setting.folder, forget)
      const stays = ({ connection }: Mark) => forget !== 'all' && !forget.has(connection)
      for (const mark of [...this.#recent.values()]) if (!stays(mark)) this.#recent.delete(mark.connection)
      this.#sinceTick = this.#sinceTick.filter(stays)
      this.#sinceEarlier = this.#sinceEarlier.filter(stays)
      this.#origin = origin
      this.#tick = tick
      await this.#restart(this.uncovered())
    })
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#flush()
    await this.#handle.datasync().catch(() => {})
    await this.#handle.close()
  }

  #forgetOldest(): void {
    if (this.#recent.size <= this.#setting.recent) return
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      return
    }
  }

  #write(line: string): void {
    this.#waiting.push(line)
    this.#cancel ??= this.#setting.timers.after(FLUSH_MS, () => void this.#flush())
  }

  /** Written, not synced: see {@link HighWater} for what stands in for a power cut. */
  #flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    const lines = this.#waiting.splice(0).join('')
    if (lines !== '') this.#writing = this.#writing.then(() => this.#append(lines))
    return this.#writing
  }

  async #append(lines: string): Promise<void> {
    try {
      await this.#handle.appendFile(lines, 'latin1')
      this.#written += lines.length
      // Half of what is merged already, so that a mark is written twice or three times, however many there are.
      if (this.#written >= Math.max(this.#setting.mergeAt, this.#merged / 2)) await this.#mergeNow()
    } catch (error) {
      this.#setting.log.error({ error: String(error) }, 'the high-water marks cannot be written; a restored database may not be noticed')
    }
  }

  async #merge(): Promise<void> {
    await this.#flush()
    await this.#inTurn(() => this.#mergeNow())
  }

  /** What fails is the caller's to hear; whatever is written after it has its turn all the same. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work)
    this.#writing = done.catch(() => {})
    return done
  }

  /** Bucket by bucket, each complete before the log that it came from goes: a crash merges again. */
  async #mergeNow(): Promise<void> {
    const bytes = await readFile(join(this.#setting.folder, LOG))
    for (const [bucket, lines] of linesByBucket(bytes.toString('latin1'))) {
      const table = await readBucket(this.#setting.folder, bucket)
      for (const mark of scanMarks(`${lines.join('\n')}\n`).marks) table.raise(mark)
      await writeBucket(this.#setting.folder, bucket, table)
    }
    this.#merged = await bucketBytes(this.#setting.folder)
    await this.#restart(this.uncovered())
  }

  /** A new log with the origin and what no tick covers, in place of the old one. */
  async #restart(uncovered: readonly Mark[]): Promise<void> {
    const { folder } = this.#setting
    const head = this.#origin === null ? '' : encodeOrigin(this.#origin) + encodeTick(this.#tick - 1) + encodeTick(this.#tick)
    const text = head + uncovered.map(encodeMark).join('')
    const fresh = await open(join(folder, `${LOG}.new`), 'w', 0o600)
    try {
      await fresh.writeFile(text, 'latin1')
      await fresh.sync()
      await rename(join(folder, `${LOG}.new`), join(folder, LOG))
    } catch (error) {
      await fresh.close()
      throw error
    }
    const old = this.#handle
    this.#handle = fresh
    this.#written = text.length
    await syncFolder(folder)
    await old.close()
  }
}
