import { expect, test } from 'vitest'
import { decodeBase64Url, decodeJwt } from './base64url.ts'
import { checkIdToken } from './id-token.ts'

const NOW = Date.parse('2026-11-21T06:00:00Z')
const seconds = NOW / 1_000
const expected = { issuer: 'https://id.example.com', clientId: 'client-1', nonce: 'nonce-1', now: NOW }
const good = { iss: 'https://id.example.com', sub: 'u1', aud: 'client-1', nonce: 'nonce-1', exp: seconds + 600, iat: seconds }
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (claims: object, header: object = { alg: 'RS256' }, signature = 'c2ln') => `${encode(header)}.${encode(claims)}.${signature}`

test('a token with all that is expected is accepted, its claims come back', () => {
  expect(checkIdToken(token(good), expected)).toEqual({ ok: true, claims: good })
})

const refused: [string, string, string][] = [
  ['alg none', token(good, { alg: 'none' }, ''), 'unsigned'],
  ['alg NONE with something behind it', token(good, { alg: 'NONE' }), 'unsigned'],
  ['no alg', token(good, {}), 'unsigned'],
  ['an empty signature', token(good, { alg: 'RS256' }, ''), 'unsigned'],
  ['another issuer', token({ ...good, iss: 'https://id.example.org' }), 'wrong_issuer'],
  ['an issuer with a slash more', token({ ...good, iss: 'https://id.example.com/' }), 'wrong_issuer'],
  ['no issuer', token({ ...good, iss: undefined }), 'wrong_issuer'],
  ['another audience', token({ ...good, aud: 'client-2' }), 'wrong_audience'],
  ['no audience', token({ ...good, aud: undefined }), 'wrong_audience'],
  ['audiences without ours', token({ ...good, aud: ['client-2'] }), 'wrong_audience'],
  ['several audiences without azp', token({ ...good, aud: ['client-1', 'client-2'] }), 'wrong_authorized_party'],
  ['another azp', token({ ...good, azp: 'client-2' }), 'wrong_authorized_party'],
  ['another nonce', token({ ...good, nonce: 'nonce-2' }), 'wrong_nonce'],
  ['no nonce', token({ ...good, nonce: undefined }), 'wrong_nonce'],
  ['no sub', token({ ...good, sub: undefined }), 'no_subject'],
  ['an empty sub', token({ ...good, sub: '' }), 'no_subject'],
  ['a sub that is a number', token({ ...good, sub: 7 }), 'no_subject'],
  ['an exp in the past', token({ ...good, exp: seconds - 301 }), 'expired'],
  ['no exp', token({ ...good, exp: undefined }), 'malformed'],
  ['an exp as text', token({ ...good, exp: 'soon' }), 'malformed'],
  ['no iat', token({ ...good, iat: undefined }), 'malformed'],
  ['an iat a week ago', token({ ...good, iat: seconds - 7 * 86_400 }), 'issued_too_long_ago'],
  ['an iat in the future', token({ ...good, iat: seconds + 3_600 }), 'not_yet_valid'],
  ['an nbf in the future', token({ ...good, nbf: seconds + 3_600 }), 'not_yet_valid'],
  ['two parts', token(good).split('.').slice(0, 2).join('.'), 'malformed'],
  ['five parts', `${token(good)}.a.b`, 'malformed'],
  ['claims that are a list', `${encode({ alg: 'RS256' })}.${encode([1])}.x`, 'malformed'],
  ['nothing', '', 'malformed'],
]

test.each(refused)('an id_token with %s is refused (S17)', (_, value, reason) => {
  expect(checkIdToken(value, expected)).toEqual({ ok: false, reason })
})

test('several audiences with our azp, and small clock differences, are accepted', () => {
  expect(checkIdToken(token({ ...good, aud: ['client-1', 'client-2'], azp: 'client-1' }), expected).ok).toBe(true)
  expect(checkIdToken(token({ ...good, exp: seconds - 200, iat: seconds + 200 }), expected).ok).toBe(true)
})

test('without a promised issuer and without a nonce those two are not compared', () => {
  expect(checkIdToken(token({ ...good, iss: 'x', nonce: undefined }), { ...expected, issuer: null, nonce: null }).ok).toBe(true)
})

test('base64url decodes what the platform encodes, and refuses the rest', () => {
  for (const text of ['', 'f', 'fo', 'foo', 'é漢字🙂'])
    expect(Buffer.from(decodeBase64Url(Buffer.from(text).toString('base64url')) ?? []).toString()).toBe(text)
  for (const bad of ['a', 'a=', 'a+b', 'a/b', 'a b']) expect(decodeBase64Url(bad)).toBeNull()
  expect(decodeJwt(token({ name: 'José 漢字' }))?.claims).toEqual({ name: 'José 漢字' })
})
