import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../../testing/api-lab.ts'
import { whileTimeRuns } from '../../testing/manual-time.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let api: Server
let lab: ApiLab
let seen: Seen[]
let answer: (request: Seen, response: ServerResponse) => void

async function start(): Promise<void> {
  seen = []
  answer = (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"fine":true}')
  api = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() }
      seen.push(one)
      answer(one, response)
    })
  })
  await once(api.listen(0, '127.0.0.1'), 'listening')
  const address = api.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  lab = await createApiLab({
    record: {
      api: {
        base: `http://127.0.0.1:${port}/v1`,
        hosts: [],
        authorization: { header: 'Authorization', prefix: 'Bearer ' },
        headers: { 'X-Client': '{client_id}' },
        answers: [],
      },
    },
  })
}

beforeEach(start)
afterEach(async () => {
  await lab.app.close()
  api.closeAllConnections()
  api.close()
})

const url = (rest: string): string => `/api/v1/proxy/${lab.connection}/${rest}`
const bearer = (request: Seen | undefined): string | undefined => request?.headers.authorization

const running = <Value>(work: Promise<Value>): Promise<Value> => whileTimeRuns(lab.time, work)

describe('what is sent and returned', () => {
  test('the call carries the token and the headers the provider needs, and none of the caller’s credentials (S29)', async () => {
    const called = await lab.call('POST', url('things?limit=2'), {
      body: { a: 1 },
      headers: {
        cookie: 'a=b',
        'proxy-authorization': 'x',
        'x-forwarded-for': '1.2.3.4',
        'x-own': 'kept',
        connection: 'x-hop',
        'x-hop': 'gone',
        'x-client': 'forged',
      },
    })
    expect([called.status, called.json]).toEqual([200, { fine: true }])
    const [request] = seen
    expect([request?.method, request?.url, request?.body]).toEqual(['POST', '/v1/things?limit=2', '{"a":1}'])
    expect(bearer(request)).toBe('Bearer at-1')
    expect(request?.headers).toMatchObject({ 'x-client': 'client', 'x-own': 'kept', 'content-type': 'application/json' })
    for (const name of ['cookie', 'proxy-authorization', 'x-forwarded-for', 'x-hop']) expect(request?.headers[name]).toBeUndefined()
  })

  test('cookies, policies and an echoed token do not come back (S30)', async () => {
    answer = (request, response) => {
      response.writeHead(200, {
        'set-cookie': 'a=b',
        'x-echo': request.headers.authorization ?? '',
        'access-control-allow-origin': '*',
        'cache-control': 'public',
        'content-type': 'text/html',
        'x-rate': '9',
      })
      response.end('<script>alert(1)</script>')
    }
    const called = await lab.call('GET', url('page'))
    expect(called.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-rate': '9',
      'evergrant-upstream-status': '200',
    })
    expect(called.headers['content-security-policy']).toContain('sandbox')
    for (const name of ['set-cookie', 'x-echo', 'access-control-allow-origin']) expect(called.headers[name]).toBeUndefined()
  })

  test('an echo of the token in the body is masked (S30)', async () => {
    const token = 'a-token-that-is-long-enough'
    const grant = { integration: 'scripted', owner: 'echo', access_token: token, expires_at: new Date(lab.time.clock.wall() + 3_600_000).toISOString() }
    const { id } = (await lab.call('POST', '/api/v1/connections', { body: grant })).json
    for (const status of [200, 400]) {
      answer = (request, response) => response.writeHead(status).end(`you sent ${bearer(request)}!`)
      const called = await lab.call('GET', `/api/v1/proxy/${id}/echo`)
      expect([called.status, called.text]).toEqual([status, `you sent Bearer ${'*'.repeat(token.length)}!`])
    }
  })

  test('the address of the proxy has one way to be written (S28)', async () => {
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const key = await lab.keyFor(['proxy'])
    for (const odd of [`/api/v1/%70roxy/${lab.connection}/x`, `http://evil.example/api/v1/proxy/${lab.connection}/x`]) {
      const socket = connect(typeof address === 'object' ? address.port : 0, '127.0.0.1')
      socket.write(`GET ${odd} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`)
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      await once(socket, 'close')
      expect(text).toMatch(/^HTTP\/1\.1 400 /)
    }
    expect(seen).toEqual([])
  })

  test.each(['../admin', '%2e%2e/admin', 'a/..%2fb', '..%5cadmin', 'a%0d%0ab', 'a%00'])('the path %s cannot leave the base (S28)', async (path) => {
    const called = await lab.call('GET', url(path))
    expect([400, 404]).toContain(called.status)
    expect(seen).toEqual([])
  })

  test('the path cannot change the host, and neither can the base header (S28)', async () => {
    await lab.call('GET', url('/@evil.example/x'))
    for (const request of seen) expect(request.headers.host).toMatch(/^127\.0\.0\.1:/)
    const count = seen.length
    const called = await lab.call('GET', url('x'), { headers: { 'evergrant-base-url': 'https://evil.example' } })
    expect([called.status, called.json.code, called.json.field]).toEqual([400, 'upstream_forbidden_host', 'Evergrant-Base-Url'])
    expect(seen).toHaveLength(count)
  })

  test('a key without the scope, and another organization, reach nothing', async () => {
    const readOnly = await lab.call('GET', url('x'), { key: await lab.keyFor(['tokens:read']) })
    expect([readOnly.status, readOnly.json.code]).toEqual([403, 'forbidden'])
    const foreign = await lab.call('GET', url('x'), { key: await lab.keyFor(['proxy'], await lab.anotherOrganization()) })
    expect([foreign.status, foreign.json.code]).toEqual([404, 'not_found'])
    expect(seen).toEqual([])
  })
})

