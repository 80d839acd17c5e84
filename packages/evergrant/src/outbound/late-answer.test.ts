import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemTimers } from '../system.ts'
import { createAddressGuard } from './address-guard.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

/** Told and asked by files: whoever stalls hears nothing else. */
const folder = mkdtempSync(join(tmpdir(), 'evergrant-stall-'))
const ASKED = join(folder, 'asked')
const STALLED = join(folder, 'stalled')
const ANSWERED = join(folder, 'answered')

/** Answers once whoever asked has stalled, from a process of its own: our stall does not stop it. */
const SERVER = `
  const { existsSync, writeFileSync } = require('node:fs')
  const [asked, stalled, answered] = process.argv.slice(1)
  const server = require('node:http').createServer((request, response) => {
    const answer = () => (existsSync(stalled) ? response.end('{"access_token":"new"}', () => writeFileSync(answered, '')) : setTimeout(answer, 5))
    request.resume().on('end', () => {
      writeFileSync(asked, '')
      answer()
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`
let server: ChildProcess
let url = ''

beforeAll(async () => {
  server = spawn(process.execPath, ['-e', SERVER, ASKED, STALLED, ANSWERED], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<string>((resolve) => server.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().trim())))
  url = `http://127.0.0.1:${port}/token`
})
afterAll(() => {
  server.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Before each round. */
function forget(): void {
  for (const file of [ASKED, STALLED, ANSWERED]) rmSync(file, { force: true })
}

const DEADLINE_MS = 300
const ROUNDS = 5

/** Stops this thread, as a long collection or a stopped process would, from before the answer until it lies in the socket and the deadline is over. */
function stall(): void {
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  writeFileSync(STALLED, '')
  Atomics.wait(nobody, 0, 0, 2 * DEADLINE_MS)
  while (!existsSync(ANSWERED)) Atomics.wait(nobody, 0, 0, 5)
}

/** The stall begins where timers come next. */
async function stallNext(): Promise<void> {
  await new Promise<void>((resolve) =>
    setImmediate(() => {
      stall()
      resolve()
    }),
  )
}

async function byFetch(): Promise<string> {
  forget()
  let given: string | undefined
  const answer = fetch(url, { method: 'POST', body: 'x', signal: AbortSignal.timeout(DEADLINE_MS) })
    .then(
      (response) => response.text(),
      (error: Error) => error.name,
    )
    .then((outcome) => {
      given = outcome
      return outcome
    })
  // It opens its line first. On a busy machine its time may be over before that.
  while (!existsSync(ASKED) && given === undefined) await new Promise((resolve) => setImmediate(resolve))
  if (given === undefined) await stallNext()
  return answer
}

async function byOurs(pooled: boolean): Promise<string> {
  forget()
  const endpoint = createTokenEndpoint({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  const line = await endpoint.open(url, { pooled })
  const answer = line.send({ method: 'POST', url, headers: {}, basic: null, body: 'x' }, DEADLINE_MS)
  // The line is open: after some turns of the event loop the request has surely left.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  await stallNext()
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
  expect(await rounds(byFetch)).toEqual(Array(ROUNDS).fill('TimeoutError'))
})

test('our client keeps the answer that came while the process was stalled', { timeout: 30_000 }, async () => {
  expect(await rounds(() => byOurs(false))).toEqual(Array(ROUNDS).fill('{"access_token":"new"}'))
  expect(await rounds(() => byOurs(true))).toEqual(Array(ROUNDS).fill('{"access_token":"new"}'))
})
