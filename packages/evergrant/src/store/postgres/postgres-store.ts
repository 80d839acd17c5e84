import pg from 'pg'
import { Fault } from '../../core/fault/fault.ts'
import type { Store, StoreOptions } from '../contract.ts'
import { NEWER_BUT_BEARABLE, newerSteps, stepsMissing } from '../migrations/ledger.ts'
import { row } from '../sql/program.ts'
import { storeParts } from '../sql/store-parts.ts'
import { ChangeChannel } from './change-channel.ts'
import { mergedCredentials } from './merged-credentials.ts'
import { connectionConfig, inspectServer, mergedConfig, type ServerFacts } from './postgres-connection.ts'
import { PostgresDatabase } from './postgres-database.ts'
import { readable } from './postgres-faults.ts'
import { appliedSteps, postgresMigrations } from './postgres-migrations.ts'
import { PostgresNodes } from './postgres-nodes.ts'

/** All connections of one node: some carry batches, two are dedicated, and the rest are for readers and single writers. */
const CONNECTIONS = 16
/** One listens, one proves that this process lives. */
const DEDICATED = 2
const READERS_MIN = 2
const MERGED_SIZE = 6

/**
 * The store for any number of nodes.
 * @throws Fault `store_unavailable` when the server cannot be reached, cannot keep its promises, or has another schema
 */
export async function openPostgresStore(url: string, options: StoreOptions): Promise<Store> {
  if (options.migrate === true) await postgresMigrations(url).up()
  const { careless, nonce } = await inspect(url)
  await requireSchema(url, options)
  const config = connectionConfig(url, careless)
  const readers = Math.max(READERS_MIN, (options.connections ?? CONNECTIONS) - MERGED_SIZE - DEDICATED)
  const pool = openPool(config, readers, options)
  const merged = openPool(mergedConfig(config), MERGED_SIZE, options)
  const channel = new ChangeChannel(nonce, config, options)
  try {
    await channel.open()
  } catch (error) {
    await Promise.all([pool.end(), merged.end()])
    throw readable(error)
  }
  const database = new PostgresDatabase(pool, merged, options.timers, channel)
  const parts = storeParts(database)
  const nodes = new PostgresNodes(database, config, options)
  return {
    ...parts,
    credentials: mergedCredentials(parts.credentials, database, channel),
    nodes,
    changes: channel,
    ping: async () => {
      // Written, not only read: a database that only reads is not well.
      await database.write(() =>
        row("insert into meta (name, value) values ('ping', '') on conflict (name) do update set value = excluded.value returning name"),
      )
    },
    close: async () => {
      await nodes.close()
      await channel.close()
      await database.close()
    },
  }
}

function openPool(config: pg.ClientConfig, max: number, options: StoreOptions): pg.Pool {
  const pool = new pg.Pool({ ...config, max, idleTimeoutMillis: 30_000 })
  pool.on('error', (error) => options.log?.warn({ error: error.message }, 'an idle PostgreSQL connection was lost'))
  // A connection that breaks between two queries of its borrower has nobody else to tell: the next query fails anyway.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

async function inspect(url: string): Promise<ServerFacts> {
  const client = new pg.Client(connectionConfig(url, false))
  client.on('error', () => {})
  try {
    await client.connect()
    return await inspectServer(client)
  } catch (error) {
    throw readable(error)
  } finally {
    await client.end().catch(() => {})
  }
}

async function requireSchema(url: string, { log }: StoreOptions): Promise<void> {
  const steps = await appliedSteps(url)
  const { refused, bearable } = newerSteps(steps)
  if (refused.length > 0) {
    throw new Fault('store_unavailable', {
      detail: `the database was migrated by a newer version (schema ${refused.join(', ')}): start that version, or roll back with it first`,
    })
  }
  const missing = stepsMissing(steps).length
  if (missing > 0) throw new Fault('store_unavailable', { detail: `the database lacks ${missing} migration(s): run \`evergrant migrate up\`` })
  if (bearable.length > 0) log?.warn({ schema: bearable.join(', ') }, NEWER_BUT_BEARABLE)
}
