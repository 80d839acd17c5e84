import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemTimers } from '../system.ts'
import { createAddressGuard } from './address-guard.ts'
import { createEgress } from './egress.ts'
import { createProviderClient } from './provider-client.ts'
import { createProxyTransport } from './proxy-transport.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('SKIPPED: the tests over TLS need openssl to make a certificate, and there is none on this machine')
const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

let cert = ''
let key = ''
beforeAll(() => {
  if (!hasOpenssl) return
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-egress-'))
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
  const name = ['-subj', '/CN=api.example', '-addext', 'subjectAltName=DNS:api.example,DNS:localhost']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...files, ...name], {
    stdio: 'ignore',
  })
  cert = readFileSync(join(folder, 'cert.pem'), 'utf8')
  key = readFileSync(join(folder, 'key.pem'), 'utf8')
  rmSync(folder, { recursive: true })
})

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

interface EgressServer {
  readonly port: number
  readonly asked: IncomingMessage[]
}

/** A proxy that knows every name: it is this machine. `refuses`: what it says instead of opening the way. */
async function egressServer({ refuses, tls = false }: { readonly refuses?: string; readonly tls?: boolean } = {}): Promise<EgressServer> {
  const asked: IncomingMessage[] = []
  const server = tls ? createHttpsServer({ cert, key }) : createHttpServer()
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request)
    socket.on('error', () => {})
    if (refuses !== undefined) return void socket.end(refuses)
    const onward = connect(Number((request.url ?? '').split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
  })
  return { port: await listening(server), asked }
}

const page = (tls: boolean): Promise<number> => {
  const answer = (request: IncomingMessage, response: { end(text: string): void }): void =>
    void buffer(request).then((body) => response.end(`${request.method} ${body.toString()}`))
  return listening(tls ? createHttpsServer({ cert, key }, answer) : createHttpServer(answer))
}

function ways(egressUrl: string, options: { readonly direct?: readonly string[]; readonly allow?: readonly string[]; readonly development?: boolean } = {}) {
  const guard = createAddressGuard({
    allowPrivateHosts: options.allow ?? [],
    development: options.development ?? false,
    egress: createEgress(egressUrl, options.direct ?? []),
    lookup: () => Promise.reject(new Error('a name was looked up here')),
  })
  const wire = { guard, timers: systemTimers, ...(cert === '' ? {} : { ca: cert }) }
  const transport = createProxyTransport(wire)
  const endpoint = createTokenEndpoint(wire)
  cleanUps.push(() => transport.close())
  const post = async (url: string): Promise<string> => {
    const line = await endpoint.open(url, { pooled: false })
    const outcome = await line.send({ method: 'POST', url, headers: {}, basic: null, body: 'token' }, 5_000)
    return outcome.kind === 'answered' ? outcome.answer.text : outcome.cause
  }
  const proxied = async (url: string): Promise<string> => {
    const answer = await transport.send({ method: 'PUT', url, headers: {}, body: Buffer.from('proxied'), deadlineMs: 5_000 })
    return (await buffer(answer.body)).toString()
  }
  return { post, proxied, client: createProviderClient(wire) }
}

