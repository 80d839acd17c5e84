import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, textAt } from '../../packages/lab/src/http.ts'
import { type Held, Workbench } from '../../packages/lab/src/workbench.ts'
import { freshDatabase } from '../fresh-database.ts'

const PROFILES = { p0: 'P0', p1: 'P1:10', p4: 'P4' } as const

const renewed = async (bench: Workbench, held: Held): Promise<number> => {
  const reply = await bench.refresh(held)
  expect(reply.status, reply.text).toBe(200)
  return Number(at(reply.body, 'generation'))
}

/** Every byte of the journal; its files have their length from the start. */
function journalOf({ server }: Workbench): string {
  const folder = join(server.dataDir, 'journal')
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))
  const hash = createHash('sha256')
  for (const path of paths.filter((each) => statSync(each).isFile())) hash.update(readFileSync(path))
  return hash.digest('hex')
}

/** Until the journal has it, too: where the database is quicker, whoever is killed before that has it in the database alone. */
async function journaled(bench: Workbench, held: Held): Promise<number> {
  const before = journalOf(bench)
  const generation = await renewed(bench, held)
  await expect.poll(() => journalOf(bench)).not.toBe(before)
  return generation
}

const refusedAs = async (bench: Workbench, held: Held): Promise<string> => textAt(await bench.refresh(held), 'code')

const requestsOf = async (bench: Workbench, held: Held): Promise<number> => Number(at(await bench.truth(held), 'refresh_requests'))

