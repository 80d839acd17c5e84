import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ProviderDraft } from '../../providers/define.ts'
import { type ApiLab, createApiLab } from '../../testing/api-lab.ts'
import { whileTimeRuns } from '../../testing/manual-time.ts'

let api: Server
let lab: ApiLab
let seen: IncomingMessage[]
let answer: (request: IncomingMessage, response: ServerResponse) => void
let base: string

/** Two windows, both told by one pair of headers; the API's address is a real one on this machine. */
const limits: ProviderDraft['limits'] = {
  api: [
    { name: 'minute', limit: { header: 'Limit', at: 0 }, used: { header: 'Used', at: 0 }, windowSeconds: 60, aligned: true },
    { name: 'reads', methods: ['GET'], limit: { header: 'Limit', at: 1 }, used: { header: 'Used', at: 1 }, windowSeconds: 60, aligned: true },
  ],
}

beforeEach(async () => {
  seen = []
  answer = (_request, response) => response.writeHead(200, { limit: '10, 5', used: '3, 1' }).end('{}')
  api = createServer((request, response) => {
    seen.push(request)
    // The lab has a time of its own.
    response.sendDate = false
    request.resume().once('end', () => answer(request, response))
  })
  await once(api.listen(0, '127.0.0.1'), 'listening')
  const address = api.address()
  base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  lab = await createApiLab({ record: { api: { base }, limits } })
})
afterEach(async () => {
  await lab.app.close()
  api.closeAllConnections()
  api.close()
})

const call = (method: 'GET' | 'POST', headers: Readonly<Record<string, string>> = {}) =>
  lab.call(method, `/api/v1/proxy/${lab.connection}/things`, { headers, ...(method === 'POST' ? { body: {} } : {}) })
const used = (limit: string, counts: string) => (_request: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(200, { limit, used: counts }).end('{}')

const running = <Value>(work: Promise<Value>): Promise<Value> => whileTimeRuns(lab.time, work)

test('a quota that is used up is a 429 at once that says when to come back, and nothing is sent', async () => {
  answer = used('10,5', '4, 5')
  expect((await call('GET')).status).toBe(200)
  const refused = await call('GET')
  expect([refused.status, refused.json.code, refused.headers['evergrant-upstream-status'], seen.length]).toEqual([429, 'provider_rate_limited', undefined, 1])
  expect(Date.parse(refused.json.retry_at) - lab.time.clock.wall()).toBe(60_000)
  expect([refused.headers['retry-after'], refused.json.status]).toEqual(['60', 429])
  expect(refused.json.detail).toMatch(/`reads` of Scripted.*Evergrant-Wait/)
  expect((await call('POST')).status).toBe(200)
  expect(seen).toHaveLength(2)
})

test('when the window is over calls go out again', async () => {
  answer = used('10,5', '10,5')
  await call('GET')
  expect((await call('POST')).status).toBe(429)
  await lab.time.advance(60_000)
  expect((await call('POST')).status).toBe(200)
})

test('a caller that may wait is served when the window ends, inside its deadline', async () => {
  answer = used('10,5', '10,5')
  await call('GET')
  const waiting = running(call('GET', { 'evergrant-wait': '90', 'evergrant-deadline': '90' }))
  expect((await waiting).status).toBe(200)
  expect(seen).toHaveLength(2)
})

test('who may wait less than it takes, or has no time for it, is told at once', async () => {
  answer = used('10,5', '10,5')
  await call('GET')
  for (const headers of [{ 'evergrant-wait': '20' }, { 'evergrant-wait': '90', 'evergrant-deadline': '5' }])
    expect((await call('GET', headers)).status).toBe(429)
  expect((await call('GET', { 'evergrant-wait': 'yes' })).json.field).toBe('Evergrant-Wait')
  expect(seen).toHaveLength(1)
})

test('the reserve of the integration is left to others, and the integration shows what is left', async () => {
  answer = used('100,100', '70,10')
  await call('GET')
  const shown = (await lab.call('GET', '/api/v1/integrations/scripted')).json
  expect(shown.quotas).toEqual([
    { name: 'minute', connection: null, limit: 100, used: 70, remaining: 30, resets_at: expect.any(String) },
    { name: 'reads', connection: null, limit: 100, used: 10, remaining: 90, resets_at: expect.any(String) },
  ])
  expect((await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { settings: { quota_reserve: 30 } } })).json.settings.quota_reserve).toBe(30)
  lab.engine.contexts.forget('all')
  expect((await call('GET')).status).toBe(429)
})

test('a 429 without a word is handed on with the time of the pause that follows', async () => {
  answer = (_request, response) => response.writeHead(429, { 'content-type': 'application/json' }).end('{"slow":"down"}')
  const first = await call('POST')
  expect([first.status, first.json, first.headers['evergrant-verdict'], first.headers['retry-after']]).toEqual([429, { slow: 'down' }, 'throttled', '1'])
  const second = await call('POST')
  expect([second.status, second.json.code, seen.length]).toEqual([429, 'provider_rate_limited', 1])
})

test('Retry-After is kept to by every call after it', async () => {
  answer = (_request, response) => response.writeHead(429, { 'retry-after': '120' }).end('{}')
  expect((await call('GET')).headers['retry-after']).toBe('120')
  const refused = await call('POST')
  expect([refused.json.code, refused.headers['retry-after'], seen.length]).toEqual(['provider_rate_limited', '120', 1])
  expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.quotas).toMatchObject([{ name: 'pause', limit: null, used: null, remaining: 0 }])
})

test('an answer that fails gives its place back: an API that is away uses no quota up', async () => {
  answer = used('10,5', '9,4')
  await call('GET')
  answer = (request) => request.socket.destroy()
  expect((await call('POST')).status).toBe(502)
  answer = used('10,5', '10,4')
  expect((await call('POST')).json.code).toBe('provider_rate_limited')
  await lab.time.advance(60_000)
  api.closeAllConnections()
  await new Promise((resolve) => api.close(resolve))
  for (let round = 0; round < 6; round += 1) expect((await running(call('POST'))).json.code).toBe('upstream_unreachable')
})
