// A database as a backup carries it: one moment of it, and that moment as a database again, from each store into each store.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../../tests/fresh-database.ts'
import type { DatabaseCopy, Declaration, Snapshot } from '../core/backup/database-copy.ts'
import { newId } from '../core/ids.ts'
import type { DatabaseHome } from '../core/refresh/lineage.ts'
import { systemClock, systemEntropy, systemTimers } from '../system.ts'
import { TestOrganization } from './conformance/test-organization.ts'
import { storeCases } from './conformance.ts'
import type { Store } from './contract.ts'
import { KNOWN } from './migrations/known-schema.ts'
import { postgresCopyAt } from './postgres/postgres-copy.ts'
import { holdMigrations } from './postgres/postgres-migrations.ts'
import { openPostgresSnapshot } from './postgres/postgres-snapshot.ts'
import { openPostgresStore } from './postgres/postgres-store.ts'
import { tablesAfter } from './sqlite/schema-shape.ts'
import { scratchCopy, sqliteCopyAt } from './sqlite/sqlite-copy.ts'
import { openSqliteSnapshot } from './sqlite/sqlite-snapshot.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'

const options = { clock: systemClock, timers: systemTimers, migrate: true }
const home: DatabaseHome = { id: 'folder-2', name: 'evergrant.db', timeline: null }
const folder = mkdtempSync(join(tmpdir(), 'evergrant-copies-'))
const source = join(folder, 'source.db')
let store: Store

const CONTEXT = { entropy: systemEntropy, duePlan: async () => 'not asked here' }

/** Rows in nearly every table: what the whole contract leaves behind. */
async function fill(into: Store): Promise<void> {
  for (const { run } of storeCases) await run(into, CONTEXT).catch(() => {})
}

beforeAll(async () => {
  store = await openSqliteStore(source, options)
  await fill(store)
  const { id, ...first } = { id: newId('org', systemEntropy), name: 'Default', slug: 'default', createdAt: 1 }
  if ((await store.organizations.bySlug('default')) === undefined)
    await store.organizations.insert({ id, ...first }, (await TestOrganization.open(store, CONTEXT)).event('organization.created'))
  await store.lineages.open({ instance: 'instance-1', home: { id: 'folder-1', name: 'evergrant.db', timeline: null } })
})

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Every row of every table, in an order that no store chooses. */
async function contentOf(snapshot: Snapshot): Promise<Readonly<Record<string, readonly string[]>>> {
  const content: Record<string, string[]> = {}
  for (const table of snapshot.tables) {
    const lines: string[] = []
    for await (const portion of snapshot.rows(table)) {
      for (const row of portion) lines.push(JSON.stringify(row.map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell))))
    }
    content[table.name] = lines.sort()
  }
  return content
}

async function pour(snapshot: Snapshot, copy: DatabaseCopy, afterTable: (name: string) => Promise<void> = async () => {}): Promise<void> {
  for (const table of await copy.begin(snapshot.facts.schema)) {
    for await (const portion of snapshot.rows(table)) await copy.insert(table, portion)
    await afterTable(table.name)
  }
}

async function read(opening: Promise<Snapshot>) {
  const snapshot = await opening
  try {
    return { facts: snapshot.facts, content: await contentOf(snapshot) }
  } finally {
    await snapshot.close()
  }
}

const declared = (): Declaration => ({ trusted: 'cloned', reason: 'restored by a test', event: newId('evt', systemEntropy) })

