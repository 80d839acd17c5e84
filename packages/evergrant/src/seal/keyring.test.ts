import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { systemEntropy } from '../system.ts'
import { keyFile, openKeyEntries } from './key-file.ts'
import { parseMasterKeys, plainKey } from './keyring.ts'
import { openSeal, SEAL_ROOT, type SealMeta } from './open-seal.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyring-'))
afterAll(() => rmSync(folder, { recursive: true }))

const K1 = 'k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const K2 = 'k2:IB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE='

function memoryMeta(): SealMeta & { readonly rows: Map<string, Uint8Array> } {
  const rows = new Map<string, Uint8Array>()
  return {
    rows,
    get: (name) => Promise.resolve(rows.get(name)),
    putIfAbsent: (name, value) => {
      if (!rows.has(name)) rows.set(name, value)
      return Promise.resolve(rows.get(name) ?? value)
    },
  }
}

test('the first key is the primary, in either separator', () => {
  const keyring = parseMasterKeys(`${K2},\n ${K1} `)
  expect(keyring.primary.id).toBe('k2')
  expect(keyring.ids()).toEqual(['k2', 'k1'])
  expect(inspect(keyring.primary, { depth: 9 })).not.toMatch(/IB8e|32, 31/)
})

test.each([
  ['', /empty/],
  ['AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', /no id/],
  ['k1:AAECAwQ=', /32 bytes/],
  ['k1:!!!notbase64!!!', /32 bytes/],
  ['k 1:AAEC', /no id/],
  [`k1:${Buffer.alloc(32).toString('base64')}`, /not random/],
  [`${K1},${K1}`, /twice/],
])('a bad list of keys is refused with the reason and without the key: %s', (text, reason) => {
  expect(() => parseMasterKeys(text)).toThrow(reason)
  try {
    parseMasterKeys(text)
  } catch (error) {
    expect(String(error)).not.toMatch(/AAEC|notbase64/)
  }
})

test('the key file is made once, for its owner alone, and read again', () => {
  const path = keyFile(join(folder, 'made'))
  const first = openKeyEntries(path, systemEntropy)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const again = openKeyEntries(path, systemEntropy)
  expect(again.map(plainKey)[0]?.key.reveal()).toEqual(first.map(plainKey)[0]?.key.reveal())
})

test('a key file that others can read is refused, and left as it is (S80)', () => {
  const path = keyFile(join(folder, 'wide'))
  openKeyEntries(path, systemEntropy)
  const before = readFileSync(path, 'utf8')
  chmodSync(path, 0o640)
  expect(() => openKeyEntries(path, systemEntropy)).toThrow(/mode 0640.*chmod 600/)
  expect(readFileSync(path, 'utf8')).toBe(before)
})

test('a damaged key file is refused, never replaced', () => {
  const path = join(folder, 'damaged.json')
  writeFileSync(path, '{"keys":[{"id":"k1"', { mode: 0o600 })
  expect(() => openKeyEntries(path, systemEntropy)).toThrow(/not JSON.*backup/)
  expect(readFileSync(path, 'utf8')).toBe('{"keys":[{"id":"k1"')
})

test('the wrong key stops the start with a remedy and changes nothing (S79, E10)', async () => {
  const meta = memoryMeta()
  await openSeal(meta, parseMasterKeys(K1), systemEntropy)
  const stored = meta.rows.get(SEAL_ROOT)
  await expect(openSeal(meta, parseMasterKeys(K2), systemEntropy)).rejects.toMatchObject({
    code: 'seal_key_missing',
    message: expect.stringMatching(/k1.*not in the keyring.*has k2.*EVERGRANT_MASTER_KEYS/),
  })
  await expect(openSeal(meta, parseMasterKeys(K2.replace('k2', 'k1')), systemEntropy)).rejects.toMatchObject({
    code: 'seal_broken',
    message: expect.stringMatching(/another key under the same id/),
  })
  expect(meta.rows.get(SEAL_ROOT)).toBe(stored)
})

test('fingerprints stay the same when the primary key changes', async () => {
  const meta = memoryMeta()
  const before = await openSeal(meta, parseMasterKeys(K1), systemEntropy)
  const after = await openSeal(meta, parseMasterKeys(`${K2},${K1}`), systemEntropy)
  expect(after.fingerprint('token')).toBe(before.fingerprint('token'))
  expect((await openSeal(memoryMeta(), parseMasterKeys(K1), systemEntropy)).fingerprint('token')).not.toBe(before.fingerprint('token'))
})

test('two nodes that set a database up at once agree on its root', async () => {
  const meta = memoryMeta()
  const keyring = parseMasterKeys(K1)
  const [one, two] = await Promise.all([openSeal(meta, keyring, systemEntropy), openSeal(meta, keyring, systemEntropy)])
  expect(one.mac('cookie', 'x')).toBe(two.mac('cookie', 'x'))
})
