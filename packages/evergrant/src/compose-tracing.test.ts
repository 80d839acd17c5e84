import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTracing } from './compose-tracing.ts'
import { readConfig } from './config.ts'
import type { OpenLine, TokenEndpoint } from './core/provider/wire.ts'
import { Scopes } from './observability/scopes.ts'
import { createEngineLab } from './testing/engine-lab.ts'
import { openWholeNode } from './testing/whole-node.ts'

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status?: { readonly code?: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string; readonly intValue?: number } }[]
}

/** A collector that keeps what it is sent (OTLP over HTTP, JSON). */
const collected: { path: string; headers: IncomingHttpHeaders; spans: Span[]; text: string }[] = []
/** Headers of webhooks, which come to the same server. */
const hooked: string[] = []
const collector = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8')
    if (request.url === '/hook') {
      hooked.push(JSON.stringify(request.headers))
      response.writeHead(204).end()
      return
    }
    const body: { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] } = JSON.parse(text)
    const spans = body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
    collected.push({ path: request.url ?? '', headers: request.headers, spans, text })
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
})
let endpoint: string
beforeAll(async () => {
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  endpoint = `http://ops:word@127.0.0.1:${(collector.address() as AddressInfo).port}`
})
afterAll(() => void collector.close())

const spans = () => collected.flatMap((batch) => batch.spans)
const config = (text: string) => readConfig({ EVERGRANT_OTLP_ENDPOINT: text }, { development: true })
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

test('a refresh is one trace: read, claim, connect, exchange and commit below it, and nothing of it travels to the provider', async () => {
  collected.length = 0
  const scopes = new Scopes()
  const tracing = await openTracing(config(endpoint), { node: 'n1', version: '1.2.3' }, scopes)
  if (tracing === null) throw new Error('tracing is off')
  const sent: string[] = []
  const lab = await createEngineLab({
    ports: (ports) => ({
      tracing,
      credentials: {
        ...ports.credentials,
        claim: (request) => tracing.call('credentials', 'claim', () => ports.credentials.claim(request)),
        commitGrant: (commit) => tracing.call('credentials', 'commitGrant', () => ports.credentials.commitGrant(commit)),
      },
      endpoint: tracing.endpoint(recording(ports.endpoint, sent)),
    }),
  })
  const engine = lab.another()
  await engine.refresh(lab.organization, lab.connection)
  await tracing.close()
  const found = spans()
  const refresh = found.find(({ name }) => name === 'refresh')
  const below = found.filter(({ parentSpanId }) => parentSpanId === refresh?.spanId).map(({ name }) => name)
  expect(below).toEqual(expect.arrayContaining(['refresh.connect', 'refresh.claim', 'refresh.exchange', 'refresh.commit']))
  expect(new Set(found.map(({ traceId }) => traceId)).size).toBe(1)
  expect(sent).toHaveLength(1)
  expect(sent.join().toLowerCase()).not.toMatch(/traceparent|tracestate|baggage/)
  expect(sent.join()).not.toContain(refresh?.traceId)
  expect(collected[0]?.path).toBe('/v1/traces')
  expect(collected[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ops:word').toString('base64')}`)
  expect(collected.map(({ text }) => text).join()).not.toMatch(/refresh-1|refresh token|ops:word/)
}, 30_000)

function recording(endpoint: TokenEndpoint, sent: string[]): TokenEndpoint {
  return {
    open: async (url, options): Promise<OpenLine> => {
      const line = await endpoint.open(url, options)
      return {
        send: (request, deadlineMs) => {
          sent.push(JSON.stringify(request))
          return line.send(request, deadlineMs)
        },
        close: () => line.close(),
      }
    },
  }
}

test("a request belongs to its caller's trace, is named by its route and not by its path, and its store calls are below it", async () => {
  collected.length = 0
  const node = await openWholeNode({ env: { EVERGRANT_OTLP_ENDPOINT: `${endpoint}/?sample=0`, EVERGRANT_PORT: '0' } })
  const url = await node.evergrant.listen()
  const key = await node.parts.services.apiKeys.create(node.parts.organization, { name: 'k', scopes: ['admin'], expiresAt: null }, { kind: 'cli', id: null })
  const get = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(url + path, { headers: { authorization: `Bearer ${key.text}`, 'request-id': 'req-1', ...headers } })).text()
  const secret = 'con_01890000-0000-7000-8000-00000000dead'
  await get('/api/v1/events')
  await get(`/api/v1/connections/${secret}`, { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` })
  await node.close()
  const found = spans()
  // Nothing that begins here is kept at sample=0; what a caller asked to be traced is.
  expect(new Set(found.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]))
  const request = found.find(({ name }) => name === 'GET /api/v1/connections/:id')
  expect(request?.parentSpanId).toBe('00f067aa0ba902b7')
  expect(request?.attributes.find(({ key: name }) => name === 'evergrant.request_id')?.value.stringValue).toBe('req-1')
  expect(found.some(({ name, parentSpanId }) => name.startsWith('store connections.') && parentSpanId === request?.spanId)).toBe(true)
  const text = collected.map((batch) => batch.text).join()
  expect(text).not.toContain(key.text)
}, 60_000)

test('a webhook is a span, and its receiver gets nothing of the trace', async () => {
  collected.length = 0
  const hook = endpoint.replace('ops:word@', '')
  const node = await openWholeNode({ env: { EVERGRANT_OTLP_ENDPOINT: endpoint, EVERGRANT_PORT: '0', EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1' } })
  const url = await node.evergrant.listen()
  const key = await node.parts.services.apiKeys.create(node.parts.organization, { name: 'k', scopes: ['admin'], expiresAt: null }, { kind: 'cli', id: null })
  const post = async (path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${key.text}`, 'content-type': 'application/json', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  }
  const made = await post('/api/v1/webhooks', { name: 'Application', url: `${hook}/hook`, types: ['*'] })
  expect(made.status, JSON.stringify(made.json)).toBe(201)
  await post(`/api/v1/webhooks/${made.json.id}/test`, {})
  await node.close()
  const delivery = spans().find(({ name, traceId }) => name === 'webhook delivery' && traceId === TRACE)
  expect(delivery?.attributes.find(({ key: name }) => name === 'server.address')?.value.stringValue).toBe(hook.replace('http://', ''))
  expect(hooked.length).toBeGreaterThan(0)
  expect(hooked.join()).not.toMatch(/traceparent|tracestate|baggage/)
  expect(hooked.join()).not.toContain(TRACE)
  expect(collected.map(({ text }) => text).join()).not.toContain('whsec_')
}, 60_000)

test('without an endpoint nothing is traced, and the libraries are not loaded', async () => {
  expect(await openTracing({ otlpEndpoint: null }, { node: 'n', version: '1' }, new Scopes())).toBeNull()
})

test.each(['collector:4318', 'ftp://collector', 'http://collector/?sample=2', 'http://collector/?token=abc'])('%s is refused with the remedy', (text) => {
  expect(() => config(text)).toThrow(/EVERGRANT_OTLP_ENDPOINT must look like http:\/\/collector:4318/)
})
