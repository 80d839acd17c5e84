// Bulk import as people run it: real processes, a data folder each.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runHere } from '../testing/command-line.ts'
import { freePort } from '../testing/free-port.ts'
import { SERVER_MAIN } from '../testing/server-main.ts'

vi.setConfig({ testTimeout: 120_000 })

const HELLO = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=='
const FERNET_KEY = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4='

let folder = ''
const children: ChildProcess[] = []
const servers: Server[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-import-cli-'))
})

/** What lines are imported into. */
async function integration(): Promise<void> {
  const made = await run([
    'integrations',
    'create',
    '--provider',
    'strava',
    '--slug',
    'strava',
    '--client-id',
    'c',
    '--client-secret-file',
    secretFile(),
    '--json',
  ])
  expect(made.code, made.err).toBe(0)
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of servers.splice(0)) server.close()
  rmSync(folder, { recursive: true, force: true })
})

function secretFile(): string {
  writeFileSync(join(folder, 'secret'), 'secret')
  return join(folder, 'secret')
}

/** `input`: null leaves it open. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, input: string | null = ''): ChildProcess {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  const child = spawn(process.execPath, [...SERVER_MAIN, ...args], {
    env: { PATH, HOME, NODE_COMPILE_CACHE, EVERGRANT_DATA_DIR: join(folder, 'data'), ...env },
  })
  if (input !== null) child.stdin?.end(input)
  children.push(child)
  return child
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, input?: string) {
  if (input === undefined) return await runHere(args, { EVERGRANT_DATA_DIR: join(folder, 'data'), ...env })
  const child = start(args, env, input)
  const text = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => (text.out += chunk))
  child.stderr?.on('data', (chunk) => (text.err += chunk))
  const [code] = await once(child, 'close')
  return { code: code as number | null, ...text }
}

function write(name: string, lines: readonly unknown[]): string {
  const path = join(folder, name)
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return path
}

const grant = (n: number) => ({ integration: 'strava', owner: `owner-${n}`, account: `account-${n}`, refresh_token: `planted-rt-${n}` })

async function connections(): Promise<readonly { owner: string; account: { id: string }; status: string }[]> {
  return JSON.parse((await run(['connections', 'list', '--json'])).out).items
}

test('good lines are imported, bad ones told by number, field and remedy; the exit code says partial; no token is shown anywhere', async () => {
  await integration()
  const file = write('grants.jsonl', [grant(1), '{"owner": planted-', { ...grant(3), expires_at: 'planted-time' }, { ...grant(4), owner: '' }, grant(5)])
  const errors = join(folder, 'errors.jsonl')
  const { code, out, err } = await run(['import', file, '--errors', errors])
  expect(code, err).toBe(5)
  expect(out).toContain('2 imported')
  expect(out).toContain('3 refused')
  for (const line of ['line 2:', 'line 3, expires_at:', 'line 4, owner:']) expect(err).toContain(line)
  const told = readFileSync(errors, 'utf8')
  expect(
    told
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).line),
  ).toEqual([2, 3, 4])
  expect(statSync(errors).mode & 0o077).toBe(0)
  expect(out + err + told).not.toContain('planted-')
  expect((await connections()).map((connection) => connection.owner).sort()).toEqual(['owner-1', 'owner-5'])
})

test('the same command again imports nothing twice; a dry run writes nothing', async () => {
  await integration()
  const file = write('grants.jsonl', [grant(1), grant(2)])
  const summary = async (...more: readonly string[]) => JSON.parse((await run(['import', file, '--json', ...more])).out)
  expect(await summary('--dry-run')).toMatchObject({ dry_run: true, read: 2, imported: 2, already: 0, refused: 0 })
  expect(await connections()).toHaveLength(0)
  expect(await summary()).toMatchObject({ imported: 2, already: 0 })
  expect(await summary()).toMatchObject({ imported: 0, already: 2 })
  expect(await summary('--dry-run')).toMatchObject({ imported: 0, already: 2 })
  expect(await connections()).toHaveLength(2)
})

test('an import that was killed in the middle goes on with the same lines: nothing twice, nothing lost', async () => {
  await integration()
  const count = 6_000
  const file = write(
    'many.jsonl',
    Array.from({ length: count }, (_, n) => ({ ...grant(n), account: n % 2 === 0 ? `account-${n}` : undefined })),
  )
  // All but the last line, so that however fast it is, it is in the middle: the end of its input does not come.
  const child = start(['import', '-'], {}, null)
  child.stdin?.on('error', () => {})
  child.stdin?.write(readFileSync(file, 'utf8').slice(0, -1))
  const database = join(folder, 'data', 'evergrant.db')
  const stored = () => {
    const reader = new DatabaseSync(database, { readOnly: true })
    const found = reader.prepare('select count(*) as n, count(distinct owner) as owners from connection').get()
    reader.close()
    return { n: Number(found?.['n']), owners: Number(found?.['owners']) }
  }
  await expect.poll(() => stored().n, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0)
  child.kill('SIGKILL')
  await once(child, 'close')
  const before = stored().n
  expect(before).toBeLessThan(count)
  const summary = JSON.parse((await run(['import', file, '--json'])).out)
  expect(summary).toMatchObject({ read: count, already: before, imported: count - before, refused: 0 })
  expect(stored()).toEqual({ n: count, owners: count })
})

test('a table of a SQLite file with sealed columns, its key in the environment or in a file and never on the command line', async () => {
  await integration()
  const path = join(folder, 'old.db')
  const old = new DatabaseSync(path)
  old.exec('create table tokens (user_id integer, kind text, rt text)')
  old.prepare('insert into tokens values (?, ?, ?), (?, ?, ?)').run(7, 'STRAVA', HELLO, 8, 'STRAVA', 'no fernet')
  old.close()
  const args = ['import', `sqlite:${path}`, '--from', 'table', '--table', 'tokens', '--map', 'owner=user_id,integration=kind:STRAVA=strava,refresh_token=rt']
  const env = await run([...args, '--fernet-key-env', 'OLD_KEY'], { OLD_KEY: FERNET_KEY })
  expect(env.code, env.err).toBe(5)
  expect(env.err).toContain('row 2, refresh_token, column rt:')
  const { out } = await run([...args, '--fernet-key-file', '-', '--json'], {}, `${FERNET_KEY}\n`)
  expect(JSON.parse(out)).toMatchObject({ already: 1, refused: 1 })
  expect((await connections()).map((connection) => connection.owner)).toEqual(['7'])
  expect(await run([...args, '--fernet-key-env', 'NOT_THERE'])).toMatchObject({ code: 2 })
})

test('a mapped column that the table does not have stops the import by its name, and shows nothing of the first line', async () => {
  await integration()
  const rows = ['user_id,rt,note.plan', 'owner-1,planted-rt-1,x']
  const file = write('table.csv', rows)
  const database = join(folder, 'table.db')
  const made = new DatabaseSync(database)
  made.exec("create table grants (user_id text, rt text); insert into grants values ('owner-1', 'planted-rt-1')")
  made.close()
  const table = ['--from', 'table', '--integration', 'strava', '--map']
  for (const source of [[file], [`sqlite:${database}`, '--table', 'grants'], [write('headless.csv', ['planted-owner,planted-rt', 'owner-2,planted-rt-2'])]]) {
    const { code, out, err } = await run(['import', ...source, ...table, 'owner=user_id,refresh_token=rt,account=acount'])
    expect(code, err).toBe(2)
    expect(err).toMatch(/--map \w+=\w+: there is no column '\w+'.*--delimiter/)
    expect(out + err).not.toContain('planted-')
  }
  expect(await connections()).toEqual([])
  // What a line of JSON leaves out, another may have; a path begins at a column.
  const lines = write('table.jsonl', [{ user_id: 'owner-1', rt: 'planted-rt-1' }])
  expect((await run(['import', lines, ...table, 'owner=user_id,refresh_token=rt,account=account', '--dry-run'])).code).toBe(0)
  expect((await run(['import', file, ...table, 'owner=user_id,refresh_token=rt,account=rt.none,account_label=note.plan', '--dry-run'])).code).toBe(0)
})

test('an export of Nango and a dump of better-auth are read in their own words', async () => {
  await integration()
  const credentials = { type: 'OAUTH2', access_token: 'at', refresh_token: 'n-rt', expires_at: '2030-01-01T00:00:00Z', raw: {} }
  const nango = write('nango.jsonl', [{ connection_id: 'c1', provider_config_key: 'strava-prod', end_user: { id: 'u1' }, credentials }])
  expect(await run(['import', nango, '--from', 'nango', '--integration', 'strava-prod=strava'])).toMatchObject({ code: 0 })
  const csv = 'id,accountId,providerId,userId,accessToken,refreshToken,scope,password\n1,a9,strava,u2,at2,ba-rt,"read,profile",\n2,u2,credential,u2,,,,hash\n'
  const auth = await run(['import', '-', '--from', 'better-auth', '--format', 'csv', '--json'], {}, csv)
  expect(JSON.parse(auth.out), auth.err).toMatchObject({ read: 2, imported: 1, skipped: 1 })
  expect((await connections()).map((connection) => [connection.owner, connection.account.id])).toEqual([
    ['u2', 'a9'],
    ['u1', null],
  ])
})

test('with a running server the lines go through it', async () => {
  await integration()
  const server = start(['serve', '--json'], { EVERGRANT_PORT: String(await freePort()) })
  let said = ''
  server.stdout?.on('data', (chunk) => (said += chunk))
  await expect.poll(() => said, { timeout: 30_000 }).toContain('\n')
  const file = write('grants.jsonl', [grant(1), grant(2)])
  expect(JSON.parse((await run(['import', file, '--json'])).out)).toMatchObject({ imported: 2 })
  expect(await connections()).toHaveLength(2)
})

/** A token endpoint that renews what it knows and says of the rest that it is over; its record has no call that would test a token. */
async function provider(): Promise<{ readonly env: Readonly<Record<string, string>>; readonly presented: string[] }> {
  const presented: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const token = new URLSearchParams(body).get('refresh_token') ?? ''
      presented.push(token)
      const answer = token.includes('ended') ? { error: 'invalid_grant' } : { access_token: `at of ${token}`, token_type: 'Bearer', expires_in: 3_600 }
      response.writeHead(token.includes('ended') ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const record = (id: string, reuse: string) => ({
    id,
    name: id,
    authorize: { url: `${url}/authorize` },
    token: { url: `${url}/token` },
    reuse: { class: reuse, windowSeconds: 0, evidence: 'this test' },
  })
  const folderOfRecords = join(folder, 'providers')
  mkdirSync(folderOfRecords)
  for (const [id, reuse] of [
    ['lax', 'P0'],
    ['strict', 'P4'],
  ] as const)
    writeFileSync(join(folderOfRecords, `${id}.json`), JSON.stringify(record(id, reuse)))
  return { presented, env: { NODE_ENV: 'test', EVERGRANT_PROVIDERS_DIR: folderOfRecords, EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1' } }
}

test('--verify tests what may be tested, leaves strict grants alone, and tells whose grant is over by its line', async () => {
  const { env, presented } = await provider()
  for (const id of ['lax', 'strict']) {
    const made = await run(['integrations', 'create', '--provider', id, '--slug', id, '--client-id', 'c', '--client-secret-file', secretFile()], env)
    expect(made.code, made.err).toBe(0)
  }
  const line = (n: number, integration: string, token: string) => ({ integration, owner: `owner-${n}`, account: `a-${n}`, refresh_token: token })
  const file = write('grants.jsonl', [line(1, 'lax', 'rt-good'), line(2, 'lax', 'rt-ended'), line(3, 'strict', 'rt-strict'), '{}'])
  const errors = join(folder, 'errors.jsonl')
  const { code, out, err } = await run(['import', file, '--verify', '--verify-rate', '1000', '--errors', errors, '--json'], env)
  expect(code, err).toBe(5)
  expect(JSON.parse(out)).toMatchObject({ imported: 3, refused: 1, verified: { works: 1, broken: 1, unclear: 0, untested: 1 } })
  expect(presented.sort()).toEqual(['rt-ended', 'rt-good'])
  const told = readFileSync(errors, 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  expect(told.map(({ line: number, stage }) => [number, stage])).toEqual([
    [4, 'import'],
    [2, 'verify'],
  ])
  expect(readFileSync(errors, 'utf8')).not.toMatch(/rt-/)
})

test.each([
  ['an integration that is not there', ['--integration', 'nobody'], 'There is no integration nobody'],
  ['a shape that nobody knows', ['--from', 'excel'], '--from is one of'],
  ['a table without a mapping', ['--from', 'table'], '--map owner='],
  ['a test of standard input', ['--verify'], 'cannot be read twice'],
  ['a spread that is none', ['--spread', 'soon'], '--spread is a whole number'],
])('%s is a usage error', async (_what, args, words) => {
  const { code, err } = await run(['import', '-', ...args])
  expect(err).toContain(words)
  expect(code).toBe(2)
})
