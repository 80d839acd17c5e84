import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { ConnectionId } from '../core/ids.ts'
import type { HighWater, Mark } from '../core/refresh/high-water.ts'
import { systemEntropy } from '../system.ts'
import { createManualTime } from '../testing/manual-time.ts'
import { type HighWaterOptions, openHighWaterFile } from './high-water-file.ts'

const folders: string[] = []
const opened: HighWater[] = []
afterEach(async () => {
  for (const marks of opened.splice(0)) await marks.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'marks-'))
  folders.push(folder)
  return folder
}

const time = createManualTime()
const log = { info: () => {}, warn: () => {}, error: vi.fn() }
const ORIGIN = { instance: 'instance-1', era: 1 }

async function open(folder: string, options?: HighWaterOptions): Promise<HighWater> {
  const marks = await openHighWaterFile(folder, time.timers, log, options)
  opened.push(marks)
  return marks
}

async function begun(folder: string, options?: HighWaterOptions): Promise<HighWater> {
  const marks = await open(folder, options)
  await marks.begin(ORIGIN, 1, 'all')
  return marks
}

const newConnection = (): ConnectionId => `con_${systemEntropy.uuid()}`
const mark = (connection: ConnectionId, generation: number): Mark => ({ connection, generation, fingerprint: `fingerprint-of-${generation}-and-more` })

/** The pause after which what was raised is in the file. */
async function written(folder: string): Promise<void> {
  const before = statSync(join(folder, 'recent.marks')).size
  await time.advance(500)
  await vi.waitFor(() => expect(statSync(join(folder, 'recent.marks')).size).toBeGreaterThan(before))
}

async function allOf(marks: HighWater): Promise<ReadonlyMap<ConnectionId, number>> {
  const found = new Map<ConnectionId, number>()
  for await (const portion of marks.all())
    for (const { connection, generation } of portion) found.set(connection, Math.max(found.get(connection) ?? 0, generation))
  return found
}

test('a new folder remembers nothing', async () => {
  const marks = await open(newFolder())
  expect(marks.remembered).toBe(null)
  expect(marks.uncovered()).toEqual([])
})

test('what was raised is there after a crash, half a second later', async () => {
  const folder = newFolder()
  const marks = await begun(folder)
  const connection = newConnection()
  marks.raise(mark(connection, 3))
  await written(folder)
  const after = await open(folder)
  expect(after.remembered).toEqual({ ...ORIGIN, tick: 1 })
  expect(after.uncovered()).toEqual([{ connection, generation: 3, fingerprint: 'fingerprint-of-3' }])
  expect((await allOf(after)).get(connection)).toBe(3)
})

test('a mark is never lowered', async () => {
  const marks = await begun(newFolder())
  const connection = newConnection()
  marks.raise(mark(connection, 5))
  marks.raise(mark(connection, 4))
  expect(marks.recent(connection)).toEqual(mark(connection, 5))
  expect((await allOf(marks)).get(connection)).toBe(5)
})

test('a tick covers what was raised before the tick before it, also across a restart', async () => {
  const folder = newFolder()
  const marks = await begun(folder)
  const [first, second, third] = [newConnection(), newConnection(), newConnection()]
  marks.raise(mark(first, 1))
  marks.ticked(2)
  marks.raise(mark(second, 1))
  marks.ticked(3)
  marks.raise(mark(third, 1))
  expect(marks.uncovered().map(({ connection }) => connection)).toEqual([second, third])
  await marks.close()
  const after = await open(folder)
  expect(after.remembered?.tick).toBe(3)
  expect(after.uncovered().map(({ connection }) => connection)).toEqual([second, third])
})

test('many marks are merged into one line a connection, and a crash in between loses nothing', async () => {
  const folder = newFolder()
  const marks = await begun(folder, { mergeAt: 4_096 })
  const connections = Array.from({ length: 200 }, newConnection)
  for (let generation = 1; generation <= 5; generation += 1) {
    for (const connection of connections) marks.raise(mark(connection, generation))
    marks.ticked(generation + 1)
  }
  await written(folder)
  const unmerged = readFileSync(join(folder, 'recent.marks'))
  const expected = new Map(connections.map((connection) => [connection, 5]))
  expect(await allOf(marks)).toEqual(expected)
  expect(readdirSync(folder).filter((name) => /^[0-9a-f]{2}\.marks$/.test(name)).length).toBeGreaterThan(100)
  await marks.close()
  // As after a crash between the last bucket and the new log.
  writeFileSync(join(folder, 'recent.marks'), unmerged)
  const after = await open(folder)
  expect(after.remembered).toEqual({ ...ORIGIN, tick: 6 })
  expect(await allOf(after)).toEqual(expected)
})

