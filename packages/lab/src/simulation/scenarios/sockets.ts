import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import type { Timers } from '../../../../evergrant/src/engine.ts'
import { createAddressGuard, createTokenEndpoint } from '../../../../evergrant/src/engine-parts.ts'
import type { Scenario } from './scenario.ts'

/** Answers 150 ms after the request, from a process of its own: our stall does not stop it. */
const SERVER = `
  const server = require('node:http').createServer((request, response) => {
    request.resume().on('end', () => setTimeout(() => response.end('{"access_token":"new"}'), 150))
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`
const DEADLINE_MS = 300
const STALL_MS = 600

const timers: Timers = {
  after: (ms, task) => {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

/** Stops this thread, as a long collection or a stopped process would, after the request has surely left. */
async function stallSoon(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  await new Promise<void>((resolve) =>
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS)
      resolve()
    }),
  )
}

function portOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve) => server.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().trim())))
}

export const sockets: readonly Scenario[] = [
  {
    id: 'stalled-with-the-answer-in-the-socket',
    name: 'an answer that reached the socket while the process was stopped is read, although its deadline has passed',
    async run() {
      const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
      const endpoint = createTokenEndpoint({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers })
      try {
        const url = `http://127.0.0.1:${await portOf(server)}/token`
        const line = await endpoint.open(url, { pooled: false })
        const answer = line.send({ method: 'POST', url, headers: {}, basic: null, body: 'x' }, DEADLINE_MS)
        await stallSoon()
        assert.equal((await answer).kind, 'answered')
      } finally {
        endpoint.close()
        server.kill('SIGKILL')
      }
    },
  },
]
