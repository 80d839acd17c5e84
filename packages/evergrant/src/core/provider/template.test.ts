import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fault } from '../fault/fault.ts'
import type { VariableDefinition } from './record.ts'
import { fillTemplate, matchesPattern, placeholdersOf } from './template.ts'

const shop: VariableDefinition = { label: 'Shop', pattern: '[a-z0-9][a-z0-9-]*', example: 'my-shop', default: null, askedOf: 'connection', choices: null }
const definitions = { shop }
const template = 'https://{shop}.myshopify.com/admin/oauth/authorize'

function refusal(run: () => unknown): Fault {
  try {
    run()
  } catch (cause) {
    if (cause instanceof Fault) return cause
  }
  throw new Error('nothing was refused')
}

test('a host variable that fits its pattern is inserted as it is', () => {
  expect(fillTemplate(template, { shop: 'acme-2' }, { definitions })).toBe('https://acme-2.myshopify.com/admin/oauth/authorize')
})

test.each([
  'evil.com/',
  'evil.com/x',
  'a@evil.com',
  'user:pw@evil.com',
  'evil.com#',
  'evil.com?',
  'evil.com\\',
  '\u0430cme',
  'a b',
  'a\nb',
  'a%2eb',
  '..',
  '-',
  'acme\n',
  '[::1]',
  'evil.com:80',
  'ACME',
])('the host value %j never reaches a URL (S32)', (value) => {
  const fault = refusal(() => fillTemplate(template, { shop: value }, { definitions }))
  expect(fault.code).toBe('invalid_request')
  expect(fault.details.field).toBe('variables.shop')
  expect(fault.message).toContain('Example: my-shop')
})

test('a missing variable is named with an example', () => {
  const fault = refusal(() => fillTemplate(template, {}, { definitions }))
  expect(fault.message).toBe('The variable "shop" is missing. Example: my-shop')
})

test('a pattern is anchored even when its author forgot', () => {
  expect(matchesPattern('a|b', 'ab')).toBe(false)
  expect(matchesPattern('a|b', 'b')).toBe(true)
})

test('a loose pattern does not open the host position', () => {
  const loose = { shop: { ...shop, pattern: '.*' } }
  for (const value of ['evil.com/', 'a@b', 'evil.com:443', 'a?b', 'x..y', 'a#', 'a\\b']) {
    expect(() => fillTemplate(template, { shop: value }, { definitions: loose })).toThrow('is not a host name')
  }
})

test('no string whatsoever leaves its host position, whatever the pattern allows', () => {
  const loose = { shop: { ...shop, pattern: '[\\s\\S]*' } }
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom('/', '@', '#', '?', '\\', ':', '.', '%2f', '%00', 'evil.com', '\r\n', '\u3002', '\uFF0F', 'a', '-'), { minLength: 1 })
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(hostile, (value) => {
      let filled: string
      try {
        filled = fillTemplate(template, { shop: value }, { definitions: loose })
      } catch (cause) {
        return cause instanceof Fault
      }
      const url = new URL(filled)
      return (
        url.hostname.endsWith('.myshopify.com') &&
        url.username === '' &&
        url.port === '' &&
        url.pathname === '/admin/oauth/authorize' &&
        url.search === '' &&
        url.hash === ''
      )
    }),
    { numRuns: 2_000 },
  )
})

test('no value of a path variable adds a segment, a query or a fragment', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
      let filled: string
      try {
        filled = fillTemplate('https://a.example/x/{id}/y', { id: value })
      } catch (cause) {
        return cause instanceof Fault
      }
      const url = new URL(filled)
      return url.host === 'a.example' && url.pathname.split('/').length === 4 && url.pathname.endsWith('/y') && url.search === '' && url.hash === ''
    }),
    { numRuns: 2_000 },
  )
})

test('a plus keeps the slashes of a plain path and nothing else', () => {
  expect(fillTemplate('https://a.example/{+server}/v1', { server: 'oauth2/default' })).toBe('https://a.example/oauth2/default/v1')
  for (const value of ['../x', 'a//b', '/a', 'a/', 'a?b', 'a%2fb', 'a/../b'])
    expect(() => fillTemplate('https://a.example/{+server}/v1', { server: value })).toThrow(Fault)
})

test('a value that begins the template must be an https base, or http on loopback', () => {
  expect(fillTemplate('{issuer}/x', { issuer: 'https://id.example.com/' })).toBe('https://id.example.com/x')
  expect(fillTemplate('{issuer}/x', { issuer: 'http://localhost:9000' })).toBe('http://localhost:9000/x')
  for (const issuer of [
    'http://id.example.com',
    'ftp://x',
    'https://u@x',
    'https://x?y',
    'https://x#y',
    'javascript:alert(1)',
    '//x',
    'https://x/../y',
    'http://localhost.evil.com',
    'http://127.0.0.1.evil.com/',
  ]) {
    expect(() => fillTemplate('{issuer}/x', { issuer })).toThrow(Fault)
  }
})

test('defaults fill what is not given, and named placeholders can be left', () => {
  expect(fillTemplate('https://{shop}.a.example/{client_id}', {}, { definitions: { shop: { ...shop, default: 'one' } }, leave: ['client_id'] })).toBe(
    'https://one.a.example/{client_id}',
  )
  expect(placeholdersOf('https://{a}/{+b}')).toEqual(['a', 'b'])
})

test('a name of Object.prototype is no variable', () => {
  expect(() => fillTemplate('https://a.example/{constructor}', {})).toThrow('"constructor" is missing')
})
