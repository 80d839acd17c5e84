import type { Connection } from '../connection/connection.ts'
import type { Credential, Suspicion } from '../connection/credential.ts'
import type { ConnectionId } from '../ids.ts'
import type { Reuse } from '../provider/reuse.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { NodeIdentity } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import { isReusable, type ProtocolTimes } from './protocol-times.ts'
import { windowOpen } from './suspicion.ts'

interface Held {
  readonly connection: Pick<Connection, 'state'>
  readonly credential: Pick<Credential, 'intent' | 'suspicion' | 'generation' | 'lease'>
}

const PAGE = 100
/** A lost node is walked once, and again after this: a claim of its last moment may have come later than the walk. */
const WALK_AGAIN_MS = MINUTE

/**
 * May the lease of a holder that is known dead be freed now (refresh-protocol 2.8, last line; 2.9)? P0 and P2: a
 * second presentation harms nothing. P1: while its window runs. The others not while a presentation may follow from it: the
 * lost node may come back with the answer in its journal. None follows where the provider must never be probed, or where
 * the grant is not renewed at all; then a lease that is over is only in the way.
 */
export function mayTakeOver({ connection, credential }: Held, reuse: Reuse, now: Instant, times: ProtocolTimes): boolean {
  if (isReusable(reuse)) return true
  const over = credential.lease !== null && credential.lease.until <= now
  if (over && (reuse.neverProbe || connection.state !== 'active')) return true
  if (reuse.class !== 'P1') return false
  const { intent, suspicion, generation } = credential
  const open: Suspicion | null =
    suspicion ?? (intent !== null && intent.generation === generation ? { intent: intent.id, at: intent.at, answered: false } : null)
  return open === null || windowOpen(open, reuse, now, times)
}

/** Looks for nodes whose liveness lock is free, and frees what their leases' reuse classes allow. */
export class Takeover {
  readonly #world: EngineWorld
  /** By node id: which incarnation was walked, and when. */
  readonly #walked = new Map<string, { readonly incarnation: string; readonly at: number }>()
  /** Missed at the last look. A node is lost when it is missed twice: after a restart of the database all are missed for a moment. */
  #missed = new Set<string>()

  constructor(world: EngineWorld) {
    this.#world = world
  }

  /** Returns how many leases were freed. Costs O(nodes) and, for each lost node once a minute, O(its leases). */
  async run(): Promise<number> {
    const { nodes, node, clock, liveness, draining } = this.#world
    if (draining() || liveness.refusal() !== null) return 0
    let freed = 0
    const missing = (await nodes.list()).filter((report) => !report.alive && report.id !== node.id)
    const lost = missing.filter((report) => this.#missed.has(report.id))
    this.#missed = new Set(missing.map((report) => report.id))
    for (const id of this.#walked.keys()) if (!this.#missed.has(id)) this.#walked.delete(id)
    for (const report of lost) {
      if (this.#walkedLately(report)) continue
      freed += await this.#walk(report)
      this.#walked.set(report.id, { incarnation: report.incarnation, at: clock.mono() })
    }
    return freed
  }

  #walkedLately({ id, incarnation }: NodeIdentity): boolean {
    const walked = this.#walked.get(id)
    return walked !== undefined && walked.incarnation === incarnation && this.#world.clock.mono() - walked.at < WALK_AGAIN_MS
  }

  async #walk(lost: NodeIdentity): Promise<number> {
    let freed = 0
    let left = 0
    let after: ConnectionId | null = null
    for (;;) {
      const page: readonly ConnectionId[] = await this.#world.nodes.leasesOf(lost.id, after, PAGE)
      for (const connection of page) {
        if (await this.#one(connection, lost.id)) freed += 1
        else left += 1
      }
      after = page.at(-1) ?? null
      if (page.length < PAGE) break
    }
    if (freed + left > 0) {
      this.#world.log.warn(
        { node: lost.id, freed, left },
        'a node is lost; what may be renewed at once is due now, the rest waits for it until its leases end: start it again with its data folder',
      )
    }
    return freed
  }

  async #one(connection: ConnectionId, holder: string): Promise<boolean> {
    const { credentials, contexts, clock, times, nodes, log } = this.#world
    try {
      const row = await credentials.read(connection)
      const lease = row?.credential.lease
      if (row === undefined || lease === null || lease === undefined || lease.owner !== holder) return false
      const { reuse } = await contexts.of(row.connection.integration)
      if (!mayTakeOver(row, reuse, clock.wall(), times)) return false
      return await nodes.takeOver(connection, holder, lease.epoch)
    } catch (error) {
      log.warn({ connection, error: String(error) }, 'a lease of a lost node could not be freed; it ends by itself')
      return false
    }
  }
}
