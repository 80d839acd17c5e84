// `evergrant health` beside servers that are well, not well, and gone.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeControlFile } from './control-file.ts'
import { runCommandLine } from './program.ts'

let folder: string
let server: Server
let url: string
let ready = true

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-health-'))
  process.env['EVERGRANT_DATA_DIR'] = folder
  server = createServer((request, response) => {
    const live = request.url === '/health/live'
    response
      .writeHead(live || ready ? 200 : 503)
      .end(JSON.stringify(live ? { live } : { ready, checks: [{ name: 'database', ok: ready, detail: ready ? null : 'no answer' }] }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
  delete process.env['EVERGRANT_DATA_DIR']
})

async function run(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = ''
  const write = (piece: string): void => {
    text += piece
  }
  return { code: await runCommandLine(['health', ...args], { out: write, err: write, interactive: false }), text }
}

test('without a server the answer is no, with the folder that was looked into', async () => {
  const { code, text } = await run()
  expect([code, text]).toEqual([1, expect.stringContaining(folder)])
})

test('a server that is well is ready and alive', async () => {
  writeControlFile(folder, { url, publicUrl: 'https://evergrant.example', key: 'k', pid: process.pid })
  ready = true
  expect([(await run()).code, (await run('--live')).code]).toEqual([0, 0])
})

test('a server without its database is alive, and says why it is not ready', async () => {
  ready = false
  expect(await run()).toEqual({ code: 1, text: expect.stringContaining('database: no answer') })
  expect((await run('--live')).code).toBe(0)
})

test('a server that does not answer is neither', async () => {
  writeControlFile(folder, { url: 'http://127.0.0.1:1', publicUrl: 'https://evergrant.example', key: 'k', pid: process.pid })
  expect([(await run()).code, (await run('--live')).code]).toEqual([1, 1])
})
