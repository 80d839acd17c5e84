import type pg from 'pg'
import { Fault } from '../../core/fault/fault.ts'
import type { NodeIdentity } from '../../core/refresh/credentials.ts'
import type { Membership, NodeReport, Nodes } from '../../core/refresh/nodes.ts'
import type { StoreOptions } from '../contract.ts'
import { enter, forget, leasesOf, leave, list, takeOver, tell } from '../sql/nodes.ts'
import { type Database, type Program, row } from '../sql/program.ts'
import { LOCK_IS_FREE, lockHeld, NodeLock } from './node-lock.ts'

const POLL_MS = 500
/** So many heartbeats of the holder, seen while we wait, prove that it lives: one may have been on its way when it died. */
const BEATS_PROVE = 2

export const ALIVE = `(case when ${lockHeld('n.id')} then 1 else 0 end)`

/** The nodes of one PostgreSQL database. `close` ends what a `join` opened. */
export class PostgresNodes implements Nodes {
  readonly #database: Database
  readonly #config: pg.ClientConfig
  readonly #options: StoreOptions
  readonly #locks = new Set<NodeLock>()

  constructor(database: Database, config: pg.ClientConfig, options: StoreOptions) {
    this.#database = database
    this.#config = config
    this.#options = options
  }

  async join(node: NodeIdentity, patienceMs: number): Promise<Membership> {
    const lock = new NodeLock(node, this.#config, this.#options)
    this.#locks.add(lock)
    try {
      await this.#take(lock, node, patienceMs)
      await this.#database.write(() => enter(node), { repeatable: true })
      return this.#membership(lock, node)
    } catch (error) {
      await this.#end(lock)
      throw error
    }
  }

  list(): Promise<readonly NodeReport[]> {
    return this.#database.read(() => list(ALIVE))
  }

  tell(...[node, keyring, about]: Parameters<Nodes['tell']>): Promise<boolean> {
    return this.#database.write(() => tell(node, keyring, about), { repeatable: true })
  }

  leasesOf(...[node, after, limit]: Parameters<Nodes['leasesOf']>): ReturnType<Nodes['leasesOf']> {
    return this.#database.read(() => leasesOf(node, after, limit))
  }

  takeOver(...[connection, holder, epoch]: Parameters<Nodes['takeOver']>): Promise<boolean> {
    const { dialect } = this.#database
    return this.#database.write(() => takeOver(dialect, () => lockIsFree(holder), connection, holder, epoch))
  }

  async forgetLost(olderThan: number): Promise<number> {
    const lost = (await this.list()).filter((report) => !report.alive)
    return lost.length === 0 ? 0 : this.#database.write(() => forget(this.#database.dialect, lost, olderThan), { repeatable: true })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#locks].map((lock) => this.#end(lock)))
  }

  /** An earlier process of this id may be gone while the server still keeps its socket: that is waited for, a live one is not. */
  async #take(lock: NodeLock, node: NodeIdentity, patienceMs: number): Promise<void> {
    const { clock, timers, log } = this.#options
    const deadline = clock.mono() + patienceMs
    let beats = 0
    let last: NodeReport | undefined
    while (!(await lock.take())) {
      const now = (await this.list()).find((report) => report.id === node.id)
      if (last === undefined) {
        log?.warn(
          { node: node.id, patience_s: Math.ceil(patienceMs / 1_000) },
          'the liveness lock of this node is still held by an earlier process; waiting for it',
        )
      } else if (now !== undefined && now.heartbeatAt > last.heartbeatAt && !now.draining) beats += 1
      last = now ?? last
      if (beats >= BEATS_PROVE || clock.mono() >= deadline) throw taken(node, beats >= BEATS_PROVE, patienceMs)
      await timers.sleep(Math.min(POLL_MS, patienceMs))
    }
  }

  #membership(lock: NodeLock, node: NodeIdentity): Membership {
    return {
      held: () => lock.held,
      losses: () => lock.losses,
      beat: async (draining) => (await lock.beat(draining)) ?? (await this.#database.write(() => enter(node), { repeatable: true })),
      leave: async () => {
        if (!this.#locks.has(lock)) return
        // Row first: while the lock is held nobody takes this node for dead.
        await this.#database.write(() => leave(node), { repeatable: true }).catch(() => {})
        await this.#end(lock)
      },
    }
  }

  async #end(lock: NodeLock): Promise<void> {
    this.#locks.delete(lock)
    await lock.close()
  }
}

function* lockIsFree(holder: string): Program<boolean> {
  const found = yield* row(LOCK_IS_FREE, holder)
  return found?.free === true
}

function taken(node: NodeIdentity, lives: boolean, patienceMs: number): Fault {
  const why = lives
    ? 'another process with this id is running'
    : `another process with this id, perhaps paused, still has its lock after ${Math.ceil(patienceMs / 1_000)} s`
  const remedy = 'Give every node an EVERGRANT_NODE_ID of its own (or none, and a data folder of its own), or stop the other process.'
  return new Fault('invalid_request', { field: 'EVERGRANT_NODE_ID', detail: `EVERGRANT_NODE_ID ${node.id} is taken on this database: ${why}. ${remedy}` })
}
