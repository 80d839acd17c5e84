import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from './core/ids.ts'
import { areaOf } from './http/request-watch.ts'
import { createMeters } from './observability/meters.ts'
import { watchParts } from './observability/watched-parts.ts'
import { systemEntropy } from './system.ts'
import { signIn } from './testing/people.ts'
import { openWholeNode, type WholeNode } from './testing/whole-node.ts'

// A whole node is opened; a machine that has much to do takes its time.
vi.setConfig({ testTimeout: 60_000 })

let node: WholeNode
beforeAll(async () => {
  node = await openWholeNode()
}, 60_000)
afterAll(() => node.close())

const metrics = async () => (await node.ask('GET', '/metrics', null)).text
/** The value of one series; 0 where there is none. */
async function readingOf(series: string): Promise<number> {
  const line = (await metrics()).split('\n').find((text) => text.startsWith(`${series} `))
  return Number(line?.split(' ')[1] ?? 0)
}

test('a node measures its store, its requests and its readiness, and names no connection, person or organization', async () => {
  const { token, id } = await signIn(node, { role: 'owner', organization: node.parts.organization })
  const connection = newId('con', systemEntropy)
  await node.ask('GET', `/api/v1/connections/${connection}`, token)
  const text = await metrics()
  expect(text).toMatch(/evergrant_store_seconds_count\{part="connections"\} [1-9]/)
  expect(text).toMatch(/evergrant_http_request_seconds_count\{area="connections",status="4xx"\} 1\n/)
  expect(text).toMatch(/evergrant_ready\{check="store"\} 1\n/)
  expect(text).toMatch(/evergrant_build_info\{node="[^"]+",version="[^"]+"\} 1\n/)
  for (const secret of [connection, id, node.parts.organization, token]) expect(text).not.toContain(secret)
})

test('what becomes of a presented session credential is counted by its judgement', async () => {
  const { opened } = await signIn(node, { role: 'member', organization: node.parts.organization })
  const rotated = 'evergrant_session_presentations_total{outcome="rotate"}'
  const replayed = 'evergrant_session_presentations_total{outcome="replay"}'
  const before = [await readingOf(rotated), await readingOf(replayed)]
  const facts = { address: null, userAgent: null }
  await node.parts.services.sessions.refresh(opened.refreshCredential, facts)
  await node.parts.services.sessions.refresh(opened.refreshCredential, facts)
  expect([await readingOf(rotated), await readingOf(replayed)]).toEqual([(before[0] ?? 0) + 1, (before[1] ?? 0) + 1])
})

test('what alerts watch begins at zero, so that the first bad news is an increase', async () => {
  const text = await metrics()
  for (const series of [
    'session_presentations_total{outcome="reuse"}',
    'sdk_presentations_total{outcome="clone"}',
    'seal_failures_total{reason="seal_key_missing"}',
  ])
    expect(text).toContain(`evergrant_${series} 0\n`)
})

test('a watched part is called in the same turn, keeps its results and its errors, and what is no part is left alone', async () => {
  const calls: string[] = []
  const parts = {
    shelf: {
      take: (name: string) => {
        calls.push(`take ${name}`)
        return name === 'none' ? Promise.reject(new Error('empty')) : Promise.resolve(name)
      },
    },
    other: { call: () => 'as it is' },
  }
  const seen: string[] = []
  const watched = watchParts(parts, ['shelf'], {
    around: (part, method, call) => {
      seen.push(`${part}.${method}`)
      return call()
    },
  })
  const taken = watched.shelf.take('cup')
  expect(calls).toEqual(['take cup'])
  expect(await taken).toBe('cup')
  await expect(watched.shelf.take('none')).rejects.toThrow('empty')
  expect(seen).toEqual(['shelf.take', 'shelf.take'])
  expect(watched.other).toBe(parts.other)
})

test.each([
  ['/api/v1/connections/:id', 'connections'],
  ['/metrics', 'metrics'],
  ['/connect/:token', 'connect'],
  ['/.well-known/jwks.json', 'other'],
  ['*', 'other'],
  ['(none)', 'other'],
])('the area of %s is %s', (route, area) => {
  expect(areaOf(route)).toBe(area)
})

test('no call of a meter throws, whatever it is given', () => {
  const meters = createMeters()
  expect(() => meters.observe('evergrant_store_seconds', { part: 'x' }, Number.POSITIVE_INFINITY)).not.toThrow()
})
