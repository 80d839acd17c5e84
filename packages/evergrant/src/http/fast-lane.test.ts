import type { IncomingMessage, ServerResponse } from 'node:http'
import { beforeEach, expect, test, vi } from 'vitest'
import type { ApiKey } from '../core/access/api-key.ts'
import { LOCAL_KEY_HINT } from '../core/access/api-keys-service.ts'
import { FastLane } from './fast-lane.ts'
import { RateLimiter } from './rate-limit.ts'

const CONNECTION = 'con_01890000-0000-7000-8000-000000000001'
const PATH = `/api/v1/connections/${CONNECTION}/token`
const KEY = { id: 'key_1', organization: 'org_1', hint: 'egk_abcd', scopes: ['tokens:read'] } as unknown as ApiKey
const ANSWER = { connection: CONNECTION, accessToken: 'at-1', tokenType: 'Bearer', expiresAt: null, generation: 1, scopes: [] }

let key: ApiKey | 'ended' | 'unknown'
let known: unknown
let lane: FastLane
let hashed: number
const counted: unknown[] = []
beforeEach(() => {
  ;[key, known, hashed, counted.length] = [KEY, ANSWER, 0, 0]
  const services = {
    apiKeys: {
      hashOf: (text: string) => {
        hashed += 1
        return text === 'nonsense' ? undefined : `hash of ${text}`
      },
      peek: () => key,
    },
    engine: { peek: () => known },
    metrics: { tokenRead: () => {} },
    uses: { count: (who: unknown) => counted.push(who) },
  }
  lane = new FastLane(
    services as unknown as ConstructorParameters<typeof FastLane>[0],
    new RateLimiter({ perSecond: 0.001, capacity: 3 }, () => 0),
    {},
    () => 'req-1',
  )
})

const socket = {}
/** 200 when the lane answered, `routed` when it left the request to the routes. */
function ask(
  changes: {
    readonly method?: string
    readonly url?: string | undefined
    readonly headers?: Record<string, string | undefined>
    readonly socket?: object
  } = {},
) {
  let said: number | 'routed' = 'routed'
  const request = {
    method: 'GET',
    url: PATH,
    socket,
    ...changes,
    headers: { authorization: 'Bearer egk_1', ...changes.headers },
  } as unknown as IncomingMessage
  const response = { writeHead: (status: number) => (said = status), end: () => {} } as unknown as ServerResponse
  const next = vi.fn()
  lane.before(next)(request, response)
  expect(next).toHaveBeenCalledTimes(said === 'routed' ? 1 : 0)
  return said
}

test('a plain read of what memory has is answered, and a connection that sends the same header again is not hashed again', () => {
  expect([ask(), ask()]).toEqual([200, 200])
  expect(hashed).toBe(1)
  expect(ask({ socket: {} })).toBe(200)
  expect(hashed).toBe(2)
})

test.each([
  ['another method', { method: 'POST' }],
  ['no address', { url: undefined }],
  ['a query', { url: `${PATH}?min_ttl=5` }],
  ['another end of the same length', { url: PATH.replace('/token', '/tokem') }],
  ['another beginning of the same length', { url: PATH.replace('/api/v1', '/api/v2') }],
  ['an id that is none', { url: PATH.replace('con_0189', 'con_zzzz') }],
  ['no credential', { headers: { authorization: undefined } }],
  ['a credential of another scheme', { headers: { authorization: 'Basic egk_1' } }],
  ['a text that is no key', { headers: { authorization: 'Bearer nonsense' } }],
  ['a body with a length', { headers: { 'content-length': '3' } }],
  ['a body in pieces', { headers: { 'transfer-encoding': 'chunked' } }],
])('%s is left to the routes', (_what, changes) => {
  expect(ask(changes)).toBe('routed')
})

test('a key that ended, is unknown or may not read tokens is left to the routes, also on a connection that was answered before', () => {
  expect(ask()).toBe(200)
  for (const now of ['ended', 'unknown', { ...KEY, scopes: ['connections:read'] }] as const) {
    key = now as typeof key
    expect(ask()).toBe('routed')
    expect(ask({ socket: {} })).toBe('routed')
  }
})

test('what memory does not have, and a caller over the limit, is left to the routes', () => {
  known = undefined
  expect(ask()).toBe('routed')
  known = ANSWER
  expect([ask(), ask(), ask(), ask()]).toEqual([200, 200, 200, 'routed'])
})

test('a use is counted for the key, and for the command line where the key is this machine’s own', () => {
  ask()
  key = { ...KEY, hint: LOCAL_KEY_HINT }
  ask({ socket: {} })
  expect(counted).toEqual([
    { organization: 'org_1', kind: 'api_key', id: 'key_1' },
    { organization: 'org_1', kind: 'cli', id: 'key_1' },
  ])
})
