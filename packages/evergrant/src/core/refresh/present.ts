import { type IntentId, newId } from '../ids.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { Reuse } from '../provider/reuse.ts'
import { NotSent, type OpenLine, type ProviderRequest, type WireOutcome } from '../provider/wire.ts'
import type { Instant } from '../time.ts'
import type { ClaimOutcome, ClaimRequest, GrantRow } from './credentials.ts'
import { untilDurable } from './durable.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { Visit } from './exchange-times.ts'
import { pausedSince } from './patience.ts'
import { drainFor, isReusable, leaseFor } from './protocol-times.ts'
import { isOurs } from './socket-shortage.ts'
import { openPresentation, presentableAt, windowOpen } from './suspicion.ts'

/** One grant, read and planned, about to be presented. */
export interface Presentation {
  readonly row: GrantRow
  readonly context: ProviderContext
  readonly reuse: Reuse
  readonly refreshToken: string
}

/** ... with the request that presents it. */
export interface ReadyPresentation extends Presentation {
  readonly request: ProviderRequest
}

/**
 * `sent`: the intent is durable and the request went out (or failed while it did). `unclaimed`: somebody else is on it,
 * or the row moved. `unsent`: we held the lease but were too late to send safely, and gave it back. `early`: likewise,
 * because by the database's clock a suspect token may not be presented yet (null: never).
 */
export type PresentOutcome =
  | { readonly kind: 'sent'; readonly intent: IntentId; readonly sentAt: Instant; readonly outcome: WireOutcome }
  | { readonly kind: 'unreachable'; readonly cause: string }
  /** This machine had no socket for it. */
  | { readonly kind: 'exhausted'; readonly cause: string }
  | { readonly kind: 'unclaimed'; readonly claim: Exclude<ClaimOutcome, { kind: 'claimed' }> }
  | { readonly kind: 'unsent' }
  | { readonly kind: 'early'; readonly until: Instant | null }
  | { readonly kind: 'distrusted'; readonly detail: string }
  /** The provider asked for patience while this request was on its way to it. */
  | { readonly kind: 'throttled'; readonly until: Instant | null }

/** Connect, claim, send: in this order, so that the intent is written as late as it can be. */
export async function present(world: EngineWorld, presentation: ReadyPresentation): Promise<PresentOutcome> {
  const visit = world.exchanges.visit(presentation.row.connection.integration)
  let outcome: PresentOutcome | undefined
  try {
    outcome = await presentDuring(visit, world, presentation, presentation.request)
    return outcome
  } finally {
    visit.end(outcome?.kind === 'sent' && outcome.outcome.kind !== 'not_sent')
  }
}

async function presentDuring(visit: Visit, world: EngineWorld, presentation: Presentation, request: ProviderRequest): Promise<PresentOutcome> {
  const { row, reuse } = presentation
  let line: OpenLine
  try {
    line = await world.endpoint.open(request.url, { pooled: reuse.class === 'P0', certificate: request.certificate })
  } catch (error) {
    if (error instanceof NotSent) return { kind: isOurs(error) ? 'exhausted' : 'unreachable', cause: error.reason }
    throw error
  }
  visit.leave()
  // Asked again after connecting, which may have taken seconds.
  const distrust = await world.trust.mayPresent(row, reuse).catch((error: unknown) => {
    line.close()
    throw error
  })
  const until = pausedSince(world, row, reuse)
  if (distrust === null && until === null) return claimAndSend(visit, world, presentation, request, line)
  line.close()
  return distrust === null ? { kind: 'throttled', until } : { kind: 'distrusted', detail: distrust.detail }
}

async function claimAndSend(visit: Visit, world: EngineWorld, presentation: Presentation, request: ProviderRequest, line: OpenLine): Promise<PresentOutcome> {
  const { row, reuse } = presentation
  const intent = newId('itn', world.entropy)
  const before = world.clock.mono()
  const term = world.liveness.term()
  let claim: ClaimOutcome
  try {
    const { id: connection } = row.connection
    const { generation, epoch } = row.credential
    const leaseMs = leaseFor(reuse, world.times)
    claim = await world.credentials.claim({ connection, generation, epoch, node: world.node, intent, leaseMs, ...quietAfter(world, presentation) })
  } catch (error) {
    line.close()
    // The claim may have been written all the same. Nothing was sent, so its intent must not become a suspicion.
    void takeBack(world, row, intent, world.clock.wall())
    throw error
  }
  const sinceClaimMs = world.clock.mono() - before
  if (claim.kind === 'claimed') world.liveness.sawDatabaseTime(claim.at, sinceClaimMs)
  if (claim.kind !== 'claimed') {
    line.close()
    return { kind: 'unclaimed', claim }
  }
  const sentAt = world.clock.wall()
  // Whoever was out of sight since it claimed may have been taken for dead, and its lease given to somebody else.
  const outOfSight = world.liveness.term() !== term || world.liveness.refusal() !== null
  if (outOfSight || sinceClaimMs >= world.times.claimToSendMs) {
    line.close()
    await takeBack(world, row, intent, sentAt)
    return { kind: 'unsent' }
  }
  const databaseNow = claim.at + Math.ceil(sinceClaimMs)
  const until = earliestSend(world, presentation, databaseNow)
  if (until === null || until > databaseNow) {
    line.close()
    await takeBack(world, row, intent, until)
    return { kind: 'early', until }
  }
  visit.arrive()
  return { kind: 'sent', intent, sentAt, outcome: await line.send(request, drainFor(reuse, world.times)) }
}

/** Gives up a claim under which nothing was sent, whether it was written or not. Tried until the database has it. */
export function takeBack(world: EngineWorld, row: GrantRow, intent: IntentId, dueAt: Instant | null): Promise<void> {
  return untilDurable(world, 'release', () => world.credentials.release(row.connection.id, intent, dueAt))
}

/**
 * Asked in the same synchronous block that writes the socket: a pause may have passed since the plan was made, and the plan
 * compared the database's instants with this node's clock. An intent that our claim replaced is an orphan, whatever its
 * lease said when it was read. Null: never.
 */
function earliestSend(world: EngineWorld, { row, reuse }: Presentation, databaseNow: Instant): Instant | null {
  const { accessExpiresAt } = row.credential
  const open = openPresentation(row.credential)
  return open === null ? databaseNow : presentableAt({ suspicion: open, reuse, accessExpiresAt, now: databaseNow }, world.times)
}

/**
 * A probe whose process dies leaves a request on its way, and the suspicion goes on naming the first presentation: the
 * claim of the probe itself says how long nobody may follow it.
 */
function quietAfter(world: EngineWorld, { row, reuse }: Presentation): Pick<ClaimRequest, 'quietMs'> {
  const open = openPresentation(row.credential)
  if (open === null || isReusable(reuse) || windowOpen(open, reuse, world.clock.wall(), world.times)) return {}
  return { quietMs: world.times.orphanWaitMs }
}
