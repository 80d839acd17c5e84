import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import type { IntentId } from '../core/ids.ts'
import type { JournalRecord } from '../core/refresh/journal.ts'
import { HOUR } from '../core/time.ts'
import { systemClock } from '../system.ts'
import { createManualTime } from '../testing/manual-time.ts'
import { liveTestSeal, testSeal } from '../testing/seal.ts'
import { type FileJournal, type FileJournalOptions, openFileJournal } from './file-journal.ts'
import { encodeFrame, scanFrames } from './frame.ts'
import { writeSegment } from './segment.ts'

const folders: string[] = []
const opened: FileJournal[] = []
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'))
  folders.push(folder)
  return folder
}

const SMALL: FileJournalOptions = { capacity: 256 * 1024 }
const seal = testSeal()

function record(n: number, body = `{"access_token":"secret-access-${n}","refresh_token":"secret-refresh-${n}"}`): JournalRecord {
  return {
    intent: `itn_${n}`,
    organization: 'org_1',
    subject: { kind: 'connection', id: `con_${n}` },
    generation: n,
    fingerprint: `fingerprint-${n}`,
    sentAt: 1_000 + n,
    receivedAt: 2_000 + n,
    httpStatus: 200,
    headers: { 'content-type': 'application/json', 'x-secret': 'secret-header' },
    body: new Uint8Array(Buffer.from(body)),
  }
}

async function open(folder: string, options: FileJournalOptions = SMALL, clock = systemClock): Promise<FileJournal> {
  const journal = await openFileJournal(folder, seal, clock, options)
  opened.push(journal)
  return journal
}
const intents = (records: readonly JournalRecord[]) => records.map(({ intent }) => intent)
const files = (folder: string) => readdirSync(folder).sort()

/** As after a crash: nothing is closed, a new process reads what the disk has. */
async function pendingAfterCrash(folder: string): Promise<readonly JournalRecord[]> {
  return (await open(folder)).pending()
}

test('an appended answer is there after a crash, whole', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  await journal.append(record(1))
  expect(await journal.pending()).toEqual([])
  expect(await pendingAfterCrash(folder)).toEqual([record(1)])
})

test('a journal that cannot be made at the start names the setting and the remedy', async () => {
  const file = join(newFolder(), 'file')
  writeFileSync(file, '')
  const refused = open(join(file, 'journal'))
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request', details: { field: 'EVERGRANT_DATA_DIR' } })
  await expect(refused).rejects.toThrow(/ENOTDIR.*1 MB free/)
})

test('a journal whose folder was deleted under it keeps nothing, says so, and is not healthy', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  await journal.append(record(1))
  rmSync(folder, { recursive: true })
  await expect(journal.append(record(2))).rejects.toThrow(/was deleted while this node wrote it/)
  expect(journal.healthy()).toBe(false)
})

test('a settled answer is not replayed, in whichever order the mark and the answer were written', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  await journal.append(record(1))
  journal.settle('itn_1')
  const second = journal.append(record(2))
  journal.settle('itn_2')
  await second
  await journal.append(record(3))
  await journal.close()
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_3'])
})

test('a mark that a crash took away costs only a replay', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  await journal.append(record(1))
  journal.settle('itn_1')
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_1'])
})

test('settling after the restart ends the replay for good', async () => {
  const folder = newFolder()
  await (await open(folder)).append(record(1))
  const second = await open(folder)
  expect(intents(await second.pending())).toEqual(['itn_1'])
  second.settle('itn_1')
  await second.close()
  expect(await pendingAfterCrash(folder)).toEqual([])
})

test('concurrent appends share a sync, and each waits for its own', async () => {
  const folder = newFolder()
  const write = vi.fn(writeSegment)
  const journal = await open(folder, { ...SMALL, write })
  await Promise.all(Array.from({ length: 100 }, (_, n) => journal.append(record(n))))
  expect(write.mock.calls.length).toBeLessThan(10)
  expect(await pendingAfterCrash(folder)).toHaveLength(100)
})

test('nothing secret stands in the files', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  await journal.append(record(1))
  await journal.close()
  const bytes = readFileSync(join(folder, files(folder)[0] ?? ''))
  expect(bytes.length).toBeGreaterThan(100)
  for (const text of ['secret-access', 'secret-refresh', 'secret-header', 'con_1']) expect(bytes.includes(text), text).toBe(false)
  expect(statSync(join(folder, files(folder)[0] ?? '')).mode & 0o777).toBe(0o600)
})

