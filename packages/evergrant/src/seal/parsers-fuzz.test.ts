// What reads sealed values, keys and signatures: any bytes may stand there, and each outcome has a name.
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fault } from '../core/fault/fault.ts'
import { SealError } from '../core/seal/seal.ts'
import { Secret } from '../core/seal/secret.ts'
import { systemEntropy } from '../system.ts'
import { createAesSeal, sealedWith } from './aes-seal.ts'
import { createKeySigner } from './key-signer.ts'
import { createKeyring, parseMasterKeys } from './keyring.ts'

const RUNS = { numRuns: 400 }
const bytesOf = (from: number) => Uint8Array.from({ length: 32 }, (_, index) => (from + 7 * index) & 0xff)
const seal = createAesSeal({ keyring: createKeyring([{ id: 'k1', key: new Secret(bytesOf(3)) }]), root: new Secret(bytesOf(9)), entropy: systemEntropy })
const place = { organization: 'org_1', table: 'credential', row: 'con_1#4', column: 'refresh_token' }
const bytes = fc.uint8Array({ maxLength: 120 })

test('no bytes but those that were sealed open, and the refusal says why', () => {
  const headed = bytes.map((rest) => Uint8Array.of(1, 2, 0x6b, 0x31, ...rest))
  fc.assert(
    fc.property(fc.oneof(bytes, headed), (sealed) => {
      expect(() => seal.open(sealed, place)).toThrow(SealError)
    }),
    RUNS,
  )
})

test('whatever is sealed opens as it was, long and short, as text and as bytes, also after the key has changed', () => {
  const lengths = fc.oneof(bytes, fc.uint8Array({ minLength: 1_900, maxLength: 2_200 }), fc.uint8Array({ minLength: 7_000, maxLength: 9_000 }))
  fc.assert(
    fc.property(lengths, fc.string({ unit: 'grapheme' }), (raw, text) => {
      const [one, other] = [seal.seal(raw, place), seal.seal(text, place)]
      expect([Buffer.from(seal.open(one, place)), seal.openText(other, place)]).toEqual([Buffer.from(raw), text])
      expect([sealedWith(one), sealedWith(other)]).toEqual(['k1', 'k1'])
    }),
    { numRuns: 40 },
  )
})

test('a hash for one purpose is none for another, and needs the root of this installation', () => {
  const elsewhere = createAesSeal({
    keyring: createKeyring([{ id: 'k1', key: new Secret(bytesOf(3)) }]),
    root: new Secret(bytesOf(10)),
    entropy: systemEntropy,
  })
  fc.assert(
    fc.property(fc.string(), (text) => {
      const all = [
        seal.fingerprint(text),
        seal.mac('one', text),
        seal.mac('two', text),
        seal.digest(text),
        elsewhere.fingerprint(text),
        elsewhere.mac('one', text),
      ]
      expect(new Set(all).size).toBe(all.length)
      expect(seal.mac('one', text)).toBe(seal.mac('one', text))
    }),
    RUNS,
  )
})

test('a value that is too short for its parts is broken, wherever it ends', () => {
  const sealed = seal.seal('', place)
  for (let length = 0; length < sealed.length; length += 1) expect(() => sealedWith(sealed.subarray(0, length)), `${length} bytes`).toThrow(SealError)
  expect(sealedWith(sealed)).toBe('k1')
})

test('no list of keys is read but a whole one, and no refusal repeats a key', () => {
  const key = fc.uint8Array({ minLength: 31, maxLength: 33 }).map((raw) => Buffer.from(raw).toString('base64'))
  const id = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/), fc.string({ maxLength: 4 }), fc.constant('x'.repeat(33)))
  const entry = fc.tuple(id, fc.constantFrom(':', '', '::'), fc.oneof(key, fc.string())).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), fc.constantFrom(',', ' ', '\n', ' , '), (entries, between) => {
      try {
        const ring = parseMasterKeys(entries.join(between))
        expect(ring.ids().length).toBeGreaterThan(0)
        for (const known of ring.ids()) expect(ring.find(known)?.key.reveal().length).toBe(32)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        expect([error.code, error.message.length > 20]).toEqual(['invalid_request', true])
        for (const one of entries) {
          const secret = one.slice(one.indexOf(':') + 1)
          if (secret.length > 20) expect(error.message).not.toContain(secret)
        }
      }
    }),
    RUNS,
  )
})

test('no text is taken for a private key, and the refusal says so without repeating it', () => {
  const signer = createKeySigner()
  const pem = fc.string({ unit: 'binary' }).map((text) => `-----BEGIN PRIVATE KEY-----\n${Buffer.from(text).toString('base64')}\n-----END PRIVATE KEY-----`)
  const value = fc.oneof(fc.string(), fc.constantFrom('EC', 'OKP', 'RSA', 'P-256'))
  const jwk = fc.dictionary(fc.constantFrom('kty', 'crv', 'd', 'x', 'n', 'e'), value).map((made) => JSON.stringify(made))
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), pem, jwk), fc.constantFrom('RS256', 'ES256', 'EdDSA', 'PS256'), (text, algorithm) => {
      expect(refusal(() => signer.sign(algorithm, text, 'signed'))).toMatch(/^The private key .{20,}/)
    }),
    { numRuns: 20 },
  )
})

function refusal(work: () => unknown): string {
  try {
    return `read: ${work()}`
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}

test('an HMAC chain uses each result as the next key (AWS Signature Version 4)', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string(), { minLength: 1, maxLength: 4 }), (secret, texts) => {
      let key: Buffer = Buffer.from(secret)
      for (const text of texts) key = createHmac('sha256', key).update(text).digest()
      expect(createKeySigner().hmacChain(secret, texts)).toBe(key.toString('hex'))
    }),
  )
})
