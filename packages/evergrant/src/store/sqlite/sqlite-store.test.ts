import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConnectionId } from '../../core/ids.ts'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'
import { TestOrganization } from '../conformance/test-organization.ts'
import { storeCases } from '../conformance.ts'
import type { Store } from '../contract.ts'
import { MIGRATIONS } from '../migrations/index.ts'
import { dueQuery } from '../sql/due.ts'
import { takeDataLock } from './data-lock.ts'
import { SQLITE } from './sqlite-database.ts'
import { sqliteMigrations } from './sqlite-migrations.ts'
import { openMemoryStore, openSqliteStore } from './sqlite-store.ts'

const VERSIONS = MIGRATIONS.map((migration) => migration.version)
const options = { clock: systemClock, timers: systemTimers, migrate: true }
let folder: string
let store: Store

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evergrant-sqlite-'))
  store = await openSqliteStore(join(folder, 'store.db'), options)
})

afterAll(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** The plan as a connection of its own sees it. */
async function duePlan(): Promise<string> {
  const file = new DatabaseSync(join(folder, 'store.db'), { readOnly: true })
  file.function('now_ms', () => systemClock.wall())
  const plan = file.prepare(`explain query plan ${dueQuery(SQLITE)}`).all(100)
  file.close()
  return plan.map((row) => row.detail).join('\n')
}

describe('the contract on a SQLite file', () => {
  for (const { name, run } of storeCases) test(name, () => run(store, { entropy: systemEntropy, duePlan }))
})

describe('the contract in memory', () => {
  for (const { name, run } of storeCases) {
    test(name, async () => {
      const memory = await openMemoryStore(options)
      await run(memory, { entropy: systemEntropy, duePlan })
      await memory.close()
    })
  }
})

test('a second server on the same file is refused until the first one closes', async () => {
  const path = join(folder, 'locked.db')
  const first = await openSqliteStore(path, options)
  await expect(openSqliteStore(path, options)).rejects.toThrow(/another Evergrant process uses/)
  await first.close()
  const lock = takeDataLock(path)
  await expect(openSqliteStore(path, options)).rejects.toThrow(/another Evergrant process uses/)
  lock.release()
  await (await openSqliteStore(path, options)).close()
})

test('an outdated file is refused with the remedy, and each migration can be taken back and applied again', async () => {
  const path = join(folder, 'migrated.db')
  await expect(openSqliteStore(path, { ...options, migrate: false })).rejects.toThrow(/run `evergrant migrate up`/)
  const migrations = sqliteMigrations(path)
  expect(await migrations.up()).toEqual(VERSIONS)
  for (const version of VERSIONS.toReversed()) expect(await migrations.rollback()).toBe(version)
  expect(await migrations.rollback()).toBeNull()
  expect(await migrations.up()).toEqual(VERSIONS)
  expect((await migrations.status()).every((migration) => migration.appliedAt !== null)).toBe(true)
  await (await openSqliteStore(path, { ...options, migrate: false })).close()
})

test('an older version finds held ends due and without a fault that it does not know', async () => {
  const path = join(folder, 'held.db')
  const first = await openSqliteStore(path, options)
  const org = await TestOrganization.open(first, { entropy: systemEntropy, duePlan: () => Promise.resolve('') })
  const held = await org.connect({ fault: heldFault })
  await first.close()
  withFile(path, (file) => {
    file.prepare('insert into death_watch (integration_id, held_at) values (?, 1)').run(org.integration.id)
    file.prepare('insert into death values (?, ?, ?, 1, 1, 1, 1, 1, ?)').run(held, org.organization, org.integration.id, '{}')
  })
  const migrations = sqliteMigrations(path)
  for (let version = 0; version !== 6; ) version = (await migrations.rollback()) ?? 6
  const found = withFile(path, (file) => file.prepare('select k.fault, h.due_at from connection k join health h on h.connection_id = k.id').get())
  expect(found).toEqual({ fault: null, due_at: 0 })
})

const heldFault = {
  code: 'deaths_held' as const,
  at: 1,
  evidence: { intent: null, httpStatus: 400, providerCode: 'invalid_grant', providerText: null, answerHash: null },
}

function withFile<Result>(path: string, work: (file: DatabaseSync) => Result): Result {
  const file = new DatabaseSync(path)
  try {
    return work(file)
  } finally {
    file.close()
  }
}

test('a value of the wrong type is a defect of ours and is never told as a row that exists already', async () => {
  const memory = await openMemoryStore(options)
  const write = memory.meta.put('greeting', 'text, where bytes belong' as unknown as Uint8Array)
  await expect(write).rejects.not.toMatchObject({ code: 'already_exists' })
  await memory.close()
})

test('a closed store refuses work and does not crash', async () => {
  const memory = await openMemoryStore(options)
  await memory.close()
  await expect(memory.organizations.list()).rejects.toThrow(/closed/)
  await expect(memory.ping()).rejects.toThrow(/closed/)
})

test('a killed process leaves no lock behind, and everything it was told is stored', async () => {
  const path = join(folder, 'killed.db')
  const program = `
    import { systemClock, systemEntropy, systemTimers } from '${new URL('../../system.ts', import.meta.url)}'
    import { TestOrganization } from '${new URL('../conformance/test-organization.ts', import.meta.url)}'
    import { openSqliteStore } from '${new URL('./sqlite-store.ts', import.meta.url)}'
    const store = await openSqliteStore(${JSON.stringify(path)}, { clock: systemClock, timers: systemTimers, migrate: true })
    const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan: () => Promise.reject(new Error('not here')) })
    for (;;) await Promise.all(Array.from({ length: 20 }, async () => process.stdout.write((await org.connect()) + '\\n')))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  let told = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text
    if (told.length > 20_000) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const reopened = await openSqliteStore(path, options)
  const ids = told.split('\n').slice(0, -1)
  expect(ids.length).toBeGreaterThan(400)
  for (const id of ids) expect(await reopened.credentials.read(id as ConnectionId)).toBeDefined()
  await reopened.close()
})

test('the reference documents every table and every column, and nothing else', async () => {
  const file = new DatabaseSync(join(folder, 'store.db'), { readOnly: true })
  const tables = file.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name <> 'schema_migration'").all()
  const stored = Object.fromEntries(tables.map(({ name }) => [name, columnsOf(file, String(name))]))
  file.close()
  const text = await readFile(new URL('../../../../../docs/reference/storage-schema.md', import.meta.url), 'utf8')
  const documented = Object.fromEntries(
    text
      .split('\n## ')
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')), documentedColumns(section)]),
  )
  expect(documented).toEqual(stored)
})

const columnsOf = (file: DatabaseSync, table: string): readonly string[] =>
  file
    .prepare('select name from pragma_table_info(?)')
    .all(table)
    .map((column) => String(column.name))
    .sort()

/** The names in backquotes in the first cell of each row. */
function documentedColumns(section: string): readonly string[] {
  const cells = section.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.split('|')[1] ?? ''] : []))
  return cells.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)`/g)].map((match) => match[1] ?? '')).sort()
}
