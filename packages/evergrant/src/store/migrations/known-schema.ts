import { Fault } from '../../core/fault/fault.ts'
import { MIGRATIONS } from './index.ts'

/** Every migration of this program. */
export const KNOWN: readonly number[] = MIGRATIONS.map(({ version }) => version)

/**
 * A backup has to know every table that it copies, also where this program could go on serving beside a newer one.
 * @throws Fault `store_unavailable` when there is nothing, or something that only a newer program knows
 */
export function mustKnow(versions: readonly number[]): readonly number[] {
  if (versions.length === 0) throw new Fault('store_unavailable', { detail: 'this database has no tables of Evergrant: no server has started on it' })
  const unknown = versions.filter((version) => !KNOWN.includes(version))
  if (unknown.length === 0) return versions
  const detail = `the database was migrated by a newer version (schema ${unknown.join(', ')}): make the backup with the command line of that version`
  throw new Fault('store_unavailable', { detail })
}
