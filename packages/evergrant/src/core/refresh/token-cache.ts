import type { ConnectionId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { TokenAnswer, TokenRequest } from './refresh-engine.ts'

export interface CachedToken {
  readonly organization: string
  readonly answer: TokenAnswer
  readonly obtainedAt: Instant
  readonly softAt: Instant | null
  readonly hardAt: Instant | null
}

/** Newer than what was refused, and lives for as long as the caller asks; `minTtlMs` counts up to half of its life. */
export function answers({ answer, obtainedAt }: Pick<CachedToken, 'answer' | 'obtainedAt'>, request: TokenRequest, now: Instant): boolean {
  const { generation, expiresAt } = answer
  if (request.rejectedGeneration !== null && request.rejectedGeneration >= generation) return false
  return expiresAt === null || expiresAt - now > Math.min(request.minTtlMs, (expiresAt - obtainedAt) / 2)
}

/** Valid tokens in memory, bounded, least recently stored out first. Never goes back to an older generation. */
export class TokenCache {
  readonly #entries = new Map<ConnectionId, CachedToken>()
  readonly #readings = new Map<ConnectionId, Set<{ dirty: boolean }>>()
  /** Outlives what is forgotten: a late word of an older flight or read is known for what it is. */
  readonly #newest = new Map<ConnectionId, number>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  /** An entry that answers the request by itself now; undefined sends the caller to the store. */
  find(request: TokenRequest, now: Instant): CachedToken | undefined {
    const entry = this.#entries.get(request.connection)
    if (entry === undefined || entry.organization !== request.organization) return undefined
    if (entry.hardAt !== null && now >= entry.hardAt) return undefined
    return answers(entry, request, now) ? entry : undefined
  }

  put(entry: CachedToken): void {
    const id = entry.answer.connection
    if (this.newest(id) > entry.answer.generation) return
    this.handedOut(entry.answer)
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    if (this.#entries.size <= this.#limit) return
    const oldest = this.#entries.keys().next().value
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  /** The newest generation that this node has handed out or kept; 0 when it remembers none. */
  newest(connection: ConnectionId): number {
    return this.#newest.get(connection) ?? 0
  }

  handedOut({ connection, generation }: TokenAnswer): void {
    if (this.newest(connection) >= generation) return
    this.#newest.delete(connection)
    this.#newest.set(connection, generation)
    if (this.#newest.size <= this.#limit) return
    const oldest = this.#newest.keys().next().value
    if (oldest !== undefined) this.#newest.delete(oldest)
  }

  forget(connection: ConnectionId | 'all'): void {
    if (connection === 'all') {
      this.#entries.clear()
      for (const readings of this.#readings.values()) for (const reading of readings) reading.dirty = true
      return
    }
    this.#entries.delete(connection)
    for (const reading of this.#readings.get(connection) ?? []) reading.dirty = true
  }

  /**
   * Marks a read of the store as under way. `keep` caches its result unless a change was announced meanwhile: a slow
   * read must not bring an old generation back.
   */
  reading(connection: ConnectionId): { keep(entry: CachedToken): void; end(): void } {
    const mark = { dirty: false }
    const marks = this.#readings.get(connection) ?? new Set()
    marks.add(mark)
    this.#readings.set(connection, marks)
    return {
      keep: (entry) => {
        if (!mark.dirty) this.put(entry)
      },
      end: () => {
        marks.delete(mark)
        if (marks.size === 0) this.#readings.delete(connection)
      },
    }
  }
}
