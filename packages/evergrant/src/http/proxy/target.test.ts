import { expect, test } from 'vitest'
import type { ProviderContext } from '../../core/provider/context.ts'
import { defineProvider } from '../../providers/define.ts'
import { authorizedUrl, targetUrl } from './target.ts'

const record = defineProvider({
  id: 'p',
  name: 'P',
  authorize: { url: 'https://p.example/a' },
  token: { url: 'https://p.example/t' },
  api: { base: 'https://api.p.example/v2', hosts: ['*.p.example'], authorization: { header: 'Authorization', prefix: 'Bearer ' }, headers: {}, answers: [] },
})
const endpoints = { authorize: '', token: '', refresh: '', revoke: null, userinfo: null, issuer: null, issuerInCallback: false, pkce: false }
const context = { record, endpoints, clientId: 'c', clientSecret: null, variables: {}, facts: {}, token: null } satisfies ProviderContext

test('an ordinary path and query are kept as they are', () => {
  expect(targetUrl(context, 'a/b%20c?x=1&y=%2e%2e', undefined)).toBe('https://api.p.example/v2/a/b%20c?x=1&y=%2e%2e')
  expect(targetUrl(context, 'group%2Fproject', undefined)).toBe('https://api.p.example/v2/group%2Fproject')
})

test('a query may say anything that is well encoded: lines and backslashes are data there', () => {
  expect(targetUrl(context, 'query?q=SELECT+Id%0D%0AFROM+Account&path=C%3A%5Ctemp', undefined)).toBe(
    'https://api.p.example/v2/query?q=SELECT+Id%0D%0AFROM+Account&path=C%3A%5Ctemp',
  )
  expect(() => targetUrl(context, 'query?q=100%', undefined)).toThrow(expect.objectContaining({ code: 'upstream_forbidden_host' }))
})

test('an API that is one address is called there, without a slash that its provider does not write', () => {
  expect(targetUrl(context, '', undefined)).toBe('https://api.p.example/v2')
  expect(targetUrl(context, '?x=1', undefined)).toBe('https://api.p.example/v2?x=1')
  expect(targetUrl(context, '', 'https://eu.p.example')).toBe('https://eu.p.example/')
})

test.each([
  '..',
  '../x',
  'a/../../x',
  '%2e%2e/x',
  '.%2E/x',
  'a%2f..%2fx',
  '..\\x',
  'a\\..\\x',
  '\\\\evil.example',
  'a%5c..',
  'a#b',
  'a\r\nb',
  'a%0d%0ab',
  'a%00',
  'a%zz',
])('%j is refused (S28)', (rest) => {
  expect(() => targetUrl(context, rest, undefined)).toThrow(expect.objectContaining({ code: 'upstream_forbidden_host' }))
})

test.each(['@evil.example', '/evil.example', '//evil.example/x', 'https://evil.example', ':80'])('%j stays on the host of the provider', (rest) => {
  expect(new URL(targetUrl(context, rest, undefined)).host).toBe('api.p.example')
})

test('another base must be a host of the provider', () => {
  expect(targetUrl(context, 'x', 'https://eu.p.example/base/')).toBe('https://eu.p.example/base/x')
  for (const base of [
    'https://evil.example',
    'https://p.example.evil.example',
    'https://xp.example',
    'http://eu.p.example',
    'https://u@eu.p.example',
    'https://eu.p.example?x',
    'nonsense',
  ]) {
    expect(() => targetUrl(context, 'x', base)).toThrow(expect.objectContaining({ code: 'upstream_forbidden_host' }))
  }
})

test('a token in the query stands beside the whole query of the caller, question marks and all', () => {
  const keyed = defineProvider({
    id: 'p',
    name: 'P',
    authorize: { url: 'https://p.example/a' },
    token: { url: 'https://p.example/t' },
    api: { base: 'https://api.p.example/v2', authorization: { prefix: '', query: 'key' } },
  })
  const inQuery = { ...context, record: keyed }
  expect(authorizedUrl(inQuery, 'https://api.p.example/v2/a?next=/b?c=1&key=mine&d=2', 'token')).toBe('https://api.p.example/v2/a?next=/b?c=1&d=2&key=token')
})
