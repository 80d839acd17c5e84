import type { Reuse } from '../provider/reuse.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'
import { windowOpen } from './suspicion.ts'

/**
 * While a replay window runs, waiting for a breaker or for one's turn may lose the grant, and that would be our doing. Who
 * is told to come back when the window may be over goes now. What makes a P1 grant suspect was under way when the trouble began,
 * so these are few.
 */
export function missesWindow(
  world: EngineWorld,
  { row, context }: { readonly row: GrantRow; readonly context: Pick<GrantContext, 'reuse'> },
  waitMs: number,
): boolean {
  const { suspicion } = row.credential
  const now = world.clock.wall()
  if (suspicion === null || !windowOpen(suspicion, context.reuse, now, world.times)) return false
  return !windowOpen(suspicion, context.reuse, now + waitMs + world.times.breakerBaseMs + LOOK_AGAIN_MS, world.times)
}

/**
 * A Retry-After that was read since the gate was passed: connecting takes time, and a process may have been paused. Null:
 * none, or it may not be waited for.
 */
export function pausedSince(world: EngineWorld, row: GrantRow, reuse: Reuse): Instant | null {
  const mono = world.clock.mono()
  const until = world.breakers.pausedUntil(row.connection.integration, mono)
  if (until === null || missesWindow(world, { row, context: { reuse } }, until - mono)) return null
  return world.clock.wall() + Math.ceil(until - mono)
}

/** How late the due queue may notice that a time has come. */
const LOOK_AGAIN_MS = 2_000
