// Bytes as strangers send them (S71, S104, S107): to the real server, over sockets, with the limits of the product or smaller ones.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

let lab: ApiLab
let port: number
let key: string

async function listening(served: ApiLab): Promise<number> {
  await served.app.listen({ port: 0, host: '127.0.0.1' })
  const [address] = served.app.addresses()
  return typeof address === 'object' ? address.port : 0
}

beforeAll(async () => {
  lab = await createApiLab()
  port = await listening(lab)
  key = await lab.keyFor(['admin'])
})
afterAll(() => lab.app.close())

interface Line {
  readonly socket: Socket
  said(): string
}

async function open(to = port): Promise<Line> {
  const socket = connect(to, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, said: () => text }
}

/** All that is answered until the other side, or ours after its last word, is done. */
async function say(bytes: string | Buffer): Promise<string> {
  const { socket, said } = await open()
  socket.end(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  await closeOf(socket)
  return said()
}

/** A reset is an end, too. */
const closeOf = (socket: Socket): Promise<void> => (socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve())))

const statusesOf = (text: string): readonly number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
const head = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`
const post = (...more: readonly string[]): string =>
  head(['POST /api/v1/connections HTTP/1.1', 'Host: x', `Authorization: Bearer ${key}`, 'Content-Type: application/json', ...more])
const HIDDEN = 'GET /api/v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n'

describe('a request that two readers would read differently is refused, and nothing behind it is a request (S107)', () => {
  test.each<[string, () => string]>([
    ['two lengths', () => `${post('Content-Length: 2', `Content-Length: ${HIDDEN.length}`)}{}${HIDDEN}`],
    ['a length and chunks', () => `${post('Content-Length: 6', 'Transfer-Encoding: chunked')}0\r\n\r\n${HIDDEN}`],
    ['chunks named twice', () => `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n${HIDDEN}`],
    ['chunks that are not the last coding', () => `${post('Transfer-Encoding: chunked, gzip')}0\r\n\r\n${HIDDEN}`],
    ['a coding that nobody knows', () => `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${HIDDEN}`],
    ['a space before the colon', () => `${post('Content-Length : 2')}{}${HIDDEN}`],
    ['a folded header', () => `${post('X-Note: a', ' Content-Length: 2')}{}${HIDDEN}`],
    ['a header without a name', () => `${post(': nothing')}{}${HIDDEN}`],
    ['a length that is no number', () => `${post('Content-Length: 2x')}{}${HIDDEN}`],
    ['a negative length', () => `${post('Content-Length: -1')}{}${HIDDEN}`],
    ['a length with a sign', () => `${post('Content-Length: +2')}{}${HIDDEN}`],
    ['a chunk whose size is no number', () => `${post('Transfer-Encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
    ['a chunk with a negative size', () => `${post('Transfer-Encoding: chunked')}-2\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
    ['a line that ends without a carriage return', () => `GET /health/live HTTP/1.1\nHost: x\n\n${HIDDEN}`],
    ['a carriage return in a value', () => `${head(['GET /health/live HTTP/1.1', 'Host: x', 'X-A: b\rEvil: c'])}${HIDDEN}`],
    ['a zero byte in a value', () => `${head(['GET /health/live HTTP/1.1', 'Host: x', 'X-A: b\u0000c'])}${HIDDEN}`],
    ['a version that is none', () => `GET /health/live HTTP/9.9\r\nHost: x\r\n\r\n${HIDDEN}`],
    ['no host', () => `GET /health/live HTTP/1.1\r\n\r\n${HIDDEN}`],
    ['a method that is none', () => `FETCH /health/live HTTP/1.1\r\nHost: x\r\n\r\n${HIDDEN}`],
    ['a tunnel', () => `CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n${HIDDEN}`],
  ])('%s', async (_what, bytes) => {
    const statuses = statusesOf(await say(bytes()))
    // A connection that is closed without a word is a refusal, too.
    expect(statuses.length).toBeLessThanOrEqual(1)
    expect([400, undefined]).toContain(statuses[0])
  })

  test('two good requests behind each other are two, in their order', async () => {
    const text = await say(`GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n${HIDDEN.replace('Host: x', 'Host: x\r\nConnection: close')}`)
    expect(statusesOf(text)).toEqual([200, 404])
  })

  test.each(['TRACE', 'PROPFIND', 'PURGE', 'OPTIONS', 'PUT'])('%s is not offered where nobody offers it', async (method) => {
    const text = await say(`${method} /health/live HTTP/1.1\r\nHost: x\r\nX-Secret: echo-me\r\nConnection: close\r\n\r\n`)
    expect([404, 405]).toContain(statusesOf(text)[0])
    expect(text).not.toContain('echo-me')
  })

  test('an address with a host of its own, or a path with dots, is taken for what it is', async () => {
    for (const target of [
      'http://169.254.169.254/latest',
      '//elsewhere.example/health/live',
      '/health/../health/live',
      '/health/%2e%2e/metrics',
      '/health/live\\..',
    ])
      expect([400, 404]).toContain(statusesOf(await say(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`))[0])
  })
})

