import type { Declaration, SnapshotFacts } from '../core/backup/database-copy.ts'
import type { DatabaseHome } from '../core/refresh/lineage.ts'

/**
 * What a restored database says of itself. At the place where the backup was made the original is gone: the database was there. At
 * another place, or where the server does not say, the original may be alive, and only an operator knows.
 * Null: no server has ever started on it, so it has no grants.
 */
export function restoredTrust({ lineage, madeAt }: SnapshotFacts, home: DatabaseHome | null): Omit<Declaration, 'event'> | null {
  if (lineage === null) return null
  const at = `restored from a backup of ${new Date(madeAt).toISOString()}`
  if (home !== null && lineage.home !== null && home.id === lineage.home.id) return { trusted: 'restored', reason: at }
  const [was, now] = [lineage.home?.name ?? 'an unknown place', home?.name ?? 'an unknown place']
  return { trusted: 'cloned', reason: `${at}, made at ${was} (${lineage.home?.id ?? 'not told'}), into ${now} (${home?.id ?? 'not told'})` }
}
