import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import type { AgentId, ApiKeyId, ConnectionId, InstallationId, IntegrationId, OrganizationId, SessionId, UserId } from '../../core/ids.ts'
import { setDueAt } from '../../testing/due-time.ts'
import { type Column, contentsOf, type Filling, fillingsFor, idOf } from '../../testing/filled-schema.ts'
import { PostgresPlace, type SchemaPlace, SqlitePlace } from '../../testing/schema-place.ts'
import type { Store } from '../contract.ts'
import { MIGRATIONS } from './index.ts'
import { type AppliedStep, newerSteps } from './ledger.ts'

const ALL = MIGRATIONS.map(({ version }) => version)
const { database, skip } = await freshDatabase()
const said = skip ?? ''

let sqlite: SchemaPlace
let postgres: SchemaPlace
beforeAll(async () => {
  sqlite = new SqlitePlace()
  if (database !== null) postgres = await PostgresPlace.at(database)
})
afterAll(async () => {
  await sqlite.drop()
  await postgres?.drop()
})

describe('a database of every earlier schema, with rows in every table, goes up whole and is read and written', () => {
  test.each(ALL)('SQLite, schema %i', (version) => goesUp(sqlite, version))
  test.skipIf(database === null).each(ALL)(`PostgreSQL, schema %i${said}`, (version) => goesUp(postgres, version))
})

describe('a full database goes back step by step to nothing, keeps what is not taken, and says before each step what is', () => {
  test('SQLite', { timeout: 60_000 }, () => goesBack(sqlite))
  test.skipIf(database === null)(`PostgreSQL${said}`, { timeout: 60_000 }, () => goesBack(postgres))
})

async function filled(place: SchemaPlace, version: number): Promise<readonly Filling[]> {
  await place.clear()
  await place.migrateAsBefore(MIGRATIONS.slice(0, version))
  const columns = await place.columns()
  const fillings = fillingsFor(columns)
  await place.fill(fillings)
  expect(await place.empty(columns)).toEqual([])
  return fillings
}

async function goesUp(place: SchemaPlace, version: number): Promise<void> {
  const fillings = await filled(place, version)
  expect(await place.migrations.up()).toEqual(ALL.slice(version))
  expect(await place.damage()).toEqual([])
  expect(await place.contents(fillings)).toEqual(contentsOf(fillings))
  // Tags that were there before the table of tags was are found in it.
  const tags = await place.rows('select count(*) as n from connection_tag')
  expect(Number(tags[0]?.n)).toBe(version < 2 ? 0 : 6)
  const store = await place.open()
  try {
    await readAll(store, version)
  } finally {
    await store.close()
  }
}

async function goesBack(place: SchemaPlace): Promise<void> {
  await place.clear()
  await place.migrateAsBefore([])
  const shapes = [await place.shape()]
  for (const { up } of MIGRATIONS) {
    await place.run(up[place.database])
    shapes.push(await place.shape())
  }
  let kept = await filled(place, ALL.length)
  await place.migrations.up()
  for (const version of ALL.toReversed()) {
    const losses = await place.migrations.losses()
    expect(await place.migrations.rollback()).toBe(version)
    expect([version, await place.shape()]).toEqual([version, shapes[version - 1]])
    expect(await place.damage()).toEqual([])
    const left = remaining(kept, await place.columns())
    const tables = new Set(left.map(({ table }) => table))
    for (const { table, rows } of kept) if (!tables.has(table)) expect(losses).toContainEqual({ table, column: null, rows: rows.length })
    // What waited in a table of step 6 is due when it is taken back: this is the one step whose way back writes.
    kept = version === 6 ? left.filter(({ table }) => table !== 'health') : left
    expect(await place.contents(kept)).toEqual(contentsOf(kept))
  }
  expect(await place.migrations.losses()).toEqual([])
  expect(await place.migrations.rollback()).toBeNull()
}

/** What is left of rows when only these columns are. */
function remaining(fillings: readonly Filling[], columns: readonly Column[]): readonly Filling[] {
  return fillings.flatMap(({ table, columns: names, rows }) => {
    const own = names.flatMap((name, index) => (columns.some((column) => column.table === table && column.name === name) ? [index] : []))
    const only = <Item>(items: readonly Item[]): readonly Item[] => items.filter((_, index) => own.includes(index))
    return own.length === 0 ? [] : [{ table, columns: only(names), rows: rows.map(only) }]
  })
}

