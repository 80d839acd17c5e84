import pg from 'pg'
import type { CellRow, Snapshot, SnapshotFacts, TableShape } from '../../core/backup/database-copy.ts'
import { mustKnow } from '../migrations/known-schema.ts'
import { LINEAGE_COLUMNS, toLineage } from '../sql/lineage-rows.ts'
import { tablesAfter } from '../sqlite/schema-shape.ts'
import { connectionConfig } from './postgres-connection.ts'
import { readable } from './postgres-faults.ts'

const PORTION = 500

/** The server gives up no statement of a backup, and does not end it while the disk on our side is slow. */
export function unhurried(url: string): pg.ClientConfig {
  const config = connectionConfig(url, true)
  return { ...config, query_timeout: 0, options: `${config.options ?? ''} -c statement_timeout=0 -c idle_in_transaction_session_timeout=0` }
}

/**
 * One moment of the database, beside the nodes that write it: a repeatable read transaction, and a cursor for each table.
 * @throws Fault `store_unavailable` when the server cannot be reached, or the database is none that this program knows
 */
export async function openPostgresSnapshot(url: string): Promise<Snapshot> {
  const client = new pg.Client(unhurried(url))
  client.on('error', () => {})
  const close = async () => void (await client.end().catch(() => {}))
  try {
    await client.connect()
    await client.query('begin isolation level repeatable read read only')
    const facts = await factsOf(client)
    return { facts, tables: tablesAfter(facts.schema), rows: (table) => rowsOf(client, table), close }
  } catch (error) {
    await close()
    throw readable(error)
  }
}

async function factsOf(client: pg.Client): Promise<SnapshotFacts> {
  const ledger = await client.query("select to_regclass('schema_migration') is not null as there")
  const applied = ledger.rows[0]?.there === true ? await client.query('select version from schema_migration order by version') : { rows: [] }
  const schema = mustKnow(applied.rows.map((row) => Number(row.version)))
  const madeAt = Number((await client.query('select now_ms() as now')).rows[0]?.now)
  const [lineage] = (await client.query(`select ${LINEAGE_COLUMNS} from lineage where one = 1`)).rows
  return { store: 'postgres', madeAt, schema, lineage: lineage === undefined ? null : toLineage(lineage) }
}

async function* rowsOf(client: pg.Client, { name, columns }: TableShape): AsyncGenerator<readonly CellRow[]> {
  try {
    await client.query(`declare portion no scroll cursor for select ${columns.map((column) => `"${column.name}"`).join(', ')} from "${name}"`)
    for (;;) {
      const { rows } = await client.query<CellRow & unknown[]>({ text: `fetch ${PORTION} from portion`, rowMode: 'array' })
      if (rows.length > 0) yield rows
      if (rows.length < PORTION) break
    }
    await client.query('close portion')
  } catch (error) {
    throw readable(error)
  }
}
