import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TcpFaultProxy } from './tcp-fault-proxy.ts'

let echo: Server
let proxy: TcpFaultProxy
beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => socket.write(bytes))
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  proxy = await TcpFaultProxy.start({ host: '127.0.0.1', port: address.port })
})
afterEach(async () => {
  await proxy.close()
  echo.close()
})

interface Line {
  readonly socket: Socket
  readonly heard: () => string
  readonly error: () => string | null
  readonly ended: () => boolean
}

async function open(): Promise<Line> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true })
  let heard = ''
  let error: string | null = null
  let ended = false
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.on('error', (problem: NodeJS.ErrnoException) => {
    error = problem.code ?? 'unknown'
  })
  socket.on('end', () => {
    ended = true
  })
  await once(socket, 'connect')
  return { socket, heard: () => heard, error: () => error, ended: () => ended }
}

test('a healthy link passes bytes both ways', async () => {
  const line = await open()
  line.socket.write('hello')
  await expect.poll(line.heard).toBe('hello')
})

test('a cut resets what is open and what comes, until it is healed', async () => {
  const line = await open()
  line.socket.write('a')
  await expect.poll(line.heard).toBe('a')
  proxy.cut()
  await expect.poll(line.error).toBe('ECONNRESET')
  const late = connect({ host: '127.0.0.1', port: proxy.port })
  const [problem] = (await once(late, 'error').catch((error: unknown) => [error])) as [NodeJS.ErrnoException]
  expect(problem.code).toBe('ECONNRESET')
  proxy.heal()
  const next = await open()
  next.socket.write('b')
  await expect.poll(next.heard).toBe('b')
})

test('a pause holds bytes back and a heal lets every one of them through', async () => {
  const line = await open()
  line.socket.write('a')
  await expect.poll(line.heard).toBe('a')
  proxy.pause()
  line.socket.write('b')
  const other = await open()
  other.socket.write('c')
  expect([line.heard(), other.heard()]).toEqual(['a', ''])
  proxy.heal()
  await expect.poll(() => [line.heard(), other.heard()]).toEqual(['ab', 'c'])
})

test('a black hole swallows bytes, and its connections do not survive the heal', async () => {
  const line = await open()
  proxy.blackhole()
  line.socket.write('lost')
  await expect.poll(() => proxy.accepted).toBe(1)
  proxy.heal()
  await expect.poll(line.error).toBe('ECONNRESET')
  expect(line.heard()).toBe('')
})

test('an answer is cut after the given number of bytes', async () => {
  const line = await open()
  proxy.resetAfter(5)
  line.socket.write('12345')
  await expect.poll(line.heard).toBe('12345')
  line.socket.write('6')
  await expect.poll(line.error).toBe('ECONNRESET')
  expect(line.heard()).toBe('12345')
})

test('a half-closed link says the end while the other side may still talk', async () => {
  const line = await open()
  line.socket.write('a')
  await expect.poll(line.heard).toBe('a')
  proxy.halfClose()
  await expect.poll(line.ended).toBe(true)
  expect([line.socket.writable, line.error()]).toEqual([true, null])
})

test('a held request reaches the target after its sender is gone', async () => {
  const arrived: string[] = []
  echo.on('connection', (socket) => socket.on('data', (bytes: Buffer) => arrived.push(bytes.toString())))
  const line = await open()
  proxy.hold()
  line.socket.write('orphan')
  await expect.poll(() => proxy.withheld).toBe('orphan'.length)
  line.socket.destroy()
  await expect.poll(line.ended).toBe(false)
  expect(arrived).toEqual([])
  proxy.heal()
  await expect.poll(() => arrived).toEqual(['orphan'])
  await expect.poll(() => proxy.open).toBe(0)
})

test('a deaf link carries what is said and loses what is answered', async () => {
  const arrived: string[] = []
  echo.on('connection', (socket) => socket.on('data', (bytes: Buffer) => arrived.push(bytes.toString())))
  const line = await open()
  proxy.deafen()
  line.socket.write('commit')
  await expect.poll(() => arrived).toEqual(['commit'])
  await expect.poll(() => proxy.withheld).toBe('commit'.length)
  expect(line.heard()).toBe('')
  proxy.heal()
  await expect.poll(line.error).toBe('ECONNRESET')
})
