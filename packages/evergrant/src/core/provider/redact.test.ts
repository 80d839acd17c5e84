import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redact } from './redact.ts'

test('a presented secret is replaced, plain and percent-encoded', () => {
  expect(redact('Refresh token invalid: ab+cd/ef', ['ab+cd/ef'])).toBe('Refresh token invalid: [redacted]')
  expect(redact('see ?token=ab%2Bcd%2Fef now', ['ab+cd/ef'])).toBe('see ?token=[redacted] now')
})

test.each([
  ['Refresh token invalid: 5a1e8c2f9b7d4e6f8a0b1c2d3e4f5a6b7c8d9e0f', 'Refresh token invalid: [redacted]'],
  ['token Atzr|IwEBIJ expired', 'token [redacted] expired'],
  ['bad eyJhbGciOiJub25lIn0.e30. here', 'bad [redacted] here'],
  ['gho_16C7e42F', '[redacted]'],
])('what looks like a token is replaced in %j', (text, expected) => {
  expect(redact(text, [])).toBe(expected)
})

test('a secret is not cut in two before it is recognized', () => {
  const secret = 'abcdefghijklmnop'
  expect(redact(`${' '.repeat(7_992)}${secret}`, [secret])).not.toContain('abcdefgh')
})

test('prose, error codes and header names stay readable', () => {
  const text = 'AADSTS700082: The refresh token has expired due to inactivity. Send Amazon-Advertising-API-ClientId.'
  expect(redact(text, [])).toBe(text)
})

test('control characters and marks that turn the writing direction become spaces', () => {
  expect(redact('a\u0000\u001b[31mb\r\nc\u202ed\u0085', [])).toBe('a [31mb c d')
})

test('no text comes out longer than 500 characters or with a given secret in it', () => {
  fc.assert(
    fc.property(fc.string(), fc.stringMatching(/^[A-Za-z0-9+/_-]{8,40}$/), fc.string(), (before, secret, after) => {
      const clean = redact(`${before}${secret}${after}`, [secret])
      return clean.length <= 500 && !clean.includes(secret)
    }),
  )
})

test('a page of nothing but opened tags costs no more than its length', () => {
  const took = (text: string): number => {
    const began = process.threadCpuUsage()
    for (let time = 0; time < 20; time++) redact(text, [], true)
    const { user, system } = process.threadCpuUsage(began)
    return (user + system) / 1_000
  }
  took('a '.repeat(4_000))
  expect(took('<'.repeat(8_000))).toBeLessThan(400)
})
