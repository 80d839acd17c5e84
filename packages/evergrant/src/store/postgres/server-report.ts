import pg from 'pg'
import type { NodeReport } from '../../core/refresh/nodes.ts'
import type { Clock, Instant } from '../../core/time.ts'
import { listed, toReport } from '../sql/nodes.ts'
import { connectionConfig, inspectServer } from './postgres-connection.ts'
import { readable } from './postgres-faults.ts'
import { ALIVE } from './postgres-nodes.ts'

/** What an operator should know of a server that can be used. */
export interface PostgresReport {
  readonly version: string
  /** The default of a session; `off` is turned on by every session of ours. */
  readonly synchronousCommit: string
  /** Standbys that are connected now, and whether a commit waits for any of them. */
  readonly standbys: number
  readonly synchronousStandbys: boolean
  /** The server's time, and how long the round trip took that brought it. */
  readonly at: Instant
  readonly tripMs: number
}

/**
 * Looks at a server without opening a store.
 * @throws Fault `store_unavailable` when it cannot be reached or cannot keep a promise: `fsync` off, a standby, too old
 */
export function postgresReport(url: string, clock: Pick<Clock, 'mono'>): Promise<PostgresReport> {
  return asked(url, async (client) => {
    const before = clock.mono()
    const { rows } = await client.query(`select current_setting('server_version') as version, current_setting('synchronous_commit') as synchronous_commit,
      current_setting('synchronous_standby_names') <> '' as synchronous_standbys, (select count(*)::int from pg_stat_replication) as standbys,
      floor(extract(epoch from clock_timestamp()) * 1000)::float8 as at`)
    const tripMs = clock.mono() - before
    const [found] = rows
    return {
      version: String(found.version),
      synchronousCommit: String(found.synchronous_commit),
      standbys: Number(found.standbys),
      synchronousStandbys: found.synchronous_standbys === true,
      at: Number(found.at),
      tripMs,
    }
  })
}

/** The nodes of a database whose tables are of this version, without joining them. @throws Fault as {@link postgresReport} */
export function postgresNodeReports(url: string): Promise<readonly NodeReport[]> {
  return asked(url, async (client) => (await client.query(listed(ALIVE))).rows.map(toReport))
}

async function asked<Answer>(url: string, ask: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
  const client = new pg.Client(connectionConfig(url, false))
  client.on('error', () => {})
  try {
    await client.connect()
    await inspectServer(client)
    return await ask(client)
  } catch (error) {
    throw readable(error)
  } finally {
    await client.end().catch(() => {})
  }
}
