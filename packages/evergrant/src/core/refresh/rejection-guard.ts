import type { ConnectionId } from '../ids.ts'
import { MINUTE } from '../time.ts'

const QUIET_MS = MINUTE
const REMEMBERED_MAX = 10_000

/**
 * A token that was renewed because an API refused its predecessor, and is refused again at once, is not refused for its
 * age. Without this, a wrong header would turn every call into a refresh. Times are monotonic milliseconds.
 */
export class RejectionGuard {
  readonly #renewed = new Map<ConnectionId, { readonly generation: number; readonly at: number }>()

  renewed(connection: ConnectionId, generation: number, at: number): void {
    if (this.#renewed.size >= REMEMBERED_MAX) this.#renewed.clear()
    this.#renewed.set(connection, { generation, at })
  }

  /** Milliseconds until a refresh may be tried; null when it may. */
  quietForMs(connection: ConnectionId, rejectedGeneration: number | null, now: number): number | null {
    const last = this.#renewed.get(connection)
    if (last === undefined || rejectedGeneration !== last.generation) return null
    const leftMs = last.at + QUIET_MS - now
    return leftMs > 0 ? Math.ceil(leftMs) : null
  }
}