describe('the embedded database is replaced by a backup or by an older copy of its file', () => {
  let bench: Workbench
  const folders: string[] = []
  beforeAll(async () => {
    bench = await Workbench.start({ profiles: PROFILES })
  })
  afterAll(async () => {
    await bench?.dispose()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  const file = () => join(bench.server.dataDir, 'evergrant.db')

  /** With the command, while the server runs. */
  async function onlineBackup(): Promise<() => Promise<void>> {
    const outside = mkdtempSync(join(tmpdir(), 'evergrant-backup-'))
    folders.push(outside)
    const [identity, target] = [join(outside, 'identity.txt'), join(outside, 'backup.age')]
    const pair = await bench.server.cli(['backup', 'keygen', '--to', identity])
    const made = await bench.server.cli(['backup', '--to', target, '--recipient', /age1\w+/.exec(pair.output)?.[0] ?? ''])
    expect(made.code, made.output).toBe(0)
    return async () => {
      await bench.server.kill()
      for (const end of ['', '-wal', '-shm']) rmSync(`${file()}${end}`, { force: true })
      const restored = await bench.server.cli(['restore', target, '--identity-file', identity])
      expect(restored.code, restored.output).toBe(0)
      await bench.server.start()
    }
  }

  /** As an operator does it by hand: stop, copy, start. */
  async function backup(): Promise<void> {
    await bench.server.stop()
    copyFileSync(file(), `${file()}.backup`)
    await bench.server.start()
  }

  /** By hand, too. What the node remembers of the newest generations was written when it was stopped. */
  async function restore(): Promise<void> {
    await bench.server.kill()
    for (const end of ['-wal', '-shm']) rmSync(`${file()}${end}`, { force: true })
    copyFileSync(`${file()}.backup`, file())
    await bench.server.start()
  }

  test('with its journal beside it: nothing stale is presented, and after the confirmation every grant goes on', { timeout: 120_000 }, async () => {
    const [p0, p1, p4] = [await bench.hold('p0'), await bench.hold('p1'), await bench.hold('p4')]
    const restoreIt = await onlineBackup()
    expect([await renewed(bench, p0), await renewed(bench, p0)]).toEqual([2, 3])
    for (const held of [p1, p4]) expect([await journaled(bench, held), await journaled(bench, held)]).toEqual([2, 3])
    // At once: what the marks say does not matter, because the restored database says itself that it is one.
    await restoreIt()
    expect([await refusedAs(bench, p1), await refusedAs(bench, p4)]).toEqual(['database_untrusted', 'database_untrusted'])
    expect(await renewed(bench, p0)).toBe(2)
    expect([await requestsOf(bench, p1), await requestsOf(bench, p4)]).toEqual([2, 2])
    const token = await bench.token(p4)
    expect(token.body).toMatchObject({ generation: 3, status: 'active' })
    expect(await bench.works('p4', textAt(token, 'access_token'))).toBe(200)
    const ready = await fetch(`${bench.server.url}/health/ready`)
    expect(ready.status).toBe(200)
    expect(await ready.text()).toContain('older than what this node has seen')
    const status = await bench.server.cli(['restore', 'status'])
    expect(status.code, status.output).toBe(1)
    expect(status.output).toContain('evergrant restore confirm')
    expect(status.output).not.toContain('reconnect needed')
    expect((await bench.server.cli(['doctor'])).output).toContain('age of the database')
    const confirmed = await bench.server.cli(['restore', 'confirm'])
    expect(confirmed.code, confirmed.output).toBe(0)
    for (const held of [p1, p4]) expect(await renewed(bench, held)).toBe(4)
    expect(await bench.truth(p4)).toMatchObject({ state: 'live', overlaps: 0 })
    expect((await bench.server.cli(['restore', 'status'])).code).toBe(0)
  })

  test('without its journal: what was rotated since is listed and needs a reconnect, and only that', { timeout: 90_000 }, async () => {
    const [rotated, untouched] = [await bench.hold('p4'), await bench.hold('p4')]
    await backup()
    await renewed(bench, rotated)
    await renewed(bench, rotated)
    await bench.server.stop()
    rmSync(join(bench.server.dataDir, 'journal'), { recursive: true })
    await bench.server.start()
    await restore()
    expect([await refusedAs(bench, rotated), await refusedAs(bench, untouched)]).toEqual(['database_untrusted', 'database_untrusted'])
    const status = await bench.server.cli(['restore', 'status'])
    expect(status.output).toContain(rotated.connection)
    expect(status.output).not.toContain(untouched.connection)
    expect(status.output).toContain('reconnect needed')
    expect((await bench.server.cli(['restore', 'confirm', '--json'])).output).toContain('"ended":1')
    expect(await refusedAs(bench, rotated)).toBe('rotated_after_backup')
    expect(await renewed(bench, untouched)).toBe(2)
    expect(await requestsOf(bench, rotated)).toBe(2)
    const again = await bench.regrant(rotated)
    expect(again.connection).toBe(rotated.connection)
    expect(await renewed(bench, again)).toBe(3)
    await bench.server.kill()
    await bench.server.start()
    expect((await bench.server.cli(['restore', 'status'])).code).toBe(0)
  })
})

const { database, skip } = await freshDatabase()

describe.skipIf(database === null)(`a PostgreSQL database is restored, rolled back and copied${skip ?? ''}`, () => {
  const url = database?.url ?? 'postgres://none/none'
  const name = new URL(url).pathname.slice(1)
  const copies: string[] = []
  let bench: Workbench
  beforeAll(async () => {
    bench = await Workbench.start({ profiles: PROFILES, databaseUrl: url })
  })
  afterAll(async () => {
    await bench?.dispose()
    for (const copy of copies) await asAdmin(`drop database if exists ${copy} with (force)`)
    await database?.drop()
  })

  const urlOf = (copy: string): string => Object.assign(new URL(url), { pathname: `/${copy}` }).href

  async function inside(target: string, ...statements: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: target })
    await client.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  }

  const asAdmin = (...statements: readonly string[]) => inside(urlOf('postgres'), ...statements)

  function copyName(what: string): string {
    copies.push(`${name}_${what}`)
    return `${name}_${what}`
  }

  test('dropped and made again from a backup: rolled forward from the journal, and confirmed as the original', { timeout: 120_000 }, async () => {
    const held = await bench.hold('p4')
    await bench.server.stop()
    const backup = copyName('backup')
    await asAdmin(`create database ${backup} template ${name}`)
    await bench.server.start()
    expect([await journaled(bench, held), await journaled(bench, held)]).toEqual([2, 3])
    await bench.server.kill()
    await asAdmin(`drop database ${name} with (force)`, `create database ${name} template ${backup}`)
    await bench.server.start()
    expect(await refusedAs(bench, held)).toBe('database_untrusted')
    expect((await bench.server.cli(['restore', 'confirm'])).output).toContain('original')
    expect((await bench.server.cli(['restore', 'confirm', '--as-original', '--json'])).output).toContain('"ended":0')
    expect(await renewed(bench, held)).toBe(4)
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 3 })
  })

  test('rolled back under two running nodes, as a failover to a late replica does: both stop, and both journals mend it', { timeout: 120_000 }, async () => {
    const other = await bench.addNode()
    const [here, there] = [await bench.hold('p4'), await bench.hold('p4')]
    const tables = await tablesOf(url)
    await inside(url, 'begin', 'create schema replica', ...tables.map((table) => `create table replica.${table} as select * from ${table}`), 'commit')
    expect(await renewed(bench, here)).toBe(2)
    expect(await other.api.post(`/connections/${there.connection}/refresh`)).toMatchObject({ status: 200, body: { generation: 2 } })
    // Each node looks once a second: the copy lacks at least one look.
    await expect.poll(() => raisedSince(url), { timeout: 15_000 }).toBeGreaterThan(0)
    const back = tables.map((table) => `insert into ${table} select * from replica.${table}`)
    await inside(url, 'begin', `set session_replication_role = replica`, `truncate ${tables.join(', ')}`, ...back, 'commit', 'drop schema replica cascade')
    const untrusted = async (path: string) => textAt(await bench.api.get(path), 'trust')
    await expect.poll(() => untrusted('/admin/restore'), { timeout: 15_000 }).toBe('restored')
    expect(await refusedAs(bench, here)).toBe('database_untrusted')
    expect(await other.api.post(`/connections/${there.connection}/refresh`)).toMatchObject({ status: 503, body: { code: 'database_untrusted' } })
    await expect.poll(async () => (await bench.api.get('/admin/restore')).body, { timeout: 15_000 }).toMatchObject({ behind: [], waiting_for: [] })
    expect((await bench.server.cli(['restore', 'confirm', '--json'])).output).toContain('"ended":0')
    expect(await renewed(bench, here)).toBe(3)
    await expect.poll(async () => (await other.api.post(`/connections/${there.connection}/refresh`)).status, { timeout: 15_000 }).toBe(200)
    for (const held of [here, there]) expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 2 })
    await other.server.stop()
  })

  test('copied into staging on the same server: the copy presents nothing, and production does not notice', { timeout: 120_000 }, async () => {
    const [p0, p4] = [await bench.hold('p0'), await bench.hold('p4')]
    await bench.server.stop()
    const staging = copyName('staging')
    await asAdmin(`create database ${staging} template ${name}`)
    await bench.server.start()
    const copy = await bench.addNode({ EVERGRANT_DATABASE_URL: urlOf(staging) })
    for (const held of [p0, p4]) {
      expect(await copy.api.post(`/connections/${held.connection}/refresh`)).toMatchObject({ status: 503, body: { code: 'database_untrusted' } })
      expect(await requestsOf(bench, held)).toBe(0)
    }
    const confirmed = await copy.server.cli(['restore', 'confirm', '--as-clone'])
    expect(confirmed.code, confirmed.output).toBe(0)
    expect(await copy.api.post(`/connections/${p4.connection}/refresh`)).toMatchObject({ status: 409, body: { code: 'grant_kept_elsewhere' } })
    expect([await renewed(bench, p0), await renewed(bench, p4)]).toEqual([2, 2])
    expect(await bench.truth(p4)).toMatchObject({ state: 'live', refresh_requests: 1 })
    expect(readFileSync(join(copy.server.dataDir, 'node-id'), 'utf8')).not.toBe(readFileSync(join(bench.server.dataDir, 'node-id'), 'utf8'))
  })
})

async function tablesOf(url: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // The nodes themselves do not go back: their rows are written anew by whoever runs.
    const found = await client.query("select tablename from pg_tables where schemaname = 'public' and tablename not in ('schema_migration', 'node')")
    return found.rows.map(({ tablename }) => String(tablename))
  } finally {
    await client.end()
  }
}

/** By how much the slowest node has raised its tick since the copy. */
async function raisedSince(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const found = await client.query(
      'select min(t.tick - coalesce(r.tick, 0)) as raised from high_water_tick t left join replica.high_water_tick r on r.node_id = t.node_id',
    )
    return Number(found.rows[0]?.raised)
  } finally {
    await client.end()
  }
}
