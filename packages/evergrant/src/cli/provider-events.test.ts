// Pushes and tests of connections as an operator meets them: a real server, its chores, and the command line.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runHere } from '../testing/command-line.ts'
import { freePort } from '../testing/free-port.ts'
import { SERVER_MAIN } from '../testing/server-main.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const SECRET = 'planted-signing-secret'
const folder = mkdtempSync(join(tmpdir(), 'evergrant-events-'))
let provider: Server
let answers = { api: 200 }
let env: Record<string, string> = {}
let server: ChildProcess
let url = ''

const run = (...args: readonly string[]) => runHere(args, env)

async function listening(listener: Server): Promise<number> {
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A record whose provider is on this machine: its API says what the test wants, its token endpoint refuses every refresh. */
function writeRecord(base: string): void {
  const record = {
    id: 'nearby',
    name: 'Nearby',
    authorize: { url: `${base}/authorize` },
    token: { url: `${base}/token` },
    api: { base },
    check: { request: { url: `${base}/me` } },
    push: {
      proof: { kind: 'hmac_sha256', header: 'x-signature' },
      rules: [{ where: { type: 'left' }, means: 'revoked', account: 'user', at: 'at' }],
    },
  }
  mkdirSync(join(folder, 'providers'), { recursive: true })
  writeFileSync(join(folder, 'providers', 'nearby.json'), JSON.stringify(record))
}

beforeAll(async () => {
  provider = createServer((request, response) => {
    const refuses = request.url === '/token'
    response.writeHead(refuses ? 400 : answers.api, { 'content-type': 'application/json' }).end(refuses ? '{"error":"invalid_grant"}' : '{}')
  })
  writeRecord(`http://127.0.0.1:${await listening(provider)}`)
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  env = {
    ...{ PATH, HOME, NODE_COMPILE_CACHE, EVERGRANT_DATA_DIR: join(folder, 'data'), EVERGRANT_PORT: String(await freePort()) },
    ...{ EVERGRANT_PROVIDERS_DIR: join(folder, 'providers'), EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1' },
  }
  server = spawn(process.execPath, [...SERVER_MAIN, 'serve', '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  url = await new Promise((resolve, reject) => {
    let out = ''
    server.stdout?.on('data', (chunk) => {
      out += chunk
      if (out.includes('\n')) resolve(JSON.parse(out).url)
    })
    server.once('close', () => reject(new Error('the server ended')))
  })
})

afterAll(async () => {
  const closed = once(server, 'close')
  server.kill('SIGKILL')
  await closed
  provider.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a connection is tested, and a signed push ends it within seconds', async () => {
  await run('integrations', 'create', '--provider', 'nearby', '--slug', 'nearby', '--client-id', 'c')
  writeFileSync(join(folder, 'secret'), SECRET)
  const set = await run('integrations', 'push-secret', 'nearby', '--secret-file', join(folder, 'secret'), '--json')
  expect(set).toMatchObject({ code: 0 })
  expect(set.out).not.toContain(SECRET)
  const shown = JSON.parse((await run('integrations', 'push', 'nearby', '--json')).out)
  expect(shown).toMatchObject({ proof: 'signature', secret_from: 'provider', means: ['revoked'] })
  writeFileSync(
    join(folder, 'grant.json'),
    JSON.stringify({ access_token: 'at', refresh_token: 'rt', expires_at: '2099-01-01T00:00:00Z', account: 'ada', consented_at: '2020-01-01T00:00:00Z' }),
  )
  const { id } = JSON.parse((await run('connections', 'import', '--integration', 'nearby', '--owner', 'o', '--file', join(folder, 'grant.json'), '--json')).out)
  const works = await run('connections', 'test', id, '--json')
  expect([works.code, JSON.parse(works.out).result]).toEqual([0, 'works'])
  answers = { api: 503 }
  const unreachable = await run('connections', 'test', id, '--json')
  expect([unreachable.code, JSON.parse(unreachable.out).result]).toEqual([1, 'unreachable'])
  const body = JSON.stringify({ type: 'left', user: 'ada', at: Math.floor(Date.now() / 1_000) + 60 })
  const headers = { 'content-type': 'application/json', 'x-signature': createHmac('sha256', SECRET).update(body).digest('hex') }
  const path = new URL(shown.url).pathname
  expect((await fetch(url + path, { method: 'POST', body: `${body} `, headers })).status).toBe(401)
  expect((await fetch(url + path, { method: 'POST', body, headers })).status).toBe(200)
  const state = async () => JSON.parse((await run('connections', 'show', id, '--json')).out)
  await expect.poll(async () => (await state()).status, { timeout: 30_000, interval: 1_000 }).toBe('needs_reauth')
  expect(await state()).toMatchObject({ fault: { code: 'connection_revoked', evidence: { provider_code: 'push' } }, last_check: { result: 'unreachable' } })
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toContain('evergrant_pushes_total{provider="nearby",outcome="ended"} 1')
})
