import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Secret } from '../core/seal/secret.ts'
import { systemEntropy } from '../system.ts'
import { startVaultServer, type VaultServer } from '../testing/vault-server.ts'
import { type KeyProvider, unwrapEntries, wrapEntries } from './key-provider.ts'
import { entryText, type MasterKey, parseKeyEntries, parseMasterKeys } from './keyring.ts'
import { transitPlace, vaultTransit } from './vault-transit.ts'

let vault: VaultServer
beforeAll(async () => {
  vault = await startVaultServer({ plain: { derived: false }, derived: { derived: true } })
})
afterAll(() => vault.close())

const waits: number[] = []
beforeEach(() => {
  waits.length = 0
  vault.next.length = 0
  vault.sealed = false
})
/** Waits are noted, not waited; a deadline is never reached. */
const timers = { sleep: async (ms: number) => void waits.push(ms), after: () => () => {} }
const at = (key: string, token: string = vault.token, mount = 'transit'): KeyProvider =>
  vaultTransit({ address: `${vault.url}/v1/${mount}/keys/${key}`, token: new Secret(token), timers })
const KEY = new Uint8Array(systemEntropy.bytes(32))

test.each(['plain', 'derived'])('a key that was wrapped comes back, also after Vault has rotated its own: %s', async (name) => {
  const provider = at(name)
  const first = await provider.wrap(KEY)
  expect(first).toMatch(/^vault:v\d+:/)
  vault.rotate(name)
  const second = await provider.wrap(KEY)
  expect(second.split(':')[1]).not.toBe(first.split(':')[1])
  expect([await provider.unwrap(first), await provider.unwrap(second)]).toEqual([KEY, KEY])
})

test('a keyring of plain keys is wrapped whole, is written down, and opens again', async () => {
  const provider = at('derived')
  const plain: MasterKey[] = [
    { id: 'k2', key: new Secret(new Uint8Array(systemEntropy.bytes(32))) },
    { id: 'k1', key: new Secret(KEY) },
  ]
  const text = (await wrapEntries(plain, provider)).map(entryText).join(',')
  expect(text).toMatch(/^k2:vault:v\d+:[^,]+,k1:vault:v/)
  expect(text).not.toContain(Buffer.from(KEY).toString('base64'))
  const opened = await unwrapEntries(parseKeyEntries(text), provider)
  expect(opened.map(({ id, key }) => [id, key.reveal()])).toEqual(plain.map(({ id, key }) => [id, key.reveal()]))
  // Without a key service it says what is missing.
  expect(() => parseMasterKeys(text)).toThrow(/k2 is wrapped by a key service: set EVERGRANT_VAULT_KEY/)
})

test('what was wrapped for another purpose with a derived key does not unwrap as a master key', async () => {
  const body = JSON.stringify({ plaintext: Buffer.from(KEY).toString('base64'), context: Buffer.from('billing').toString('base64') })
  const answer = await fetch(`${vault.url}/v1/transit/encrypt/derived`, { method: 'POST', headers: { 'x-vault-token': vault.token }, body })
  const { data } = (await answer.json()) as { data: { ciphertext: string } }
  await expect(at('derived').unwrap(data.ciphertext)).rejects.toThrow(/EVERGRANT_MASTER_KEYS has a wrapped key .* message authentication failed/)
})

test('a Vault that is away for a moment is asked again, with longer and longer waits', async () => {
  vault.next.push(503, 429, 412, 500)
  const wrapped = await at('plain').wrap(KEY)
  expect(wrapped).toMatch(/^vault:/)
  expect(waits).toEqual([500, 1_000, 2_000, 4_000])
})

test.each([
  ['a sealed Vault', (): void => void Object.assign(vault, { sealed: true }), () => at('plain'), 'store_unavailable', /is sealed or in maintenance: unseal it/],
  ['a wrong token', () => {}, () => at('plain', 'hvs.wrong'), 'invalid_request', /EVERGRANT_VAULT_TOKEN is not allowed to decrypt .* permission denied/],
  ['a key that is not there', () => {}, () => at('never'), 'invalid_request', /names key never, which .* does not have: make it/],
  ['a mount that is not there', () => {}, () => at('plain', vault.token, 'elsewhere'), 'invalid_request', /names a place that .* does not have/],
] as const)('%s is told with its remedy', async (_, make, provider, code, words) => {
  const wrapped = await at('plain').wrap(KEY)
  make()
  await expect(provider().unwrap(wrapped)).rejects.toMatchObject({ code, message: expect.stringMatching(words) })
  await expect(provider().unwrap(wrapped)).rejects.toThrow(/Nothing was changed; no connection is lost/)
})

test('a Vault that nobody can reach is told by its address, without the token', async () => {
  const provider = vaultTransit({ address: 'http://127.0.0.1:9/v1/transit/keys/evergrant', token: new Secret('hvs.secret'), timers })
  const failed = await provider.unwrap('vault:v1:AAAA').catch((error: unknown) => error)
  expect(String(failed)).toMatch(/Vault at http:\/\/127\.0\.0\.1:9 cannot be reached/)
  expect(JSON.stringify(failed) + String(failed)).not.toContain('hvs.secret')
})

test('a version that Vault has archived is refused with its words', async () => {
  const wrapped = await at('plain').wrap(KEY)
  vault.rotate('plain')
  vault.archiveBefore('plain', Number(wrapped.split(':')[1]?.slice(1)) + 1)
  await expect(at('plain').unwrap(wrapped)).rejects.toThrow(/its version was archived/)
})

test.each([
  ['https://vault.example.com:8200/v1/transit/keys/evergrant', { base: 'https://vault.example.com:8200/v1/transit', key: 'evergrant' }],
  ['https://vault.example.com/v1/team/transit/keys/e-1', { base: 'https://vault.example.com/v1/team/transit', key: 'e-1' }],
  ['https://vault.example.com/v1/transit/evergrant', undefined],
  ['https://user:pass@vault.example.com/v1/transit/keys/evergrant', undefined],
  ['https://vault.example.com/v1/transit/keys/evergrant?x=1', undefined],
  ['vault.example.com/v1/transit/keys/evergrant', undefined],
])('the address %s is taken apart', (address, place) => {
  expect(transitPlace(address)).toEqual(place)
})
