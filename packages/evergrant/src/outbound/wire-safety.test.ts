import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { WireOutcome } from '../core/provider/wire.ts'
import { systemTimers } from '../system.ts'
import { createAddressGuard } from './address-guard.ts'
import { createProviderClient } from './provider-client.ts'
import { createProxyTransport } from './proxy-transport.ts'
import { type ClosableTokenEndpoint, createTokenEndpoint } from './token-endpoint.ts'

const lookup = async () => [{ address: '127.0.0.1', family: 4 }]
const guard = createAddressGuard({ allowPrivateHosts: ['right.example', 'wrong.example'], development: true, lookup })
const plain = createTokenEndpoint({ guard, timers: systemTimers })
const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('SKIPPED: the tests over TLS need openssl to make a certificate, and there is none on this machine')

let cert = ''
let key = ''
beforeAll(() => {
  if (!hasOpenssl) return
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-tls-'))
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
  const name = ['-subj', '/CN=right.example', '-addext', 'subjectAltName=DNS:right.example']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...files, ...name], {
    stdio: 'ignore',
  })
  cert = readFileSync(join(folder, 'cert.pem'), 'utf8')
  key = readFileSync(join(folder, 'key.pem'), 'utf8')
  rmSync(folder, { recursive: true })
})

interface Server {
  readonly port: number
  readonly received: Buffer[]
  readonly sockets: Socket[]
}

async function server(answer: string | ((socket: Socket) => void), tls = false): Promise<Server> {
  const sockets: Socket[] = []
  const received: Buffer[] = []
  const accept = (socket: Socket): void => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      received.push(bytes)
      if (typeof answer === 'string') socket.write(answer)
      else answer(socket)
    })
  }
  const listening = tls ? createTlsServer({ cert, key }, accept).on('tlsClientError', () => {}) : createServer(accept)
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    listening.close()
  })
  return { port: (listening.address() as AddressInfo).port, received, sockets }
}

async function post(endpoint: ClosableTokenEndpoint, url: string, pooled = false, headers: Record<string, string> = {}): Promise<WireOutcome> {
  const line = await endpoint.open(url, { pooled })
  return line.send({ method: 'POST', url, headers, basic: null, body: 'grant=ü' }, 2_000)
}

