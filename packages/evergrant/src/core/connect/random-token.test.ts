import { expect, test } from 'vitest'
import { base64Url, isToken, randomToken, sameSecret } from './random-token.ts'

test('bytes become base64url as the platform writes it', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) % 256)
    expect(base64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
  }
})

test('a token has 43 characters, and nothing else is one', () => {
  const token = randomToken({ bytes: (length) => new Uint8Array(length).fill(255), uniform: () => 0, uuid: () => '' })
  expect(token).toHaveLength(43)
  expect([isToken(token), isToken(`${token}=`), isToken(token.slice(1)), isToken('')]).toEqual([true, false, false, false])
})

test('secrets are the same only when they are equal', () => {
  expect([sameSecret('abc', 'abc'), sameSecret('abc', 'abd'), sameSecret('abc', 'ab'), sameSecret('', '')]).toEqual([true, false, false, true])
})
