import { expect, test } from 'vitest'
import { adviseOn } from './advice.ts'
import { defineProvider, type ProviderDraft } from './define.ts'
import { catalogue } from './index.ts'

/** A record that leaves nothing to wish for. */
const whole: ProviderDraft = {
  id: 'acme',
  name: 'Acme',
  docs: 'https://acme.example/docs',
  setup: ['Register an app with the redirect URI {redirect_uri}.'],
  scopes: { read: 'Everything, for reading.' },
  authorize: { url: 'https://acme.example/authorize', defaultScopes: ['read'] },
  token: { url: 'https://acme.example/token' },
  reuse: { class: 'P3', evidence: 'https://acme.example/docs#refresh' },
  rotation: 'always',
  revoke: { url: 'https://acme.example/revoke' },
  account: [{ from: 'answer', path: 'user' }],
  api: { base: 'https://acme.example/api' },
  check: { request: { url: 'https://acme.example/api/me' } },
  samples: { exchange: { access_token: 'a', refresh_token: 'r', user: 'u' }, refresh: { access_token: 'a', refresh_token: 'r' } },
  sources: ['https://acme.example/docs'],
}

const paths = (changes: Partial<ProviderDraft>) => adviseOn(defineProvider({ ...whole, ...changes })).map(({ path }) => path)

test('there is nothing to say about a complete record', () => {
  expect(adviseOn(defineProvider(whole))).toEqual([])
})

test.each<[string, Partial<ProviderDraft>, string]>([
  ['an unknown reuse class', { reuse: {} }, 'reuse.class'],
  ['a class without evidence', { reuse: { class: 'P0' } }, 'reuse.evidence'],
  ['a lax class that nobody has verified', { reuse: { class: 'P0', evidence: 'hearsay' }, unverified: ['reuse'] }, 'reuse'],
  ['rotation that nobody knows', { rotation: 'unknown' }, 'rotation'],
  ['a rule that any answer fits and that ends grants', { verdicts: [{ where: {}, verdict: 'dead', meaning: 'x' }] }, 'verdicts.0.where'],
  ['a rule without words', { verdicts: [{ where: { error: 'x' }, verdict: 'config' }] }, 'verdicts.0.meaning'],
  ['a refresh that prolongs, without a sign of success', { token: { url: 'https://acme.example/token', refresh: { prolongs: true } } }, 'answer.success'],
  ['no account', { account: [] }, 'account'],
  ['no way to revoke, and no word about it', { revoke: null }, 'revoke'],
  ['no API', { api: null }, 'api'],
  ['no check', { check: null }, 'check'],
  ['a push without rules', { push: {} }, 'push.rules'],
  ['no sample of the exchange', { samples: { refresh: { access_token: 'a' } } }, 'samples.exchange'],
  ['no sample of the refresh', { samples: { exchange: { access_token: 'a' } } }, 'samples.refresh'],
  ['a sample that this record cannot read', { samples: { exchange: { token: 'a' }, refresh: { access_token: 'a' } } }, 'samples.exchange'],
  ['no set-up', { setup: [] }, 'setup'],
  ['a set-up that forgets the redirect URI', { setup: ['Register an app.'] }, 'setup'],
  ['a scope without words', { scopes: {} }, 'scopes.read'],
  ['no documentation', { docs: null }, 'docs'],
  ['no sources', { sources: [] }, 'sources'],
  ['an unverified field that does not exist', { unverified: ['lifetime'] }, 'unverified'],
  ['an example that is no value', { variables: { shop: { label: 'Shop', pattern: '[a-z]+', example: 'my shop' } } }, 'variables.shop.example'],
  [
    'a choice that the pattern refuses',
    { variables: { region: { label: 'Region', pattern: 'eu', example: 'eu', choices: { eu: { label: 'EU', sets: {} }, us: { label: 'US', sets: {} } } } } },
    'variables.region.choices.us',
  ],
  [
    'a default that is no choice',
    { variables: { region: { label: 'Region', pattern: '[a-z]+', example: 'eu', default: 'us', choices: { eu: { label: 'EU', sets: {} } } } } },
    'variables.region.default',
  ],
])('%s is mentioned', (_, changes, path) => {
  expect(paths(changes)).toEqual([path])
})

test('a note about revocation is enough where there is no way', () => {
  expect(paths({ revoke: null, notes: ['The provider has no revoke endpoint.'] })).toEqual([])
})

test('without refresh tokens nobody asks for their reuse', () => {
  expect(paths({ reuse: {}, rotation: 'unknown', lifetimes: { issuesRefreshToken: false }, samples: { exchange: { access_token: 'a' } } })).toEqual([])
})

test('a static secret needs neither samples nor a redirect URI', () => {
  expect(paths({ grant: 'api_key', setup: ['Make a key.'], samples: {}, account: [], reuse: {}, rotation: 'unknown' })).toEqual([])
})

test('shipped records have set-up, sources, evidence, and no example that their own pattern refuses', () => {
  const serious = /^(setup|sources|reuse\.evidence|unverified|variables\.|verdicts\.|answer\.)/
  const found = catalogue.flatMap((record) =>
    adviseOn(record)
      .filter(({ path }) => serious.test(path))
      .map(({ path }) => `${record.id}: ${path}`),
  )
  expect(found).toEqual([])
})
