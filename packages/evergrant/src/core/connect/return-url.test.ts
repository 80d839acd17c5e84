import { expect, test } from 'vitest'
import { isPlainUrl, returnTo } from './return-url.ts'

test.each([
  'https://app.example.com',
  'https://app.example.com/a/b?c=d',
  'https://app.example.com:8443/',
  'http://localhost:3000/x',
  'http://127.0.0.1/x',
  'http://[::1]:3000/',
])('%s is plain', (url) => {
  expect(isPlainUrl(url)).toBe(true)
})

test.each([
  '',
  '/x',
  '//a.example',
  'https:/a.example',
  'https://',
  'https://a.example@evil.example/',
  'https://a.example\\@evil.example/',
  'https://a.example/#x',
  'https://a.example/\u0000',
  'https://a.example/ x',
  'https://ä.example/',
  'http://a.example/',
  'http://localhost.evil.example/',
  'javascript:alert(1)',
  'data:text/html,x',
  `https://a.example/${'x'.repeat(2_000)}`,
])('%j is refused', (url) => {
  expect(isPlainUrl(url)).toBe(false)
})

test('parameters are added to what is there, encoded', () => {
  expect(returnTo('https://a.example/x?y=1', { session: 'cs_1', error: 'a b&c' })).toBe('https://a.example/x?y=1&session=cs_1&error=a%20b%26c')
})
