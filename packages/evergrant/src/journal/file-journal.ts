import { mkdir, rename, unlink } from 'node:fs/promises'
import { Fault } from '../core/fault/fault.ts'
import type { IntentId } from '../core/ids.ts'
import { sealedBy } from '../core/operate/operations.ts'
import type { Journal, JournalRecord, KeptAnswer } from '../core/refresh/journal.ts'
import type { Seal } from '../core/seal/seal.ts'
import { type Clock, HOUR } from '../core/time.ts'
import { encodeFrame, type Frame } from './frame.ts'
import { lacksKey, openRecord, sealRecord } from './sealed-record.ts'
import { createSegment, finishSegment, type OldSegment, readSegments, type Segment, scanFolder, writeSegment } from './segment.ts'

export interface FileJournal extends Journal {
  /** What the last start found: frames that the disk altered, and records whose key is missing or that do not authenticate. */
  found(): { readonly damaged: number; readonly unopened: number }
  unopened(): ReadonlySet<string>
}

export interface FileJournalOptions {
  /** Bytes of one file; 16 MB by default. */
  readonly capacity?: number
  /** Files kept although all their answers are settled; 16 by default. */
  readonly keepFiles?: number
  /** Stands in for the disk in tests of its failures. */
  readonly write?: (segment: Segment, bytes: Buffer) => Promise<void>
}

const CAPACITY = 16 * 1024 * 1024
const KEEP_FILES = 16
const KEEP_MS = 72 * HOUR
const REOPEN_MS = 1_000
/** Marks wait for the next append; so many are written without one. */
const MARKS_WAITING = 1_000
/** Left free in a group for the marks that wait. */
const MARKS_ROOM = 128 * 1_024

interface Waiting {
  readonly intent: string
  readonly frame: Buffer
  resolve(): void
  reject(error: unknown): void
}

/** One file, as far as it matters when it may be removed. */
interface Holding {
  readonly path: string
  endedAt: number
  answers: number
  unsettled: number
  readonly damaged: boolean
}

/**
 * The sealed local file that keeps an answer when the database cannot. `folder` belongs to one node and one process.
 * @throws Fault `invalid_request` when the folder cannot be made or written
 */
export async function openFileJournal(folder: string, seal: Seal, clock: Clock, options: FileJournalOptions = {}): Promise<FileJournal> {
  try {
    return await openIn(folder, seal, clock, options)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    const room = Math.ceil((options.capacity ?? CAPACITY) / 1024 / 1024)
    const detail = `The journal in ${folder} cannot be written (${String(error.code)}): give EVERGRANT_DATA_DIR a disk with ${room} MB free that this user may write. Nothing was changed; no connection is lost.`
    throw new Fault('invalid_request', { field: 'EVERGRANT_DATA_DIR', detail, cause: error })
  }
}

async function openIn(folder: string, seal: Seal, clock: Clock, options: FileJournalOptions): Promise<FileJournal> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const old = await readSegments(folder)
  const sequence = (old.at(-1)?.sequence ?? 0) + 1
  const capacity = options.capacity ?? CAPACITY
  const active = await createSegment(folder, sequence, capacity)
  const journal = new GroupJournal(
    { folder, seal, clock, capacity, keepFiles: options.keepFiles ?? KEEP_FILES, write: options.write ?? writeSegment },
    old,
    active,
  )
  await journal.removeOld()
  return journal
}

interface Setting {
  readonly folder: string
  readonly seal: Seal
  readonly clock: Clock
  readonly capacity: number
  readonly keepFiles: number
  readonly write: (segment: Segment, bytes: Buffer) => Promise<void>
}

class GroupJournal implements FileJournal {
  readonly #setting: Setting
  /** Sealed as they lie on the disk: a key may come back while this process runs. Until they are settled. */
  readonly #atStart: Map<string, Frame>
  readonly #damaged: number
  readonly #unopenedAtStart: number
  #active: Segment | null
  #holding: Holding
  #closed: Holding[]
  /** The file of each answer that the database is not known to have; null while it is being written. */
  readonly #unsettled = new Map<string, Holding | null>()
  /** The master key of each answer that is not settled. */
  readonly #keys = new Map<string, string>()
  #sequence: number
  #queue: Waiting[] = []
  #marks: Buffer[] = []
  #flushing: Promise<void> | null = null
  #triedAt: number
  #ended = false

