import type { NotSent } from '../provider/wire.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { EngineWorld } from './engine-ports.ts'

const PORTS =
  'no local port is free for another connection to this address: at full speed each blocks one for a minute. Widen net.ipv4.ip_local_port_range, add nodes or outbound addresses, or lower the concurrency of the integration'
const FILES = 'the limit of open files is reached: raise it (ulimit -n, LimitNOFILE in systemd), or lower EVERGRANT_WORKER_CONCURRENCY'
const MEMORY = 'the system has no memory for another socket: give the machine more, or lower EVERGRANT_WORKER_CONCURRENCY'

/** What this machine has run out of, by the error of the system, and what the operator can do. */
const SHORTAGES = new Map([
  ['EADDRNOTAVAIL', PORTS],
  ['EADDRINUSE', PORTS],
  ['EMFILE', FILES],
  ['ENFILE', FILES],
  ['ENOBUFS', MEMORY],
  ['ENOMEM', MEMORY],
])

/** Nothing was sent, and the provider has nothing to do with it. */
export function isOurs({ reason }: Pick<NotSent, 'reason'>): boolean {
  return SHORTAGES.has(reason)
}

interface Shortage {
  readonly kind: 'not_now'
  readonly code: 'sockets_exhausted'
  readonly retryAt: Instant
  readonly detail: string
}

/** Tells the operator, once a minute for each cause, and the caller. Costs neither the connection nor its provider anything. */
export function shortage(world: EngineWorld, cause: string): Shortage {
  const remedy = SHORTAGES.get(cause) ?? cause
  if (world.told.once(cause, world.clock.mono(), MINUTE)) {
    world.log.error({ cause }, `token requests wait, because ${remedy}`)
  }
  const retryAt = world.clock.wall() + Math.ceil((1 + world.entropy.uniform()) * world.times.backoffBaseMs)
  return { kind: 'not_now', code: 'sockets_exhausted', retryAt, detail: `${remedy} (${cause})` }
}
