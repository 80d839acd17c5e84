import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { breachedFolder, breachedHash } from '../testing/breached-folder.ts'
import { openBreachedPasswords } from './breached-passwords.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const noted = (folder: string): string => {
  folders.push(folder)
  return folder
}

test('the hash of a password is looked up in the file of its range, as Pwned Passwords has it', async () => {
  // The example of the range API: 21BD1 is the range of `P@ssw0rd`.
  expect(breachedHash('P@ssw0rd')).toBe('21BD12DC183F740EE76F27B78EB39C8AD972A757')
  const list = openBreachedPasswords(
    noted(breachedFolder({ 'correct horse battery staple': 384, 'übermäßig viele Wörter': 1 }, ['kettle pears travel slowly'])),
  )
  expect(await list.has('correct horse battery staple')).toBe(true)
  expect(await list.has('kettle pears travel slowly')).toBe(false)
  expect(await list.has('übermäßig viele Wörter'.normalize('NFD'))).toBe(true)
})

test('the first and the last line of a file are read like any other', async () => {
  const folder = noted(breachedFolder({}))
  const list = openBreachedPasswords(folder)
  const hash = breachedHash('kettle pears travel slowly')
  const [range, rest] = [hash.slice(0, 5), hash.slice(5)]
  const other = '0'.repeat(34)
  for (const lines of [`${rest}:7\r\n${other}1:2`, `${other}1:2\r\n${rest}:7`, `${rest}:7`]) {
    writeFileSync(join(folder, `${range}.txt`), lines)
    expect(await list.has('kettle pears travel slowly')).toBe(true)
  }
})

test('padding, which was seen 0 times, is no password', async () => {
  const list = openBreachedPasswords(noted(breachedFolder({ 'kettle pears travel slowly': 0, 'green pears travel slowly': 10 })))
  expect(await list.has('kettle pears travel slowly')).toBe(false)
  expect(await list.has('green pears travel slowly')).toBe(true)
})

test('what cannot be looked up is not taken for harmless: a range that is missing, empty or half a page is told as trouble', async () => {
  const folder = noted(breachedFolder({}))
  const list = openBreachedPasswords(folder)
  const range = join(folder, `${breachedHash('kettle pears travel slowly').slice(0, 5)}.txt`)
  const refused = {
    code: 'password_list_unavailable',
    details: { detail: expect.not.stringContaining(breachedHash('kettle pears travel slowly').slice(0, 5)) },
  }
  await expect(list.has('kettle pears travel slowly')).rejects.toMatchObject(refused)
  for (const text of ['', '<html>429 Too Many Requests</html>', '0018A45C4D1DEF81644B54AB7F9']) {
    writeFileSync(range, text)
    await expect(list.has('kettle pears travel slowly'), text).rejects.toMatchObject(refused)
  }
})

test('a folder that is none of range files stops the start: a list that is asked for and never read would be believed', () => {
  const empty = noted(mkdtempSync(join(tmpdir(), 'breached-')))
  const whole = noted(mkdtempSync(join(tmpdir(), 'breached-')))
  writeFileSync(join(whole, '00000.txt'), `${breachedHash('password')}:3\r\n`)
  for (const folder of [empty, whole, join(empty, 'nowhere')])
    expect(() => openBreachedPasswords(folder)).toThrow(`EVERGRANT_BREACHED_PASSWORDS_DIR is ${folder}, and 00000.txt there is missing`)
  const first = noted(breachedFolder({}))
  rmSync(join(first, 'FFFFF.txt'))
  expect(() => openBreachedPasswords(first)).toThrow('FFFFF.txt there is missing')
})
