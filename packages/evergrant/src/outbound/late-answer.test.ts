import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemTimers } from '../system.ts'
import { createAddressGuard } from './address-guard.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

/** Answers 150 ms after the request, from a process of its own: our stall does not stop it. */
const SERVER = `
  const server = require('node:http').createServer((request, response) => {
    request.resume().on('end', () => setTimeout(() => response.end('{"access_token":"new"}'), 150))
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`
let server: ChildProcess
let url = ''

beforeAll(async () => {
  server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<string>((resolve) => server.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().trim())))
  url = `http://127.0.0.1:${port}/token`
})
afterAll(() => {
  server.kill('SIGKILL')
})

const DEADLINE_MS = 300
const ROUNDS = 5

/** Stops this thread, as a long collection or a stopped process would, from before the answer until after the deadline. */
function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
}

/** After the request has surely left: the event loop has turned several times. The stall begins where timers come next. */
async function stallSoon(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  await new Promise<void>((resolve) =>
    setImmediate(() => {
      stall()
      resolve()
    }),
  )
}

async function byFetch(): Promise<string> {
  const answer = fetch(url, { method: 'POST', body: 'x', signal: AbortSignal.timeout(DEADLINE_MS) }).then(
    (response) => response.text(),
    (error: Error) => error.name,
  )
  await stallSoon()
  return answer
}

async function byOurs(pooled: boolean): Promise<string> {
  const endpoint = createTokenEndpoint({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  const line = await endpoint.open(url, { pooled })
  const answer = line.send({ method: 'POST', url, headers: {}, basic: null, body: 'x' }, DEADLINE_MS)
  await stallSoon()
  const outcome = await answer
  endpoint.close()
  return outcome.kind === 'answered' ? outcome.answer.text : `${outcome.kind} ${outcome.cause}`
}

async function rounds(run: () => Promise<string>): Promise<string[]> {
  const results: string[] = []
  for (let round = 0; round < ROUNDS; round += 1) results.push(await run())
  return results
}

test('fetch with AbortSignal.timeout throws away an answer that already lies in the socket', { timeout: 30_000 }, async () => {
  expect(await byFetch()).toBe('TimeoutError')
  expect(await rounds(byFetch)).toContain('TimeoutError')
})

test('our client keeps the answer that came while the process was stalled', { timeout: 30_000 }, async () => {
  expect(await rounds(() => byOurs(false))).toEqual(Array(ROUNDS).fill('{"access_token":"new"}'))
  expect(await rounds(() => byOurs(true))).toEqual(Array(ROUNDS).fill('{"access_token":"new"}'))
})
