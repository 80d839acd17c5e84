import { expect, test } from 'vitest'
import { shipped } from '../../testing/provider-contexts.ts'
import { missingSecret } from './missing-secret.ts'

const without = (id: string) => missingSecret({ clientSecret: null }, shipped(id))?.certain ?? null

test.each([
  ['a password without PKCE', 'strava', true],
  ['a signed callback', 'shopify', true],
  ['a second exchange that names the secret', 'instagram', true],
  ['a secret as user name', 'stripe-apps', true],
  ['an app that signs', 'github-installation', true],
  ['a password beside PKCE, which a public client leaves out', 'x-twitter', false],
  ['an issuer of whatever kind', 'oidc', false],
  ['a client that each connection may bring', 'oauth2-client-credentials', null],
  ['a key that each connection may bring', 'google-service-account', null],
  ['a grant without a client', 'api-key', null],
])('without a client secret the record says of %s (%s) that it is missing for certain: %s', (_what, id, certain) => {
  expect(without(id)).toBe(certain)
})

test('nothing is missing where there is a secret, and where the record uses none', () => {
  expect(missingSecret({ clientSecret: new Uint8Array([1]) }, shipped('strava'))).toBeNull()
  const record = shipped('oidc')
  expect(missingSecret({ clientSecret: null }, { ...record, token: { ...record.token, clientAuth: 'none' } })).toBeNull()
})

test('it is said what will happen, and what to set', () => {
  expect(missingSecret({ clientSecret: null }, shipped('strava'))?.detail).toMatch(/^Strava wants .* every refresh will be refused.*Set `client_secret`\.$/)
  expect(missingSecret({ clientSecret: null }, shipped('x-twitter'))?.detail).toMatch(/public client .*PKCE alone/)
})
