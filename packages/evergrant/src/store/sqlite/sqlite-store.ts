import { Fault } from '../../core/fault/fault.ts'
import type { Store, StoreOptions } from '../contract.ts'
import { Listeners } from '../listeners.ts'
import { NEWER_BUT_BEARABLE, newerSteps, stepsMissing } from '../migrations/ledger.ts'
import { row } from '../sql/program.ts'
import { storeParts } from '../sql/store-parts.ts'
import { type DataLock, takeDataLock } from './data-lock.ts'
import { embeddedNodes } from './embedded-nodes.ts'
import { openFile, SqliteDatabase } from './sqlite-database.ts'
import { migrationsOf } from './sqlite-migrations.ts'

/**
 * The embedded store: one file, one process. Takes the data lock and keeps it until `close`.
 * @throws Fault `store_unavailable` when another process uses the file or its schema is not this program's
 */
export async function openSqliteStore(path: string, options: StoreOptions): Promise<Store> {
  const lock = takeDataLock(path)
  try {
    return openStore(path, options, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** The same store in memory: nothing outlives `close`. Always migrated. */
export async function openMemoryStore(options: StoreOptions): Promise<Store> {
  migrated ??= emptyDatabase()
  return openStore(':memory:', options, null, migrated)
}

/** What an empty database is after the last step. A simulation opens thousands, and the steps would be half of its work. */
let migrated: Uint8Array | undefined

function emptyDatabase(): Uint8Array {
  const file = openFile(':memory:')
  try {
    migrationsOf(file).up()
    return file.serialize()
  } finally {
    file.close()
  }
}

function openStore(path: string, options: StoreOptions, lock: DataLock | null, contents?: Uint8Array): Store {
  const file = openFile(path)
  try {
    if (contents !== undefined) file.deserialize(contents)
    const migrations = migrationsOf(file)
    if (options.migrate === true) migrations.up()
    requireSchema(path, migrations, options)
  } catch (error) {
    file.close()
    throw error
  }
  const listeners = new Listeners(options.log)
  const database = new SqliteDatabase(file, options.clock, (changes) => listeners.announce(changes), options.lost)
  return {
    ...storeParts(database),
    nodes: embeddedNodes(database),
    changes: {
      subscribe: (listener) => listeners.subscribe(listener),
      fresh: () => true,
    },
    ping: async () => {
      await database.write(() => row('select 1 as one'))
    },
    close: async () => {
      database.close()
      lock?.release()
    },
  }
}

function requireSchema(path: string, migrations: ReturnType<typeof migrationsOf>, { log }: StoreOptions): void {
  const steps = migrations.applied()
  const { refused, bearable } = newerSteps(steps)
  if (refused.length > 0) {
    throw new Fault('store_unavailable', {
      detail: `${path} was written by a newer version (schema ${refused.join(', ')}): start that version, or roll back with it first`,
    })
  }
  const missing = stepsMissing(steps)
  if (missing.length > 0) {
    throw new Fault('store_unavailable', { detail: `${path} lacks ${missing.length} migration(s): run \`evergrant migrate up\`` })
  }
  if (bearable.length > 0) log?.warn({ schema: bearable.join(', ') }, NEWER_BUT_BEARABLE)
}
