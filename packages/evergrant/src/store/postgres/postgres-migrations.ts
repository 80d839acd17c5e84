import pg from 'pg'
import { Fault } from '../../core/fault/fault.ts'
import type { Loss, Migrations } from '../contract.ts'
import { MIGRATIONS } from '../migrations/index.ts'
import { type AppliedStep, lastKnown, statusOf, stepsMissing } from '../migrations/ledger.ts'
import { lossesOf } from '../migrations/losses.ts'
import type { Migration } from '../migrations/migration.ts'
import { APPLICATION_NAME, connectionConfig } from './postgres-connection.ts'
import { readable } from './postgres-faults.ts'

const LEDGER = 'create table if not exists schema_migration (version integer primary key, name text not null, applied_at bigint not null, works_from bigint)'
const HAS_WORKS_FROM = "select count(*)::int as there from pg_attribute where attrelid = to_regclass('schema_migration') and attname = 'works_from'"
/** Any number; it must only be the same for everybody who migrates this database. */
const LOCK = 7_267_014_301

async function applied(client: pg.ClientBase): Promise<readonly AppliedStep[]> {
  const told = (await client.query(HAS_WORKS_FROM)).rows[0]?.there === 1
  const found = await client.query(`select version, name, applied_at, ${told ? 'works_from' : 'null'} as works_from from schema_migration order by version`)
  return found.rows.map((row) => ({
    version: Number(row.version),
    name: String(row.name),
    appliedAt: Number(row.applied_at),
    worksFrom: row.works_from === null ? null : Number(row.works_from),
  }))
}

/** A database of an earlier version learns for each step which programs can go on with it. */
async function completeLedger(client: pg.ClientBase): Promise<void> {
  if ((await client.query(HAS_WORKS_FROM)).rows[0]?.there === 0) await client.query('alter table schema_migration add column works_from bigint')
  for (const { version, worksFrom = 0 } of MIGRATIONS) {
    await client.query('update schema_migration set works_from = $1 where version = $2 and works_from is null', [worksFrom, version])
  }
}

/** A statement that waits for a table makes everybody wait behind it, so it gives up soon and tries again. */
const LOCK_PATIENCE_MS = 2_000
const LOCK_TRIES = 20
const LOCK_NOT_AVAILABLE = '55P03'

/** A step that cannot have its tables at once lets those go on that use them, and tries again. @throws Fault `store_unavailable` */
async function step(client: pg.ClientBase, migration: Migration, work: () => Promise<void>): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    try {
      return await inTransaction(client, work)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE)) throw error
      if (turn === LOCK_TRIES) {
        throw new Fault('store_unavailable', {
          detail: `migration ${migration.version} (${migration.name}) cannot have a table that a long transaction holds; nothing of it was applied. End that transaction (pg_stat_activity lists it), then try again.`,
          cause: error,
        })
      }
      await client.query('select pg_sleep(0.5)')
    }
  }
}

async function inTransaction(client: pg.ClientBase, work: () => Promise<void>): Promise<void> {
  await client.query('begin')
  try {
    await client.query(`set local lock_timeout = ${LOCK_PATIENCE_MS}`)
    await work()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

async function apply(client: pg.ClientBase, migration: Migration): Promise<void> {
  await step(client, migration, () => applyInside(client, migration))
}

async function applyInside(client: pg.ClientBase, migration: Migration): Promise<void> {
  await client.query(migration.up.postgres)
  await client.query(
    'insert into schema_migration (version, name, applied_at, works_from) values ($1, $2, floor(extract(epoch from clock_timestamp()) * 1000), $3)',
    [migration.version, migration.name, migration.worksFrom ?? 0],
  )
}

/** Until the caller's transaction ends, nobody else makes or changes tables of ours: a server that starts meanwhile waits for what will be there. */
export async function holdMigrations(client: pg.ClientBase): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [LOCK])
}

/** These migrations in the caller's transaction, for a database that is being made, under {@link holdMigrations}. */
export async function migrateInside(client: pg.ClientBase, versions: readonly number[]): Promise<void> {
  await client.query(LEDGER)
  for (const migration of MIGRATIONS) if (versions.includes(migration.version)) await applyInside(client, migration)
}

async function up(client: pg.ClientBase): Promise<readonly number[]> {
  const steps = await applied(client)
  const missing = stepsMissing(steps)
  if (missing.length > 0 || steps.some(({ worksFrom }) => worksFrom === null)) await completeLedger(client)
  for (const migration of missing) await apply(client, migration)
  return missing.map((migration) => migration.version)
}

const OTHERS = 'select count(*)::int as open from pg_stat_activity where datname = current_database() and application_name = $1 and pid <> pg_backend_pid()'
/** A connection that was just closed is listed a moment longer. */
const LOOKS = 10

/** Like the data lock of the embedded database: nobody takes tables away under a server. Nodes say who they are by name. */
export async function refuseLiveNodes(client: pg.ClientBase, then: string): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const others = await client.query(OTHERS, [APPLICATION_NAME])
    if (others.rows[0]?.open === 0) return
    await client.query('select pg_sleep(0.1)')
  }
  throw new Fault('store_unavailable', { detail: `Evergrant is running on this database: stop every node, then ${then}.` })
}

async function losses(client: pg.ClientBase): Promise<readonly Loss[]> {
  const migration = lastKnown(await applied(client))
  const found: Loss[] = []
  for (const { table, column, count } of migration === null ? [] : lossesOf(migration, 'postgres')) {
    const rows = Number((await client.query(count)).rows[0]?.lost)
    if (rows > 0) found.push({ table, column, rows })
  }
  return found
}

async function rollback(client: pg.ClientBase): Promise<number | null> {
  await refuseLiveNodes(client, 'roll back')
  const migration = lastKnown(await applied(client))
  if (migration === null) return null
  await step(client, migration, async () => {
    await client.query(migration.down.postgres)
    await client.query('delete from schema_migration where version = $1', [migration.version])
  })
  return migration.version
}

/** An index over a large table takes as long as it takes, and so does waiting for the node that builds it. */
function patientConfig(url: string): pg.ClientConfig {
  const config = connectionConfig(url, true)
  return { ...config, query_timeout: 0, options: `${config.options ?? ''} -c statement_timeout=0` }
}

/** Several nodes may start at once: one migrates, the others wait for it. */
export function postgresMigrations(url: string): Migrations {
  const using = async <Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
    const client = new pg.Client(patientConfig(url))
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
  return {
    // Makes nothing and waits for nobody: who looks may do so before a restore, on a standby, and while somebody migrates.
    status: async () => statusOf(await appliedSteps(url)),
    up: () => using(up),
    losses: () => using(losses),
    rollback: () => using(rollback),
  }
}

/** The steps that the database has. */
export async function appliedSteps(url: string): Promise<readonly AppliedStep[]> {
  const client = new pg.Client(connectionConfig(url, true))
  client.on('error', () => {})
  try {
    await client.connect()
    const ledger = await client.query("select to_regclass('schema_migration') is not null as there")
    return ledger.rows[0]?.there === true ? await applied(client) : []
  } catch (error) {
    throw readable(error)
  } finally {
    await client.end().catch(() => {})
  }
}
