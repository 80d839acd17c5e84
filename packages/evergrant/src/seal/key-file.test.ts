import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemEntropy } from '../system.ts'
import { freshKey, keyFile, nextKeyId, openKeyEntries, readKeyEntries, replaceKeyFile } from './key-file.ts'

/** What happens while a file is on its way to the disk: another process, or a disk that is full. */
const disk = vi.hoisted(() => ({ syncing: () => {} }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const fsyncSync: typeof fs.fsyncSync = (file) => {
    const { syncing } = disk
    disk.syncing = () => {}
    syncing()
    fs.fsyncSync(file)
  }
  return { ...fs, fsyncSync }
})

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-keys-'))
  path = keyFile(join(folder, 'deep', 'data'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index)).toString('base64')
const bytesOf = (entry: ReturnType<typeof freshKey> | undefined): readonly number[] => (entry !== undefined && 'key' in entry ? [...entry.key.reveal()] : [])

test('a folder and a file that are made are for their owner alone, and the key in it is read again', () => {
  const [made] = openKeyEntries(path, systemEntropy)
  expect(path).toBe(join(folder, 'deep', 'data', 'keys.json'))
  expect([statSync(join(folder, 'deep', 'data')).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600])
  expect(made?.id).toBe('k1')
  expect(bytesOf(readKeyEntries(path)[0])).toEqual(bytesOf(made))
  expect(bytesOf(openKeyEntries(path, systemEntropy)[0])).toEqual(bytesOf(made))
})

test.each([
  ['no text at all', '', 'is not JSON'],
  ['a number', '7', 'has no list of keys'],
  ['nothing', 'null', 'has no list of keys'],
  ['another object', '{"key":[]}', 'has no list of keys'],
  ['keys that are no list', '{"keys":{"id":"k1"}}', 'has no list of keys'],
  ['an entry that is nothing', '{"keys":[null]}', 'has an entry without id and key'],
  ['an entry that is a text', '{"keys":["k1"]}', 'has an entry without id and key'],
  ['an entry without a key', '{"keys":[{"id":"k1"}]}', 'has an entry without id and key'],
  ['an entry without an id', `{"keys":[{"key":"${KEY}"}]}`, 'has an entry without id and key'],
  ['an id that is a number', `{"keys":[{"id":1,"key":"${KEY}"}]}`, 'has an entry without id and key'],
  ['a key that is a number', '{"keys":[{"id":"k1","key":1}]}', 'has an entry without id and key'],
])('a key file with %s is refused with what is wrong, and never replaced', (_what, text, words) => {
  const file = join(folder, 'keys.json')
  writeFileSync(file, text, { mode: 0o600 })
  expect(() => openKeyEntries(file, systemEntropy)).toThrow(`${file} ${words}: restore it from a backup`)
  expect(readFileSync(file, 'utf8')).toBe(text)
})

test('a key file that cannot be read is told as that, and nobody is sent to a backup', () => {
  const file = join(folder, 'keys.json')
  mkdirSync(file, { mode: 0o700 })
  const refused = () => openKeyEntries(file, systemEntropy)
  expect(refused).toThrow(`${file} cannot be read (EISDIR): it must be a file that the user of this process may read`)
  expect(refused).not.toThrow(/backup/)
})

test('a key that is not read names its place in the file', () => {
  const file = join(folder, 'keys.json')
  writeFileSync(
    file,
    JSON.stringify({
      keys: [
        { id: 'k1', key: KEY },
        { id: 'k2', key: 'short' },
      ],
    }),
    { mode: 0o600 },
  )
  expect(() => readKeyEntries(file)).toThrow(/k2/)
})

test('a list without a key, and one that has an id twice, is refused when it is read and when it is written', () => {
  const file = join(folder, 'keys.json')
  const one = freshKey('k1', systemEntropy)
  for (const [keys, entries, words] of [
    [[], [], /empty/],
    [[1, 1].map(() => ({ id: 'k1', key: KEY })), [one, one], /twice/],
  ] as const) {
    writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 })
    expect(() => readKeyEntries(file)).toThrow(words)
    expect(() => replaceKeyFile(path, entries, systemEntropy)).toThrow(words)
    expect(existsSync(path)).toBe(false)
  }
})

test('the next id is one more than the highest, whatever else the keys are called', () => {
  const named = (...ids: readonly string[]) => nextKeyId(ids.map((id) => ({ id })))
  expect([named(), named('k1'), named('k2', 'k10', 'k9'), named('old', 'xk7', 'k7x', 'k'), named('k3', 'master')]).toEqual(['k1', 'k2', 'k11', 'k1', 'k4'])
})

test('a file is replaced whole: private, with the new keys, and nothing left beside it', () => {
  openKeyEntries(path, systemEntropy)
  const entries = [freshKey('k2', systemEntropy), ...readKeyEntries(path)]
  replaceKeyFile(path, entries, systemEntropy)
  expect(readKeyEntries(path).map(bytesOf)).toEqual(entries.map(bytesOf))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(dirname(path))).toEqual(['keys.json'])
})

test('two processes that write the file in the same moment each write a draft of their own: both go through, and the file is one of them whole', () => {
  openKeyEntries(path, systemEntropy)
  const [one, other] = [[freshKey('k2', systemEntropy)], [freshKey('k3', systemEntropy), freshKey('k4', systemEntropy)]]
  const seen: unknown[] = []
  disk.syncing = () => {
    replaceKeyFile(path, other, systemEntropy)
    seen.push(readKeyEntries(path).map(({ id }) => id))
  }
  replaceKeyFile(path, one, systemEntropy)
  expect([...seen, readKeyEntries(path).map(({ id }) => id)]).toEqual([['k3', 'k4'], ['k2']])
  expect(readKeyEntries(path).map(bytesOf)).toEqual(one.map(bytesOf))
  expect([readdirSync(dirname(path)), statSync(path).mode & 0o777]).toEqual([['keys.json'], 0o600])
})

test('a write that fails leaves the file as it was, and no draft with keys in it', () => {
  const full = () => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  const [made] = openKeyEntries(path, systemEntropy)
  disk.syncing = full
  expect(() => replaceKeyFile(path, [freshKey('k2', systemEntropy)], systemEntropy)).toThrow('ENOSPC')
  expect([readdirSync(dirname(path)), bytesOf(readKeyEntries(path)[0])]).toEqual([['keys.json'], bytesOf(made)])
  rmSync(path)
  mkdirSync(path)
  expect(() => replaceKeyFile(path, [freshKey('k2', systemEntropy)], systemEntropy)).toThrow('EISDIR')
  expect(readdirSync(dirname(path))).toEqual(['keys.json'])
})