describe('hostile bodies and queries (S104)', () => {
  const send = (bytes: Buffer): Promise<string> => say(Buffer.concat([Buffer.from(post(`Content-Length: ${bytes.length}`, 'Connection: close')), bytes]))
  const events = async (): Promise<number> => (await lab.call('GET', '/api/v1/events?limit=200')).json.items.length

  /** Good in everything but what it is about. */
  const around = (...middle: readonly (string | readonly number[])[]): Buffer =>
    Buffer.concat(
      ['{"integration":"scripted","access_token":"x",', ...middle, '}'].map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))),
    )

  test('the body around what follows is a good one', async () => {
    expect(statusesOf(await send(around('"owner":"o"')))).toEqual([201])
  })

  test.each<[string, Buffer]>([
    ['bytes that are no UTF-8', around('"owner":"', [0xc3, 0x28, 0xff], '"')],
    ['an overlong slash', around('"owner":"', [0xc0, 0xaf], '"')],
    ['half a character', around('"owner":"', [0xe4, 0xb8], '"')],
    ['a byte order mark and nothing else', Buffer.from('\ufeff')],
    ['zero bytes', Buffer.alloc(64)],
    ['a zero byte in a name', around('"owner":"a\\u0000b"')],
    ['ten thousand open lists', Buffer.from('['.repeat(10_000))],
    ['ten thousand lists in lists', around(`"owner":"o","metadata":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)],
    ['a number where a date belongs, beyond every number', around(`"owner":"o","expires_at":1${'0'.repeat(5_000)}`)],
    ['a prototype in an escape', around('"owner":"o","metadata":{"\\u005f\\u005fproto\\u005f\\u005f":{"admin":true}}')],
    ['a field twice, once escaped', around('"owner":"a","\\u006fwner":"b"')],
    ['comments', around('"owner":"o"/**/')],
    ['a comma too many', around('"owner":"o",')],
    ['UTF-16', Buffer.from(around('"owner":"o"').toString(), 'utf16le')],
  ])('%s is refused by a problem, and nothing is written', async (_what, bytes) => {
    const before = await events()
    const text = await send(bytes)
    expect(statusesOf(text)).toEqual([400])
    expect(text).toContain('application/problem+json')
    expect(await events()).toBe(before)
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  test('lines that are no UTF-8 are refused as a whole', async () => {
    const bytes = Buffer.from('{"integration":"scripted","access_token":"x","owner":"\xff"}\n', 'latin1')
    const lines = post(`Content-Length: ${bytes.length}`, 'Connection: close')
      .replace('/connections ', '/connections/import ')
      .replace('application/json', 'application/x-ndjson')
    expect(statusesOf(await say(Buffer.concat([Buffer.from(lines), bytes])))).toEqual([400])
  })

  test.each([
    'limit=1&limit=2',
    'cursor=%00',
    'cursor=%ff',
    '__proto__=1',
    'constructor=1',
    'owner[]=a',
    'owner[a]=b',
    'owner=a&owner=b',
    `owner=${'a'.repeat(5_000)}`,
  ])('the query %s is refused and means nothing else', async (query) => {
    const text = await say(`GET /api/v1/connections?${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`)
    expect(statusesOf(text)).toEqual([400])
  })

  test.each<[string, (rest: string) => readonly [string, string]]>([
    ['told before', (rest) => [`${post(`Content-Length: ${300_000 + rest.length}`)}${' '.repeat(300_000)}`, rest]],
    [
      'in chunks',
      (rest) => [
        `${post('Transfer-Encoding: chunked')}${(300_000).toString(16)}\r\n${' '.repeat(300_000)}\r\n`,
        `${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n`,
      ],
    ],
  ])('a body beyond the limit, %s, is answered while it comes, and what still comes does not cost the answer or the connection', async (_how, parts) => {
    const [first, rest] = parts('x'.repeat(2_000_000))
    const { socket, said } = await open()
    socket.write(first)
    await expect.poll(said).toContain('body_too_large')
    socket.write(rest)
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await closeOf(socket)
    expect(statusesOf(said())).toEqual([413, 200])
  })

  test('a head without end is refused, in one header, in many, and in the address', async () => {
    const big = 'a'.repeat(1_000_000)
    for (const bytes of [
      `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${big}\r\n\r\n`,
      `GET /${big} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(50_000)}\r\n`,
    ])
      expect([431, undefined]).toContain(statusesOf(await say(bytes))[0])
  })
})

describe('slow and many (S71)', () => {
  test('a head that does not come is refused after its time, as is a socket that says nothing, and others are served meanwhile', async () => {
    const served = await createApiLab({ app: { sockets: { headMs: 300, most: 1_000 } } })
    const to = await listening(served)
    const lines = await Promise.all([open(to), open(to)])
    const drip = lines[1]
    drip?.socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    const closed = Promise.all(lines.map(({ socket }) => closeOf(socket)))
    expect((await fetch(`http://127.0.0.1:${to}/health/live`)).status).toBe(200)
    await closed
    expect(statusesOf(drip?.said() ?? '')).toEqual([408])
    await served.app.close()
  })

  test('beyond the most sockets that a node holds the next one is closed at once, told once, and those that are open go on', async () => {
    const served = await createApiLab({ app: { sockets: { headMs: 30_000, most: 5 } } })
    const to = await listening(served)
    const held = await Promise.all(Array.from({ length: 5 }, () => open(to)))
    for (let count = 0; count < 3; count += 1) {
      const { socket, said } = await open(to)
      await closeOf(socket)
      expect(said()).toBe('')
    }
    const [first] = held
    first?.socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    if (first !== undefined) await closeOf(first.socket)
    expect(statusesOf(first?.said() ?? '')).toEqual([200])
    expect(served.logged.filter(({ message }) => message.includes('connections'))).toHaveLength(1)
    for (const { socket } of held) socket.destroy()
    await served.app.close()
  })
})
