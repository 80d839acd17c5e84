import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Cell, CellRow, Snapshot, SnapshotFacts, TableShape } from '../../core/backup/database-copy.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { Clock } from '../../core/time.ts'
import { mustKnow } from '../migrations/known-schema.ts'
import { LINEAGE_COLUMNS, toLineage } from '../sql/lineage-rows.ts'
import { tablesOf } from './schema-shape.ts'

const PORTION = 500

/**
 * One moment of the embedded database, beside the server that writes it: a read transaction of a connection of its own. The
 * write-ahead log cannot be emptied while it is open, and grows by what is written meanwhile.
 * @throws Fault `store_unavailable` when there is no database at `path`, or one that this program does not know
 */
export async function openSqliteSnapshot(path: string, clock: Clock): Promise<Snapshot> {
  if (!existsSync(path)) throw new Fault('store_unavailable', { detail: `there is no database at ${path}: set EVERGRANT_DATA_DIR, or EVERGRANT_DATABASE_URL` })
  const file = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    file.exec('begin')
    const schema = mustKnow(appliedIn(file))
    const madeAt = clock.wall()
    const found = file.prepare(`select ${LINEAGE_COLUMNS} from lineage where one = 1`).get()
    const facts: SnapshotFacts = { store: 'sqlite', madeAt, schema, lineage: found === undefined ? null : toLineage(found) }
    return { facts, tables: tablesOf(file), rows: (table) => rowsOf(file, table), close: async () => file.close() }
  } catch (error) {
    file.close()
    throw error
  }
}

function appliedIn(file: DatabaseSync): readonly number[] {
  const ledger = file.prepare("select 1 from sqlite_schema where type = 'table' and name = 'schema_migration'").get()
  if (ledger === undefined) return []
  return file
    .prepare('select version from schema_migration order by version')
    .all()
    .map((row) => Number(row.version))
}

async function* rowsOf(file: DatabaseSync, { name, columns }: TableShape): AsyncGenerator<readonly CellRow[]> {
  const statement = file.prepare(`select ${columns.map((column) => `"${column.name}"`).join(', ')} from "${name}"`)
  statement.setReturnArrays(true)
  let portion: CellRow[] = []
  for (const row of statement.iterate()) {
    portion.push(row as unknown as Cell[])
    if (portion.length < PORTION) continue
    yield portion
    portion = []
  }
  if (portion.length > 0) yield portion
}
