import { DatabaseClock } from '../database-clock.ts'
import type { Log } from '../log.ts'
import { type Clock, type Instant, SECOND } from '../time.ts'
import type { Liveness, Refusal } from './liveness.ts'
import type { Membership } from './nodes.ts'

/** From here on an operator is told; beyond the second value nothing new is started (refresh-protocol 2.14). */
export const SKEW_WARN_MS = 5 * SECOND
export const SKEW_REFUSE_MS = 30 * SECOND

interface NodeWatchPorts {
  readonly membership: Pick<Membership, 'held' | 'losses' | 'beat'>
  readonly clock: DatabaseClock
  readonly log: Log
}

/** What a node knows of itself: whether others can see that it lives, and whether its clock is right. */
export class NodeWatch implements Liveness {
  readonly #ports: NodeWatchPorts
  #skew: 'right' | 'off' | 'wrong' = 'right'

  constructor(ports: NodeWatchPorts) {
    this.#ports = ports
  }

  refusal(): Refusal | null {
    if (!this.#ports.membership.held()) {
      return {
        code: 'store_unavailable',
        detail: 'this node cannot show the others that it lives; nothing is started until its connection to the database is back',
      }
    }
    const skewMs = this.#ports.clock.skewMs()
    return Math.abs(skewMs) >= SKEW_REFUSE_MS ? { code: 'clock_skewed', detail: `${describeSkew(skewMs)}; nothing is started until it is set right` } : null
  }

  term(): number {
    return this.#ports.membership.losses()
  }

  sawDatabaseTime(at: Instant, tripMs: number): void {
    this.#ports.clock.saw(at, tripMs)
    this.#tell()
  }

  /** One heartbeat: shows that we live, and brings the database's time. Rejects while the lock is lost. */
  async beat(draining: boolean): Promise<void> {
    const { clock, membership } = this.#ports
    const before = clock.mono()
    const at = await membership.beat(draining)
    this.sawDatabaseTime(at, clock.mono() - before)
  }

  get held(): boolean {
    return this.#ports.membership.held()
  }

  /** Database minus machine, in milliseconds. */
  get skewMs(): number {
    return this.#ports.clock.skewMs()
  }

  /** Once when it begins, once when it gets worse, once when it is over. */
  #tell(): void {
    const skewMs = this.#ports.clock.skewMs()
    const now = Math.abs(skewMs) >= SKEW_REFUSE_MS ? 'wrong' : Math.abs(skewMs) >= SKEW_WARN_MS ? 'off' : 'right'
    if (now === this.#skew) return
    this.#skew = now
    const fields = { skew_ms: skewMs }
    if (now === 'right') this.#ports.log.info(fields, 'the clock of this machine agrees with the database again')
    if (now === 'off') this.#ports.log.warn(fields, `${describeSkew(skewMs)}: turn on time synchronisation (NTP) on both machines`)
    if (now === 'wrong') this.#ports.log.error(fields, `${describeSkew(skewMs)}: no refresh is started here until it is set right`)
  }
}

/** The watch of a node that shares its database, and the clock that it keeps: the database's. */
export function watchNode(membership: NodeWatchPorts['membership'], machine: Clock, log: Log): { readonly clock: DatabaseClock; readonly watch: NodeWatch } {
  const clock = new DatabaseClock(machine)
  return { clock, watch: new NodeWatch({ membership, clock, log }) }
}

/** In words, for logs, health and problems. */
export function describeSkew(skewMs: number): string {
  return `the clock of this machine is ${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? 'behind' : 'ahead of'} the database's`
}
