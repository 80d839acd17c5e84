import { createCipheriv, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { Fernet } from './fernet.ts'

/** From the public Fernet specification (fernet/spec): one key, one moment, one IV, the word hello. */
const KEY = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4='
const HELLO = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=='
const OTHER = Buffer.alloc(32, 7).toString('base64url')

/** A token made by hand, so that each of its parts can be wrong. */
function sealed({ text = Buffer.from('token'), version = 0x80, key = Buffer.from(KEY, 'base64url'), cut = 0, raw = null as Buffer | null } = {}): string {
  const iv = Buffer.alloc(16, 3)
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), iv)
  const body = raw ?? Buffer.concat([cipher.update(text), cipher.final()])
  const whole = Buffer.concat([Buffer.from([version]), Buffer.alloc(8), iv, body.subarray(0, body.length - cut)])
  return Buffer.concat([whole, createHmac('sha256', key.subarray(0, 16)).update(whole).digest()]).toString('base64url')
}

test('the token of the specification is opened, whatever its age, with or without its padding', () => {
  const fernet = Fernet.of(KEY)
  expect(fernet?.open(HELLO)).toBe('hello')
  expect(fernet?.open(HELLO.replaceAll('=', ''))).toBe('hello')
  expect(Fernet.of(KEY.replace('=', ''))?.open(HELLO)).toBe('hello')
})

test('of several keys each is tried, as after a rotation', () => {
  expect(Fernet.of(`${OTHER}, ${KEY}\n`)?.open(HELLO)).toBe('hello')
  expect(Fernet.of(OTHER)?.open(HELLO)).toBeUndefined()
})

test('a text of one character or of many is opened, and text beyond ASCII comes back as it was', () => {
  for (const text of ['a', 'x'.repeat(16), 'y'.repeat(4_000), 'schlüssel ✓']) expect(Fernet.of(KEY)?.open(sealed({ text: Buffer.from(text) }))).toBe(text)
})

test.each([
  ['a changed tag', `${HELLO.slice(0, -6)}AAAA==`],
  ['a changed body', HELLO.replace('021cp', '021cq')],
  ['another version', sealed({ version: 0x81 })],
  ['a body that is no whole number of blocks', sealed({ cut: 1 })],
  ['no body', sealed({ cut: 16 })],
  ['padding that is none', sealed({ raw: Buffer.alloc(16, 9) })],
  ['bytes that are no text', sealed({ text: Buffer.from([0xff, 0xfe]) })],
  ['plain text', 'ya29.a0AfH6SM'],
  ['characters of the other base64', HELLO.replace('_', '/')],
  ['nothing', ''],
])('%s is not opened', (_what, token) => {
  expect(Fernet.of(KEY)?.open(token)).toBeUndefined()
})

test.each(['', 'short', `${KEY}x`, `${KEY},short`])('what is no key is refused: %j', (text) => {
  expect(Fernet.of(text)).toBeUndefined()
})
