import type { ConnectionId } from '../ids.ts'
import { type Instant, MINUTE } from '../time.ts'

const QUIET_MS = MINUTE
const REMEMBERED_MAX = 10_000

/**
 * A token that was renewed because an API refused its predecessor, and is refused again at once, is not refused for its
 * age. Without this, a wrong header would turn every call into a refresh.
 */
export class RejectionGuard {
  readonly #renewed = new Map<ConnectionId, { readonly generation: number; readonly at: Instant }>()

  renewed(connection: ConnectionId, generation: number, at: Instant): void {
    if (this.#renewed.size >= REMEMBERED_MAX) this.#renewed.clear()
    this.#renewed.set(connection, { generation, at })
  }

  /** Null when a refresh may be tried; else when it may. */
  refusedUntil(connection: ConnectionId, rejectedGeneration: number | null, now: Instant): Instant | null {
    const last = this.#renewed.get(connection)
    if (last === undefined || rejectedGeneration !== last.generation) return null
    return now - last.at < QUIET_MS ? last.at + QUIET_MS : null
  }
}
