import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { systemClock, systemTimers } from '../system.ts'
import { Leaving } from './leaving.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

async function leavingServer(
  handler: RequestListener = (_request, response) => void response.end('here'),
  ports = { clock: systemClock, timers: systemTimers },
) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const leaving = new Leaving(ports)
  leaving.watch(server)
  const address = server.address()
  return { leaving, url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` }
}

async function get(url: string, agent: Agent): Promise<IncomingMessage> {
  const asked = request(url, { agent }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return answer
}

/** Time that passes only while somebody sleeps: what a busy machine takes for itself is no wait. */
function sleptTime() {
  let slept = 0
  const sleep = (ms: number): Promise<void> => {
    slept += ms
    return new Promise((resolve) => setImmediate(resolve))
  }
  return { slept: () => slept, ports: { clock: { ...systemClock, mono: () => slept }, timers: { ...systemTimers, sleep } } }
}

test('a node that leaves ends each kept connection with an answer, never without one', async () => {
  const { leaving, url } = await leavingServer()
  const agent = new Agent({ keepAlive: true })
  expect((await get(url, agent)).headers.connection).toBe('keep-alive')
  const gone = leaving.begin()
  expect((await get(url, agent)).headers.connection).toBe('close')
  await gone
  agent.destroy()
})

test('it goes at once when nobody asks, whatever asks for its health', async () => {
  const { slept, ports } = sleptTime()
  const { leaving, url } = await leavingServer(undefined, ports)
  const agent = new Agent()
  await get(`${url}/health/ready`, agent)
  await leaving.begin()
  expect(slept()).toBe(0)
})

test('whoever still waits for an answer is waited for', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let arrive = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const { leaving, url } = await leavingServer(async (_request, response) => {
    arrive()
    await held
    // Told where it is sent: when the client hears of it is up to the machine.
    response.end('late', () => void order.push('answered'))
  })
  const order: string[] = []
  const asked = get(url, new Agent())
  await arrived
  const left = leaving.begin().then(() => void order.push('left'))
  setTimeout(() => release(), 400)
  await Promise.all([asked, left])
  expect(order).toEqual(['answered', 'left'])
})

test('a stream that has begun holds nobody up', async () => {
  const { slept, ports } = sleptTime()
  const { leaving, url } = await leavingServer((_request, response) => void response.writeHead(200).write('first'), ports)
  const asked = request(url).on('error', () => {})
  asked.end()
  await once(asked, 'response')
  await leaving.begin()
  expect(slept()).toBe(250)
  asked.destroy()
})

test('a balancer that asks regularly whether it is ready is told before it goes, on a calm day too; one that asks no more is not waited for', async () => {
  const { slept, ports } = sleptTime()
  const { sleep: pass } = ports.timers
  const agent = new Agent()
  let turns: (() => Promise<unknown>)[] = []
  const looking = {
    ...ports.timers,
    sleep: async (ms: number) => {
      await pass(ms)
      await turns.shift()?.()
    },
  }
  const { leaving, url } = await leavingServer(undefined, { clock: ports.clock, timers: looking })
  const probe = () => get(`${url}/health/ready`, agent)
  await probe()
  await pass(400)
  await probe()
  await pass(300)
  const nothing = () => Promise.resolve()
  turns = [...Array.from({ length: 15 }, () => nothing), probe]
  const begun = slept()
  await leaving.begin()
  // Told after 400 ms, and what it had sent before has a quarter of a second.
  expect(slept() - begun).toBe(650)

  const gone = await leavingServer(undefined, ports)
  await get(`${gone.url}/health/ready`, agent)
  await pass(100)
  await get(`${gone.url}/health/ready`, agent)
  await pass(600)
  const begunAgain = slept()
  await gone.leaving.begin()
  expect(slept() - begunAgain).toBe(400)
})