describe('a copy of the embedded database', () => {
  test('has every row of it, most tables have some, and it opens as a store', async () => {
    const path = join(folder, 'whole.db')
    const snapshot = await openSqliteSnapshot(source, systemClock)
    const copy = sqliteCopyAt(path, () => home, systemClock)
    await pour(snapshot, copy)
    await snapshot.close()
    expect(await copy.flaws()).toEqual([])
    expect(await copy.home()).toEqual(home)
    await copy.commit(null)
    const [was, is] = [await read(openSqliteSnapshot(source, systemClock)), await read(openSqliteSnapshot(path, systemClock))]
    expect(is.content).toEqual(was.content)
    expect(is.facts).toMatchObject({ store: 'sqlite', schema: KNOWN, lineage: was.facts.lineage })
    const filled = Object.values(was.content).filter((rows) => rows.length > 0).length
    expect(filled / Object.keys(was.content).length).toBeGreaterThan(0.8)
    const opened = await openSqliteStore(path, options)
    await TestOrganization.open(opened, CONTEXT)
    await opened.close()
  })

  test('is one moment, whatever is written while it is read', async () => {
    const snapshot = await openSqliteSnapshot(source, systemClock)
    const scratch = scratchCopy(systemClock)
    const before = (await contentOf(snapshot))['organization']?.length
    let written = 0
    await pour(snapshot, scratch, async () => {
      await TestOrganization.open(store, CONTEXT)
      written += 1
    })
    expect(written).toBeGreaterThan(50)
    expect(await scratch.flaws()).toEqual([])
    const [organizations] = snapshot.tables.filter(({ name }) => name === 'organization')
    expect(await scratch.count(organizations!)).toBe(before)
    await snapshot.close()
    await scratch.abandon()
  })

  test('says of itself that it was restored, in an event that somebody may be told of', async () => {
    const path = join(folder, 'declared.db')
    const snapshot = await openSqliteSnapshot(source, systemClock)
    const copy = sqliteCopyAt(path, () => home, systemClock)
    await pour(snapshot, copy)
    await snapshot.close()
    expect(await copy.flaws()).toEqual([])
    const declaration = declared()
    await copy.commit(declaration)
    const file = new DatabaseSync(path)
    expect(file.prepare('select trusted, reason from lineage').get()).toEqual({ trusted: 'cloned', reason: 'restored by a test' })
    expect(file.prepare('select type, data from event where id = ?').get(declaration.event)).toEqual({
      type: 'database.cloned',
      data: '{"reason":"restored by a test"}',
    })
    expect(file.prepare('select count(*) as noted from event_outbox where event_id = ?').get(declaration.event)).toEqual({ noted: 1 })
    file.close()
  })

  test('is refused where a database is, or what is left of one, and leaves nothing when it is given up', async () => {
    expect(() => sqliteCopyAt(source, () => home, systemClock)).toThrow(/another Evergrant process uses/)
    const path = join(folder, 'left.db')
    writeFileSync(`${path}-wal`, '')
    expect(() => sqliteCopyAt(path, () => home, systemClock)).toThrow(/move .*left\.db-wal to another folder/)
    const other = join(folder, 'given-up.db')
    const copy = sqliteCopyAt(other, () => home, systemClock)
    await copy.begin(KNOWN)
    await expect(openSqliteStore(other, options)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/another Evergrant process uses/),
    })
    await copy.abandon()
    await copy.abandon()
    expect(() => sqliteCopyAt(other, () => home, systemClock).abandon()).not.toThrow()
  })

  test('with a row that names what is not there is told', async () => {
    const scratch = scratchCopy(systemClock)
    const tables = await scratch.begin(KNOWN)
    const membership = tables.find(({ name }) => name === 'person_identity')!
    await scratch.insert(membership, [membership.columns.map(({ kind }) => (kind === 'integer' ? 1 : 'nobody'))])
    expect(await scratch.flaws()).toEqual([expect.stringMatching(/1 rows of person_identity name a row of person that is not there/)])
    await scratch.abandon()
  })

  test('is not made of a file that is no database of ours', async () => {
    const path = join(folder, 'other.db')
    await expect(openSqliteSnapshot(path, systemClock)).rejects.toMatchObject({ message: expect.stringMatching(/there is no database at/) })
    new DatabaseSync(path).exec('create table thing (name text)')
    await expect(openSqliteSnapshot(path, systemClock)).rejects.toMatchObject({ message: expect.stringMatching(/no tables of Evergrant/) })
    const newer = join(folder, 'newer.db')
    const file = new DatabaseSync(newer)
    file.exec("create table schema_migration (version integer, name text, applied_at integer); insert into schema_migration values (1, 'a', 1), (9001, 'z', 1)")
    file.close()
    await expect(openSqliteSnapshot(newer, systemClock)).rejects.toMatchObject({ message: expect.stringMatching(/newer version \(schema 9001\)/) })
  })
})

const { database, skip } = await freshDatabase()

