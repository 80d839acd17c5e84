import pg from 'pg'
import { Fault } from '../../core/fault/fault.ts'
import type { MigrationStatus, Migrations } from '../contract.ts'
import { MIGRATIONS } from '../migrations/index.ts'
import type { Migration } from '../migrations/migration.ts'
import { APPLICATION_NAME, connectionConfig } from './postgres-connection.ts'
import { readable } from './postgres-faults.ts'

const LEDGER = 'create table if not exists schema_migration (version integer primary key, name text not null, applied_at bigint not null)'
/** Any number; it must only be the same for everybody who migrates this database. */
const LOCK = 7_267_014_301

async function applied(client: pg.ClientBase): Promise<ReadonlyMap<number, number>> {
  const found = await client.query('select version, applied_at from schema_migration order by version')
  return new Map(found.rows.map((row) => [Number(row.version), Number(row.applied_at)]))
}

async function inTransaction(client: pg.ClientBase, work: () => Promise<void>): Promise<void> {
  await client.query('begin')
  try {
    await work()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

async function apply(client: pg.ClientBase, migration: Migration): Promise<void> {
  await inTransaction(client, async () => {
    await client.query(migration.up.postgres)
    await client.query('insert into schema_migration (version, name, applied_at) values ($1, $2, floor(extract(epoch from clock_timestamp()) * 1000))', [
      migration.version,
      migration.name,
    ])
  })
}

async function up(client: pg.ClientBase): Promise<readonly number[]> {
  const done = await applied(client)
  const missing = MIGRATIONS.filter((migration) => !done.has(migration.version))
  for (const migration of missing) await apply(client, migration)
  return missing.map((migration) => migration.version)
}

const OTHERS = 'select count(*)::int as open from pg_stat_activity where datname = current_database() and application_name = $1 and pid <> pg_backend_pid()'
/** A connection that was just closed is listed a moment longer. */
const LOOKS = 10

/** Like the data lock of the embedded database: nobody takes tables away under a server. Nodes say who they are by name. */
async function refuseLiveNodes(client: pg.ClientBase): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const others = await client.query(OTHERS, [APPLICATION_NAME])
    if (others.rows[0]?.open === 0) return
    await client.query('select pg_sleep(0.1)')
  }
  throw new Fault('store_unavailable', { detail: 'Evergrant is running on this database: stop every node, then roll back.' })
}

async function rollback(client: pg.ClientBase): Promise<number | null> {
  await refuseLiveNodes(client)
  const last = Math.max(0, ...(await applied(client)).keys())
  const migration = MIGRATIONS.find((known) => known.version === last)
  if (migration === undefined) return null
  await inTransaction(client, async () => {
    await client.query(migration.down.postgres)
    await client.query('delete from schema_migration where version = $1', [last])
  })
  return last
}

async function status(client: pg.ClientBase): Promise<readonly MigrationStatus[]> {
  const done = await applied(client)
  return MIGRATIONS.map(({ version, name }) => ({ version, name, appliedAt: done.get(version) ?? null }))
}

/** Several nodes may start at once: one migrates, the others wait for it. */
export function postgresMigrations(url: string): Migrations {
  const using = async <Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
    const client = new pg.Client(connectionConfig(url, true))
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select pg_advisory_lock($1)', [LOCK])
      await client.query(LEDGER)
      return await work(client)
    } catch (error) {
      throw readable(error)
    } finally {
      await client.end().catch(() => {})
    }
  }
  return { status: () => using(status), up: () => using(up), rollback: () => using(rollback) }
}

/** Versions that the database has and this program lacks, and the reverse. */
export async function schemaGap(url: string): Promise<{ readonly missing: number; readonly unknown: readonly number[] }> {
  const client = new pg.Client(connectionConfig(url, true))
  client.on('error', () => {})
  try {
    await client.connect()
    const ledger = await client.query("select to_regclass('schema_migration') is not null as there")
    const done = ledger.rows[0]?.there === true ? await applied(client) : new Map<number, number>()
    const known = new Set(MIGRATIONS.map((migration) => migration.version))
    return {
      missing: MIGRATIONS.filter((migration) => !done.has(migration.version)).length,
      unknown: [...done.keys()].filter((version) => !known.has(version)),
    }
  } catch (error) {
    throw readable(error)
  } finally {
    await client.end().catch(() => {})
  }
}
