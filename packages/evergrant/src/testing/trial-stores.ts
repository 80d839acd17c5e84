import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freshDatabase } from '../../../../tests/fresh-database.ts'
import { openPostgresStore, openSqliteStore, type Store } from '../store/index.ts'
import { systemClock, systemTimers } from '../system.ts'

/** One of the databases that a trial runs on. `absent`: it is not on this machine, and `name` says why. */
interface TrialStore {
  readonly name: string
  readonly absent: boolean
  /** Whether two nodes may work on it at once. */
  readonly shared: boolean
  readonly open: () => Promise<Store>
}

/** The embedded database in a folder of its own and a fresh PostgreSQL database; `remove` takes both away. */
export async function trialStores(): Promise<{ readonly stores: readonly TrialStore[]; readonly remove: () => Promise<void> }> {
  const { database, skip } = await freshDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-trials-'))
  const options = { clock: systemClock, timers: systemTimers, migrate: true }
  const stores: readonly TrialStore[] = [
    { name: 'the embedded database', absent: false, shared: false, open: () => openSqliteStore(join(folder, 'trials.db'), options) },
    { name: `PostgreSQL${skip ?? ''}`, absent: database === null, shared: true, open: () => openPostgresStore(database?.url ?? '', options) },
  ]
  const remove = async () => {
    await database?.drop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { stores, remove }
}
