import { expect, test } from 'vitest'
import type { ProviderContext } from '../provider/context.ts'
import { identityProblem } from './identity-check.ts'

const NOW = Date.UTC(2026, 5, 1)
const SECONDS = NOW / 1_000
const ISSUER = 'https://id.example.com'
const GOOD = { iss: ISSUER, sub: 'ada', aud: 'client-1', nonce: 'n-1', iat: SECONDS - 5, exp: SECONDS + 300 }
const CONTEXT = { endpoints: { issuer: ISSUER }, clientId: 'client-1' } as ProviderContext

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const idToken = (claims: Record<string, unknown>, header: Record<string, unknown> = { alg: 'RS256' }, signature = 'c2ln') =>
  `${part(header)}.${part(claims)}.${signature}`
const without = (name: keyof typeof GOOD) => Object.fromEntries(Object.entries(GOOD).filter(([key]) => key !== name))

// The names are those of the relying-party list of the OpenID Foundation's conformance suite, for the code flow. The token
// comes from the token endpoint over TLS, which vouches for it (OpenID Connect Core 3.1.3.7 point 6): key names decide nothing.
test.each([
  ['oidcc-client-test', idToken(GOOD), null],
  ['oidcc-client-test-nonce-invalid', idToken({ ...GOOD, nonce: 'other' }), 'wrong_nonce'],
  ['nonce-missing', idToken(without('nonce')), 'wrong_nonce'],
  ['oidcc-client-test-invalid-iss', idToken({ ...GOOD, iss: 'https://evil.example' }), 'wrong_issuer'],
  ['oidcc-client-test-invalid-iss-trailing-slash', idToken({ ...GOOD, iss: `${ISSUER}/` }), 'wrong_issuer'],
  ['oidcc-client-test-missing-sub', idToken(without('sub')), 'no_subject'],
  ['oidcc-client-test-invalid-aud', idToken({ ...GOOD, aud: 'client-2' }), 'wrong_audience'],
  ['oidcc-client-test-missing-aud', idToken(without('aud')), 'wrong_audience'],
  ['oidcc-client-test-missing-iat', idToken(without('iat')), 'malformed'],
  ['missing-exp', idToken(without('exp')), 'malformed'],
  ['expired', idToken({ ...GOOD, exp: SECONDS - 3_600 }), 'expired'],
  ['iat-a-week-ago', idToken({ ...GOOD, iat: SECONDS - 7 * 86_400 }), 'issued_too_long_ago'],
  ['iat-in-the-future', idToken({ ...GOOD, iat: SECONDS + 3_600 }), 'not_yet_valid'],
  ['oidcc-client-test-idtoken-sig-none', idToken(GOOD, { alg: 'none' }, ''), 'unsigned'],
  ['sig-none-in-another-case', idToken(GOOD, { alg: 'NoNe' }, 'c2ln'), 'unsigned'],
  ['signature-stripped', idToken(GOOD, { alg: 'RS256' }, ''), 'unsigned'],
  ['several-audiences-without-azp', idToken({ ...GOOD, aud: ['client-1', 'client-2'] }), 'wrong_authorized_party'],
  ['wrong-azp', idToken({ ...GOOD, azp: 'client-2' }), 'wrong_authorized_party'],
  ['several-audiences-with-our-azp', idToken({ ...GOOD, aud: ['client-1', 'client-2'], azp: 'client-1' }), null],
  ['oidcc-client-test-kid-absent-single-jwks', idToken(GOOD, { alg: 'RS256' }), null],
  ['unknown-kid', idToken(GOOD, { alg: 'RS256', kid: 'nobody' }), null],
  ['oidcc-client-test-es256', idToken(GOOD, { alg: 'ES256' }), null],
  ['not-a-token', 'opaque', 'malformed'],
])('an id_token is judged as the list says: %s (S17)', (_name, token, expected) => {
  expect(identityProblem(token, CONTEXT, 'n-1', NOW)).toBe(expected)
})

test('an id_token that was asked for with a nonce must come', () => {
  expect(identityProblem(null, CONTEXT, 'n-1', NOW)).toBe('missing')
  expect(identityProblem(null, CONTEXT, null, NOW)).toBeNull()
})
