import type { Reuse } from '../provider/reuse.ts'
import { type Instant, MINUTE, SECOND } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { NodeReport } from './nodes.ts'
import { suspicionOf } from './plan.ts'
import { isStrict } from './protocol-times.ts'
import { windowOpen } from './suspicion.ts'

/** A restart of the database frees every lock: a node has this long to take its own again before it counts as dead. */
const MISSED_MS = 10 * SECOND
const LOOKED_AWAY_MS = 2 * MINUTE

/**
 * A lease that is over while its holder lives belongs to a process that pauses, or that holds an answer which the database
 * does not take. Where a second presentation may cost the grant, only death gives such a lease away: then no
 * pause is too long (docs/concepts/model.md). Null, or when to look again. Asked only of leases that ran out, which is rare.
 */
export async function livingHolderUntil(world: EngineWorld, row: GrantRow, reuse: Reuse): Promise<Instant | null> {
  const { lease } = row.credential
  if (lease === null || lease.owner === world.node.id || !(isStrict(reuse) || reuse.class === 'P1')) return null
  const holder = (await world.nodes.list()).find(({ id }) => id === lease.owner)
  if (holder === undefined || holder.incarnation !== lease.incarnation) return null
  if (!holder.alive) return missedUntil(world, holder, row, reuse)
  world.told.over(missed(holder))
  if (world.told.once(`living holder ${holder.id}`, world.clock.mono(), MINUTE)) {
    world.log.warn(
      { node: holder.id, connection: row.connection.id, leaseUntil: lease.until, heartbeatAt: holder.heartbeatAt },
      'a lease ran out while its holder lives: the process is paused or cannot write its answer; end it or let it go on',
    )
  }
  return world.clock.wall() + world.times.leaseMs
}

const missed = ({ id, incarnation }: NodeReport) => `missed ${id} ${incarnation}`

/** One look at a free lock proves nothing: what a node has in hand it stores once the database is back. Inside a window nobody waits. */
function missedUntil(world: EngineWorld, holder: NodeReport, row: GrantRow, reuse: Reuse): Instant | null {
  const now = world.clock.wall()
  const open = suspicionOf(row, now)
  if (open !== null && windowOpen(open, reuse, now, world.times)) return null
  const mono = world.clock.mono()
  const missedFor = mono - world.told.since(missed(holder), mono, LOOKED_AWAY_MS)
  return missedFor >= MISSED_MS ? null : now + MISSED_MS - missedFor
}
