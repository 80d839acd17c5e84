import type { ConnectionId } from '../../core/ids.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import { type Program, rows } from '../sql/program.ts'
import { GRANT_COLUMNS, GRANT_TABLES, toGrantRow } from '../sql/rows.ts'
import type { PostgresDatabase } from './postgres-database.ts'

const LANES = 2
const MAX_BATCH = 128

interface Waiter {
  readonly resolve: (row: GrantRow | undefined) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Reads of grants that come together travel together: one statement for many connections, and one row for everybody who
 * waits for the same one. A read that has not left yet sees everything committed before it was asked for.
 */
export class MergedReads {
  readonly #database: PostgresDatabase
  #waiting = new Map<ConnectionId, Waiter[]>()
  #busy = 0
  #scheduled = false

  constructor(database: PostgresDatabase) {
    this.#database = database
  }

  read(connection: ConnectionId): Promise<GrantRow | undefined> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(connection)
      if (waiters === undefined) this.#waiting.set(connection, [{ resolve, reject }])
      else waiters.push({ resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy >= LANES) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      while (this.#waiting.size > 0 && this.#busy < LANES) void this.#send()
    })
  }

  async #send(): Promise<void> {
    const batch = new Map([...this.#waiting].slice(0, MAX_BATCH))
    for (const connection of batch.keys()) this.#waiting.delete(connection)
    this.#busy += 1
    try {
      const found = await this.#database.readMerged(() => readMany(this.#database, [...batch.keys()]))
      for (const [connection, waiters] of batch) for (const waiter of waiters) waiter.resolve(found.get(connection))
    } catch (error) {
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error)
    } finally {
      this.#busy -= 1
      this.#schedule()
    }
  }
}

function* readMany({ dialect }: PostgresDatabase, connections: readonly ConnectionId[]): Program<ReadonlyMap<ConnectionId, GrantRow>> {
  const found = yield* rows(`select ${GRANT_COLUMNS} from ${GRANT_TABLES} where ${dialect.among('k.id')}`, JSON.stringify(connections))
  return new Map(found.map(toGrantRow).map((row) => [row.connection.id, row]))
}
