import { type IntentId, newId } from '../ids.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { Reuse } from '../provider/reuse.ts'
import { refreshRequest } from '../provider/token-request.ts'
import { NotSent, type OpenLine, type ProviderRequest, type WireOutcome } from '../provider/wire.ts'
import type { Instant } from '../time.ts'
import type { ClaimOutcome, GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import { suspicionOf } from './plan.ts'
import { drainFor, leaseFor } from './protocol-times.ts'
import { windowOpen } from './suspicion.ts'

/** One grant, read and planned, about to be presented. */
export interface Presentation {
  readonly row: GrantRow
  readonly context: ProviderContext
  readonly reuse: Reuse
  readonly refreshToken: string
}

/**
 * `sent`: the intent is durable and the request went out (or failed while it did). `unclaimed`: somebody else is on it,
 * or the row moved. `unsent`: we held the lease but were too late to send safely, and gave it back.
 */
export type PresentOutcome =
  | { readonly kind: 'sent'; readonly intent: IntentId; readonly sentAt: Instant; readonly outcome: WireOutcome }
  | { readonly kind: 'unreachable'; readonly cause: string }
  | { readonly kind: 'unclaimed'; readonly claim: Exclude<ClaimOutcome, { kind: 'claimed' }> }
  | { readonly kind: 'unsent' }

/** Connect, claim, send: in this order, so that the intent is written as late as it can be. */
export async function present(world: EngineWorld, presentation: Presentation): Promise<PresentOutcome> {
  const { row, context, reuse } = presentation
  const scopes = row.connection.scopes ?? []
  const request = refreshRequest(context, { refreshToken: presentation.refreshToken, scopes })
  let line: OpenLine
  try {
    line = await world.endpoint.open(request.url, { pooled: reuse.class === 'P0' })
  } catch (error) {
    if (error instanceof NotSent) return { kind: 'unreachable', cause: error.reason }
    throw error
  }
  return claimAndSend(world, presentation, request, line)
}

async function claimAndSend(world: EngineWorld, presentation: Presentation, request: ProviderRequest, line: OpenLine): Promise<PresentOutcome> {
  const { row, reuse } = presentation
  const intent = newId('itn', world.entropy)
  const before = world.clock.mono()
  let claim: ClaimOutcome
  try {
    const { id: connection } = row.connection
    const { generation, epoch } = row.credential
    claim = await world.credentials.claim({ connection, generation, epoch, node: world.node, intent, leaseMs: leaseFor(reuse, world.times) })
  } catch (error) {
    line.close()
    throw error
  }
  if (claim.kind !== 'claimed') {
    line.close()
    return { kind: 'unclaimed', claim }
  }
  const sentAt = world.clock.wall()
  if (!mayStillSend(world, presentation, world.clock.mono() - before, sentAt)) {
    line.close()
    await world.credentials.release(row.connection.id, intent, sentAt)
    return { kind: 'unsent' }
  }
  return { kind: 'sent', intent, sentAt, outcome: await line.send(request, drainFor(reuse, world.times)) }
}

/** Asked in the same synchronous block that writes the socket: a pause may have passed since the plan was made. */
function mayStillSend(world: EngineWorld, presentation: Presentation, sinceClaimMs: number, now: Instant): boolean {
  if (sinceClaimMs >= world.times.claimToSendMs) return false
  const { row, reuse } = presentation
  const suspicion = suspicionOf(row, now)
  if (suspicion === null || reuse.class !== 'P1') return true
  const plannedInsideWindow = now < suspicion.at + world.times.orphanWaitMs
  return !plannedInsideWindow || windowOpen(suspicion, reuse, now, world.times)
}
