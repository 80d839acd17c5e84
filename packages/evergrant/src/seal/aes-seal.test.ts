import { createDecipheriv, createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type SealContext, SealError } from '../core/seal/seal.ts'
import { Secret } from '../core/seal/secret.ts'
import { systemEntropy } from '../system.ts'
import { createAesSeal, sealedWith } from './aes-seal.ts'
import { createKeyring, type MasterKey } from './keyring.ts'

const context: SealContext = { organization: 'org_1', table: 'credential', row: 'con_1#4', column: 'refresh_token' }

function key(id: string, fill = id.charCodeAt(0)): MasterKey {
  return { id, key: new Secret(Uint8Array.from({ length: 32 }, (_, index) => (fill * 7 + index) & 0xff)) }
}

function sealer(...keys: MasterKey[]) {
  return createAesSeal({ keyring: createKeyring(keys), root: new Secret(new Uint8Array(32).fill(9)), entropy: systemEntropy })
}

function failure(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof SealError) return error.code
    throw error
  }
  return 'opened'
}

test('what is sealed opens in its place', () => {
  const seal = sealer(key('a'))
  expect(seal.openText(seal.seal('Atzr|grüße', context), context)).toBe('Atzr|grüße')
  expect([...seal.open(seal.seal(Uint8Array.of(0, 255, 1), context), context)]).toEqual([0, 255, 1])
  expect(seal.openText(seal.seal('', context), context)).toBe('')
})

test.each([
  ['organization', { organization: 'org_2' }],
  ['table', { table: 'integration' }],
  ['row', { row: 'con_2#4' }],
  ['generation', { row: 'con_1#5' }],
  ['column', { column: 'access_token' }],
])('a value moved to another %s does not open (S72)', (_name, change) => {
  const seal = sealer(key('a'))
  const sealed = seal.seal('secret', context)
  expect(failure(() => seal.open(sealed, { ...context, ...change }))).toBe('seal_broken')
})

test('the parts of a context cannot run into each other', () => {
  const seal = sealer(key('a'))
  const sealed = seal.seal('secret', { ...context, table: 'ab', row: 'c' })
  expect(failure(() => seal.open(sealed, { ...context, table: 'a', row: 'bc' }))).toBe('seal_broken')
})

test('a swapped key id does not open, not even when both ids name the same key (S72)', () => {
  const seal = sealer(key('a', 1), key('b', 1))
  const sealed = seal.seal('secret', context)
  sealed[2] = 'b'.charCodeAt(0)
  expect(sealedWith(sealed)).toBe('b')
  expect(failure(() => seal.open(sealed, context))).toBe('seal_broken')
})

test('every altered or missing byte is noticed', () => {
  const seal = sealer(key('a'))
  const sealed = seal.seal('secret', context)
  for (let at = 0; at < sealed.length; at += 1) {
    const altered = Uint8Array.from(sealed)
    altered[at] = (altered[at] ?? 0) ^ 1
    expect(
      failure(() => seal.open(altered, context)),
      `byte ${at}`,
    ).toMatch(/^seal_/)
    expect(
      failure(() => seal.open(sealed.subarray(0, at), context)),
      `cut at ${at}`,
    ).toMatch(/^seal_/)
  }
})

test('a new primary key seals, the old ones still open', () => {
  const old = sealer(key('a')).seal('from before', context)
  const rotated = sealer(key('b'), key('a'))
  expect(rotated.openText(old, context)).toBe('from before')
  expect(sealedWith(rotated.seal('new', context))).toBe('b')
})

test('a key that left the keyring is named, and the value opens again when it returns', () => {
  const sealed = sealer(key('a')).seal('still here', context)
  const without = sealer(key('b'))
  expect(failure(() => without.open(sealed, context))).toBe('seal_key_missing')
  expect(() => without.open(sealed, context)).toThrow('master key a is not in the keyring')
  expect(sealer(key('b'), key('a')).openText(sealed, context)).toBe('still here')
})

test('equal values never look alike, and no twelve characters of them stay readable (S76)', () => {
  const seal = sealer(key('a'))
  const plain = 'Atzr|IwEBIJedGXjDqsU_vMxykqOMg-PKrJuLnLhCqfk9PJ5'
  const outputs = Array.from({ length: 50 }, () => Buffer.from(seal.seal(plain, context)))
  expect(new Set(outputs.map((bytes) => bytes.toString('hex'))).size).toBe(50)
  for (const output of outputs) {
    for (let at = 0; at + 12 <= plain.length; at += 1) expect(output.includes(plain.slice(at, at + 12))).toBe(false)
  }
})

test('salt and nonce never repeat over 20,000 values (S74)', () => {
  const seal = sealer(key('a'))
  const seen = new Set<string>()
  for (let count = 0; count < 20_000; count += 1) seen.add(Buffer.from(seal.seal('', context)).toString('latin1', 3, 31))
  expect(seen.size).toBe(20_000)
})

