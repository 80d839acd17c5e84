// The command line as people meet it: real processes, each test with a data folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

let dataDir = ''
const servers: ChildProcess[] = []

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'evergrant-cli-')), 'data')
})
afterEach(async () => {
  for (const server of servers.splice(0)) await stop(server, 'SIGKILL')
  rmSync(join(dataDir, '..'), { recursive: true, force: true })
})

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const { PATH = '', HOME = '' } = process.env
  return spawn(process.execPath, [MAIN, ...args], { env: { PATH, HOME, EVERGRANT_DATA_DIR: dataDir, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = start(args, env)
  const text = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => (text.out += chunk))
  child.stderr?.on('data', (chunk) => (text.err += chunk))
  const [code] = await once(child, 'close')
  return { code, ...text }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const closed = once(child, 'close')
  child.kill(signal)
  const [code] = await closed
  return code
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** A server that has said where it is. */
async function serving(): Promise<{ readonly child: ChildProcess; readonly started: { url: string; pid: number } }> {
  const child = start(['serve', '--json'], { EVERGRANT_PORT: String(await freePort()) })
  servers.push(child)
  let out = ''
  child.stdout?.on('data', (chunk) => (out += chunk))
  await expect.poll(() => out, { timeout: 15_000 }).toContain('\n')
  return { child, started: JSON.parse(out) }
}

const json = (text: string) => JSON.parse(text)

test('--help names every command and the exit codes', async () => {
  const { code, out } = await run(['--help'])
  expect(code).toBe(0)
  for (const command of ['serve', 'migrate', 'doctor', 'integrations', 'connections', 'refresh', 'api-keys', 'Exit codes']) expect(out).toContain(command)
})

test('--version is the version of the package', async () => {
  const manifest = json(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(await run(['--version'])).toMatchObject({ code: 0, out: `${manifest.version}\n` })
})

test.each([
  ['an unknown command', ['frobnicate'], 'unknown command'],
  ['an unknown option', ['doctor', '--fast'], 'unknown option'],
  ['a missing option', ['api-keys', 'create'], '--name'],
  ['a refresh of nothing', ['refresh'], '--all-due'],
  ['a refresh of one and of all', ['refresh', 'con_1', '--all-due'], '--all-due'],
  ['a pair without a value', ['integrations', 'update', 'x', '--variable', 'tenant'], 'name=value'],
  ['a secret file that is not there', ['integrations', 'update', 'x', '--client-secret-file', '/nowhere/secret'], '--client-secret-file'],
])('%s is a usage error with exit code 2', async (_what, args, words) => {
  const { code, err, out } = await run(args)
  expect(err).toContain(words)
  expect(code).toBe(2)
  expect(out).toBe('')
})

test('a misspelt key of the environment is refused by name, in words and as JSON', async () => {
  const env = { EVERGRANT_PROT: '1' }
  const words = await run(['api-keys', 'list'], env)
  expect(words.code).toBe(1)
  expect(words.err).toContain('EVERGRANT_PROT')
  const machine = await run(['api-keys', 'list', '--json'], env)
  expect(machine.code).toBe(1)
  expect(json(machine.err).error).toMatchObject({ code: 'invalid_request', field: 'EVERGRANT_PROT' })
})

test('the schema goes up, says where it is, and goes back a step', async () => {
  const before = await run(['migrate', 'status', '--json'])
  expect(before.code).toBe(1)
  expect(json(before.out).missing).toBeGreaterThan(0)
  expect(await run(['migrate', 'up'])).toMatchObject({ code: 0 })
  const after = await run(['migrate', 'status', '--json'])
  expect(after.code).toBe(0)
  const { missing, migrations } = json(after.out)
  expect(missing).toBe(0)
  expect(json((await run(['migrate', 'rollback', '--json'])).out)).toEqual({ rolled_back: migrations.at(-1).version })
  expect(json((await run(['migrate', 'status', '--json'])).out).missing).toBe(1)
})

test('doctor finds nothing wrong with a folder that was never used', async () => {
  const { code, out } = await run(['doctor', '--json'])
  const { problems, findings } = json(out)
  expect(findings.filter((finding: { ok: boolean }) => !finding.ok)).toEqual([])
  expect({ code, problems }).toEqual({ code: 0, problems: 0 })
})

test('doctor reports every bad key of the environment with its remedy', async () => {
  const { code, out } = await run(['doctor', '--json'], { EVERGRANT_PORT: 'x', EVERGRANT_PUBLIC_URL: 'http://example.com' })
  const { problems, findings } = json(out)
  expect(code).toBe(1)
  expect(problems).toBe(2)
  expect(findings.map((finding: { detail: string }) => finding.detail).join()).toMatch(/EVERGRANT_PORT.*EVERGRANT_PUBLIC_URL/)
  for (const finding of findings) expect(finding.ok || finding.remedy.length > 10).toBe(true)
})

test('doctor misses the key file of a database that has sealed values', async () => {
  const { child } = await serving()
  expect(await stop(child, 'SIGTERM')).toBe(0)
  rmSync(join(dataDir, 'keys.json'))
  const { code, out } = await run(['doctor', '--json'])
  expect(code).toBe(1)
  expect(json(out).findings).toContainEqual(expect.objectContaining({ name: 'keys', ok: false, remedy: expect.stringContaining('put the key file') }))
})

test('doctor says that the data folder is open to others', async () => {
  await run(['migrate', 'up'])
  chmodSync(dataDir, 0o755)
  const { code, out } = await run(['doctor'])
  expect(code).toBe(1)
  expect(out).toContain(`chmod 700 ${dataDir}`)
})

test('a running server leaves a private control file, refuses a second one, and is gone without a trace after SIGTERM', async () => {
  const { child, started } = await serving()
  const control = join(dataDir, 'server.json')
  expect(statSync(control).mode & 0o777).toBe(0o600)
  expect(started.pid).toBe(child.pid)
  const second = await run(['serve'], { EVERGRANT_PORT: String(await freePort()) })
  expect(second.code).toBe(4)
  expect(second.err).toContain('another Evergrant process uses')
  const rollback = await run(['migrate', 'rollback'])
  expect(rollback.code).toBe(4)
  child.kill('SIGTERM')
  expect(await stop(child, 'SIGTERM')).toBe(0)
  expect(existsSync(control)).toBe(false)
})

test('a server that does not answer is exit code 4', async () => {
  await run(['migrate', 'up'])
  writeFileSync(join(dataDir, 'server.json'), JSON.stringify({ url: 'http://127.0.0.1:1', publicUrl: 'http://localhost:1', key: 'egk_x', pid: process.pid }))
  const { code, err } = await run(['connections', 'list', '--json'])
  expect(code).toBe(4)
  expect(json(err).error.message).toContain('does not answer')
})
