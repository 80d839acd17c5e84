import pg from 'pg'
import { Fault } from '../../core/fault/fault.ts'

const INT8 = 20
/** The oldest major version that the tests of this store have a reason to pass on. */
const OLDEST = 150_000

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format ?? 'text')),
}

/** Longer than the server lets a statement run: without an answer by then, the connection is gone and only looks open. */
const SILENCE_MS = 35_000

/** How the server lists our connections. */
export const APPLICATION_NAME = 'evergrant'

/** What every connection of a store has in common. `durable` adds the setting that a careless default took away. */
export function connectionConfig(url: string, durable: boolean): pg.ClientConfig {
  const settings = ['-c statement_timeout=30000', '-c idle_in_transaction_session_timeout=30000', '-c default_transaction_isolation=read\\ committed']
  if (durable) settings.push('-c synchronous_commit=on')
  return {
    connectionString: url,
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: 5_000,
    query_timeout: SILENCE_MS,
    keepAlive: true,
    types,
    options: settings.join(' '),
  }
}

/**
 * For the statements over many connections: they go by primary key however small or unknown the tables are, and are
 * planned once. Left alone, the planner reads a whole table to find sixty rows until it has statistics.
 */
export function mergedConfig(config: pg.ClientConfig): pg.ClientConfig {
  return { ...config, options: `${config.options ?? ''} -c enable_seqscan=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan` }
}

export interface ServerFacts {
  /** True when its default would answer before a commit is on disk. */
  readonly careless: boolean
  /** A fresh name for this store, drawn by the server. */
  readonly nonce: string
}

/** Refuses a server that cannot keep a promise. @throws Fault `store_unavailable` */
export async function inspectServer(client: pg.ClientBase): Promise<ServerFacts> {
  const found = await client.query(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous, current_setting('server_version_num')::int as version,
       pg_is_in_recovery() as standby, gen_random_uuid()::text as nonce`,
  )
  const server = found.rows[0]
  if (server.fsync !== 'on') throw refused('fsync is off: a power cut would lose tokens. Set fsync = on in postgresql.conf and restart it.')
  if (server.standby === true) throw refused('it is a read-only standby. Point the URL at the primary.')
  if (server.version < OLDEST) throw refused('it is older than version 15. Upgrade it.')
  return { careless: server.synchronous === 'off', nonce: server.nonce }
}

function refused(why: string): Fault {
  return new Fault('store_unavailable', { detail: `this PostgreSQL server cannot be used: ${why}` })
}