describe('a refused token', () => {
  test('a 401 renews the token once and replays the request with its body (E3)', async () => {
    answer = (request, response) => {
      response.statusCode = bearer(request) === 'Bearer at-1' ? 401 : 200
      response.end('{}')
    }
    const called = await running(lab.call('POST', url('things'), { body: { a: 1 } }))
    expect(called.status).toBe(200)
    expect(seen.map((request) => [bearer(request), request.body])).toEqual([
      ['Bearer at-1', '{"a":1}'],
      ['Bearer at-2', '{"a":1}'],
    ])
    expect(lab.provider.presented).toHaveLength(1)
  })

  test('a token refused again is a clear problem and costs no second refresh', async () => {
    answer = (_request, response) => response.writeHead(401).end('{}')
    const called = await running(lab.call('GET', url('things')))
    expect([called.status, called.json.code]).toEqual([502, 'upstream_token_refused'])
    expect(seen).toHaveLength(2)
    expect(lab.provider.presented).toHaveLength(1)
  })

  test('a 403 for a missing scope is handed on and renews nothing', async () => {
    answer = (_request, response) => response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }).end('{}')
    const called = await lab.call('GET', url('things'))
    expect([called.status, called.headers['evergrant-verdict']]).toEqual([403, 'scope_missing'])
    expect(lab.provider.presented).toEqual([])
  })

  test('a body too large to keep is streamed once and never replayed (S35)', async () => {
    answer = (request, response) => response.writeHead(401, { 'x-length': String(request.body.length) }).end('{}')
    const called = await lab.call('POST', url('upload'), { body: 'x'.repeat(3_000_000), headers: { 'content-type': 'text/plain' } })
    expect([called.status, called.headers['x-length']]).toEqual([401, '3000000'])
    expect(seen).toHaveLength(1)
  })

  test('a body too large to keep goes with the length that its caller declared: some APIs take no chunks', async () => {
    answer = (request, response) => {
      const { 'content-length': length = 'none', 'transfer-encoding': coding = 'none' } = request.headers
      response.writeHead(200, { 'x-length': String(length), 'x-coding': String(coding) }).end('{}')
    }
    const headers = { 'content-type': 'text/plain' }
    const declared = await lab.call('POST', url('upload'), { body: 'x'.repeat(3_000_000), headers })
    expect([declared.headers['x-length'], declared.headers['x-coding']]).toEqual(['3000000', 'none'])
  })

  test('a body too large to keep goes with the methods that can frame it, and with no other', async () => {
    const send = (method: 'DELETE' | 'PUT') => lab.call(method, url('many'), { body: 'x'.repeat(3_000_000), headers: { 'content-type': 'text/plain' } })
    const refused = await send('DELETE')
    expect([refused.status, refused.json.code, seen.length]).toEqual([413, 'body_too_large', 0])
    expect((await send('PUT')).status).toBe(200)
    expect(seen.map(({ method, body }) => [method, body.length])).toEqual([['PUT', 3_000_000]])
  })

  test.each([
    ['whose body is too large to keep', 1, 3_000_000],
    ['of an application that replays by itself', 0, 1],
  ])('a refused request %s is not replayed, and renews the token for the next one', async (_what, replays, length) => {
    const changed = await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { settings: { proxy_replays: replays } } })
    expect(changed.status).toBe(200)
    answer = (request, response) => response.writeHead(bearer(request) === 'Bearer at-1' ? 401 : 200).end('{}')
    const upload = () => lab.call('POST', url('upload'), { body: 'x'.repeat(length), headers: { 'content-type': 'text/plain' } })
    expect((await upload()).status).toBe(401)
    await running(expect.poll(() => lab.provider.presented.length).toBe(1))
    expect((await running(upload())).status).toBe(200)
    expect(seen.map(bearer)).toEqual(['Bearer at-1', 'Bearer at-2'])
  })
})