test('whatever prefix of the file a crash leaves, the whole records in it are read and the rest is ignored', async () => {
  const source = newFolder()
  const journal = await open(source)
  const ends: number[] = []
  for (let n = 0; n < 4; n += 1) {
    await journal.append(record(n))
    ends.push(scanFrames(readFileSync(join(source, files(source)[0] ?? ''))).end)
  }
  await journal.close()
  const bytes = readFileSync(join(source, files(source)[0] ?? ''))
  for (let cut = 0; cut <= bytes.length; cut += 23) {
    const expected = ends.filter((end) => end <= cut).length
    expect(scanFrames(bytes.subarray(0, cut)).frames, `cut at ${cut}`).toHaveLength(expected)
  }
  const folder = newFolder()
  writeFileSync(join(folder, 'answers-00000001.journal'), Buffer.concat([bytes.subarray(0, (ends[2] ?? 0) - 5), Buffer.alloc(4_096)]))
  const restarted = await open(folder)
  expect(intents(await restarted.pending())).toEqual(['itn_0', 'itn_1'])
  expect(restarted.found()).toEqual({ damaged: 0, unopened: 0 })
  await restarted.append(record(9))
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_0', 'itn_1', 'itn_9'])
})

test('reading the same file again gives the same records', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  await journal.append(record(1))
  await journal.append(record(2))
  const first = await pendingAfterCrash(folder)
  expect(await pendingAfterCrash(folder)).toEqual(first)
  expect(first).toHaveLength(2)
})

test('every answer on file can be read again, with whether it was settled, the open file included', async () => {
  const folder = newFolder()
  const first = await open(folder)
  await first.append(record(1))
  await first.append(record(2))
  first.settle('itn_1')
  await first.close()
  const second = await open(folder)
  await second.append(record(3))
  second.settle('itn_3')
  const kept: [string, boolean][] = []
  for await (const portion of second.answers()) for (const answer of portion) kept.push([answer.record.intent, answer.settled])
  expect(kept).toEqual([
    ['itn_1', true],
    ['itn_2', false],
    ['itn_3', true],
  ])
})

test('a flipped bit costs one record; the file is kept and the loss is counted', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  for (let n = 0; n < 3; n += 1) await journal.append(record(n))
  await journal.close()
  const path = join(folder, files(folder)[0] ?? '')
  const bytes = readFileSync(path)
  const second = bytes.indexOf('itn_1')
  for (const at of [second - 15, second - 10, second - 6, second, second + 60]) {
    const altered = Buffer.from(bytes)
    altered[at] = (altered[at] ?? 0) ^ 4
    expect(
      scanFrames(altered).frames.map(({ intent }) => intent),
      `byte ${at}`,
    ).toEqual(['itn_0', 'itn_2'])
    expect(scanFrames(altered).damaged).toBe(1)
    writeFileSync(path, altered)
  }
  const restarted = await open(folder, { ...SMALL, keepFiles: 0 })
  expect(intents(await restarted.pending())).toEqual(['itn_0', 'itn_2'])
  expect(restarted.found().damaged).toBe(1)
  restarted.settle('itn_0')
  restarted.settle('itn_2')
  await restarted.close()
  await open(folder, { ...SMALL, keepFiles: 0 })
  expect(files(folder)).toContain('answers-00000001.journal.damaged')
})

test('a record whose key is missing waits in its file until the key returns', async () => {
  const folder = newFolder()
  await (await open(folder)).append(record(1))
  const without = await openFileJournal(folder, testSeal('other'), systemClock, { ...SMALL, keepFiles: 0 })
  expect(await without.pending()).toEqual([])
  expect(without.found()).toEqual({ damaged: 0, unopened: 1 })
  await without.close()
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_1'])
})

test('a key that comes back while the process runs opens what was sealed with it; until then its intent is named', async () => {
  const folder = newFolder()
  const first = await openFileJournal(folder, testSeal('gone'), systemClock, SMALL)
  await first.append(record(1))
  await first.append(record(2))
  first.settle('itn_2')
  await first.close()
  const { seal: own, ring } = liveTestSeal('here')
  const later = await openFileJournal(folder, own, systemClock, SMALL)
  opened.push(later)
  expect([await later.pending(), [...later.unopened()]]).toEqual([[], ['itn_1']])
  ring.replace([ring.primary, { ...ring.primary, id: 'gone' }])
  expect([intents(await later.pending()), [...later.unopened()]]).toEqual([['itn_1'], []])
  later.settle('itn_1')
  expect([await later.pending(), later.unsettled?.()]).toEqual([[], 0])
})

test('a full file is followed by another, and nothing is removed while an older answer is open', async () => {
  const folder = newFolder()
  const journal = await open(folder, { capacity: 150 * 1024, keepFiles: 1 })
  await journal.append(record(0))
  for (let n = 1; n <= 40; n += 1) {
    await journal.append(record(n, 'x'.repeat(20_000)))
    journal.settle(`itn_${n}`)
  }
  expect(files(folder).length).toBeGreaterThan(4)
  await journal.close()
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_0'])
})

test('files whose answers are settled are removed beyond the number kept', async () => {
  const folder = newFolder()
  const journal = await open(folder, { capacity: 150 * 1024, keepFiles: 1 })
  for (let n = 1; n <= 40; n += 1) {
    await journal.append(record(n, 'x'.repeat(20_000)))
    journal.settle(`itn_${n}`)
  }
  expect(files(folder).length).toBeLessThanOrEqual(3)
  await journal.close()
  expect(await pendingAfterCrash(folder)).toEqual([])
})

