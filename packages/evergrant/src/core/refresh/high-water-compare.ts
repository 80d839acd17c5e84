import type { ConnectionId } from '../ids.ts'
import type { HighWaterOrigin, Mark } from './high-water.ts'
import type { BehindGrant, DatabaseHome, Lineage, StoredGeneration } from './lineage.ts'

/** What a start finds before it looks at any mark. */
type StartFinding =
  /** `begin`: this data folder is new, or an operator has confirmed the database since. */
  | { readonly kind: 'begin'; readonly wasNew: boolean }
  /** The marks belong to this database in this era. */
  | { readonly kind: 'ours' }
  /** The marks belong to another database. */
  | { readonly kind: 'other' }
  | { readonly kind: 'went_back'; readonly reason: string }

/** Compares what the data folder remembers with what the database says of itself. Pure. */
export function startFinding(lineage: Lineage, remembered: HighWaterOrigin | null): StartFinding {
  if (remembered === null) return { kind: 'begin', wasNew: true }
  if (remembered.instance !== lineage.instance) return { kind: 'other' }
  if (remembered.era > lineage.era) {
    return { kind: 'went_back', reason: `the database is in era ${lineage.era}, and this node has seen it in era ${remembered.era}` }
  }
  return remembered.era < lineage.era ? { kind: 'begin', wasNew: false } : { kind: 'ours' }
}

/** True when the database was written at another home than the one it is at. Unknown homes prove nothing. */
export function isElsewhere(written: DatabaseHome | null, now: DatabaseHome | null): boolean {
  return written !== null && now !== null && written.id !== now.id
}

/** Another name, another timeline, or a home that was not known before: worth a note, and no reason to stop. */
export function hasMoved(written: DatabaseHome | null, now: DatabaseHome | null): boolean {
  if (now === null) return false
  return written === null || written.name !== now.name || written.timeline !== now.timeline
}

/** The same database on another timeline. */
export function isPromoted(written: DatabaseHome | null, now: DatabaseHome | null): boolean {
  return written !== null && now !== null && written.timeline !== null && now.timeline !== null && written.timeline !== now.timeline
}

/**
 * The marks that the database does not come up to: a lower generation, another token under the same one (it went back
 * and went on differently), or no such connection. Pure.
 */
export function behindOf(marks: readonly Mark[], stored: readonly StoredGeneration[]): readonly BehindGrant[] {
  const byId = new Map(stored.map((one) => [one.connection, one]))
  return marks.flatMap((mark) => {
    const found = byId.get(mark.connection)
    if (found !== undefined && comesUpTo(found, mark)) return []
    return [{ connection: mark.connection, marked: mark.generation, stored: found?.generation ?? null }]
  })
}

function comesUpTo(stored: StoredGeneration, mark: Mark): boolean {
  if (stored.generation !== mark.generation) return stored.generation > mark.generation
  if (mark.fingerprint === null || stored.fingerprint === null) return true
  return stored.fingerprint.startsWith(mark.fingerprint) || mark.fingerprint.startsWith(stored.fingerprint)
}

/** The highest mark of each connection. */
export function highest(marks: Iterable<Mark>): readonly Mark[] {
  const byId = new Map<ConnectionId, Mark>()
  for (const mark of marks) {
    const known = byId.get(mark.connection)
    if (known === undefined || known.generation <= mark.generation) byId.set(mark.connection, mark)
  }
  return [...byId.values()]
}
