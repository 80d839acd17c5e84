import { expect, test } from 'vitest'
import { type CachedToken, TokenCache } from './token-cache.ts'

const connection = 'con_01900000-0000-7000-8000-000000000001'
const organization = 'org_01900000-0000-7000-8000-000000000001'
const entry = (generation: number, change: Partial<CachedToken> = {}): CachedToken => ({
  organization,
  obtainedAt: 0,
  softAt: 600,
  hardAt: 900,
  answer: {
    connection,
    integration: 'int_01900000-0000-7000-8000-000000000001',
    owner: 'o',
    accessToken: `at-${generation}`,
    tokenType: 'Bearer',
    expiresAt: 1_000,
    generation,
    scopes: null,
    status: 'active',
  },
  ...change,
})
const request = { organization, connection, minTtlMs: 0, rejectedGeneration: null } as const

test('a foreign organization does not find it', () => {
  const cache = new TokenCache(10)
  cache.put(entry(1))
  expect(cache.find({ ...request, organization: 'org_01900000-0000-7000-8000-00000000000f' }, 0)).toBeUndefined()
  expect(cache.find(request, 0)?.answer.accessToken).toBe('at-1')
})

test('it never goes back to an older generation', () => {
  const cache = new TokenCache(10)
  cache.put(entry(2))
  cache.put(entry(1))
  expect(cache.find(request, 0)?.answer.generation).toBe(2)
})

test('what is forgotten is still known to be older than what was handed out', () => {
  const cache = new TokenCache(10)
  cache.put(entry(3))
  cache.forget(connection)
  cache.put(entry(2))
  expect(cache.find(request, 0)).toBeUndefined()
  cache.put(entry(3))
  expect(cache.find(request, 0)?.answer.generation).toBe(3)
})

test('a rejected generation is not served from memory, a later one is', () => {
  const cache = new TokenCache(10)
  cache.put(entry(2))
  expect(cache.find({ ...request, rejectedGeneration: 2 }, 0)).toBeUndefined()
  expect(cache.find({ ...request, rejectedGeneration: 1 }, 0)?.answer.generation).toBe(2)
})

test('from hard_at on, and when min_ttl does not fit, the store is asked', () => {
  const cache = new TokenCache(10)
  cache.put(entry(1))
  expect(cache.find(request, 900)).toBeUndefined()
  expect(cache.find({ ...request, minTtlMs: 400 }, 700)).toBeUndefined()
  expect(cache.find({ ...request, minTtlMs: 200 }, 700)).toBeDefined()
})

test('a slow read does not bring back what was changed meanwhile', () => {
  const cache = new TokenCache(10)
  const reading = cache.reading(connection)
  cache.forget(connection)
  reading.keep(entry(1))
  reading.end()
  expect(cache.find(request, 0)).toBeUndefined()
})

test('memory is bounded', () => {
  const cache = new TokenCache(2)
  for (let n = 0; n < 5; n += 1) {
    const id = `con_01900000-0000-7000-8000-00000000000${n}` as const
    cache.put({ ...entry(1), answer: { ...entry(1).answer, connection: id } })
  }
  expect(cache.size).toBe(2)
})
