import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { createClient, EvergrantError } from './index.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serverWith(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => handler(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

const answer = (response: ServerResponse, status: number, value: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

test('a token is asked for with the key, the minimum lifetime and the rejected generation', async () => {
  let asked: { url: string | undefined; key: string | undefined } | undefined
  const url = await serverWith((request, response) => {
    asked = { url: request.url, key: request.headers.authorization }
    answer(response, 200, { access_token: 'a', generation: 8 })
  })
  const token = await createClient({ url: `${url}/`, apiKey: 'egk_x' }).connections.token('con_1', { minTtl: 60, rejectedGeneration: 7 })
  expect(token).toMatchObject({ access_token: 'a', generation: 8 })
  expect(asked).toEqual({ url: '/api/v1/connections/con_1/token?min_ttl=60&rejected_generation=7', key: 'Bearer egk_x' })
})

test('an owner with reserved characters reaches the server unchanged', async () => {
  let owner: string | null = null
  const url = await serverWith((request, response) => {
    owner = new URL(request.url ?? '', 'http://x').searchParams.get('owner')
    answer(response, 200, {})
  })
  await createClient({ url, apiKey: 'egk_x' }).tokens.byOwner('strava', 'a&b=c/ü+1')
  expect(owner).toBe('a&b=c/ü+1')
})

test('a connect session is posted with an idempotency key of its own', async () => {
  const keys: (string | string[] | undefined)[] = []
  let posted: unknown
  const url = await serverWith((request, response, body) => {
    keys.push(request.headers['idempotency-key'])
    posted = JSON.parse(body)
    answer(response, 201, { id: 'cs_1', url: 'https://x' })
  })
  const { connect } = createClient({ url, apiKey: 'egk_x' })
  const wanted = { integration: 'strava', owner: 'u1', return_url: 'https://app.example.com/' }
  await connect.createSession(wanted)
  await connect.createSession(wanted)
  expect(posted).toEqual(wanted)
  expect(new Set(keys).size).toBe(2)
})

test('a problem becomes an error with code, action, field and times', async () => {
  const url = await serverWith((_request, response) =>
    answer(response, 409, {
      detail: 'gone',
      code: 'connection_revoked',
      action: 'reconnect',
      needs_reauth: true,
      reconnect_url: 'https://x/connect/1',
      retry_at: '2026-01-01T00:00:00.000Z',
      request_id: 'r1',
      field: 'id',
    }),
  )
  const error = await createClient({ url, apiKey: 'egk_x' })
    .connections.list()
    .catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(EvergrantError)
  expect(error).toMatchObject({
    status: 409,
    code: 'connection_revoked',
    action: 'reconnect',
    needsReauth: true,
    reconnectUrl: 'https://x/connect/1',
    retryAt: new Date('2026-01-01T00:00:00.000Z'),
    requestId: 'r1',
    field: 'id',
  })
})

test('an HTML page of a proxy is no answer of Evergrant', async () => {
  const url = await serverWith((_request, response) => void response.writeHead(502).end('<html>'))
  await expect(createClient({ url, apiKey: 'egk_x' }).connections.token('con_1')).rejects.toMatchObject({ code: 'invalid_answer', status: 502 })
})

test('a server that does not answer ends in connection_failed, and the key is in no message', async () => {
  const failure = await createClient({ url: 'http://127.0.0.1:1', apiKey: 'egk_secret' })
    .connections.token('con_1')
    .catch((caught: unknown) => caught)
  expect(failure).toMatchObject({ code: 'connection_failed', status: 0 })
  expect(JSON.stringify(failure) + String(failure)).not.toContain('egk_secret')
})

test('a server that hangs is left after the timeout', async () => {
  const url = await serverWith(() => {})
  await expect(createClient({ url, apiKey: 'egk_x', timeoutMs: 50 }).connections.token('con_1')).rejects.toMatchObject({ code: 'connection_failed' })
})

test("a caller's own abort is thrown as it is", async () => {
  const controller = new AbortController()
  const url = await serverWith(() => controller.abort(new Error('enough')))
  await expect(createClient({ url, apiKey: 'egk_x' }).connections.token('con_1', { signal: controller.signal })).rejects.toThrow('enough')
})

test('a redirect is said to be one, with where it leads, and the key does not go there', async () => {
  const keys: (string | undefined)[] = []
  const there = await serverWith((request, response) => {
    keys.push(request.headers.authorization)
    answer(response, 200, {})
  })
  const url = await serverWith((_request, response) => void response.writeHead(301, { location: `${there}/api/v1/connections` }).end())
  const failure = await createClient({ url, apiKey: 'egk_x' })
    .connections.list()
    .catch((caught: unknown) => caught)
  expect(failure).toMatchObject({ code: 'invalid_answer', status: 301, message: expect.stringContaining(`${url} redirects to ${there}`) })
  expect(keys).toEqual([])
})

test.each([undefined, '', 'localhost:4400', 'connect.example.com', 42])('a client for the address %s is not made, and the message names `url`', (url) => {
  expect(() => createClient({ url: url as string, apiKey: 'egk_x' })).toThrow(/`url` must be the address of Evergrant with its scheme/)
})

test('a client without a key is not made, and the message names `apiKey`', () => {
  const apiKey = undefined as unknown as string
  expect(() => createClient({ url: 'https://connect.example.com', apiKey })).toThrow(/`apiKey` must be an API key of Evergrant/)
})

test('an address that ends with the path of the API is refused where the client is made', () => {
  for (const url of ['https://connect.example.com/api/v1', 'https://connect.example.com/api/v1/'])
    expect(() => createClient({ url, apiKey: 'egk_x' })).toThrow(/`url` must be the address of Evergrant without `\/api\/v1`/)
})

test('a server that cannot be reached is told with why: nobody listens, no https there, nothing in time', async () => {
  const said = async (url: string, timeoutMs = 30_000) =>
    createClient({ url, apiKey: 'egk_x', timeoutMs })
      .connections.list()
      .catch((caught: unknown) => (caught instanceof EvergrantError ? caught.message : caught))
  expect(await said('http://127.0.0.1:1')).toMatch(/did not answer \((?:ECONNREFUSED|bad port)\)\.$/)
  const plain = await serverWith((_request, response) => answer(response, 200, {}))
  expect(await said(plain.replace('http:', 'https:'))).toMatch(/does it speak http and not https there\?\)\.$/)
  expect(await said(await serverWith(() => undefined), 50)).toMatch(/did not answer \(nothing came in time\)\.$/)
})

