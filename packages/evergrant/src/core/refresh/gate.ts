import type { FaultCode } from '../fault/fault.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'

/** The way to the provider is open: `giveBack` when the request never left. */
export interface Pass {
  readonly giveBack: () => void
}

export interface NotNow {
  readonly kind: 'not_now'
  readonly code: FaultCode
  readonly retryAt: Instant | null
  readonly detail?: string
}

interface Entrant {
  readonly row: GrantRow
  readonly context: GrantContext
  readonly urgent: boolean
}

/** Everything that may keep a request from being sent although its connection is due. Nothing here costs the connection anything. */
export function passGate(world: EngineWorld, entrant: Entrant, endpoint: string): Pass | NotNow {
  const { integration } = entrant.context
  const mono = world.clock.mono()
  const notNow = (code: FaultCode, untilMono: number, detail?: string): NotNow => ({
    kind: 'not_now',
    code,
    retryAt: world.clock.wall() + Math.ceil(untilMono - mono),
    ...(detail === undefined ? {} : { detail }),
  })
  const paused = world.breakers.pausedUntil(integration.id, mono)
  if (paused !== null) return notNow('provider_rate_limited', paused)
  const retry = isRetry(entrant.row)
  const exceeded = retry ? world.retries.waitMs(endpoint, entrant.urgent, mono) : null
  if (exceeded !== null)
    return notNow('provider_unavailable', mono + spread(world, exceeded), 'enough retries are under way at this token endpoint; this one waits its turn')
  const blocked = integration.blocked === null ? null : world.breakers.nextProbe(integration.id, mono, world.times.blockedProbeMs)
  if (blocked !== null) return notNow('client_rejected', blocked)
  const passage = world.breakers.enter(endpoint, mono)
  if (!passage.go) return notNow('provider_unavailable', passage.until)
  world.retries.note(endpoint, retry, mono)
  return { giveBack: () => passage.probe && world.breakers.abandoned(endpoint) }
}

/** This generation has been presented before, or its connection could not be reached. */
function isRetry({ credential, health }: GrantRow): boolean {
  return health.failures > 0 || credential.suspicion !== null
}

/** Those who wait for the same budget do not come back together. */
function spread(world: EngineWorld, waitMs: number): number {
  return waitMs + Math.round(world.entropy.uniform() * world.times.retryWindowMs)
}
