import type { ConnectionId, IntentId, OrganizationId } from '../../core/ids.ts'
import type { StoredAnswer } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { TimeIndex } from './time-index.ts'

export interface KeptAnswer {
  readonly organization: OrganizationId
  /** Null for the answer of a code exchange. */
  readonly connection: ConnectionId | null
  readonly generation: number
  readonly answer: Omit<StoredAnswer, 'body'>
  /** Null once it is cut to its facts. */
  readonly body: Uint8Array | null
  readonly applied: boolean
}

/** Every answer ever received, by its intent; beside them the unapplied ones, and the applied ones that still have their bytes. */
export class AnswerTable {
  readonly #rows = new Map<IntentId, KeptAnswer>()
  readonly #unapplied = new Set<IntentId>()
  readonly #uncut = new TimeIndex<IntentId>()
  readonly #cut = new TimeIndex<IntentId>()

  get(intent: IntentId): KeptAnswer | undefined {
    return this.#rows.get(intent)
  }

  /** A second write of the same intent can only turn it from unapplied to applied. */
  keep(row: Omit<KeptAnswer, 'answer' | 'body'> & { readonly answer: StoredAnswer }): void {
    const { body, ...facts } = row.answer
    const earlier = this.#rows.get(facts.intent)
    if (earlier === undefined) this.#put({ ...row, answer: facts, body })
    else if (row.applied && !earlier.applied) this.#put({ ...earlier, applied: true })
  }

  /** Cuts applied answers that came before `olderThan`, oldest first. Returns how many. */
  cut(olderThan: Instant, limit: number): number {
    const old = this.#uncut.take(olderThan - 1, limit)
    for (const intent of old) {
      const row = this.#rows.get(intent)
      if (row !== undefined) this.#put({ ...row, body: null })
    }
    return old.length
  }

  /** Removes what was cut and came before `olderThan`, oldest first. Returns how many. */
  forget(olderThan: Instant, limit: number): number {
    const old = this.#cut.take(olderThan - 1, limit)
    for (const intent of old) this.#rows.delete(intent)
    return old.length
  }

  /** Unapplied answers of connections, newest first. */
  unapplied(organization: OrganizationId, limit: number): (StoredAnswer & { readonly connection: ConnectionId })[] {
    const found: (StoredAnswer & { readonly connection: ConnectionId })[] = []
    for (const intent of this.#unapplied) {
      const row = this.#rows.get(intent)
      if (row === undefined || row.organization !== organization || row.connection === null) continue
      found.push({ ...row.answer, body: row.body ?? new Uint8Array(), connection: row.connection })
    }
    return found.sort((left, right) => right.receivedAt - left.receivedAt).slice(0, limit)
  }

  /** Drops the bytes of answers that never were this connection's token. */
  forgetUnapplied(connection: ConnectionId): void {
    for (const intent of this.#unapplied) {
      const row = this.#rows.get(intent)
      if (row?.connection === connection) this.#rows.set(intent, { ...row, body: null })
    }
  }

  remove(intent: IntentId): void {
    this.#rows.delete(intent)
    this.#unapplied.delete(intent)
    this.#uncut.set(intent, null)
    this.#cut.set(intent, null)
  }

  removeOf(connection: ConnectionId): void {
    for (const [intent, row] of [...this.#rows]) if (row.connection === connection) this.remove(intent)
  }

  copy(): Map<IntentId, KeptAnswer> {
    return new Map(this.#rows)
  }

  refill(from: ReadonlyMap<IntentId, KeptAnswer>): void {
    this.#rows.clear()
    this.#unapplied.clear()
    this.#uncut.clear()
    this.#cut.clear()
    for (const row of from.values()) this.#put(row)
  }

  #put(row: KeptAnswer): void {
    const { intent, receivedAt } = row.answer
    this.#uncut.set(intent, row.applied && row.body !== null ? receivedAt : null)
    this.#cut.set(intent, row.applied && row.body === null ? receivedAt : null)
    this.#rows.set(intent, row)
    if (row.applied) this.#unapplied.delete(intent)
    else this.#unapplied.add(intent)
  }
}
