import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

let api: Server
let lab: ApiLab
let arrived: Promise<void>
let port: number

beforeEach(async () => {
  let now = (): void => {}
  arrived = new Promise((resolve) => {
    now = resolve
  })
  api = createServer((request, response) => {
    request.once('data', () => now())
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    request.on('end', () => response.end(String(length)))
  })
  await once(api.listen(0, '127.0.0.1'), 'listening')
  const address = api.address()
  lab = await createApiLab({ record: { api: { base: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` } } })
  await lab.app.listen({ port: 0, host: '127.0.0.1' })
  const [own] = lab.app.addresses()
  port = typeof own === 'object' ? own.port : 0
})
afterEach(async () => {
  api.closeAllConnections()
  await lab.app.close()
  api.close()
})

async function begun(path: string, length: number | string, key: string, start = ''): Promise<{ readonly socket: Socket; readonly said: () => string }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  const framing = typeof length === 'number' ? `Content-Length: ${length}` : length
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${framing}\r\n\r\n${start}{`)
  return { socket, said: () => text }
}

/** Until the socket is closed, the lab's clock runs. */
async function closing(socket: Socket): Promise<void> {
  const closed = once(socket, 'close')
  let done = false
  void closed.then(() => {
    done = true
  })
  while (!done) {
    await lab.time.advance(10_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a body that does not come is refused after two minutes, whoever sends it', async () => {
  const { socket, said } = await begun('/api/v1/integrations', 100, await lab.keyFor(['admin']))
  await closing(socket)
  expect(said()).toMatch(/^HTTP\/1\.1 408 /)
  const stranger = await begun(`/api/v1/proxy/${lab.connection}/up`, 5_000_000, 'nobody')
  await closing(stranger.socket)
  expect(stranger.said()).toMatch(/^HTTP\/1\.1 401 /)
})

test.each([
  ['told before', 'Content-Length: 5000000', ''],
  ['in chunks', 'Transfer-Encoding: chunked', 'ffffff\r\n'],
])('what still comes of a body that was refused as too large, %s, may take no longer either', async (_how, framing, chunk) => {
  const { socket, said } = await begun('/api/v1/integrations', framing, await lab.keyFor(['admin']), chunk)
  socket.write(' '.repeat(2_000_000))
  await expect.poll(said).toContain('body_too_large')
  const drip = setInterval(() => socket.write(' '), 20)
  await closing(socket)
  clearInterval(drip)
  expect(said()).toMatch(/^HTTP\/1\.1 413 /)
})

test('an upload through the proxy may take longer', async () => {
  const length = 2_000_000
  const { socket, said } = await begun(`/api/v1/proxy/${lab.connection}/up`, length, await lab.keyFor(['proxy']))
  await arrived
  await lab.time.advance(600_000)
  socket.write('x'.repeat(length - 1))
  await expect.poll(said, { timeout: 10_000 }).toContain(String(length))
  expect(said()).toMatch(/^HTTP\/1\.1 200 /)
  socket.destroy()
})
