import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { systemTimers } from '../system.ts'
import { createManualTime } from '../testing/manual-time.ts'
import { createAddressGuard } from './address-guard.ts'
import { createProviderClient } from './provider-client.ts'
import { createProxyTransport, type ProxyRequest } from './proxy-transport.ts'

const guard = createAddressGuard({ allowPrivateHosts: [], development: true })
const transport = createProxyTransport({ guard, timers: systemTimers, silenceMs: 2_000 })
const client = createProviderClient({ guard, timers: systemTimers })
const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})
afterAll(() => transport.close())

async function api(handler: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<string> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function get(url: string, change: Partial<ProxyRequest> = {}): ProxyRequest {
  return { method: 'GET', url, headers: {}, body: null, deadlineMs: 5_000, ...change }
}

/** Something that a test waits for. */
function moment(): { readonly come: Promise<void>; readonly now: () => void } {
  let now = (): void => {}
  const come = new Promise<void>((resolve) => {
    now = resolve
  })
  return { come, now: () => now() }
}

test('method, path, headers and body reach the API, and its answer comes back', async () => {
  const url = await api((incoming, outgoing) => {
    void buffer(incoming).then((body) =>
      outgoing.writeHead(201, { 'x-path': incoming.url, 'x-method': incoming.method, 'x-length': incoming.headers['content-length'] }).end(body),
    )
  })
  const answer = await transport.send(
    get(`${url}/v1/things?a=%20b`, { method: 'PATCH', headers: { 'content-type': 'text/plain' }, body: Buffer.from('grüße') }),
  )
  expect(answer).toMatchObject({ status: 201, headers: { 'x-path': '/v1/things?a=%20b', 'x-method': 'PATCH', 'x-length': '7' } })
  expect((await buffer(answer.body)).toString()).toBe('grüße')
})

test('hop-by-hop fields, forwarding fields and cookies stay on their side (S29, S30)', async () => {
  let seen: IncomingMessage['headers'] = {}
  const url = await api((incoming, outgoing) => {
    seen = incoming.headers
    outgoing.writeHead(200, { 'set-cookie': 'a=1', connection: 'x-private', 'x-private': '1', 'x-public': '1' }).end()
  })
  const headers = {
    connection: 'x-secret',
    'x-secret': '1',
    'proxy-authorization': 'Basic x',
    'transfer-encoding': 'chunked',
    te: 'trailers',
    upgrade: 'h2c',
    'x-forwarded-for': '1.2.3.4',
    cookie: 'session=1',
    host: 'evil.example',
    'content-length': '99',
    authorization: 'Bearer t',
    'x-kept': '1',
  }
  const answer = await transport.send(get(url, { headers }))
  answer.body.resume()
  expect(seen).toEqual({ host: new URL(url).host, connection: 'keep-alive', authorization: 'Bearer t', 'x-kept': '1' })
  expect(answer.headers).not.toHaveProperty('set-cookie')
  expect(answer.headers).not.toHaveProperty('x-private')
  expect(answer.headers).toMatchObject({ 'x-public': '1' })
})

test('100 MB stream both ways, and a reader who stops stops the sender (S31)', { timeout: 60_000 }, async () => {
  const url = await api((incoming, outgoing) => void incoming.pipe(outgoing))
  const piece = Buffer.alloc(64 * 1024, 7)
  const pieces = 1_600
  let produced = 0
  const body = new Readable({
    read() {
      produced += 1
      this.push(produced <= pieces ? piece : null)
    },
  })
  const answer = await transport.send(get(url, { method: 'POST', body }))
  let before = -1
  await vi.waitFor(
    () => {
      const stopped = produced === before
      before = produced
      expect(stopped).toBe(true)
    },
    { interval: 200, timeout: 20_000 },
  )
  expect(produced).toBeLessThan(pieces / 2)
  let bytes = 0
  for await (const chunk of answer.body) bytes += (chunk as Buffer).length
  expect(bytes).toBe(pieces * piece.length)
})

test('an upload may take longer than the deadline, which counts from its end (S31)', async () => {
  const asked = moment()
  const heard = moment()
  const url = await api((incoming, outgoing) => {
    asked.now()
    void buffer(incoming).then((body) => (body.toString() === 'one two' ? outgoing.end('kept') : heard.now()))
  })
  const time = createManualTime()
  const patient = createProxyTransport({ guard, timers: time.timers })
  cleanUps.push(() => patient.close())
  const slow = new Readable({ read() {} })
  slow.push('one ')
  const kept = patient.send(get(url, { method: 'POST', body: slow, deadlineMs: 1_000 }))
  await asked.come
  await time.advance(300_000)
  slow.push('two')
  slow.push(null)
  expect((await buffer((await kept).body)).toString()).toBe('kept')
  const refused = expect(patient.send(get(url, { method: 'POST', body: Readable.from(['else']), deadlineMs: 1_000 }))).rejects.toMatchObject({
    kind: 'timeout',
  })
  await heard.come
  await time.advance(1_000)
  await refused
})

test('an answer that begins during the upload is not cut at the deadline, which is for its head alone (S31)', async () => {
  const uploaded = moment()
  const goOn = moment()
  const url = await api((incoming, outgoing) => {
    outgoing.write('one ')
    incoming.once('end', uploaded.now).resume()
    void goOn.come.then(() => outgoing.end('two'))
  })
  const time = createManualTime()
  const patient = createProxyTransport({ guard, timers: time.timers })
  cleanUps.push(() => patient.close())
  const slow = new Readable({ read() {} })
  slow.push('asked ')
  const answer = await patient.send(get(url, { method: 'POST', body: slow, deadlineMs: 1_000 }))
  slow.push(null)
  await uploaded.come
  await time.advance(300_000)
  goOn.now()
  expect((await buffer(answer.body)).toString()).toBe('one two')
})

test('a stream whose length is known is sent with it, and one whose length is not in chunks (S31)', async () => {
  const url = await api((incoming, outgoing) => {
    const { 'content-length': length = 'none', 'transfer-encoding': coding = 'none' } = incoming.headers
    void buffer(incoming).then((body) => outgoing.end(`${length} ${coding} ${body}`))
  })
  const told = async (change: Partial<ProxyRequest>): Promise<string> => {
    const answer = await transport.send(get(url, { method: 'POST', body: Readable.from(['o', 'ne'], { objectMode: false }), ...change }))
    return (await buffer(answer.body)).toString()
  }
  expect(await told({ bodyLength: 3 })).toBe('3 none one')
  expect(await told({})).toBe('none chunked one')
  expect(await told({ headers: { 'content-length': '99' } })).toBe('none chunked one')
  expect(await told({ body: Buffer.from('two'), bodyLength: 99 })).toBe('3 none two')
})

test.each([
  ['longer', 'four', 'GET /next HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['shorter', 'fo'],
])('a stream that turns out %s than its length is cancelled, and the connection is over (S31, S107)', async (_what, ...pieces) => {
  const asked: string[] = []
  const closed = moment()
  const url = await api((incoming) => {
    asked.push(incoming.url ?? '')
    incoming.socket.once('close', closed.now)
    incoming.resume()
  })
  const time = createManualTime()
  const patient = createProxyTransport({ guard, timers: time.timers })
  cleanUps.push(() => patient.close())
  const body = new Readable({ read() {} })
  const sending = patient.send(get(`${url}/first`, { method: 'POST', body, bodyLength: 4 }))
  const refused = expect(sending).rejects.toMatchObject({ kind: 'cancelled' })
  body.push(pieces[0])
  await vi.waitFor(() => expect(asked).toEqual(['/first']))
  for (const piece of pieces.slice(1)) body.push(piece)
  body.push(null)
  await refused
  await closed.come
  expect(asked).toEqual(['/first'])
})

test('a caller that stops in the middle of its body is not waited for (S31)', async () => {
  const url = await api((incoming) => incoming.resume())
  const impatient = createProxyTransport({ guard, timers: systemTimers, silenceMs: 200 })
  cleanUps.push(() => impatient.close())
  const stuck = new Readable({ read() {} })
  stuck.push('one ')
  await expect(impatient.send(get(url, { method: 'POST', body: stuck }))).rejects.toMatchObject({ kind: 'timeout' })
})

test('a redirect is handed back, not followed (S27)', async () => {
  const seen: string[] = []
  const url = await api((incoming, outgoing) => {
    seen.push(incoming.url ?? '')
    outgoing.writeHead(302, { location: '/elsewhere' }).end()
  })
  const answer = await transport.send(get(`${url}/start`))
  answer.body.resume()
  expect(answer).toMatchObject({ status: 302, headers: { location: '/elsewhere' } })
  expect(seen).toEqual(['/start'])
})

test.each([
  ['https://10.0.0.1/', 'private_address'],
  ['https://[fd00::1]/', 'private_address'],
  ['http://1.1.1.1/', 'plain_http'],
  ['file:///etc/passwd', 'invalid_url'],
  ['https://u:p@api.example.com/', 'invalid_url'],
])('%s is not_sent (S25, S33)', async (url, reason) => {
  await expect(transport.send(get(url))).rejects.toMatchObject({ kind: 'not_sent', reason })
})

test('a port where nobody listens is not_sent', async () => {
  const url = await api(() => {})
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
  await expect(transport.send(get(url))).rejects.toMatchObject({ kind: 'not_sent', reason: 'ECONNREFUSED' })
})

test('a header with a line break is not_sent', async () => {
  const url = await api((_incoming, outgoing) => outgoing.end())
  await expect(transport.send(get(url, { headers: { 'x-a': '1\r\nx-b: 2' } }))).rejects.toMatchObject({ kind: 'not_sent', reason: 'invalid_request' })
})

test('a reset after the request is no_answer, silence until the deadline a timeout', async () => {
  const reset = await api((incoming) => incoming.socket.resetAndDestroy())
  await expect(transport.send(get(reset))).rejects.toMatchObject({ kind: 'no_answer', reason: 'ECONNRESET' })
  const silent = await api(() => {})
  await expect(transport.send(get(silent, { deadlineMs: 100 }))).rejects.toMatchObject({ kind: 'timeout' })
})

test('a body that breaks off fails for its reader', async () => {
  const url = await api((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-length': '100' })
    outgoing.write('part', () => outgoing.destroy())
  })
  const answer = await transport.send(get(url))
  await expect(buffer(answer.body)).rejects.toThrow()
})

test('a caller who goes away ends the request at the API', async () => {
  const closed = vi.fn()
  const url = await api((incoming) => incoming.socket.once('close', closed))
  const caller = new AbortController()
  const sending = transport.send(get(url, { signal: caller.signal }))
  const refused = expect(sending).rejects.toMatchObject({ kind: 'cancelled' })
  systemTimers.after(50, () => caller.abort())
  await refused
  await vi.waitFor(() => expect(closed).toHaveBeenCalled())
})

test('a JSON object is fetched; anything else is a fault that says what came', async () => {
  const url = await api((incoming, outgoing) => {
    if (incoming.url === '/good') outgoing.end('{"issuer":"x"}')
    else if (incoming.url === '/list') outgoing.end('[]')
    else if (incoming.url === '/html') outgoing.end('<html>')
    else if (incoming.url === '/big') outgoing.end(`{"a":"${'x'.repeat(2_000)}"}`)
    else outgoing.writeHead(404).end('{}')
  })
  expect(await client.fetchJson(`${url}/good`)).toEqual({ issuer: 'x' })
  await expect(client.fetchJson(`${url}/list`)).rejects.toMatchObject({ code: 'provider_unavailable', message: expect.stringContaining('not a JSON object') })
  await expect(client.fetchJson(`${url}/html`)).rejects.toThrow(/not a JSON object/)
  await expect(client.fetchJson(`${url}/missing`)).rejects.toThrow(/status 404/)
  await expect(client.fetchJson(`${url}/big`, { maxBytes: 1_000 })).rejects.toThrow(/answer_too_large/)
  await expect(client.fetchJson('https://10.0.0.1/')).rejects.toThrow(/private_address/)
})

test('a look-up that cannot be sent says so without throwing', async () => {
  expect(await client.sendRequest({ method: 'GET', url: 'https://10.0.0.1/', headers: {}, basic: null, body: null })).toEqual({
    kind: 'not_sent',
    cause: 'private_address',
  })
})
