import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCredentials } from './credential-file.ts'
import { CredentialStore } from './credential-store.ts'
import { newAttemptId } from './dpop.ts'
import { platformOf } from './platform.ts'
import { checkFolder, openFolder, readPrivate, writePrivate } from './safe-files.ts'

let base: string
let file: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'evergrant-files-'))
  file = join(base, 'credentials.json')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const sentence = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  )

test('what is written belongs to its owner alone, and replaces the file as a whole', async () => {
  await writePrivate(file, 'one')
  const before = statSync(file)
  await writePrivate(file, 'two')
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777, readdirSync(base)]).toEqual(['two', 0o600, ['credentials.json']])
  expect(statSync(file).ino).not.toBe(before.ino)
})

test('a folder that is made belongs to its owner alone', async () => {
  await openFolder(join(base, 'home'))
  expect(statSync(join(base, 'home')).mode & 0o777).toBe(0o700)
})

test('a write that fails leaves the file as it was, and nothing beside it', async () => {
  await writePrivate(file, 'one')
  mkdirSync(join(base, 'dir'))
  expect(await sentence(writePrivate(join(base, 'dir'), 'x'))).toMatch(/^credential_store_unwritable/)
  expect(readdirSync(base).sort()).toEqual(['credentials.json', 'dir'])
})

test('no file is no error', async () => {
  expect(await readPrivate(file)).toBeNull()
})

test.each([0o640, 0o604, 0o660, 0o644])('a file that others may read (%o) is refused with the command that mends it', async (mode) => {
  writeFileSync(file, '{}')
  chmodSync(file, mode)
  expect(await sentence(readPrivate(file))).toBe(`credential_store_unsafe: Others may read ${file}. Run: chmod 600 ${file}`)
})

test('a symbolic link is not followed', async () => {
  writeFileSync(join(base, 'real'), '{}', { mode: 0o600 })
  symlinkSync(join(base, 'real'), file)
  expect(await sentence(readPrivate(file))).toMatch(/^credential_store_unsafe: .* is a symbolic link/)
})

test.each([0o770, 0o702, 0o777])('a folder that others may write into (%o) is refused with the command that mends it', async (mode) => {
  chmodSync(base, mode)
  expect(await sentence(checkFolder(base))).toContain(`Run: chmod 700 ${base}`)
})

test('a folder below one that everybody may write into is refused, except where nobody can rename it', async () => {
  const [open, home] = [join(base, 'open'), join(base, 'open', 'home')]
  mkdirSync(open)
  mkdirSync(home, { mode: 0o700 })
  chmodSync(open, 0o777)
  expect(await sentence(checkFolder(home))).toContain(`Run: chmod o-w ${open}`)
  chmodSync(open, 0o1777)
  expect(await sentence(checkFolder(home))).toBe('fine')
})

test.skipIf(process.getuid?.() !== 0)('a file and a folder of another user are refused', async () => {
  const { chownSync } = await import('node:fs')
  writeFileSync(file, '{}', { mode: 0o600 })
  chownSync(file, 12_345, 12_345)
  expect(await sentence(readPrivate(file))).toMatch(/^credential_store_unsafe: .* belongs to another user/)
  chownSync(base, 12_345, 12_345)
  expect(await sentence(checkFolder(base))).toMatch(/^credential_store_unsafe: .* belongs to another user/)
})

test.each([
  ['', 'no JSON object'],
  ['{"version":2}', 'another version'],
  ['{"version":1,"profiles":[{"server":"x"}]}', 'not complete'],
  ['{"version":1,"profiles":{}}', 'not complete'],
])('a file that holds %j is refused and said to be left as it is', (text, why) => {
  expect(() => readCredentials(text, file)).toThrow(why)
  expect(() => readCredentials(text, file)).toThrow('left as it is')
})

test('what a writer left who was killed before the rename goes with the next write, and nothing else does', async () => {
  const store = new CredentialStore({ platform: platformOf({ home: base, env: {} }) })
  const left = join(base, `credentials.json.4711.${newAttemptId()}.tmp`)
  const others = [join(base, 'credentials.json.bak'), join(base, 'mine.tmp')]
  for (const path of [left, ...others]) writeFileSync(path, 'egs_1...', { mode: 0o600 })
  await store.dropPending('none')
  expect(existsSync(left)).toBe(false)
  expect(others.map((path) => existsSync(path))).toEqual([true, true])
})
