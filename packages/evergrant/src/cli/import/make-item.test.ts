import { expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { readMapping } from './column-map.ts'
import { Fernet } from './fernet.ts'
import { type KnownIntegrations, makeItem } from './make-item.ts'
import { type ShapeName, shapeOf } from './shape.ts'

const KEY = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4='
const HELLO = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=='

const known: KnownIntegrations = {
  slugs: ['strava', 'my-shop'],
  isProvider: (name) => ['strava', 'shopify'].includes(name),
  variables: (name) => ({ strava: [], 'my-shop': ['shop', 'centre'] })[name],
  told: () => ['centre'],
}

interface Given {
  readonly map?: readonly string[]
  readonly integration?: readonly string[]
  readonly fernet?: string
}

function made(shape: ShapeName, values: JsonObject, { map = [], integration = [], fernet }: Given = {}) {
  const mapping = readMapping(map, integration)
  return makeItem(values, { shape: shapeOf(shape), mapping, known, fernet: fernet === undefined ? null : (Fernet.of(fernet) ?? null) })
}

function itemOf(...args: Parameters<typeof made>): JsonObject {
  const result = made(...args)
  if (result.kind !== 'item') throw new Error(JSON.stringify(result))
  return result.item
}

function problemOf(...args: Parameters<typeof made>) {
  const result = made(...args)
  if (result.kind !== 'problem') throw new Error(JSON.stringify(result))
  return result.problem
}

test('a line in our own words goes through as it is, and what it calls by another name is handed on to be refused', () => {
  const line = { integration: 'strava', owner: 'ada', refresh_token: 'rt', scopes: ['a', 'b'], metadata: { plan: { n: 1 } }, refesh_token: 'typo' }
  expect(itemOf('evergrant', line)).toEqual(line)
})

test('a line of CSV has its times, lists and objects as text', () => {
  const line = {
    integration: 'my-shop',
    owner: '7',
    access_token: 'at',
    refresh_token: null,
    expires_at: '1790000000',
    refresh_expires_at: '2026-12-01 10:00:00.5+02',
    consented_at: '2026-03-01T09:00:00',
    scopes: 'read,write',
    tags: 'one, two',
    'variables.shop': 'acme',
    'metadata.plan': 'basic',
  }
  expect(itemOf('evergrant', line)).toEqual({
    integration: 'my-shop',
    owner: '7',
    access_token: 'at',
    expires_at: '2026-09-21T14:13:20.000Z',
    refresh_expires_at: '2026-12-01T10:00:00.5+02:00',
    consented_at: '2026-03-01T09:00:00Z',
    scopes: ['read', 'write'],
    tags: ['one', 'two'],
    variables: { shop: 'acme' },
    metadata: { plan: 'basic' },
  })
})

const NANGO = {
  id: 12,
  connection_id: 'b0c1-shop-7',
  provider_config_key: 'shopify-prod',
  provider: 'shopify',
  end_user: { id: 'user-7', email: 'ada@example.com' },
  connection_config: { shop: 'acme', subdomain: 'unknown here' },
  metadata: { plan: 'pro' },
  created_at: '2026-03-01T09:00:00.000Z',
  credentials: {
    type: 'OAUTH2',
    access_token: 'nango-at',
    refresh_token: 'nango-rt',
    expires_at: '2026-12-01T10:00:00.000Z',
    raw: { scope: 'read_orders write_orders' },
  },
}

test('what the provider itself told Nango becomes a fact', () => {
  const row = { ...NANGO, connection_config: { shop: 'acme', centre: 'eu' } }
  expect(itemOf('nango', row, { integration: ['shopify-prod=my-shop'] })).toMatchObject({ variables: { shop: 'acme' }, facts: { centre: 'eu' } })
})

test('a connection as Nango answers it becomes a grant that still tells its old name', () => {
  expect(itemOf('nango', NANGO, { integration: ['shopify-prod=my-shop'] })).toEqual({
    integration: 'my-shop',
    owner: 'user-7',
    access_token: 'nango-at',
    refresh_token: 'nango-rt',
    expires_at: '2026-12-01T10:00:00.000Z',
    scopes: ['read_orders', 'write_orders'],
    consented_at: '2026-03-01T09:00:00.000Z',
    variables: { shop: 'acme' },
    metadata: { plan: 'pro', nango_connection_id: 'b0c1-shop-7' },
  })
})

test('a row of its table has the same in columns of JSON text, and the owner may be another column', () => {
  const row = { ...NANGO, end_user: null, credentials: JSON.stringify(NANGO.credentials), connection_config: '{"subdomain":"acme"}', metadata: null }
  const given = { integration: ['my-shop'], map: ['owner=connection_id', 'variables.shop=connection_config.subdomain'] }
  expect(itemOf('nango', row, given)).toMatchObject({ integration: 'my-shop', owner: 'b0c1-shop-7', refresh_token: 'nango-rt', variables: { shop: 'acme' } })
})

test('what Nango deleted is no grant, and what it encrypted or holds in another way is refused with the way to get it', () => {
  expect(made('nango', { ...NANGO, deleted: true }).kind).toBe('skipped')
  expect(made('nango', { ...NANGO, deleted_at: '2026-01-01' }).kind).toBe('skipped')
  for (const sealed of [{ credentials: { encrypted_credentials: 'xx' } }, { credentials_iv: 'iv' }, { credentials: null }])
    expect(problemOf('nango', { ...NANGO, ...sealed })).toMatchObject({ field: 'credentials', detail: expect.stringContaining('GET /connections/{id}') })
  expect(problemOf('nango', { ...NANGO, credentials: { type: 'API_KEY', apiKey: 'secret-key' } })).toMatchObject({ column: 'credentials.type' })
})

test('an account of better-auth becomes a grant, in camel case and in snake case, and a password none', () => {
  const camel = {
    id: 'a1',
    accountId: '8842',
    providerId: 'strava',
    userId: 'u7',
    accessToken: 'ba-at',
    refreshToken: 'ba-rt',
    idToken: 'ba-id',
    accessTokenExpiresAt: '2026-12-01 10:00:00',
    refreshTokenExpiresAt: 1_800_000_000_000,
    scope: 'read,activity:read',
    password: null,
    createdAt: '2026-03-01T09:00:00.000Z',
  }
  const expected = {
    integration: 'strava',
    owner: 'u7',
    account: '8842',
    access_token: 'ba-at',
    refresh_token: 'ba-rt',
    expires_at: '2026-12-01T10:00:00Z',
    refresh_expires_at: '2027-01-15T08:00:00.000Z',
    scopes: ['read', 'activity:read'],
    consented_at: '2026-03-01T09:00:00.000Z',
  }
  expect(itemOf('better-auth', camel)).toEqual(expected)
  const snake = Object.fromEntries(Object.entries(camel).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]))
  expect(itemOf('better-auth', snake)).toEqual(expected)
  expect(made('better-auth', { providerId: 'credential', userId: 'u7', password: 'hash' }).kind).toBe('skipped')
})