function text(outcome: WireOutcome): string {
  return outcome.kind === 'answered' ? outcome.answer.text : `${outcome.kind} ${outcome.cause}`
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

test.skipIf(!hasOpenssl).each([false, true])('a token request travels over TLS to the name in the certificate (pooled: %s)', async (pooled) => {
  const { port, received, sockets } = await server(OK, true)
  const endpoint = createTokenEndpoint({ guard, timers: systemTimers, ca: cert })
  cleanUps.push(() => endpoint.close())
  const url = `https://right.example:${port}/token`
  expect(text(await post(endpoint, url, pooled))).toBe('ok')
  expect(text(await post(endpoint, url, pooled))).toBe('ok')
  expect(sockets).toHaveLength(pooled ? 1 : 2)
  expect(Buffer.concat(received).toString()).toContain(`host: right.example:${port}\r\n`)
})

test.skipIf(!hasOpenssl)('a certificate for another name, or from an unknown authority, is not_sent', async () => {
  const { port, received } = await server(OK, true)
  const trusting = createTokenEndpoint({ guard, timers: systemTimers, ca: cert })
  const refused = { name: 'NotSent', reason: 'ERR_TLS_CERT_ALTNAME_INVALID' }
  await expect(trusting.open(`https://wrong.example:${port}/token`, { pooled: false })).rejects.toMatchObject(refused)
  await expect(plain.open(`https://right.example:${port}/token`, { pooled: false })).rejects.toMatchObject({ reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const client = createProviderClient({ guard, timers: systemTimers, ca: cert })
  const request = { method: 'GET', url: `https://wrong.example:${port}/`, headers: {}, basic: null, body: null } as const
  expect(await client.sendRequest(request)).toEqual({ kind: 'not_sent', cause: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  expect(await client.sendRequest({ ...request, url: `https://right.example:${port}/` })).toMatchObject({ kind: 'answered' })
  expect(Buffer.concat(received).toString()).not.toContain('wrong.example')
})

test.skipIf(!hasOpenssl)('a client shows its certificate on a connection of its own (RFC 8705 section 2)', async () => {
  const seen: (string | undefined)[] = []
  const listening = createTlsServer({ cert, key, ca: cert, requestCert: true, rejectUnauthorized: false }, (socket) => {
    seen.push(socket.authorized ? [socket.getPeerCertificate().subject.CN].flat()[0] : undefined)
    socket.on('error', () => {}).on('data', () => socket.write(OK))
    cleanUps.push(() => socket.destroy())
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => listening.close())
  const endpoint = createTokenEndpoint({ guard, timers: systemTimers, ca: cert })
  cleanUps.push(() => endpoint.close())
  const url = `https://right.example:${(listening.address() as AddressInfo).port}/token`
  const certificate = `${key}\n${cert}`
  const request = { method: 'POST', url, headers: {}, basic: null, body: 'x=1' } as const
  const send = async (own?: string) => text(await (await endpoint.open(url, { pooled: true, certificate: own })).send(request, 2_000))
  expect([await send(), await send(certificate), await send(), await send(certificate)]).toEqual(['ok', 'ok', 'ok', 'ok'])
  const client = createProviderClient({ guard, timers: systemTimers, ca: cert })
  expect(text(await client.sendRequest({ ...request, certificate }))).toBe('ok')
  const proxy = createProxyTransport({ guard, timers: systemTimers, ca: cert })
  cleanUps.push(() => proxy.close())
  const call = async (own?: string) => {
    const { status, body } = await proxy.send({ method: 'GET', url, headers: {}, body: null, deadlineMs: 2_000, certificate: own })
    await body.resume().toArray()
    return status
  }
  expect([await call(certificate), await call(), await call(certificate)]).toEqual([200, 200, 200])
  expect(seen).toEqual([undefined, 'right.example', 'right.example', 'right.example', 'right.example', undefined])
  await expect(endpoint.open(url, { pooled: false, certificate: 'no PEM' })).rejects.toMatchObject({ name: 'NotSent', reason: 'client_certificate' })
})

test.each([
  ['a line break', { 'x-a': '1\r\nx-b: 2' }],
  ['a bare line feed', { 'x-a': '1\nx-b: 2' }],
  ['a whole second request', { 'x-a': '1\r\n\r\nPOST /other HTTP/1.1\r\nhost: x' }],
  ['a zero byte', { 'x-a': '1\0' }],
  ['a line break in a name', { 'x-a: 1\r\nx-b': '2' }],
  ['a letter outside Latin-1', { 'x-a': '\u{10d}\u{10a}' }],
])('a header with %s is refused before anything is sent, on fresh and pooled lines', async (_name, headers) => {
  const { port, received, sockets } = await server(OK)
  for (const pooled of [false, true]) {
    expect(await post(plain, `http://127.0.0.1:${port}/`, pooled, headers)).toEqual({ kind: 'not_sent', cause: 'invalid_request' })
  }
  await vi.waitFor(() => expect(sockets.every((socket) => socket.destroyed)).toBe(true))
  expect(received).toEqual([])
})

test('framing belongs to the sender: a record cannot set it, and the body is counted in bytes', async () => {
  const { port, received } = await server(OK)
  const headers = { 'Transfer-Encoding': 'chunked', 'content-length': '1', Host: 'evil.example', connection: 'upgrade', expect: '100-continue', 'x-l': 'é' }
  await post(plain, `http://127.0.0.1:${port}/`, false, headers)
  const sent = Buffer.concat(received)
  expect(sent.toString('latin1')).not.toMatch(/chunked|evil|upgrade|100-continue/)
  expect(sent.toString('latin1')).toContain('x-l: é\r\n')
  expect(sent.toString('utf8')).toMatch(/content-length: 8\r\n\r\ngrant=ü$/)
})

const WHOLE: readonly (readonly [string, string])[] = [
  ['a length', OK],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n'],
  ['chunks with trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n'],
  ['interim answers before it', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}`],
  ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'],
  ['a server that closes', 'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
]

test.each(WHOLE)('an answer with %s is read whole, in one piece and byte by byte, fresh and pooled', async (_name, answer) => {
  const bytewise = (socket: Socket): void => {
    socket.setNoDelay(true)
    for (const letter of answer) socket.write(letter)
  }
  for (const way of [answer, bytewise]) {
    const { port } = await server(way)
    for (const pooled of [false, true, true]) expect(text(await post(plain, `http://127.0.0.1:${port}/`, pooled))).toBe('ok')
  }
})

test.each(WHOLE)('an answer with %s that is cut anywhere is never taken for a whole one', async (_name, answer) => {
  let end = 1
  const { port } = await server((socket) => socket.end(answer.slice(0, end)))
  for (; end < answer.length; end += 1) {
    const outcome = await post(plain, `http://127.0.0.1:${port}/`)
    expect(outcome, `${end} bytes`).toMatchObject({ kind: 'no_answer', cause: expect.stringMatching(/^(truncated|malformed)$/) })
  }
})

test.each([
  ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a space in a name', 'HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n'],
  ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
  ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['a chunk longer than it says', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(100)}\r\n`.repeat(600)}`],
])('an answer with %s is malformed', async (_name, answer) => {
  const { port } = await server(answer)
  for (const pooled of [false, true]) {
    expect(await post(plain, `http://127.0.0.1:${port}/`, pooled)).toEqual({ kind: 'no_answer', cause: 'malformed' })
  }
})

test.each([
  ['letters', `${OK}EXTRA`],
  ['a second answer', `${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`],
])('an answer longer than its length counts as far as it said, and %s after it end a pooled connection', async (_name, answer) => {
  const { port, sockets } = await server(answer)
  for (const pooled of [false, true, true]) expect(text(await post(plain, `http://127.0.0.1:${port}/`, pooled))).toBe('ok')
  expect(sockets).toHaveLength(3)
})

test('bytes that come while nobody asked are no answer to the next request', async () => {
  const late = await server(OK)
  const url = `http://127.0.0.1:${late.port}/`
  expect(text(await post(plain, url, true))).toBe('ok')
  late.sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil')
  await vi.waitFor(() => expect(late.sockets[0]?.destroyed).toBe(true))
  expect(text(await post(plain, url, true))).toBe('ok')
  expect(late.sockets).toHaveLength(2)
})

test('an error answer beyond the limit is cut', async () => {
  const { port } = await server(`HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n${'x'.repeat(200)}\r\n0\r\n\r\n`)
  const small = createTokenEndpoint({ guard, timers: systemTimers, maxBody: 100 })
  expect(text(await post(small, `http://127.0.0.1:${port}/`))).toBe('x'.repeat(100))
})