test('settled answers stay readable for 72 hours and go after them', async () => {
  const folder = newFolder()
  const time = createManualTime(Date.now())
  const journal = await open(folder, SMALL, time.clock)
  await journal.append(record(1))
  journal.settle('itn_1')
  await journal.close()
  await time.advance(71 * HOUR)
  await (await open(folder, SMALL, time.clock)).close()
  expect(files(folder)).toContain('answers-00000001.journal')
  await time.advance(2 * HOUR)
  await (await open(folder, SMALL, time.clock)).close()
  expect(files(folder)).not.toContain('answers-00000001.journal')
})

test('an answer that is not settled is kept for as long as it takes', async () => {
  const folder = newFolder()
  const time = createManualTime(Date.now())
  await (await open(folder, SMALL, time.clock)).append(record(1))
  await time.advance(1_000 * HOUR)
  const later = await open(folder, { ...SMALL, keepFiles: 0 }, time.clock)
  expect(intents(await later.pending())).toEqual(['itn_1'])
})

test('after a failed sync the file is never written again, and a new one takes over', async () => {
  const folder = newFolder()
  const written: string[] = []
  let broken = false
  const journal = await open(folder, {
    ...SMALL,
    write: (segment, bytes) => {
      written.push(segment.path)
      return broken ? Promise.reject(new Error('EIO')) : writeSegment(segment, bytes)
    },
  })
  await journal.append(record(1))
  broken = true
  await expect(journal.append(record(2))).rejects.toThrow('EIO')
  broken = false
  await vi.waitFor(() => expect(journal.healthy()).toBe(true))
  await journal.append(record(3))
  expect(new Set(written).size).toBe(2)
  expect(written.at(-1)).not.toBe(written[0])
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_1', 'itn_3'])
})

test('while no file can be opened the journal says so, and it recovers by itself', async () => {
  const folder = newFolder()
  const time = createManualTime(Date.now())
  let broken = true
  const journal = await open(
    folder,
    { ...SMALL, write: (segment, bytes) => (broken ? Promise.reject(new Error('ENOSPC')) : writeSegment(segment, bytes)) },
    time.clock,
  )
  rmSync(folder, { recursive: true })
  await expect(journal.append(record(1))).rejects.toThrow('ENOSPC')
  await vi.waitFor(() => expect(journal.healthy()).toBe(false))
  await expect(journal.append(record(2))).rejects.toThrow('cannot be written')
  broken = false
  const { mkdirSync } = await import('node:fs')
  mkdirSync(folder)
  expect(journal.healthy()).toBe(false)
  await time.advance(1_100)
  journal.healthy()
  await vi.waitFor(() => expect(journal.healthy()).toBe(true))
  await journal.append(record(3))
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_3'])
})

test('an answer too large for a file is refused and harms nothing', async () => {
  const folder = newFolder()
  const journal = await open(folder)
  await expect(journal.append(record(1, 'x'.repeat(300_000)))).rejects.toThrow('larger')
  await journal.append(record(2))
  expect(intents(await pendingAfterCrash(folder))).toEqual(['itn_2'])
})

test('frames survive noise before, between and after them', () => {
  const frame = (n: number) => encodeFrame({ kind: 'answer', intent: `itn_${n}`, organization: 'o', sealed: Buffer.from('EVJ1EVJ1') })
  const noise = Buffer.from('EVJ1\x01\x00\x00\x00\x05garbage')
  const scan = scanFrames(Buffer.concat([noise, frame(1), noise, frame(2), noise]))
  expect(scan.frames.map(({ intent }) => intent)).toEqual(['itn_1', 'itn_2'])
  expect(scan).toMatchObject({ damaged: 2, torn: true })
})

const CHILD = fileURLToPath(new URL('../testing/journal-writer.ts', import.meta.url))

test('killed in the middle of appending, no acknowledged answer is missing', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 5; round += 1) {
    const folder = newFolder()
    const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    const acknowledged: string[] = []
    let text = ''
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      acknowledged.push(...lines)
      if (acknowledged.length > 40 + round * 37) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.once('close', resolve))
    const found = new Set<string>(intents(await pendingAfterCrash(folder)))
    expect(acknowledged.length).toBeGreaterThan(40)
    expect(acknowledged.filter((intent) => !found.has(intent))).toEqual([])
  }
})

test('a truncated file does not stop the start', async () => {
  const folder = newFolder()
  await (await open(folder)).append(record(1))
  truncateSync(join(folder, files(folder)[0] ?? ''), 3)
  expect(await pendingAfterCrash(folder)).toEqual([])
  const none: IntentId = 'itn_none'
  const journal = await open(folder)
  expect(() => journal.settle(none)).not.toThrow()
})