/** The store of today over the rows of then: people, programs, connections, keys; a refresh of what was there is planned and can be begun. */
async function readAll(store: Store, version: number): Promise<void> {
  const organization = idOf('organization', 0) as OrganizationId
  expect(await store.organizations.get(organization)).toMatchObject({ name: 'organization.name.0' })
  expect((await store.organizations.list()).length).toBe(3)
  expect(await store.integrations.load(idOf('integration', 0) as IntegrationId)).toMatchObject({ slug: 'integration.slug.0' })
  expect((await store.events.list(organization, {}, { limit: 10, cursor: null })).items.length).toBe(3)
  if (version >= 2) {
    const connection = idOf('connection', 0) as ConnectionId
    const row = await store.credentials.read(connection)
    expect(row).toMatchObject({ connection: { owner: 'connection.owner.0', tags: ['shop', 'tag-0'] }, credential: { generation: 1_600_000_000_000 } })
    expect((await store.connections.list(organization, {}, { limit: 10, cursor: null })).items.length).toBe(3)
    await setDueAt(store, connection, 1)
    expect((await store.credentials.takeDue(1, 60_000)).map((due) => due.connection)).toEqual([connection])
    // As it was: what goes back is compared.
    await setDueAt(store, connection, row?.health.dueAt ?? null)
  }
  if (version >= 4) expect(await store.apiKeys.get(organization, idOf('api_key', 0) as ApiKeyId)).toMatchObject({ name: 'api_key.name.0' })
  if (version >= 15) {
    expect(await store.users.get(idOf('person', 0) as UserId)).toMatchObject({ email: 'person.email.0' })
    expect(await store.sessions.get(idOf('session', 0) as SessionId)).toMatchObject({ role: 'owner' })
  }
  if (version >= 19) {
    expect(await store.agents.get(organization, idOf('agent', 0) as AgentId)).toBeDefined()
    expect(await store.installations.get(idOf('installation', 0) as InstallationId)).toMatchObject({ installation: { id: idOf('installation', 0) } })
  }
}

test.skipIf(database === null)(`a step that cannot have its table lets those go on who use it, and tries again${said}`, async () => {
  const untilSecondFactors = MIGRATIONS.findIndex(({ name }) => name === 'second factors')
  await postgres.clear()
  await postgres.migrateAsBefore(MIGRATIONS.slice(0, untilSecondFactors))
  await postgres.run('begin; lock table organization in access share mode')
  const migrated = postgres.migrations.up()
  const waiting = "select count(*) as n from pg_locks where not granted and relation = 'organization'::regclass"
  const waits = async () => Number((await postgres.rows(waiting))[0]?.n)
  await expect.poll(waits, { timeout: 10_000 }).toBe(1)
  // It steps aside before this transaction ends: nobody queues behind it for longer than that.
  await expect.poll(waits, { timeout: 10_000 }).toBe(0)
  await postgres.run('commit')
  expect(await migrated).toEqual(ALL.slice(untilSecondFactors))
})

test('a program that is older than the last step goes on where that step lets it, and is refused where it does not', async () => {
  const next = (worksFrom: number | null): AppliedStep => ({ version: 99, name: 'next', appliedAt: 1, worksFrom })
  expect(newerSteps([next(12)], 12)).toEqual({ refused: [], bearable: [99] })
  expect(newerSteps([next(13)], 12)).toEqual({ refused: [99], bearable: [] })
  expect(newerSteps([next(null)], 12)).toEqual({ refused: [99], bearable: [] })
})

describe('an older program on a newer database', () => {
  test('works on SQLite where the step lets it', () => olderProgram(sqlite))
  test.skipIf(database === null)(`works on PostgreSQL where the step lets it${said}`, () => olderProgram(postgres))
})

async function olderProgram(place: SchemaPlace): Promise<void> {
  await place.clear()
  await place.migrations.up()
  await place.run("insert into schema_migration (version, name, applied_at, works_from) values (999, 'of the next version', 1, 1)")
  await (await place.open()).close()
  expect((await place.migrations.status()).at(-1)).toEqual({ version: 999, name: 'of the next version', appliedAt: 1 })
  await expect(place.migrations.rollback()).rejects.toThrow(/999 \(of the next version\), is of a newer version of Evergrant: take it back with that version/)
  await place.run('update schema_migration set works_from = 999 where version = 999')
  await expect(place.open()).rejects.toThrow(/newer version \(schema 999\): start that version, or roll back with it first/)
}