describe('trouble at the API', () => {
  test('a POST is never repeated after a 500 (E14)', async () => {
    answer = (_request, response) => response.writeHead(500).end('{}')
    const called = await running(lab.call('POST', url('orders'), { body: {} }))
    expect([called.status, seen.length]).toEqual([500, 1])
  })

  test('a GET that asks to be taken for a POST is as little repeated as one', async () => {
    answer = (_request, response) => response.writeHead(503).end('{}')
    const called = await running(lab.call('GET', url('orders'), { headers: { 'x-http-method-override': 'post' } }))
    expect([called.status, seen.length]).toEqual([503, 1])
  })

  test('a GET is retried after a 503, and a POST with an Idempotency-Key as well', async () => {
    answer = (_request, response) => response.writeHead(seen.length % 2 === 1 ? 503 : 200).end('{}')
    expect((await running(lab.call('GET', url('things')))).status).toBe(200)
    expect((await running(lab.call('POST', url('orders'), { body: {}, headers: { 'idempotency-key': 'k1' } }))).status).toBe(200)
    expect(seen).toHaveLength(4)
    expect(seen[3]?.headers['idempotency-key']).toBe('k1')
  })

  test('Retry-After beyond the caller’s deadline hands the answer on at once', async () => {
    answer = (_request, response) => response.writeHead(429, { 'retry-after': '60' }).end('{}')
    const called = await lab.call('GET', url('things'), { headers: { 'evergrant-deadline': '5' } })
    expect([called.status, called.headers['retry-after'], called.headers['evergrant-verdict'], seen.length]).toEqual([429, '60', 'throttled', 1])
  })

  test('an API that cannot be reached is a 502 that names no token', async () => {
    api.closeAllConnections()
    await new Promise((resolve) => api.close(resolve))
    const called = await running(lab.call('GET', url('things')))
    expect([called.status, called.json.code, called.json.title]).toEqual([502, 'upstream_unreachable', 'Scripted cannot be reached'])
    expect(called.text).not.toContain('at-1')
  })

  test('an answer is streamed while the provider is still writing it', async () => {
    let finish = (): void => {}
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.write('first ')
      finish = () => response.end('last')
    }
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const socket = connect(typeof address === 'object' ? address.port : 0, '127.0.0.1')
    const key = await lab.keyFor(['proxy'])
    socket.write(`GET ${url('slow')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`)
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('first ')) finish()
    })
    await once(socket, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).toContain('last')
  })
})