test('a plain table takes what is mapped, and its sealed tokens are opened', () => {
  const row = { user_id: 7, kind: 'STRAVA', rt: HELLO, at: null, extra: 'ignored' }
  const map = ['owner=user_id,integration=kind:STRAVA=strava,refresh_token=rt,access_token=at']
  expect(itemOf('table', row, { map, fernet: KEY })).toEqual({ integration: 'strava', owner: '7', refresh_token: 'hello' })
  const wrong = Buffer.alloc(32, 1).toString('base64url')
  expect(problemOf('table', row, { map, fernet: wrong })).toMatchObject({ field: 'refresh_token', column: 'rt', code: 'seal_broken' })
})

test('no problem says what the line held: a column that was mapped wrongly may hold a token', () => {
  const map = ['owner=o,integration=i,refresh_token=r,expires_at=e,scopes=s,metadata=m']
  const good = { o: 'ada', i: 'strava', r: 'rt', e: null, s: null, m: null }
  const bad = [{ i: 'secret-1' }, { i: null }, { e: 'secret-2' }, { s: 3 }, { m: 'secret-3' }, { r: { secret: 'secret-4' } }]
  for (const change of bad) {
    const problem = problemOf('table', { ...good, ...change }, { map })
    expect(JSON.stringify(problem)).not.toContain('secret-')
    expect(problem.detail.length).toBeGreaterThan(20)
  }
  expect(problemOf('table', { ...good, i: 'shopify' }, { map }).detail).toContain('`shopify` is a provider')
})

test.each([
  [['owner'], 'not field=column'],
  [['owner='], 'not field=column'],
  [['ownr=user_id'], "no field 'ownr'"],
  [['scopes.x=y'], "no field 'scopes.x'"],
  [['owner=a:b=c'], "only the integration's values"],
  [['integration=a:b'], 'not value=slug'],
])('a mapping that makes no sense is refused: %j', (map, words) => {
  expect(() => readMapping(map, [])).toThrow(words)
})