describe('through the egress proxy', () => {
  test.skipIf(!hasOpenssl)('token requests, look-ups and proxied calls reach the provider, TLS to its own name, without a look-up of ours', async () => {
    const target = await page(true)
    const egress = await egressServer()
    const { post, proxied, client } = ways(`http://me:p%40ss@127.0.0.1:${egress.port}`)
    const url = `https://api.example:${target}/token`
    expect([await post(url), await proxied(url)]).toEqual(['POST token', 'PUT proxied'])
    expect(await client.sendRequest({ method: 'GET', url, headers: {}, basic: null, body: null })).toMatchObject({ kind: 'answered', answer: { text: 'GET ' } })
    expect(egress.asked.map((request) => [request.url, request.headers.host, request.headers['proxy-authorization']])).toEqual(
      [1, 2, 3].map(() => [`api.example:${target}`, `api.example:${target}`, `Basic ${Buffer.from('me:p@ss').toString('base64')}`]),
    )
    await expect(post(`https://other.example:${target}/token`)).rejects.toMatchObject({ reason: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  test.skipIf(!hasOpenssl)('the proxy itself may be reached over TLS', async () => {
    const target = await page(true)
    const egress = await egressServer({ tls: true })
    expect(await ways(`https://localhost:${egress.port}`).post(`https://api.example:${target}/`)).toBe('POST token')
  })

  test('plain http goes through a tunnel, too, and only where a host is allowed', async () => {
    const target = await page(false)
    const egress = await egressServer()
    const { post } = ways(`http://127.0.0.1:${egress.port}`, { allow: ['auth.internal'] })
    expect(await post(`http://auth.internal:${target}/`)).toBe('POST token')
    await expect(post(`http://api.example:${target}/`)).rejects.toMatchObject({ reason: 'plain_http' })
    expect(egress.asked.map(({ url }) => url)).toEqual([`auth.internal:${target}`])
  })

  test.each([
    ['HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n', 'egress_status_407'],
    ['HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n', 'egress_status_403'],
    ['HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{"access_token":"forged"}', 'egress_early_bytes'],
    ['nonsense\r\n\r\n', 'egress_HPE_INVALID_CONSTANT'],
  ])('a proxy that opens no clean way leaves the request not_sent: %j', async (refuses, reason) => {
    const egress = await egressServer({ refuses })
    const { post, proxied } = ways(`http://127.0.0.1:${egress.port}`)
    await expect(post('https://api.example/')).rejects.toMatchObject({ name: 'NotSent', reason })
    await expect(proxied('https://api.example/')).rejects.toMatchObject({ kind: 'not_sent', reason })
  })

  test('a proxy that is away, or says nothing, leaves the request not_sent', async () => {
    const silent = await listening(createHttpServer().on('connect', () => {}))
    const guard = createAddressGuard({ allowPrivateHosts: [], development: false, egress: createEgress(`http://127.0.0.1:${silent}`, []) })
    await expect(createTokenEndpoint({ guard, timers: systemTimers, connectMs: 100 }).open('https://api.example/', { pooled: false })).rejects.toMatchObject({
      reason: 'egress_timeout',
    })
    for (const cleanUp of cleanUps.splice(0)) cleanUp()
    await expect(ways(`http://127.0.0.1:${silent}`).post('https://api.example/')).rejects.toMatchObject({ reason: 'egress_ECONNREFUSED' })
  })
})

describe('what is not asked of it', () => {
  test.each([
    'https://10.0.0.1/',
    'https://[fd00::1]/',
    'https://[::ffff:8.8.8.8]/',
    'https://2130706433/',
    'https://localhost/',
    'https://x.localhost/',
    'https://metadata.google.internal/',
    'https://printer.local/',
    'https://nas.home.arpa/',
    'https://intranet/',
    'https://db.corp./',
  ])('%s is refused by what is written: nobody here looks the name up (S25)', async (url) => {
    const egress = await egressServer()
    await expect(ways(`http://127.0.0.1:${egress.port}`).proxied(url)).rejects.toMatchObject({ kind: 'not_sent', reason: 'private_address' })
    expect(egress.asked).toEqual([])
  })

  test('what is listed goes directly, and is checked as without a proxy', async () => {
    const { direct } = createEgress('http://p:1', [
      'api.example',
      '.below.example',
      '*.also.example',
      'port.example:8443',
      '10.0.0.0/8',
      'fd00::/8',
      '192.0.2.7',
    ])
    const found = ['api.example', 'a.below.example', 'a.also.example', '10.9.9.9', '[fd12::1]', '192.0.2.7'].map((host) => direct(host, 443))
    expect(found).toEqual([true, true, true, true, true, true])
    expect(['below.example', 'xapi.example', '11.0.0.1', 'port.example', '10.0.0.1.example'].map((host) => direct(host, 443))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
    expect([direct('PORT.example', 8443), createEgress('http://p:1', ['*']).direct('any.example', 1)]).toEqual([true, true])
    await expect(ways('http://127.0.0.1:9', { direct: ['10.0.0.0/8'] }).proxied('https://10.0.0.1/')).rejects.toMatchObject({ reason: 'private_address' })
  })

  test('development reaches its own machine without it', async () => {
    const target = await page(false)
    const guard = createAddressGuard({ allowPrivateHosts: [], development: true, egress: createEgress('http://127.0.0.1:9', []) })
    const line = await createTokenEndpoint({ guard, timers: systemTimers }).open(`http://127.0.0.1:${target}/`, { pooled: false })
    expect(await line.send({ method: 'POST', url: `http://127.0.0.1:${target}/`, headers: {}, basic: null, body: 'x' }, 5_000)).toMatchObject({
      kind: 'answered',
    })
  })
})
