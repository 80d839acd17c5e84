import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runHere } from '../testing/command-line.ts'
import { startVaultServer } from '../testing/vault-server.ts'
import { writeControlFile } from './control-file.ts'

vi.setConfig({ testTimeout: 120_000 })

let dataDir = ''
beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'evergrant-keys-cli-')), 'data')
})
afterEach(() => rmSync(join(dataDir, '..'), { recursive: true, force: true }))

const vault = await startVaultServer({ evergrant: { derived: true } })
afterAll(() => vault.close())

const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const { code, out, err } = await runHere(['keys', ...args, '--json'], { EVERGRANT_DATA_DIR: dataDir, ...env })
  return { code, err, json: out.trim() === '' ? null : JSON.parse(out) }
}
const file = () => JSON.parse(readFileSync(join(dataDir, 'keys.json'), 'utf8')).keys as { id: string; key: string }[]

test('a key is added, everything is sealed anew with it, and the old one is taken away, with no server running', async () => {
  expect((await run(['status'])).json).toMatchObject({ keys: [{ id: 'k1', state: 'seals' }], reseal: null })
  expect((await run(['add'])).json).toEqual({ keys: ['k2', 'k1'], source: 'file', server: 'not running' })
  const again = await run(['add', '--id', 'k2'])
  expect([again.code, again.err]).toEqual([2, expect.stringContaining('There is a key k2 already')])
  const early = await run(['remove', 'k1'])
  expect([early.code, early.err]).toEqual([1, expect.stringMatching(/k1 is still used: 1 value of meta/)])
  expect((await run(['reseal'])).json).toMatchObject({ key: 'k2', unopened: 0, finished_at: expect.any(String) })
  expect((await run(['remove', 'k1'])).json).toEqual({ id: 'k1', outcome: 'removed' })
  expect(file().map(({ id }) => id)).toEqual(['k2'])
  expect((await run(['status'])).json).toMatchObject({ keys: [{ id: 'k2', state: 'seals' }] })
})

test('for EVERGRANT_MASTER_KEYS the value to set is printed, once, and no file is made', async () => {
  const old = 'k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
  const { json } = await run(['add'], { EVERGRANT_MASTER_KEYS: old })
  expect(json).toMatchObject({ keys: ['k2', 'k1'], source: 'environment' })
  expect(json.EVERGRANT_MASTER_KEYS).toMatch(/^k2:[A-Za-z0-9+/]{43}=,k1:AAEC/)
  expect(() => file()).toThrow(/ENOENT/)
})

test('Vault wraps the keys of the file, and makes the next one wrapped; the database opens with them', async () => {
  await run(['status'])
  const env = { EVERGRANT_VAULT_KEY: `${vault.url}/v1/transit/keys/evergrant`, EVERGRANT_VAULT_TOKEN: vault.token }
  const before = file()[0]?.key ?? ''
  expect((await run(['wrap'])).err).toContain('Set EVERGRANT_VAULT_KEY and EVERGRANT_VAULT_TOKEN')
  expect((await run(['wrap'], env)).json).toMatchObject({ keys: ['k1'], source: 'file' })
  expect(file()[0]?.key).toMatch(/^vault:v1:/)
  expect(readFileSync(join(dataDir, 'keys.json'), 'utf8')).not.toContain(before)
  await run(['add'], env)
  expect(file().every(({ key }) => key.startsWith('vault:v1:'))).toBe(true)
  expect((await run(['status'], env)).json).toMatchObject({ keys: [{ id: 'k2' }, { id: 'k1', values: 1 }] })
  vault.sealed = true
  vault.next.length = 0
  const sealed = await run(['status'], env)
  expect([sealed.code, sealed.err]).toEqual([4, expect.stringMatching(/is sealed or in maintenance: unseal it/)])
  vault.sealed = false
})

test('a key file that is gone is not replaced: neither a new key nor a wrapped one would open the database', async () => {
  await run(['status'])
  rmSync(join(dataDir, 'keys.json'))
  const env = { EVERGRANT_VAULT_KEY: `${vault.url}/v1/transit/keys/evergrant`, EVERGRANT_VAULT_TOKEN: vault.token }
  for (const ended of [await run(['add']), await run(['wrap'], env)]) {
    expect([ended.code, JSON.parse(ended.err).error]).toEqual([
      1,
      expect.objectContaining({ code: 'seal_key_missing', message: expect.stringContaining('put it back') }),
    ])
    expect(existsSync(join(dataDir, 'keys.json'))).toBe(false)
  }
})

test('where no database is yet, a first key and its successor are made', async () => {
  expect((await run(['add'])).json).toMatchObject({ keys: ['k2', 'k1'], source: 'file' })
})

test('a key that somebody adds while Vault wraps is not written away', async () => {
  await run(['status'])
  const env = { EVERGRANT_VAULT_KEY: `${vault.url}/v1/transit/keys/evergrant`, EVERGRANT_VAULT_TOKEN: vault.token }
  const added = [{ id: 'k9', key: Buffer.from('another key of just 32 bytes....').toString('base64') }, ...file()]
  vi.spyOn(vault.asked, 'push').mockImplementationOnce(() => {
    writeFileSync(join(dataDir, 'keys.json'), JSON.stringify({ keys: added }))
    return 1
  })
  const ended = await run(['wrap'], env)
  expect([ended.code, JSON.parse(ended.err).error]).toEqual([1, expect.objectContaining({ code: 'conflict' })])
  expect(file()).toEqual(added)
})

test('a key that the running server could not read is told as added, so that nobody adds another', async () => {
  await run(['status'])
  writeControlFile(dataDir, { url: 'http://127.0.0.1:1', publicUrl: 'http://localhost:1', key: 'egk_x', pid: process.pid })
  const ended = await run(['add'])
  expect([ended.code, JSON.parse(ended.err).error]).toEqual([
    4,
    expect.objectContaining({
      keys: ['k2', 'k1'],
      message: expect.stringMatching(/k2 is the first key of .*, but the running server has not read it[\s\S]*do not run this command again/),
    }),
  ])
  expect(file().map(({ id }) => id)).toEqual(['k2', 'k1'])
})