test('a key that no header can carry is refused where the client is made, and is in no message', () => {
  for (const apiKey of ['', ' ', 'egk_first\negk_second', 'egk_a\u0000b', 'egk_\u201cquoted\u201d', 'Bearer egk_x']) {
    const make = () => createClient({ url: 'https://connect.example.com', apiKey })
    expect(make).toThrow(/`apiKey` must be an API key of Evergrant/)
    expect(make).not.toThrow(/first|quoted|egk_x/)
  }
})

test('a key that was read from a file with the end of its line is sent without it', async () => {
  let heard: string | undefined
  const url = await serverWith((request, response) => {
    heard = request.headers.authorization
    answer(response, 200, { items: [] })
  })
  await createClient({ url, apiKey: 'egk_x\r\n' }).connections.list()
  expect(heard).toBe('Bearer egk_x')
})

test('a fetch that tells what it was given puts no key into the message', async () => {
  const fetch = () => Promise.reject(new Error('cannot send authorization: Bearer egk_x'))
  const failure = await createClient({ url: 'https://connect.example.com', apiKey: 'egk_x', fetch })
    .connections.list()
    .catch((caught: unknown) => caught)
  expect(failure).toMatchObject({ code: 'connection_failed', message: 'Evergrant at https://connect.example.com did not answer (its reason names the key).' })
})

test('a client, a refusal and an outage may be logged whole: the key is in none of them', async () => {
  const apiKey = 'egk_that_nobody_may_read'
  const url = await serverWith((_request, response) => answer(response, 401, { code: 'unauthenticated', status: 401, detail: 'No.' }))
  const [refused, away] = [url, 'http://127.0.0.1:1'].map((each) => createClient({ url: each, apiKey }))
  const errors = await Promise.all([refused, away].map((client) => client?.connections.token('con_1').catch((error: unknown) => error)))
  expect(errors.map((error) => error instanceof EvergrantError && error.code)).toEqual(['unauthenticated', 'connection_failed'])
  for (const logged of [refused, away, ...errors])
    expect(inspect(logged, { depth: 9, showHidden: true }) + JSON.stringify(logged) + String(logged)).not.toContain(apiKey)
})