test('a derived key seals at most 64 values, each under a nonce of its own, and each opens by itself', () => {
  const seal = sealer(key('a'))
  const sealed = Array.from({ length: 1_000 }, (_, index) => seal.seal(`value ${index}`, { ...context, row: `con_1#${index}` }))
  const noncesOf = new Map<string, Set<string>>()
  for (const value of sealed) {
    const salt = Buffer.from(value).toString('hex', 3, 19)
    noncesOf.set(salt, (noncesOf.get(salt) ?? new Set()).add(Buffer.from(value).toString('hex', 19, 31)))
  }
  expect([...noncesOf.values()].map((nonces) => nonces.size)).toEqual([...Array.from({ length: 15 }, () => 64), 40])
  const other = sealer(key('a'))
  for (const [index, value] of sealed.entries()) expect(other.openText(value, { ...context, row: `con_1#${index}` })).toBe(`value ${index}`)
})

test('fingerprints and macs are keyed, separate by purpose, and independent of the master keys (S82)', () => {
  const before = sealer(key('a'))
  const after = sealer(key('b'), key('a'))
  expect(before.fingerprint('token')).toBe(after.fingerprint('token'))
  expect(before.fingerprint('token')).not.toBe(before.digest('token'))
  const results = [before.fingerprint('token'), before.mac('cookie', 'token'), before.mac('browser', 'token'), before.mac('fingerprint', 'token')]
  expect(new Set(results).size).toBe(4)
  const root = hkdfSync('sha256', new Uint8Array(32).fill(9), new Uint8Array(0), 'evergrant fingerprint v1', 32)
  expect(before.fingerprint('token')).toBe(createHmac('sha256', Buffer.from(root)).update('token').digest('base64url'))
})

test('a digest is SHA-256 in base64url', () => {
  expect(sealer(key('a')).digest('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
})

test('a secret shows nothing of itself', () => {
  const secret = new Secret('hunter2-hunter2')
  const shown = [String(secret), `${secret}`, JSON.stringify({ secret }), inspect(secret), inspect({ deep: [secret] }), `${secret.toString()}`]
  for (const text of shown) {
    expect(text).not.toContain('hunter2')
    expect(text).toContain('[secret]')
  }
  expect(secret.reveal()).toBe('hunter2-hunter2')
})

/** The platform's functions as the seal uses them: 32 bytes, and keys as key objects. */
const hkdfKey = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Buffer => Buffer.from(hkdfSync('sha256', secret, salt, info, 32))
const hmacSha256 = (key: Uint8Array, data: Uint8Array): Buffer => createHmac('sha256', createSecretKey(key)).update(data).digest()

test('HKDF-SHA256 gives the bytes of RFC 5869 appendix A.1', () => {
  const okm = hkdfKey(Buffer.alloc(22, 0x0b), Buffer.from('000102030405060708090a0b0c', 'hex'), Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex'))
  expect(okm.toString('hex')).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf')
})

const vectors = fileURLToPath(new URL('../../../../../shared/vectors/', import.meta.url))
const hasVectors = existsSync(vectors)
if (!hasVectors) console.warn(`SKIPPED: Wycheproof vectors are not beside the checkout (${vectors})`)

interface Group {
  readonly ivSize: number
  readonly keySize: number
  readonly tagSize: number
  readonly tests: readonly Record<string, string>[]
}

function groups(file: string): readonly Group[] {
  const parsed: { testGroups: readonly Group[] } = JSON.parse(readFileSync(`${vectors}${file}`, 'utf8'))
  return parsed.testGroups
}

const hex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex')

test.skipIf(!hasVectors)('AES-256-GCM as it is used here agrees with Wycheproof (S73)', () => {
  let checked = 0
  for (const group of groups('wycheproof_aes_gcm.json').filter(({ ivSize, keySize, tagSize }) => ivSize === 96 && keySize === 256 && tagSize === 128)) {
    for (const vector of group.tests) {
      checked += 1
      expect(opens(vector), `vector ${vector.tcId}`).toBe(vector.result === 'valid' ? vector.msg : 'refused')
    }
  }
  expect(checked).toBeGreaterThan(50)
})

function opens(vector: Record<string, string>): string {
  const decipher = createDecipheriv('aes-256-gcm', hex(vector.key), hex(vector.iv), { authTagLength: 16 })
  decipher.setAAD(hex(vector.aad))
  decipher.setAuthTag(hex(vector.tag))
  try {
    return Buffer.concat([decipher.update(hex(vector.ct)), decipher.final()]).toString('hex')
  } catch {
    return 'refused'
  }
}

test.skipIf(!hasVectors)('HKDF-SHA256 agrees with Wycheproof (S73)', () => {
  let checked = 0
  for (const group of groups('wycheproof_hkdf_sha256.json')) {
    for (const vector of group.tests.filter(({ result }) => result === 'valid')) {
      checked += 1
      const okm = hkdfKey(hex(vector.ikm), hex(vector.salt), hex(vector.info)).toString('hex')
      const length = Math.min(64, vector.okm?.length ?? 0)
      expect(okm.slice(0, length), `vector ${vector.tcId}`).toBe(vector.okm?.slice(0, length))
    }
  }
  expect(checked).toBeGreaterThan(50)
})

test.skipIf(!hasVectors)('HMAC-SHA256 agrees with Wycheproof (S73)', () => {
  let checked = 0
  for (const group of groups('wycheproof_hmac_sha256.json')) {
    for (const vector of group.tests) {
      checked += 1
      const tag = hmacSha256(hex(vector.key), hex(vector.msg))
        .toString('hex')
        .slice(0, group.tagSize / 4)
      expect(tag === vector.tag, `vector ${vector.tcId}`).toBe(vector.result === 'valid')
    }
  }
  expect(checked).toBeGreaterThan(100)
})
