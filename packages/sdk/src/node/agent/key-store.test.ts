import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { importPublicKey, isSignedBy } from '../../proof/jws.ts'
import { machineKeyOf, newPrivateJwk, readPrivateKey, softwareKey } from './key-provider.ts'
import { KeyStore } from './key-store.ts'
import { type Keychain, systemKeychain } from './keychain.ts'
import { platformOf } from './platform.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'evergrant-keys-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const platform = (env: Record<string, string> = {}) => platformOf({ home, env })

function memoryKeychain(): Keychain & { readonly secrets: Map<string, string> } {
  const secrets = new Map<string, string>()
  return {
    secrets,
    get: (account) => Promise.resolve(secrets.get(account) ?? null),
    set: (account, secret) => Promise.resolve(void secrets.set(account, secret)),
    remove: (account) => Promise.resolve(void secrets.delete(account)),
  }
}

/** A module of the shape of @napi-rs/keyring over a map. */
function keyringModule(secrets: Map<string, string>, forgets = false) {
  return {
    AsyncEntry: class {
      readonly #account: string
      constructor(_service: string, account: string) {
        this.#account = account
      }
      getPassword = () => Promise.resolve(forgets ? null : secrets.get(this.#account))
      setPassword = (password: string) => Promise.resolve(void secrets.set(this.#account, password))
      deletePassword = () => Promise.resolve(secrets.delete(this.#account))
    },
  }
}

test('with a keychain the key is there, and nowhere else', async () => {
  const keychain = memoryKeychain()
  const store = new KeyStore({ platform: platform(), keychain: () => Promise.resolve(keychain) })
  const key = await store.make()
  expect([key.provider.custody, [...keychain.secrets.keys()], existsSync(join(home, 'keys'))]).toEqual(['keychain', [key.thumbprint], false])
  const reference = { thumbprint: key.thumbprint, custody: 'keychain' as const }
  expect((await store.open(reference)).thumbprint).toBe(key.thumbprint)
  await store.remove(reference)
  expect(keychain.secrets.size).toBe(0)
  await expect(store.open(reference)).rejects.toMatchObject({ code: 'credential_key_missing' })
})

test('without a keychain the key is in a file of its own, for its owner alone', async () => {
  const store = new KeyStore({ platform: platform(), keychain: () => Promise.resolve(null) })
  const key = await store.make()
  expect(readdirSync(join(home, 'keys'))).toEqual([`${key.thumbprint}.json`])
  expect(statSync(join(home, 'keys', `${key.thumbprint}.json`)).mode & 0o777).toBe(0o600)
  expect(statSync(join(home, 'keys')).mode & 0o777).toBe(0o700)
})

test('a key in a keychain that cannot be opened now is an error, and no reason for another key', async () => {
  const store = new KeyStore({ platform: platform(), keychain: () => Promise.resolve(null) })
  await expect(store.open({ thumbprint: 'x', custody: 'keychain' })).rejects.toThrow('unlock it')
})

test('a keychain is believed after a round trip, which leaves nothing', async () => {
  const secrets = new Map<string, string>()
  const keychain = await systemKeychain({ env: {} }, () => Promise.resolve(keyringModule(secrets)))
  expect(secrets.size).toBe(0)
  await keychain?.set('a', 'secret')
  expect(await keychain?.get('a')).toBe('secret')
})

test.each([
  ['is not installed', () => Promise.reject(new Error('Cannot find package'))],
  ['forgets', () => Promise.resolve(keyringModule(new Map(), true))],
  [
    'is locked',
    () =>
      Promise.resolve({
        AsyncEntry: class {
          setPassword = () => Promise.reject(new Error('locked'))
          getPassword = () => Promise.resolve(null)
          deletePassword = () => Promise.resolve(false)
        },
      }),
  ],
])('a keychain that %s is not used', async (_title, load) => {
  expect(await systemKeychain({ env: {} }, load)).toBeNull()
})

test('a keychain can be switched off', async () => {
  expect(await systemKeychain({ env: { EVERGRANT_KEYCHAIN: '0' } }, () => Promise.reject(new Error('was asked')))).toBeNull()
})

test('the real module gives a keychain that works, or none', async () => {
  const keychain = await systemKeychain({ env: {} })
  if (keychain === null) return
  await keychain.set('evergrant-test', 'x')
  expect(await keychain.get('evergrant-test')).toBe('x')
  await keychain.remove('evergrant-test')
})

test('a key of the application signs, and is stored nowhere', async () => {
  const provider = await softwareKey(await newPrivateJwk(), 'hardware')
  const store = new KeyStore({ platform: platform(), provider, keychain: () => Promise.reject(new Error('was asked')) })
  const key = await store.make()
  expect([key.provider, readdirSync(home)]).toEqual([provider, []])
  await expect(store.makeNext({ thumbprint: key.thumbprint, custody: 'hardware' })).rejects.toThrow('not kept by this client')
  const other = new KeyStore({ platform: platform(), provider: await softwareKey(await newPrivateJwk(), 'hardware') })
  await expect(other.open({ thumbprint: key.thumbprint, custody: 'hardware' })).rejects.toThrow('not the one')
})

test('what it signs is an ES256 signature, and the private key cannot be looked at', async () => {
  const jwk = await newPrivateJwk()
  const provider = await softwareKey(jwk, 'file')
  const key = await machineKeyOf(provider)
  const signed = new TextEncoder().encode('x')
  const jws = { header: {}, claims: {}, algorithm: 'ES256' as const, signed, signature: await provider.sign(signed) }
  expect(await isSignedBy(jws, await importPublicKey(key.jwk, 'ES256'), 'ES256')).toBe(true)
  expect(inspect([provider, key], { depth: 9, showHidden: true }) + JSON.stringify([provider, key])).not.toContain(String(jwk['d']))
})

test.each(['', 'hello', '{}', '{"kty":"EC"}', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'])('%j is no private key', async (text) => {
  await expect(readPrivateKey(text).then((jwk) => softwareKey(jwk, 'environment'))).rejects.toMatchObject({ code: 'invalid_configuration' })
})

test('a key file that is damaged, or holds another key, is an error that shows nothing of it', async () => {
  const store = new KeyStore({ platform: platform(), keychain: () => Promise.resolve(null) })
  const key = await store.make()
  const path = join(home, 'keys', `${key.thumbprint}.json`)
  const whole = readFileSync(path, 'utf8')
  const { d } = JSON.parse(whole)
  for (const text of [whole.slice(whole.indexOf(d)), '', '[]', '{"kty":"EC"}', JSON.stringify(await newPrivateJwk())]) {
    writeFileSync(path, text, { mode: 0o600 })
    const error = await store.open({ thumbprint: key.thumbprint, custody: 'file' }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'credential_key_missing', message: expect.stringContaining('npx @evergrant/sdk enroll') })
    expect(inspect(error, { depth: 9, showHidden: true }) + String(error)).not.toContain(d.slice(0, 8))
  }
})

test('a key file that is gone says what to do first, and else to enrol again', async () => {
  const store = new KeyStore({ platform: platform(), keychain: () => Promise.resolve(null) })
  const reference = { thumbprint: (await store.make()).thumbprint, custody: 'file' as const }
  await store.remove(reference)
  await expect(store.open(reference)).rejects.toThrow('If it was moved, put it back. Else enrol again')
})

test('a keychain that is locked at first is asked again, and one that breaks off says what to do', async () => {
  const open = memoryKeychain()
  const broken: Keychain = { ...open, get: () => Promise.reject(new Error('timed out')), set: () => Promise.reject(new Error('timed out')) }
  let keychain: Keychain | null = open
  const store = (): KeyStore => new KeyStore({ platform: platform(), keychain: () => Promise.resolve(keychain) })
  const { thumbprint } = await store().make()
  const reference = { thumbprint, custody: 'keychain' as const }
  keychain = null
  const later = store()
  await expect(later.open(reference)).rejects.toThrow('unlock it')
  keychain = open
  expect((await later.open(reference)).thumbprint).toBe(thumbprint)
  keychain = broken
  await expect(store().open(reference)).rejects.toMatchObject({ code: 'credential_key_missing', message: expect.stringContaining('Unlock it') })
  await expect(store().make()).rejects.toMatchObject({ code: 'credential_store_unwritable', message: expect.stringContaining('EVERGRANT_KEYCHAIN=0') })
})
