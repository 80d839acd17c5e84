import { expect, test } from 'vitest'
import { returnAddress } from './return-address.ts'

const rules = { publicUrl: 'https://evergrant.example', allowedOrigins: ['https://app.example.com'] }

test.each([
  '/me',
  '/me/security',
  '/me?done=welcome',
  '/connect/done/abc.def',
  '/auth/sign-in/int_1?return_url=https%3A%2F%2Fapp.example.com%2F',
  'https://app.example.com/a?b=c',
])('%s is gone to', (address) => expect(returnAddress(address, rules)).toBe(address))

test.each([
  '//evil.example',
  '/me//evil.example',
  '/\\evil.example',
  '/me\\..\\..',
  '/meadow',
  '/api/v1/users',
  '/',
  'https://evil.example/',
  'https://app.example.com.evil.example/',
  'https://app.example.com@evil.example/',
  'http://app.example.com/',
  'https://app.example.com:8443/',
  'javascript:alert(1)',
  'data:text/html,x',
  '/me\u0000',
  '/me\nSet-Cookie: a=b',
  `/me?${'a'.repeat(2_000)}`,
])('%j is not (S12, S13)', (address) => expect(returnAddress(address, rules)).toBe('refused'))

test('nothing named leads nowhere, and an exact address of an integration is gone to', () => {
  expect(returnAddress(undefined, rules)).toBeNull()
  expect(returnAddress('https://other.example.com/x', rules, ['https://other.example.com/x'])).toBe('https://other.example.com/x')
  expect(returnAddress('https://other.example.com/x/', rules, ['https://other.example.com/x'])).toBe('refused')
})
