// The recovery walk of docs/troubleshooting.md, against a server that has something of everything.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Workbench } from '../packages/lab/src/workbench.ts'

const SCRIPT = fileURLToPath(new URL('../docs/guides/recovery-walk.mjs', import.meta.url))
let bench: Workbench

beforeAll(async () => {
  bench = await Workbench.start({ profiles: { p0: 'P0', p3: 'P3' } })
})
afterAll(() => bench?.dispose())

function walk(env: Readonly<Record<string, string>>): Promise<{ code: number | null; out: string; told: unknown }> {
  const child = spawn(process.execPath, [SCRIPT], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    out += piece
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, told: JSON.parse(out.trim().split('\n').at(-1) ?? '{}') })))
}

const server = (): Record<string, string> => ({ EVERGRANT: bench.server.url, KEY: bench.api.headers['authorization']?.replace('Bearer ', '') ?? '' })

test('a healthy server leaves nothing to do', async () => {
  await bench.hold('p0')
  expect(await walk(server())).toMatchObject({ code: 0, told: { ready: true, tried: 0, links: 0, operator: 0 } })
})

test('who has to act gets a link, a refused client is told to the operator, and what hopes is well afterwards', { timeout: 60_000 }, async () => {
  const dead = await bench.hold('p0')
  await bench.practice.control.post('/revoke', { grant: dead.grant })
  expect((await bench.refresh(dead)).status).toBe(409)

  // Before there is anything to renew: it is due at once.
  await bench.fault('p0', { kind: 'status', status: 503, times: null })
  const waiting = await bench.hold('p0', 1)
  await expect.poll(async () => (await bench.show(waiting)).body, { timeout: 20_000 }).toMatchObject({ status: 'degraded' })
  await bench.heal()

  const refused = await bench.hold('p3')
  await bench.fault('p3', { kind: 'invalid_client', times: null })
  await bench.refresh(refused)

  // A breaker that is open lets nobody try; it opens again by itself.
  await expect.poll(async () => (await walk(server())).told, { timeout: 30_000, interval: 500 }).toMatchObject({ ready: true, links: 1, operator: 1 })
  await expect.poll(async () => (await bench.show(waiting)).body, { timeout: 20_000 }).toMatchObject({ status: 'active' })
  const last = await walk(server())
  expect(last.code).toBe(1)
  expect(last.out).toMatch(new RegExp(`owner +${dead.connection} .*connection_revoked\\. Send: http`))
  expect(last.out).toMatch(/operator +p3 is blocked/)
})

test('a server that is not there is told from one with trouble', async () => {
  expect(await walk({ EVERGRANT: 'http://127.0.0.1:9', KEY: 'egk_x' })).toMatchObject({ code: 2, told: { ready: false } })
})
