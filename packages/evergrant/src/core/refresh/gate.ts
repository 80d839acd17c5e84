import type { FaultCode } from '../fault/fault.ts'
import type { IntegrationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import { endHeld } from './death-watch.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'
import { missesWindow } from './patience.ts'
import type { NotGranted } from './settle-grant.ts'

/** The way to the provider is open: `giveBack` when the request never left. */
interface Pass {
  readonly giveBack: () => void
}

interface NotNow {
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

/** Failures in a row, over all endpoints of an integration whose connections have endpoints of their own. */
const INTEGRATION_FAILURES_TO_OPEN = 20
/** Grants refused one after the other, without one that is granted: whatever is wrong there, it is not the grants. */
const DEATHS_IN_A_ROW = 10

/** A tenth longer than for the others. */
const OTHERS_FIRST = 1.1
const ALONE =
  'the provider answered this grant as though our client were wrong, while others are served: it rests for some minutes, and is tried again by itself'

interface Closed {
  readonly code: FaultCode
  readonly until: number
  readonly detail?: string
  /** Everybody else of this integration would be turned away, too. */
  readonly everybody: boolean
}

/** Everything that may keep a request from being sent although its connection is due. Nothing here costs the connection anything. */
export function passGate(world: EngineWorld, entrant: Entrant, endpoint: string): Pass | NotNow {
  const { integration } = entrant.context
  const mono = world.clock.mono()
  const alone = world.backlogs.onlyEndpoint(integration.id, endpoint)
  const retry = isRetry(entrant.row)
  const gated =
    closedFor(world, entrant, mono) ??
    overBudget(world, entrant, mono) ??
    exceeded(world, entrant, endpoint, mono) ??
    enter(world, integration.id, endpoint, alone, mono)
  const entered = 'until' in gated && missesWindow(world, entrant, gated.until - mono) ? UNHINDERED : gated
  if ('until' in entered) {
    if (entered.everybody) world.backlogs.closed(integration.id, entered.until, mono)
    return {
      kind: 'not_now',
      code: entered.code,
      retryAt: world.clock.wall() + Math.ceil(entered.until - mono),
      ...(entered.detail === undefined ? {} : { detail: entered.detail }),
    }
  }
  world.retries.note(endpoint, retry, mono)
  world.backlogs.sent(integration.id, mono)
  const limit = entrant.context.record.limits.token
  if (limit === null) return entered
  const takeBack = world.budgets.note(budgetOf(entrant, limit.per), limit, mono)
  return {
    giveBack: () => {
      takeBack()
      entered.giveBack()
    },
  }
}

/** Retry-After, refused client credentials, or a provider that refuses every grant: one request may find out from time to time. */
function closedFor(world: EngineWorld, { context: { integration }, row, urgent }: Entrant, mono: number): Closed | null {
  const { id } = integration
  const paused = world.breakers.pausedUntil(id, mono)
  if (paused !== null) return { code: 'provider_rate_limited', until: paused, everybody: true }
  const { blockedProbeMs } = world.times
  const refusedAt = refusedItself(row, integration)
  const restMs = refusedAt === null ? 0 : Math.min(blockedProbeMs, refusedAt + blockedProbeMs - world.clock.wall())
  if (restMs > 0) return { code: 'client_rejected', until: mono + restMs, everybody: false, ...(integration.blocked === null ? { detail: ALONE } : {}) }
  const everyMs = refusedAt === null ? blockedProbeMs : blockedProbeMs * OTHERS_FIRST
  const blocked = integration.blocked === null ? null : world.breakers.nextProbe(id, mono, everyMs)
  if (blocked !== null) return { code: 'client_rejected', until: blocked, everybody: refusedAt === null }
  if (world.answered.deathsInARow(id) < DEATHS_IN_A_ROW) return null
  // Somebody waits for a grant of which nothing bad is known, a new consent perhaps: it must not stand in line behind dead ones.
  if (urgent && !endHeld(row)) return null
  const until = world.breakers.nextProbe(`all refused ${id}`, mono, world.times.heldProbeMs)
  return until === null ? null : { code: 'deaths_held', until, everybody: true }
}

/**
 * When this very grant was answered as though our client were wrong, and nobody changed the integration since. It may be the only one that is answered so,
 * and each such answer closes the way for all: it rests before it is presented again, however often it is read, and leaves the next try to the others.
 */
export function refusedItself({ connection: { fault } }: GrantRow, { updatedAt }: GrantContext['integration']): Instant | null {
  return fault !== null && fault.code === 'client_rejected' && fault.at >= updatedAt ? fault.at : null
}

/** The provider counts what its token endpoint is asked, and would refuse one more. */
function overBudget(world: EngineWorld, entrant: Entrant, mono: number): Closed | null {
  const limit = entrant.context.record.limits.token
  const until = limit === null ? null : world.budgets.closedUntil(budgetOf(entrant, limit.per), limit, mono)
  if (limit === null || until === null) return null
  const whose = limit.per === 'client' ? 'this client' : 'this grant'
  const detail = `the provider allows ${limit.requests} token requests of ${whose} in ${limit.seconds} s, and they are used up`
  return { code: 'provider_rate_limited', until, everybody: limit.per === 'client', detail }
}

function budgetOf({ row, context }: Entrant, per: 'grant' | 'client'): string {
  return per === 'client' ? context.integration.id : row.connection.id
}

const UNHINDERED: Pass = { giveBack: () => {} }

function exceeded(world: EngineWorld, { row, urgent }: Entrant, endpoint: string, mono: number): Closed | null {
  const waitMs = isRetry(row) ? world.retries.waitMs(endpoint, urgent, mono) : null
  if (waitMs === null) return null
  // Those who wait for the same budget do not come back together.
  const until = mono + waitMs + world.entropy.uniform() * world.times.retryWindowMs
  return { code: 'provider_unavailable', until, everybody: false, detail: 'enough retries are under way at this token endpoint; this one waits its turn' }
}

/** Two breakers where connections have endpoints of their own: the provider as a whole, and this endpoint. */
function enter(world: EngineWorld, integration: IntegrationId, endpoint: string, alone: boolean, mono: number): Pass | Closed {
  const { breakers } = world
  const whole = alone ? { go: true as const, probe: false } : breakers.enter(integration, mono)
  if (!whole.go) return { code: 'provider_unavailable', until: whole.until, everybody: true }
  const giveBackWhole = () => whole.probe && breakers.abandoned(integration)
  const passage = breakers.enter(endpoint, mono)
  if (!passage.go) {
    giveBackWhole()
    return { code: 'provider_unavailable', until: passage.until, everybody: alone }
  }
  return {
    giveBack: () => {
      giveBackWhole()
      if (passage.probe) breakers.abandoned(endpoint)
    },
  }
}

/** This generation has been presented before, or its connection could not be reached. */
export function isRetry({ credential, health }: GrantRow): boolean {
  return health.failures > 0 || credential.suspicion !== null
}

/** The provider decided about a grant: it is there. */
export function noteAnswered(world: EngineWorld, integration: IntegrationId, endpoint: string, dead: boolean): void {
  const mono = world.clock.mono()
  world.breakers.succeeded(endpoint)
  world.breakers.succeeded(integration)
  world.answered.note(integration, dead, mono)
  if (world.answered.deathsInARow(integration) < DEATHS_IN_A_ROW) world.backlogs.served(integration, mono)
}

/** What a failure says about the endpoint, apart from what it says about the grant. */
export function noteFailure(world: EngineWorld, integration: IntegrationId, endpoint: string, verdict: NotGranted): void {
  const mono = world.clock.mono()
  switch (verdict.kind) {
    case 'dead':
      return noteAnswered(world, integration, endpoint, true)
    case 'config':
    case 'restart_flow':
      world.breakers.succeeded(endpoint)
      return
    case 'throttled':
      if (verdict.retryAfterMs !== null) world.breakers.pause(integration, mono + verdict.retryAfterMs)
      break
    case 'pre_send':
    case 'unknown':
  }
  world.breakers.failed(endpoint, mono, undefined, integration)
  world.breakers.failed(integration, mono, INTEGRATION_FAILURES_TO_OPEN, integration)
}
