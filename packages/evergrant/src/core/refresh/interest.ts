import type { ConnectionId } from '../ids.ts'
import { HOUR, type Instant } from '../time.ts'
import type { ReadMark } from './credentials.ts'
import type { EnginePorts } from './engine-ports.ts'

/** A connection's interest is written at most this often: it only decides whether renewal is eager. */
const MARK_EVERY_MS = HOUR
const MARKS_MAX = 100_000

/** Remembers who is read and reports it in batches, so that a read never costs a write of its own. */
export class Interest {
  readonly #ports: Pick<EnginePorts, 'credentials' | 'log'>
  readonly #markedAt = new Map<ConnectionId, Instant>()
  #pending = new Map<ConnectionId, ReadMark>()

  constructor(ports: Pick<EnginePorts, 'credentials' | 'log'>) {
    this.#ports = ports
  }

  read(connection: ConnectionId, at: Instant, softAt: Instant | null): void {
    const last = this.#markedAt.get(connection)
    if (last !== undefined && at - last < MARK_EVERY_MS) return
    if (this.#markedAt.size >= MARKS_MAX) this.#markedAt.clear()
    this.#markedAt.set(connection, at)
    this.#pending.set(connection, { connection, at, dueAt: softAt })
  }

  /** Writes what has gathered. A failure keeps the marks for the next time. */
  async flush(): Promise<void> {
    if (this.#pending.size === 0) return
    const marks = this.#pending
    this.#pending = new Map()
    try {
      await this.#ports.credentials.markReads([...marks.values()])
    } catch (error) {
      this.#ports.log.warn({ marks: marks.size, error: String(error) }, 'read marks are not written yet')
      for (const [connection, mark] of marks) if (!this.#pending.has(connection)) this.#pending.set(connection, mark)
    }
  }
}