describe.skipIf(database === null)(`a copy between the stores${skip ?? ''}`, () => {
  const url = database?.url ?? 'postgres://none/none'
  afterAll(() => database?.drop())

  const ask = async (sql: string, where = url): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: where })
    await client.connect()
    const { rows } = await client.query(sql)
    await client.end()
    return rows
  }

  const WAITING = `select count(*)::int as waiting from pg_locks
    where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`
  /** Until so many wait for the lock of migrations of that database. */
  const waiting = (where: string, count: number) =>
    vi.waitFor(async () => expect(await ask(WAITING, where)).toEqual([{ waiting: count }]), { timeout: 30_000, interval: 100 })

  test('goes into PostgreSQL, is refused there a second time, and comes back the same', { timeout: 60_000 }, async () => {
    const snapshot = await openSqliteSnapshot(source, systemClock)
    const given = await postgresCopyAt(url)
    await pour(snapshot, given)
    expect(await given.flaws()).toEqual([])
    await given.abandon()
    expect(await ask("select tablename from pg_tables where schemaname = 'public'")).toEqual([])
    const copy = await postgresCopyAt(url)
    await pour(snapshot, copy)
    await snapshot.close()
    expect(await copy.flaws()).toEqual([])
    expect(await copy.home()).toMatchObject({ name: new URL(url).pathname.slice(1) })
    await copy.commit(null)
    await expect(postgresCopyAt(url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/into an empty database, and test_\w+ has \d+ tables/),
    })
    const [was, is] = [await read(openSqliteSnapshot(source, systemClock)), await read(openPostgresSnapshot(url))]
    expect(is.content).toEqual(was.content)
    expect(is.facts).toMatchObject({ store: 'postgres', schema: KNOWN, lineage: was.facts.lineage })
    const back = scratchCopy(systemClock)
    const again = await openPostgresSnapshot(url)
    await pour(again, back)
    await again.close()
    expect(await back.flaws()).toEqual([])
    await back.abandon()
    // As the guide says it, for a database that was taken back by other means.
    await ask("update lineage set trusted = 'restored', since = now_ms(), reason = 'recovered to 10:20 by hand' where one = 1")
    const opened = await openPostgresStore(url, options)
    expect(await opened.lineages.open({ instance: 'unused', home: null })).toMatchObject({ trusted: 'restored', reason: 'recovered to 10:20 by hand' })
    await opened.close()
  })

  test('beside a starting server: whoever comes first makes the tables, and the other is told or finds them', { timeout: 60_000 }, async () => {
    const { database: place } = await freshDatabase()
    const at = place?.url ?? url
    const snapshot = await openSqliteSnapshot(source, systemClock)
    try {
      const copy = await postgresCopyAt(at)
      await pour(snapshot, copy)
      let started = false
      const starting = openPostgresStore(at, options).finally(() => {
        started = true
      })
      await waiting(at, 1)
      expect(started).toBe(false)
      expect(await copy.flaws()).toEqual([])
      await copy.commit(declared())
      const server = await starting
      expect(await server.lineages.open({ instance: 'not drawn', home: null })).toMatchObject({ trusted: 'cloned', reason: 'restored by a test' })
      await server.close()
    } finally {
      await place?.drop()
    }
    const { database: other } = await freshDatabase()
    const there = other?.url ?? url
    const holder = new pg.Client({ connectionString: there })
    try {
      await holder.connect()
      await holder.query('begin')
      await holdMigrations(holder)
      const starting = openPostgresStore(there, options)
      await waiting(there, 1)
      const restoring = postgresCopyAt(there)
      restoring.catch(() => {})
      await waiting(there, 2)
      await holder.query('commit')
      const server = await starting
      await expect(restoring).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/has \d+ tables of Evergrant already/) })
      // Its tables are gone under it: a database that was dropped and made again, while a node lives on.
      await holder.query('drop schema public cascade; create schema public')
      await expect(postgresCopyAt(there)).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringMatching(/Evergrant is running on this database: stop every node, then restore/),
      })
      await server.close()
    } finally {
      await holder.end()
      await other?.drop()
      await snapshot.close()
    }
  })

  test('may be made because both have the same tables, columns and kinds', async () => {
    const kinds: Record<string, string> = { bigint: 'integer', integer: 'integer', text: 'text', bytea: 'blob' }
    const found = await ask(
      "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migration'",
    )
    const there = found.map((column) => `${column['table_name']}.${column['column_name']} ${kinds[String(column['data_type'])]}`).sort()
    const here = tablesAfter(KNOWN).flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name} ${column.kind}`))
    expect(there).toEqual(here.sort())
  })

  test('has its foreign keys and triggers back', async () => {
    const constraints = await ask(
      "select count(*)::int as there, count(*) filter (where not convalidated)::int as unchecked from pg_constraint where contype = 'f'",
    )
    expect(constraints[0]?.['there']).toBeGreaterThan(20)
    expect(constraints[0]?.['unchecked']).toBe(0)
    expect(await ask("select tgname from pg_trigger where not tgisinternal and tgenabled <> 'O'")).toEqual([])
  })
})