  constructor(setting: Setting, old: readonly OldSegment[], active: Segment) {
    this.#setting = setting
    this.#active = active
    this.#holding = holdingOf(active)
    this.#sequence = active.sequence
    this.#triedAt = setting.clock.mono()
    const settled = new Set(old.flatMap(({ scan }) => scan.frames.filter(({ kind }) => kind === 'settled').map(({ intent }) => intent)))
    const isPending = (frame: Frame): boolean => frame.kind === 'answer' && !settled.has(frame.intent)
    const frames = old.flatMap(({ scan }) => scan.frames.filter(isPending))
    // Copies: a frame would hold on to the whole file that it was read from.
    this.#atStart = new Map(frames.map((frame) => [frame.intent, { ...frame, sealed: Buffer.from(frame.sealed) }]))
    this.#unopenedAtStart = frames.filter((frame) => openRecord(frame, setting.seal) === undefined).length
    this.#damaged = old.reduce((sum, { scan }) => sum + scan.damaged, 0)
    this.#closed = old.map(({ path, modifiedAt, scan }) => {
      const answers = scan.frames.filter(({ kind }) => kind === 'answer').length
      const pending = scan.frames.filter(isPending)
      const holding: Holding = { path, endedAt: modifiedAt, answers, unsettled: pending.length, damaged: scan.damaged > 0 }
      for (const frame of pending) {
        this.#unsettled.set(frame.intent, holding)
        this.#keys.set(frame.intent, sealedBy(frame.sealed) ?? 'unknown')
      }
      return holding
    })
  }

  async append(record: JournalRecord): Promise<void> {
    if (this.#ended) throw new Error('the journal is closed')
    const sealed = sealRecord(record, this.#setting.seal)
    const frame = encodeFrame(sealed)
    if (frame.length > this.#setting.capacity) throw new Error('the answer is larger than a journal file')
    await new Promise<void>((resolve, reject) => {
      this.#unsettled.set(record.intent, null)
      this.#keys.set(record.intent, sealedBy(sealed.sealed) ?? 'unknown')
      this.#queue.push({ intent: record.intent, frame, resolve, reject })
      this.#start()
    })
  }

  settle(intent: IntentId): void {
    const holding = this.#unsettled.get(intent)
    if (this.#ended || holding === undefined) return
    this.#unsettled.delete(intent)
    this.#keys.delete(intent)
    this.#atStart.delete(intent)
    if (holding !== null) holding.unsettled -= 1
    this.#marks.push(encodeFrame({ kind: 'settled', intent, organization: '', sealed: Buffer.alloc(0) }))
    if (this.#marks.length >= MARKS_WAITING) this.#start()
  }

  /** A file that is removed meanwhile is not missed: its answers were settled long ago. */
  async *answers(): AsyncIterable<readonly KeptAnswer[]> {
    for await (const { frames } of scanFolder(this.#setting.folder)) {
      const answers: KeptAnswer[] = []
      for (const frame of frames) {
        const record = frame.kind === 'answer' ? openRecord(frame, this.#setting.seal) : undefined
        if (record !== undefined) answers.push({ record, settled: !this.#unsettled.has(frame.intent) })
      }
      yield answers
    }
  }

  pending(): Promise<readonly JournalRecord[]> {
    return Promise.resolve([...this.#atStart.values()].map((frame) => openRecord(frame, this.#setting.seal)).filter((record) => record !== undefined))
  }

  unopened(): ReadonlySet<string> {
    return new Set([...this.#atStart.values()].filter((frame) => lacksKey(frame, this.#setting.seal)).map(({ intent }) => intent))
  }

  found(): { damaged: number; unopened: number } {
    return { damaged: this.#damaged, unopened: this.#unopenedAtStart }
  }

  unsettled(): number {
    return this.#unsettled.size
  }

  sealedWith(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const key of this.#keys.values()) counts[key] = (counts[key] ?? 0) + 1
    return counts
  }

  healthy(): boolean {
    if (this.#active === null && !this.#ended && this.#setting.clock.mono() - this.#triedAt >= REOPEN_MS) this.#start()
    return this.#active !== null
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#start()
    while (this.#flushing !== null) await this.#flushing
    const active = this.#active
    this.#active = null
    if (active !== null) await finishSegment(active)
  }

  /**
   * Files that nobody needs: every answer settled, and older than 72 h or beyond the number that is kept. Only from the
   * oldest on: a younger file may hold the marks of an older one. A damaged file is put aside, not removed.
   */
  async removeOld(): Promise<void> {
    const excess = this.#closed.length - this.#setting.keepFiles
    const oldest = this.#setting.clock.wall() - KEEP_MS
    const isDone = (file: Holding, index: number): boolean => file.unsettled === 0 && (file.answers === 0 || index < excess || file.endedAt < oldest)
    const needed = this.#closed.findIndex((file, index) => !isDone(file, index))
    const done = this.#closed.splice(0, needed < 0 ? this.#closed.length : needed)
    for (const { path, damaged } of done) {
      const removal = damaged ? rename(path, `${path}.damaged`) : unlink(path)
      // What cannot be removed now is found again at the next start.
      await removal.catch(() => {})
    }
  }

  #start(): void {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = null
      if (this.#queue.length > 0) this.#start()
    })
  }

  async #flush(): Promise<void> {
    if (this.#active === null) await this.#reopen()
    do {
      const group = this.#nextGroup()
      try {
        await this.#writeGroup(group)
        for (const waiting of group) waiting.resolve()
      } catch (error) {
        this.#refuse(group, error)
        await this.#abandon()
      }
    } while (this.#queue.length > 0 && this.#active !== null)
    if (this.#active === null) this.#refuse(this.#queue.splice(0), new Error('the journal cannot be written'))
  }

  #refuse(group: readonly Waiting[], error: unknown): void {
    for (const { intent, reject } of group) {
      this.#unsettled.delete(intent)
      this.#keys.delete(intent)
      reject(error)
    }
  }

  /** What waits, as far as one file holds it beside the marks: the group shares one sync. */
  #nextGroup(): readonly Waiting[] {
    let room = this.#setting.capacity - MARKS_ROOM
    let count = 0
    for (const { frame } of this.#queue) {
      room -= frame.length
      if (room < 0 && count > 0) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const answers = Buffer.concat(group.map(({ frame }) => frame))
    if (this.#active !== null && this.#active.used + answers.length > this.#active.capacity) await this.#rotate(this.#active)
    const active = this.#active
    if (active === null) throw new Error('the journal cannot be written')
    const marks = this.#takeMarks(active.capacity - active.used - answers.length)
    if (answers.length + marks.length === 0) return
    await this.#setting.write(active, Buffer.concat([answers, marks]))
    for (const { intent } of group) this.#hold(intent)
  }

  #hold(intent: string): void {
    this.#holding.answers += 1
    if (!this.#unsettled.has(intent)) return
    this.#holding.unsettled += 1
    this.#unsettled.set(intent, this.#holding)
  }

  /** Marks are worth no new file: those that do not fit wait for the next. */
  #takeMarks(room: number): Buffer {
    let left = room
    let count = 0
    for (const mark of this.#marks) {
      left -= mark.length
      if (left < 0) break
      count += 1
    }
    return Buffer.concat(this.#marks.splice(0, count))
  }

  async #rotate(full: Segment): Promise<void> {
    this.#retire()
    await finishSegment(full)
    await this.#reopen()
    await this.removeOld()
  }

  /** After a failed sync nobody knows what the file holds; it is not written again, and a new one is opened. */
  async #abandon(): Promise<void> {
    const broken = this.#active
    if (broken !== null) {
      this.#retire()
      await broken.handle.close().catch(() => {})
    }
    await this.#reopen()
  }

  #retire(): void {
    this.#active = null
    this.#holding.endedAt = this.#setting.clock.wall()
    this.#closed.push(this.#holding)
  }

  async #reopen(): Promise<void> {
    this.#triedAt = this.#setting.clock.mono()
    this.#sequence += 1
    try {
      this.#active = await createSegment(this.#setting.folder, this.#sequence, this.#setting.capacity)
      this.#holding = holdingOf(this.#active)
    } catch {
      this.#active = null
    }
  }
}

function holdingOf({ path }: Segment): Holding {
  return { path, endedAt: 0, answers: 0, unsettled: 0, damaged: false }
}
