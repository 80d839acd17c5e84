import type { Reuse } from '../provider/reuse.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import { isStrict } from './protocol-times.ts'

/**
 * A lease that is over while its holder lives belongs to a process that pauses, or that holds an answer which the database
 * does not take. Where a second presentation may cost the grant, only death gives such a lease away: then no
 * pause is too long (docs/concepts/model.md). Null, or when to look again. Asked only of leases that ran out, which is rare.
 */
export async function livingHolderUntil(world: EngineWorld, row: GrantRow, reuse: Reuse): Promise<Instant | null> {
  const { lease } = row.credential
  if (lease === null || lease.owner === world.node.id || !(isStrict(reuse) || reuse.class === 'P1')) return null
  const holder = (await world.nodes.list()).find(({ id }) => id === lease.owner)
  if (holder === undefined || !holder.alive || holder.incarnation !== lease.incarnation) return null
  if (world.told.once(`living holder ${holder.id}`, world.clock.mono(), MINUTE)) {
    world.log.warn(
      { node: holder.id, connection: row.connection.id, leaseUntil: lease.until, heartbeatAt: holder.heartbeatAt },
      'a lease ran out while its holder lives: the process is paused or cannot write its answer; end it or let it go on',
    )
  }
  return world.clock.wall() + world.times.leaseMs
}
