import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import type { ProviderRequest, WireOutcome } from '../core/provider/wire.ts'
import { systemTimers } from '../system.ts'
import { createAddressGuard } from './address-guard.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

const guard = createAddressGuard({ allowPrivateHosts: [], development: true })
const endpoint = createTokenEndpoint({ guard, timers: systemTimers, connectMs: 2_000 })
const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

interface Provider {
  readonly url: string
  readonly sockets: Socket[]
  readonly received: string[]
  readonly server: Server
}

/** A server that sees bytes, so that it can answer in every wrong way. */
async function provider(answer: (socket: Socket, text: string) => void): Promise<Provider> {
  const sockets: Socket[] = []
  const received: string[] = []
  const server = createServer((socket) => {
    const index = sockets.push(socket) - 1
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      received[index] = (received[index] ?? '') + chunk.toString('latin1')
      answer(socket, received[index] ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, sockets, received, server }
}

function request(url: string, change: Partial<ProviderRequest> = {}): ProviderRequest {
  return { method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, basic: null, body: 'grant_type=refresh_token', ...change }
}

async function post(url: string, options: { pooled?: boolean; deadlineMs?: number; change?: Partial<ProviderRequest> } = {}): Promise<WireOutcome> {
  const line = await endpoint.open(url, { pooled: options.pooled ?? false })
  return line.send(request(url, options.change), options.deadlineMs ?? 5_000)
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n{"access_token":"new"}'

test('the answer comes back raw, with status, headers and text', async () => {
  const { url, received } = await provider((socket) => socket.write(OK))
  const outcome = await post(url, { change: { basic: { username: 'id:1', password: 's e+c' } } })
  expect(outcome).toMatchObject({ kind: 'answered', answer: { status: 200, headers: { 'content-type': 'application/json' }, text: '{"access_token":"new"}' } })
  expect(received[0]).toContain('POST /token HTTP/1.1\r\nhost: 127.0.0.1:')
  expect(received[0]).toContain('connection: close\r\n')
  expect(received[0]).toContain(`authorization: Basic ${Buffer.from('id%3A1:s+e%2Bc').toString('base64')}\r\n`)
  expect(received[0]).toMatch(/content-length: 24\r\n\r\ngrant_type=refresh_token$/)
})

test.each([false, true])('nothing is sent before send, and the whole request leaves before the event loop turns (pooled: %s)', async (pooled) => {
  const { url, received, sockets } = await provider((socket) => socket.write(OK))
  const line = await endpoint.open(url, { pooled })
  await vi.waitFor(() => expect(sockets).toHaveLength(1))
  expect(received).toEqual([])
  const { Socket: NetSocket } = await import('node:net')
  const write = vi.spyOn(NetSocket.prototype, 'write')
  const phases: string[] = []
  setImmediate(() => phases.push('a phase of the event loop'))
  const outcome = line.send(request(url), 1_000)
  process.nextTick(() => phases.push(...write.mock.calls.map(([bytes]) => String(bytes))))
  await new Promise((resolve) => setImmediate(resolve))
  write.mockRestore()
  expect(phases[0]).toMatch(/^POST .*grant_type=refresh_token$/s)
  expect((await outcome).kind).toBe('answered')
})

test('a fresh connection each time, and it is closed afterwards', async () => {
  const { url, sockets } = await provider((socket) => socket.write(OK))
  await post(url)
  await post(url)
  expect(sockets).toHaveLength(2)
  await vi.waitFor(() => expect(sockets.every((socket) => socket.destroyed)).toBe(true))
})

test('a pooled connection is used again, one request at a time, and not after the server closed it', async () => {
  const { url, sockets } = await provider((socket) => socket.write(OK))
  expect((await post(url, { pooled: true })).kind).toBe('answered')
  expect((await post(url, { pooled: true })).kind).toBe('answered')
  expect(sockets).toHaveLength(1)
  await Promise.all([post(url, { pooled: true }), post(url, { pooled: true })])
  expect(sockets).toHaveLength(2)
  const before = sockets.slice()
  for (const socket of before) socket.destroy()
  await vi.waitFor(async () => {
    const line = await endpoint.open(url, { pooled: true })
    line.close()
    expect(sockets.length).toBeGreaterThan(2)
  })
  expect((await post(url, { pooled: true })).kind).toBe('answered')
})

test.each([
  ['says that it closes', 'connection: close'],
  ['waits no longer than a request takes', 'keep-alive: timeout=1'],
])('a pooled connection is not used again when the server %s', async (_what, field) => {
  const { url, sockets } = await provider((socket) => socket.write(OK.replace('\r\n\r\n', `\r\n${field}\r\n\r\n`)))
  for (const count of [1, 2]) {
    expect((await post(url, { pooled: true })).kind).toBe('answered')
    expect(sockets).toHaveLength(count)
  }
  await vi.waitFor(() => expect(sockets.every((socket) => socket.destroyed)).toBe(true))
})

test('an answer before the whole request is out ends a pooled connection', async () => {
  const { url, sockets } = await provider((socket) => {
    socket.pause()
    if (!socket.destroyed && !socket.writableEnded) socket.write(OK)
  })
  const change = { body: 'x'.repeat(32 * 1024 * 1024) }
  expect((await post(url, { pooled: true, change })).kind).toBe('answered')
  expect((await post(url, { pooled: true, change })).kind).toBe('answered')
  expect(sockets).toHaveLength(2)
})

test('a redirect is an answer, not a journey', async () => {
  const { url, sockets } = await provider((socket) => socket.write('HTTP/1.1 307 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n'))
  expect(await post(url)).toMatchObject({ kind: 'answered', answer: { status: 307 } })
  expect(sockets).toHaveLength(1)
})

test.each([
  ['resets after the request', (socket: Socket) => socket.resetAndDestroy(), 'ECONNRESET'],
  ['closes after the request', (socket: Socket) => socket.end(), 'closed_without_answer'],
  ['breaks off inside the body', (socket: Socket) => socket.end(OK.slice(0, -5)), 'truncated'],
  ['breaks off inside the head', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nconte'), 'truncated'],
  ['speaks something else', (socket: Socket) => socket.end('220 smtp ready\r\n\r\n'), 'malformed'],
  ['answers too much', (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n${'x'.repeat(70_000)}`), 'answer_too_large'],
  ['says nothing', () => {}, 'timeout'],
])('a provider that %s may have acted: no_answer', async (_name, answer, cause) => {
  const { url } = await provider(answer)
  expect(await post(url, { deadlineMs: 200 })).toEqual({ kind: 'no_answer', cause })
})

test('a connection that cannot be made is not_sent', async () => {
  const { url, server, sockets } = await provider(() => {})
  await new Promise((resolve) => server.close(resolve))
  await expect(endpoint.open(url, { pooled: false })).rejects.toMatchObject({ name: 'NotSent', reason: 'ECONNREFUSED' })
  expect(sockets).toHaveLength(0)
})

test('a connection that the provider closed before the request is not_sent', async () => {
  const { url, sockets } = await provider(() => {})
  const line = await endpoint.open(url, { pooled: false })
  await vi.waitFor(() => expect(sockets).toHaveLength(1))
  sockets[0]?.end()
  await new Promise((resolve) => sockets[0]?.once('close', resolve))
  expect(await line.send(request(url), 1_000)).toEqual({ kind: 'not_sent', cause: 'closed_before_send' })
})

test.each([
  ['a line break in a header', { headers: { 'x-a': '1\r\nx-b: 2' } }, 'invalid_request'],
  ['a header name with a space', { headers: { 'x a': '1' } }, 'invalid_request'],
  ['another host', { url: 'https://elsewhere.example/token' }, 'invalid_url'],
])('%s is not_sent', async (_name, change, cause) => {
  const { url, received } = await provider((socket) => socket.write(OK))
  expect(await post(url, { change })).toEqual({ kind: 'not_sent', cause })
  expect(received).toEqual([])
})

test('a line carries exactly one request', async () => {
  const { url } = await provider((socket) => socket.write(OK))
  const line = await endpoint.open(url, { pooled: false })
  await line.send(request(url), 1_000)
  expect(await line.send(request(url), 1_000)).toEqual({ kind: 'not_sent', cause: 'line_already_used' })
})

test.each([
  ['http://10.0.0.1/token', 'plain_http'],
  ['https://10.0.0.1/token', 'private_address'],
  ['https://169.254.169.254/token', 'private_address'],
  ['file:///etc/passwd', 'invalid_url'],
  ['gopher://x/', 'invalid_url'],
  ['https://user:pw@api.example.com/', 'invalid_url'],
  ['nonsense', 'invalid_url'],
])('%s is refused before anything is sent (S25, S33)', async (url, reason) => {
  await expect(endpoint.open(url, { pooled: false })).rejects.toMatchObject({ reason })
})

test('a server that compresses unasked is understood, a bomb is not', async () => {
  const packed = (text: string) => {
    const body = gzipSync(text)
    return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`), body])
  }
  const good = await provider((socket) => socket.write(packed('{"a":1}')))
  expect(await post(good.url)).toMatchObject({ answer: { text: '{"a":1}' } })
  const bomb = await provider((socket) => socket.write(packed('x'.repeat(1_000_000))))
  expect(await post(bomb.url)).toEqual({ kind: 'no_answer', cause: 'malformed' })
})

test('what Node writes in chunks is read as Node meant it', async () => {
  const server = createHttpServer((incoming, outgoing) => {
    incoming.resume()
    outgoing.write('{"access')
    setImmediate(() => outgoing.end('_token":"x"}'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => server.close())
  expect(await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).toMatchObject({ answer: { text: '{"access_token":"x"}' } })
})

test('an answer that has begun at the deadline may end', async () => {
  const { url } = await provider((socket) => {
    socket.write(OK.slice(0, 30))
    systemTimers.after(500, () => socket.write(OK.slice(30)))
  })
  expect((await post(url, { deadlineMs: 100 })).kind).toBe('answered')
})
