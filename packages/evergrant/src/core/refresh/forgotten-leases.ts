import type { ConnectionId } from '../ids.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { JournalRecord } from './journal.ts'
import { answersTo, applyOrKeep } from './replay-answer.ts'

const PAGE = 100

/**
 * Leases in this node's name that nothing here is at work under. A database that fails over to a copy that is behind brings them:
 * the copy has the claim, and lacks how it ended. Their holder lives, so nobody else may take them (living-holder.ts); and where
 * a token is never presented twice, or a connection is not renewed at all, nobody ever claims over them. Only their own node knows
 * that they are forgotten.
 */
export class ForgottenLeases {
  readonly #world: EngineWorld
  readonly #atWork: (connection: ConnectionId) => boolean
  /**
   * By connection: the epoch of the lease that was forgotten at the last look. It is freed at the second look, so that a claim which is
   * just being given back, or an answer that is being rolled forward, comes first.
   */
  #seen: ReadonlyMap<ConnectionId, number> = new Map()

  /** `atWork`: does anything of this process present the connection's token, or store what came of it? */
  constructor(world: EngineWorld, atWork: (connection: ConnectionId) => boolean) {
    this.#world = world
    this.#atWork = atWork
  }

  /** One look. Returns how many leases were freed. Costs O(flights), and reads only what none of them is about. */
  async run(): Promise<number> {
    const { draining, liveness, log } = this.#world
    if (draining() || liveness.refusal() !== null) return 0
    const found = await this.#forgotten()
    const again = found.filter(({ connection, credential }) => this.#seen.get(connection.id) === credential.epoch)
    this.#seen = new Map(found.map(({ connection, credential }) => [connection.id, credential.epoch]))
    if (again.length === 0) return 0
    const answers = await this.#answersTo(again)
    let freed = 0
    for (const row of again) if (await this.#one(row, answers.get(row.connection.id))) freed += 1
    if (freed > 0) log.warn({ freed }, 'leases of this node that nothing works under were freed: the database had lost how they ended')
    return freed
  }

  async #forgotten(): Promise<readonly GrantRow[]> {
    const { nodes, node, credentials, clock } = this.#world
    const found: GrantRow[] = []
    let after: ConnectionId | null = null
    for (;;) {
      const page: readonly ConnectionId[] = await nodes.leasesOf(node.id, after, PAGE)
      for (const connection of page) {
        if (this.#atWork(connection)) continue
        const row = await credentials.read(connection)
        const lease = row?.credential.lease
        if (row === undefined || lease === null || lease === undefined || lease.owner !== node.id) continue
        if (lease.incarnation !== node.incarnation || lease.until <= clock.wall()) found.push(row)
      }
      after = page.at(-1) ?? null
      if (page.length < PAGE) return found
    }
  }

  /**
   * The journal's answers to the very presentations that these leases were taken for. A connection that was ended is left as it is: its
   * history may be one that an operator has given up.
   */
  async #answersTo(rows: readonly GrantRow[]): Promise<ReadonlyMap<ConnectionId, JournalRecord>> {
    const wanted = new Map(
      rows.flatMap((row) => (row.connection.state === 'active' && row.credential.intent !== null ? [[row.credential.intent.id, row]] : [])),
    )
    const answers = new Map<ConnectionId, JournalRecord>()
    if (wanted.size === 0) return answers
    for await (const portion of this.#world.journal.answers()) {
      for (const { record } of portion) {
        const row = wanted.get(record.intent)
        if (row !== undefined && answersTo(row, record)) answers.set(row.connection.id, record)
      }
    }
    return answers
  }

  /** An answer is stored, and takes the lease with it; as long as it cannot be, the lease stays. The epoch fences a flight that begins meanwhile. */
  async #one(row: GrantRow, answer: JournalRecord | undefined): Promise<boolean> {
    const { credentials, node, log } = this.#world
    const { connection, credential } = row
    try {
      if (answer !== undefined) return (await applyOrKeep(this.#world, answer, row)) === 'applied'
      return await credentials.reclaimForgotten(connection.id, node, credential.epoch)
    } catch (error) {
      log.warn({ connection: connection.id, error: String(error) }, 'a forgotten lease could not be freed; it will be tried again')
      return false
    }
  }
}
