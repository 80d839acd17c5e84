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

test('min_ttl is capped at half of the life that the token had when it was obtained, to the millisecond', () => {
  const cache = new TokenCache(10)
  cache.put(entry(1, { obtainedAt: 200, hardAt: null }))
  const greedy = { ...request, minTtlMs: 10_000 }
  expect(cache.find(greedy, 599)).toBeDefined()
  expect(cache.find(greedy, 600)).toBeUndefined()
  expect(cache.find(request, 999)).toBeDefined()
  expect(cache.find(request, 1_000)).toBeUndefined()
})

test('a token without an end is found however much later', () => {
  const cache = new TokenCache(10)
  cache.put(entry(1, { softAt: null, hardAt: null, answer: { ...entry(1).answer, expiresAt: null } }))
  expect(cache.find({ ...request, minTtlMs: 10_000 }, 10 ** 12)).toBeDefined()
})

test('a read that nothing disturbed is kept, also beside another one that is under way', () => {
  const cache = new TokenCache(10)
  const [first, second] = [cache.reading(connection), cache.reading(connection)]
  first.keep(entry(1))
  first.end()
  expect(cache.find(request, 0)?.answer.generation).toBe(1)
  cache.forget(connection)
  second.keep(entry(1))
  second.end()
  expect(cache.find(request, 0)).toBeUndefined()
  const later = cache.reading(connection)
  later.keep(entry(1))
  later.end()
  expect(cache.find(request, 0)?.answer.generation).toBe(1)
})

test('when all is forgotten, what is being read is not kept, of no connection', () => {
  const cache = new TokenCache(10)
  cache.put(entry(1))
  const reading = cache.reading(connection)
  cache.forget('all')
  expect(cache.size).toBe(0)
  reading.keep(entry(1))
  reading.end()
  expect(cache.size).toBe(0)
})

test('one connection that is forgotten costs no other its token or its read', () => {
  const cache = new TokenCache(10)
  cache.put(entry(1))
  const reading = cache.reading(connection)
  cache.forget('con_01900000-0000-7000-8000-00000000000f')
  reading.keep(entry(2))
  reading.end()
  expect(cache.find(request, 0)?.answer.generation).toBe(2)
})

test('what was stored least recently goes first, and its newest generation with it', () => {
  const cache = new TokenCache(2)
  const at = (n: number) => `con_01900000-0000-7000-8000-00000000000${n}` as const
  const put = (n: number, generation: number) => cache.put({ ...entry(generation), answer: { ...entry(generation).answer, connection: at(n) } })
  put(1, 5)
  put(2, 5)
  put(1, 6)
  put(3, 5)
  const found = [1, 2, 3].map((n) => cache.find({ ...request, connection: at(n) }, 0)?.answer.generation)
  expect(found).toEqual([6, undefined, 5])
  expect([1, 2, 3].map((n) => cache.newest(at(n)))).toEqual([6, 0, 5])
})
