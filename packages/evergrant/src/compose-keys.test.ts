import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyEntriesOf, keyFileDoor, keyProviderOf, openKeyring } from './compose-keys.ts'
import { type Environment, readConfig } from './config.ts'
import { freshKey, keyFile, nextKeyId, replaceKeyFile } from './seal/key-file.ts'
import { wrapEntries } from './seal/key-provider.ts'
import { entryText, type MasterKey } from './seal/keyring.ts'
import { systemEntropy } from './system.ts'
import { startVaultServer, type VaultServer } from './testing/vault-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'evergrant-keys-'))
let vault: VaultServer
beforeAll(async () => {
  vault = await startVaultServer({ evergrant: { derived: true } })
})
afterAll(async () => {
  await vault.close()
  rmSync(folder, { recursive: true })
})

const read = (env: Environment) => readConfig({ EVERGRANT_DATA_DIR: folder, ...env }, { development: false, readSecretFile: () => vault.token })
const atVault = (env: Environment = {}) =>
  read({ EVERGRANT_VAULT_KEY: `${vault.url}/v1/transit/keys/evergrant`, EVERGRANT_VAULT_TOKEN_FILE: '/run/secrets/vault-token', ...env })
const bytes = (entry: MasterKey | undefined) => Buffer.from(entry?.key.reveal() ?? []).toString('base64')

test('a key file is wrapped by Vault and opens to the same keys, with the token from a file', async () => {
  const plain = await openKeyring(read({}))
  const config = atVault()
  const provider = keyProviderOf(config)
  if (provider === null) throw new Error('there is no provider')
  replaceKeyFile(keyFile(folder), await wrapEntries(keyEntriesOf(config), provider), systemEntropy)
  expect(statSync(keyFile(folder)).mode & 0o777).toBe(0o600)
  const text = readFileSync(keyFile(folder), 'utf8')
  expect(text).toMatch(/vault:v1:/)
  expect(text).not.toContain(bytes(plain.find('k1')))
  expect(bytes((await openKeyring(config)).find('k1'))).toBe(bytes(plain.find('k1')))
  // Without Vault the start stops, and says what is missing.
  await expect(openKeyring(read({}))).rejects.toThrow(/k1 is wrapped by a key service: set EVERGRANT_VAULT_KEY/)
})

test('a running node reads its file again, through Vault, and takes a key out of it', async () => {
  const config = atVault()
  const ring = await openKeyring(config)
  const door = keyFileDoor(config, ring)
  const entries = keyEntriesOf(config)
  expect(nextKeyId(entries)).toBe('k2')
  replaceKeyFile(keyFile(folder), [freshKey('k2', systemEntropy), ...entries], systemEntropy)
  await door?.reload()
  expect([ring.ids(), ring.seals()]).toEqual([['k2', 'k1'], 'k1'])
  await door?.remove('k1')
  expect(keyEntriesOf(config).map(({ id }) => id)).toEqual(['k2'])
  expect([ring.ids(), ring.seals()]).toEqual([['k2'], 'k2'])
})

test('wrapped keys stand in the environment, too, and then there is no file to change', async () => {
  const provider = keyProviderOf(atVault())
  if (provider === null) throw new Error('there is no provider')
  const keys = [freshKey('k9', systemEntropy), freshKey('k8', systemEntropy)]
  const text = (await wrapEntries(keys, provider)).map(entryText).join(',')
  const config = atVault({ EVERGRANT_MASTER_KEYS: text })
  const ring = await openKeyring(config, 'k8')
  expect([ring.ids(), ring.seals()]).toEqual([['k9', 'k8'], 'k8'])
  expect(bytes(ring.find('k9'))).toBe(bytes(keys[0] as MasterKey))
  expect(keyFileDoor(config, ring)).toBeNull()
})

test.each([
  [{ EVERGRANT_VAULT_TOKEN: 'hvs.x' }, /EVERGRANT_VAULT_KEY is missing beside EVERGRANT_VAULT_TOKEN/],
  [{ EVERGRANT_VAULT_KEY: 'https://v.example/v1/transit/keys/e' }, /EVERGRANT_VAULT_TOKEN is missing beside EVERGRANT_VAULT_KEY/],
  [{ EVERGRANT_VAULT_KEY: 'http://v.example/v1/transit/keys/e', EVERGRANT_VAULT_TOKEN: 'hvs.x' }, /plain http on another machine/],
  [{ EVERGRANT_VAULT_KEY: 'https://v.example/transit/e', EVERGRANT_VAULT_TOKEN: 'hvs.x' }, /must look like https:\/\/vault\.example\.com/],
  [{ EVERGRANT_MASTER_KEYS: 'k1:vault:v1:AAAA' }, /EVERGRANT_VAULT_KEY is missing, and master key k1 is wrapped/],
] as const)('a configuration that cannot unwrap is refused: %o', (env, words) => {
  expect(() => read(env)).toThrow(words)
})
