import type { Revocation } from '../../core/connection/connections.ts'
import type { ConnectionId, RevocationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { TimeIndex } from './time-index.ts'

export type KeptRevocation = Omit<Revocation, 'dueAt'> & { readonly dueAt: Instant | null; readonly done: boolean }

/** Upstream revocations, done or not. */
export class RevocationTable {
  readonly #rows = new Map<RevocationId, KeptRevocation>()
  readonly #due = new TimeIndex<RevocationId>()

  /** A revocation that is there already stays as it is. */
  insert(row: KeptRevocation): void {
    if (!this.#rows.has(row.id)) this.#put(row)
  }

  takeDue(now: Instant, limit: number, visibilityMs: number): Revocation[] {
    return this.#due.take(now, limit).flatMap((id) => {
      const row = this.#rows.get(id)
      if (row === undefined || row.dueAt === null) return []
      const { done: _, dueAt, ...revocation } = row
      this.#put({ ...row, dueAt: now + visibilityMs, attempts: row.attempts + 1 })
      return [{ ...revocation, dueAt }]
    })
  }

  /** How many are tried again at some time. */
  waiting(): number {
    return [...this.#rows.values()].filter(({ dueAt }) => dueAt !== null).length
  }

  /** Those of these connections that are not done, due or not. */
  takeOpen(connections: ReadonlySet<ConnectionId>, now: Instant, visibilityMs: number): Revocation[] {
    const open = [...this.#rows.values()].filter((row) => !row.done && connections.has(row.connection))
    return open.map((row) => {
      const { done: _, dueAt, ...revocation } = row
      this.#put({ ...row, dueAt: now + visibilityMs, attempts: row.attempts + 1 })
      return { ...revocation, dueAt: dueAt ?? now }
    })
  }

  finishOf(connection: ConnectionId): void {
    for (const row of [...this.#rows.values()]) if (row.connection === connection) this.finish(row.id)
  }

  /** Returns false when it was done before. */
  finish(id: RevocationId): boolean {
    const row = this.#rows.get(id)
    if (row === undefined || row.done) return false
    const staged = row.staged === null ? null : { ...row.staged, accessToken: null, refreshToken: null }
    this.#put({ ...row, staged, dueAt: null, done: true })
    return true
  }

  /** For a copy of a database: what was to be revoked belongs to the original. */
  finishAll(): void {
    for (const id of [...this.#rows.keys()]) this.finish(id)
  }

  retry(id: RevocationId, dueAt: Instant): void {
    const row = this.#rows.get(id)
    if (row !== undefined && !row.done) this.#put({ ...row, dueAt })
  }

  isOpen(connection: ConnectionId): boolean {
    for (const row of this.#rows.values()) if (row.connection === connection && !row.done) return true
    return false
  }

  copy(): Map<RevocationId, KeptRevocation> {
    return new Map(this.#rows)
  }

  refill(from: ReadonlyMap<RevocationId, KeptRevocation>): void {
    this.#rows.clear()
    this.#due.clear()
    for (const row of from.values()) this.#put(row)
  }

  #put(row: KeptRevocation): void {
    this.#due.set(row.id, row.dueAt)
    this.#rows.set(row.id, row)
  }
}
