// The command line as people meet it: real processes, each test with a data folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { takeDataLock } from '../store/index.ts'
import { type Ended, runHere } from '../testing/command-line.ts'
import { freePort } from '../testing/free-port.ts'
import { SERVER_MAIN } from '../testing/server-main.ts'
import { writeControlFile } from './control-file.ts'

// Some tests start a dozen processes one after the other, and machines that run tests are busy.
vi.setConfig({ testTimeout: 90_000 })

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
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  return spawn(process.execPath, [...SERVER_MAIN, ...args], {
    env: { PATH, HOME, NODE_COMPILE_CACHE, EVERGRANT_DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> => runHere(args, { EVERGRANT_DATA_DIR: dataDir, ...env })

async function runAlone(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
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

/** A server that has said where it is. */
async function serving(): Promise<{ readonly child: ChildProcess; readonly started: { url: string; pid: number } }> {
  const child = start(['serve', '--json'], { EVERGRANT_PORT: String(await freePort()) })
  servers.push(child)
  let out = ''
  child.stdout?.on('data', (chunk) => (out += chunk))
  await expect.poll(() => out, { timeout: 60_000 }).toContain('\n')
  return { child, started: JSON.parse(out) }
}

const json = (text: string) => JSON.parse(text)

test('--help names every command and the exit codes', async () => {
  const { code, out } = await run(['--help'])
  expect(code).toBe(0)
  for (const command of ['serve', 'migrate', 'doctor', 'integrations', 'connections', 'refresh', 'api-keys', 'Exit codes']) expect(out).toContain(command)
})

test('a reader who stops early, as `head` does, is no error', async () => {
  const child = start(['connections', '--help'])
  let said = ''
  child.stderr?.on('data', (chunk) => (said += chunk))
  child.stdout?.destroy()
  const [code] = await once(child, 'close')
  expect([code, said]).toEqual([0, ''])
})

test('a reader who stops hearing what is said on the way stops no command', async () => {
  const child = start(['refresh'])
  child.stderr?.destroy()
  const [code] = await once(child, 'close')
  expect(code).toBe(2)
})

test('a password that cannot be read from standard input is a usage error in words, and not with a stack', async () => {
  const { PATH = '', HOME = '' } = process.env
  const folder = openSync(tmpdir(), 'r')
  const child = spawn(process.execPath, [...SERVER_MAIN, 'users', 'create', '--email', 'ana@example.com', '--password-stdin'], {
    env: { PATH, HOME, EVERGRANT_DATA_DIR: dataDir },
    stdio: [folder, 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (chunk) => (said += chunk))
  const [code] = await once(child, 'close')
  closeSync(folder)
  expect([code, said]).toEqual([2, expect.stringMatching(/^Standard input is empty or cannot be read: write the password to it[^\n]*\n$/)])
})

test('--version is the version of the package', async () => {
  const manifest = json(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(await runAlone(['--version'])).toMatchObject({ code: 0, out: `${manifest.version}\n` })
})

test.each([
  ['an unknown command', ['frobnicate'], 'unknown command'],
  ['an unknown option', ['doctor', '--fast'], 'unknown option'],
  ['a missing option', ['api-keys', 'create'], '--name'],
  ['a refresh of nothing', ['refresh'], '--all-due'],
  ['a refresh of one and of all', ['refresh', 'con_1', '--all-due'], '--all-due'],
  ['a pair without a value', ['integrations', 'update', 'x', '--variable', 'tenant'], 'name=value'],
  ['a list that is not whole', ['integrations', 'update', 'x', '--setting', 'return_urls=["https://app.example.com/done]'], 'look at its quotes and brackets'],
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
  const before = await runAlone(['migrate', 'status', '--json'])
  expect(before.code).toBe(1)
  expect(json(before.out).missing).toBeGreaterThan(0)
  expect(await runAlone(['migrate', 'up'])).toMatchObject({ code: 0 })
  for (const file of readdirSync(dataDir)) expect([file, statSync(join(dataDir, file)).mode & 0o077]).toEqual([file, 0])
  const after = await runAlone(['migrate', 'status', '--json'])
  expect(after.code).toBe(0)
  const { missing, migrations } = json(after.out)
  expect(missing).toBe(0)
  expect(json((await runAlone(['migrate', 'rollback', '--json'])).out)).toEqual({ rolled_back: migrations.at(-1).version, lost: [] })
  expect(json((await runAlone(['migrate', 'status', '--json'])).out).missing).toBe(1)
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

test('looking at the schema of a folder that was never used makes nothing there, so that a backup can still be restored', async () => {
  const { code, out } = await run(['migrate', 'status', '--json'])
  expect([code, json(out).missing]).toEqual([1, json(out).migrations.length])
  expect(existsSync(dataDir)).toBe(false)
})

test('doctor says of a database that another process has that this one is to be stopped, and not that a key is missing', async () => {
  expect((await run(['restore', 'status'])).code).toBe(0)
  const lock = takeDataLock(join(dataDir, 'evergrant.db'))
  const { code, out } = await run(['doctor', '--json'])
  lock.release()
  const problems = json(out).findings.filter((finding: { ok: boolean }) => !finding.ok)
  expect({ code, problems }).toEqual({
    code: 1,
    problems: [
      expect.objectContaining({ name: 'database', detail: expect.stringContaining('stop it and try again'), remedy: expect.not.stringContaining('key') }),
    ],
  })
})

test('doctor says of a server that was killed, and whose number another process has, what to remove', async () => {
  expect((await run(['restore', 'status'])).code).toBe(0)
  writeControlFile(dataDir, { url: 'http://127.0.0.1:1', publicUrl: 'http://localhost:1', key: 'egk_x', pid: process.pid })
  const { code, out } = await run(['doctor'])
  expect([code, out]).toEqual([1, expect.stringMatching(/http:\/\/127\.0\.0\.1:1 does not answer[\s\S]*remove server\.json/)])
})

test('a damaged file of the embedded database is told with what to do, by doctor, by commands and by a backup, and never with a stack', async () => {
  expect((await run(['restore', 'status'])).code).toBe(0)
  for (const end of ['-wal', '-shm']) rmSync(join(dataDir, `evergrant.db${end}`), { force: true })
  writeFileSync(join(dataDir, 'evergrant.db'), 'this was a database once. '.repeat(400))
  const found = json((await run(['doctor', '--json'])).out).findings.at(-1)
  expect(found).toMatchObject({ name: 'database', ok: false, remedy: expect.stringContaining('restore the newest backup') })
  const { recipient } = json((await run(['backup', 'keygen', '--to', join(dataDir, '..', 'identity'), '--json'])).out)
  for (const args of [
    ['connections', 'list'],
    ['migrate', 'up'],
    ['backup', '--to', join(dataDir, '..', 'a.age'), '--recipient', recipient],
  ]) {
    const { code, err } = await run(args)
    expect([args[0], code, err]).toEqual([
      args[0],
      4,
      expect.stringMatching(/^The embedded database cannot be used: file is not a database\. .*newest backup[^\n]*\n$/),
    ])
  }
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

test('a taken port, and a data folder that is a file, are refused in words and not with a stack', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const busy = await run(['serve'], { EVERGRANT_PORT: String(port) })
  taken.close()
  expect(busy).toMatchObject({ code: 1, err: expect.stringContaining(`port ${port}: another program listens there. Set EVERGRANT_PORT`) })
  const file = join(dataDir, '..', 'a-file')
  writeFileSync(file, '')
  const folder = await run(['serve'], { EVERGRANT_DATA_DIR: file })
  expect(folder).toMatchObject({ code: 1, err: expect.stringContaining(`EVERGRANT_DATA_DIR is ${file}, which cannot be made or used as a folder`) })
  expect((await run(['doctor'], { EVERGRANT_DATA_DIR: file })).out).toContain('is not a folder')
  expect(busy.err + folder.err).not.toContain('    at ')
})

test('doctor names the integration whose provider is not in the catalogue any more', async () => {
  const records = join(dataDir, '..', 'records')
  mkdirSync(records)
  writeFileSync(join(records, 'acme.json'), JSON.stringify({ id: 'acme', name: 'Acme', discovery: { kind: 'oidc', issuer: 'https://id.acme.example' } }))
  const env = { EVERGRANT_PROVIDERS_DIR: records }
  expect((await run(['integrations', 'create', '--provider', 'acme', '--slug', 'shop', '--client-id', '1'], env)).code).toBe(0)
  expect((await run(['doctor'], env)).code).toBe(0)
  expect(await run(['doctor'])).toMatchObject({ code: 1, out: expect.stringContaining('provider of shop: acme is not in the catalogue') })
})

test('a server that does not answer is exit code 4', async () => {
  await run(['migrate', 'up'])
  writeFileSync(join(dataDir, 'server.json'), JSON.stringify({ url: 'http://127.0.0.1:1', publicUrl: 'http://localhost:1', key: 'egk_x', pid: process.pid }))
  const { code, err } = await run(['connections', 'list', '--json'])
  expect(code).toBe(4)
  expect(json(err).error.message).toContain('does not answer')
  expect(json(err).error.message).toContain('remove server.json')
})

test('who makes a key in a folder without a database is told that a new one was made, once, and not in the answer for programs', async () => {
  const first = await run(['api-keys', 'create', '--name', 'backend'])
  expect([first.code, first.err]).toEqual([0, expect.stringMatching(/no database was there: a new one was made.*EVERGRANT_DATA_DIR/)])
  expect(first.err).toContain(dataDir)
  expect((await run(['api-keys', 'create', '--name', 'backend'])).err).not.toContain('a new one was made')
  expect((await run(['api-keys', 'create', '--name', 'backend', '--json'], { EVERGRANT_DATA_DIR: join(dataDir, '..', 'other') })).err).toBe('')
})

/** Makes a key for a backend, with the server or without one. */
async function newKey(name: string): Promise<{ id: string; key: string }> {
  const made = await run(['api-keys', 'create', '--name', name, '--scope', 'connections:read', 'tokens:read', '--json'])
  expect(made).toMatchObject({ code: 0 })
  return json(made.out)
}

test('keys are made, rotated and revoked without a server, and a server honours them', async () => {
  const first = await newKey('backend')
  const rotated = json((await run(['api-keys', 'rotate', first.id, '--overlap', '0', '--json'])).out)
  const { started } = await serving()
  const ask = async (key: string): Promise<number> => (await fetch(`${started.url}/api/v1/connections`, { headers: { authorization: `Bearer ${key}` } })).status
  expect(await ask(rotated.key)).toBe(200)
  expect(await ask(first.key)).toBe(401)
  expect(await run(['api-keys', 'revoke', rotated.id])).toMatchObject({ code: 0 })
  expect(await ask(rotated.key)).toBe(401)
  const listed = json((await run(['api-keys', 'list', '--json'])).out)
  expect(listed.items.map((item: { name: string }) => item.name)).toEqual(['backend', 'backend'])
  expect(JSON.stringify(listed)).not.toContain(rotated.key)
})

test('an integration is created, changed and shown, its secret comes from a file, and doctor names its redirect URI', async () => {
  const secret = join(dataDir, '..', 'secret')
  writeFileSync(secret, 'planted-client-secret\n')
  const create = [
    'integrations',
    'create',
    '--provider',
    'strava',
    '--slug',
    'strava',
    '--client-id',
    '123',
    '--client-secret-file',
    secret,
    '--scope',
    'read',
    '--json',
  ]
  const created = await run(create)
  expect(created).toMatchObject({ code: 0 })
  const again = await run(create)
  expect(again.code).toBe(1)
  expect(json(again.err).error.code).toBe('already_exists')
  const changed = await run(['integrations', 'update', 'strava', '--setting', 'renewal=ahead', 'concurrency=3', '--json'])
  expect(json(changed.out)).toMatchObject({
    id: json(created.out).id,
    client_id: '123',
    has_client_secret: true,
    settings: { renewal: 'ahead', concurrency: 3 },
  })
  const shown = await run(['integrations', 'show', 'strava'])
  expect(shown.out).toContain('strava')
  expect((await run(['integrations', 'list'])).out).toContain('ready')
  const { out, code } = await run(['doctor', '--json'])
  expect({ code, text: out }).toEqual({ code: 0, text: expect.stringContaining('/connect/callback/strava') })
  expect([created, changed, shown].map(({ out: text }) => text).join()).not.toContain('planted-client-secret')
})

test.each([
  [['frobnicate'], 'frobnicate'],
  [['restore', 'staus'], 'staus'],
  [['restore', 'confirm', '--bogus'], '--bogus'],
  [['integrations', 'deaths', 'google'], 'decision'],
  [['refresh'], '--all-due'],
  [['integrations', 'update', 'x', '--variable', 'tenant'], 'name=value'],
  [['connections', 'import', '--integration', 'x', '--owner', 'y', '--file', '/nowhere/grant.json'], '--file'],
  [['import', '/nowhere/grants.jsonl'], '/nowhere/grants.jsonl'],
])('%j with --json is refused as one JSON object that names what is wrong', async (args, named) => {
  const { code, out, err } = await run([...args, '--json'])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  const said: { error: { message: string; code: string } } = JSON.parse(err)
  expect(said.error).toMatchObject({ code: 'usage', message: expect.stringContaining(named) })
})

test('restore status names the database, so that a wrong data folder is noticed', async () => {
  const { code, out } = await run(['restore', 'status'])
  expect(code).toBe(0)
  expect(out).toContain(join(dataDir, 'evergrant.db'))
})

test('confirming a copy that was not noticed is no success: its grants have not ended', async () => {
  const { code, out } = await run(['restore', 'confirm', '--as-clone'])
  expect(code).toBe(1)
  expect(out).toContain('nothing was changed')
  expect(out).toContain('stop it')
})

test('deciding about held ends is refused where none are held, and needs one of the two words', async () => {
  await run(['integrations', 'create', '--provider', 'strava', '--slug', 'strava', '--client-id', '123', '--scope', 'read'])
  const none = await run(['integrations', 'deaths', 'strava', 'confirm'])
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('No ends of strava are held')])
  const wrong = await run(['integrations', 'deaths', 'strava', 'perhaps'])
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("'perhaps' is neither confirm nor release")])
})

test('an integration without the secret that its provider wants is told so when it is made, when it is shown, and by doctor, until it has one', async () => {
  const created = await run(['integrations', 'create', '--provider', 'strava', '--slug', 'strava', '--client-id', '123'])
  expect([created.code, created.err]).toEqual([0, expect.stringContaining('Strava wants the secret of its client, and this integration has none')])
  const shown = json((await run(['integrations', 'show', 'strava', '--json'])).out)
  expect(shown).toMatchObject({
    has_client_secret: false,
    client_secret_missing: { certain: true, detail: expect.stringContaining('every refresh will be refused') },
  })
  const doctor = await run(['doctor'])
  expect([doctor.code, doctor.out]).toEqual([1, expect.stringContaining('evergrant integrations update strava --client-secret-file <path>')])
  const secret = join(dataDir, '..', 'secret')
  writeFileSync(secret, 'planted-client-secret')
  const updated = await run(['integrations', 'update', 'strava', '--client-secret-file', secret, '--json'])
  expect(json(updated.out)).toMatchObject({ has_client_secret: true, client_secret_missing: null })
  expect((await run(['doctor'])).code).toBe(0)
})

test('an integration is deleted once it has no connections and --yes was said; without it the command says what would go', async () => {
  await run(['integrations', 'create', '--provider', 'strava', '--slug', 'strava', '--client-id', '123', '--scope', 'read'])
  const asked = await run(['integrations', 'delete', 'strava'])
  expect([asked.code, asked.out, asked.err]).toEqual([
    1,
    '',
    expect.stringMatching(/delete strava \(strava, client id 123\)[\s\S]*integrations delete strava --yes/),
  ])
  const grant = join(dataDir, '..', 'used.json')
  writeFileSync(grant, JSON.stringify({ access_token: 'a', refresh_token: 'r', expires_at: '2099-01-01T00:00:00Z', account: '77' }))
  const { id } = json((await run(['connections', 'import', '--integration', 'strava', '--owner', 'ada', '--file', grant, '--json'])).out)
  const used = await run(['integrations', 'delete', 'strava', '--yes'])
  expect([used.code, used.err]).toEqual([1, expect.stringContaining('Disconnect them first')])
  expect((await run(['connections', 'disconnect', id])).code).toBe(0)
  const deleted = await run(['integrations', 'delete', 'strava', '--yes', '--json'])
  expect(deleted.code, deleted.err).toBe(0)
  expect(json(deleted.out)).toMatchObject({ slug: 'strava', deleted: true })
  expect((await run(['integrations', 'show', 'strava'])).code).toBe(1)
})

test('a connection is imported from a file, paused, resumed, listed and disconnected, and its tokens are never shown', async () => {
  await run(['integrations', 'create', '--provider', 'strava', '--slug', 'strava', '--client-id', '123', '--scope', 'read'])
  const file = join(dataDir, '..', 'grant.json')
  const expires = '2099-01-01T00:00:00Z'
  writeFileSync(file, JSON.stringify({ access_token: 'planted-access', refresh_token: 'planted-refresh', expires_at: expires, account: '77' }))
  const imported = await run(['connections', 'import', '--integration', 'strava', '--owner', 'ada', '--file', file, '--json'])
  expect(imported).toMatchObject({ code: 0 })
  const { id } = json(imported.out)
  expect(json((await run(['connections', 'pause', id, '--json'])).out).status).toBe('paused')
  expect(json((await run(['connections', 'resume', id, '--json'])).out).status).toBe('active')
  const listed = await run(['connections', 'list', '--owner', 'ada'])
  expect(listed.out).toContain(id)
  const link = await run(['connections', 'reconnect-link', id])
  expect(link.out).toMatch(/^http:\/\/localhost:\d+\/connect\/\S+\n$/)
  const due = json((await run(['refresh', '--all-due', '--json'])).out)
  expect(due).toEqual({ due: 0, refreshed: 0, refused: [] })
  const gone = await run(['connections', 'disconnect', id, '--json'])
  expect(json(gone.out).status).toBe('disconnected')
  expect(JSON.stringify([imported, listed, gone])).not.toMatch(/planted-(access|refresh)/)
})

test('a connection that only its owner can repair is listed, shown and refused with the link for them', async () => {
  await run(['integrations', 'create', '--provider', 'strava', '--slug', 'strava', '--client-id', '123', '--scope', 'read'])
  const file = join(dataDir, '..', 'ended.json')
  writeFileSync(file, JSON.stringify({ access_token: 'planted-access', expires_at: '2020-01-01T00:00:00Z', account: '77' }))
  const { id } = json((await run(['connections', 'import', '--integration', 'strava', '--owner', 'ada', '--file', file, '--json'])).out)
  const refused = await run(['refresh', id])
  const { reconnect_url: link } = json((await run(['connections', 'show', id, '--json'])).out)
  expect(link).toMatch(/^http:\/\/localhost:\d+\/connect\/repair\/con_/)
  expect(refused.code).toBe(1)
  for (const text of [refused.err + refused.out, (await run(['connections', 'list'])).out, (await run(['connections', 'show', id])).out])
    expect(text).toContain(link)
})

test('an unknown connection is refused with exit code 1 and the code of the API', async () => {
  const { code, err } = await run(['connections', 'show', 'con_01900000-0000-7000-8000-000000000000', '--json'])
  expect(code).toBe(1)
  expect(json(err).error).toMatchObject({ code: 'not_found', status: 404, detail: expect.stringContaining('con_0190') })
})