test('a long log is opened from its ends', async () => {
  const folder = newFolder()
  const marks = await begun(folder, { mergeAt: 100_000_000 })
  for (let count = 0; count < 30_000; count += 1) marks.raise(mark(newConnection(), 1))
  marks.ticked(8)
  marks.ticked(9)
  const last = newConnection()
  marks.raise(mark(last, 2))
  await marks.close()
  const after = await open(folder)
  expect(after.remembered).toEqual({ ...ORIGIN, tick: 9 })
  expect(after.uncovered()).toMatchObject([{ connection: last }])
  expect((await allOf(after)).size).toBe(30_001)
})

test('memory holds only the latest; the files hold all', async () => {
  const marks = await begun(newFolder(), { recent: 10 })
  const connections = Array.from({ length: 30 }, newConnection)
  for (const connection of connections) marks.raise(mark(connection, 1))
  expect(connections.map((connection) => marks.recent(connection) !== undefined)).toEqual([...Array(20).fill(false), ...Array(10).fill(true)])
  expect((await allOf(marks)).size).toBe(30)
})

test('a new era keeps the marks, except those that were given up', async () => {
  const folder = newFolder()
  const marks = await begun(folder)
  const [kept, given] = [newConnection(), newConnection()]
  marks.raise(mark(kept, 7))
  marks.raise(mark(given, 7))
  await marks.begin({ ...ORIGIN, era: 2 }, 1, new Set([given]))
  expect(marks.recent(given)).toBe(undefined)
  marks.raise(mark(given, 4))
  await marks.close()
  const after = await open(folder)
  expect(after.remembered).toEqual({ instance: 'instance-1', era: 2, tick: 1 })
  expect(await allOf(after)).toEqual(
    new Map([
      [kept, 7],
      [given, 4],
    ]),
  )
})

test('a torn last line and foreign lines are ignored', async () => {
  const folder = newFolder()
  const marks = await begun(folder)
  const connection = newConnection()
  marks.raise(mark(connection, 2))
  await marks.close()
  appendFileSync(join(folder, 'recent.marks'), `x nothing\nm ${connection} 9`)
  const after = await open(folder)
  expect(after.uncovered()).toMatchObject([{ connection, generation: 2 }])
})

test('no whole fingerprint and nothing but ids and numbers stands in the files, for this user alone', async () => {
  const folder = newFolder()
  const marks = await begun(folder)
  marks.raise(mark(newConnection(), 2))
  await marks.close()
  const path = join(folder, 'recent.marks')
  expect(readFileSync(path, 'latin1')).not.toContain('and-more')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a folder that cannot be written any more is told in the log, and stops nothing', async () => {
  const folder = newFolder()
  const marks = await begun(folder, { mergeAt: 1 })
  rmSync(folder, { recursive: true })
  marks.raise(mark(newConnection(), 2))
  await time.advance(500)
  await vi.waitFor(() => expect(log.error).toHaveBeenCalled())
})

test('a merge that the disk refuses is told to whoever asked for it, and what comes after it is written', async () => {
  const folder = newFolder()
  const marks = await begun(folder)
  const unhandled = vi.fn()
  process.on('unhandledRejection', unhandled)
  try {
    const inTheWay = join(folder, 'recent.marks.new')
    mkdirSync(inTheWay)
    await expect(allOf(marks)).rejects.toThrow('EISDIR')
    await expect(marks.begin({ ...ORIGIN, era: 2 }, 1, 'all')).rejects.toThrow('EISDIR')
    const connection = newConnection()
    marks.raise(mark(connection, 4))
    await written(folder)
    rmSync(inTheWay, { recursive: true })
    expect((await allOf(marks)).get(connection)).toBe(4)
    expect(unhandled).not.toHaveBeenCalled()
  } finally {
    process.off('unhandledRejection', unhandled)
  }
})
