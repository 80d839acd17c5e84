import type { StoredFault } from '../connection/connection.ts'
import { Fault, type FaultCode } from '../fault/fault.ts'
import { type ConnectionId, newId } from '../ids.ts'
import { chainOf } from '../provider/chain.ts'
import type { Granted } from '../provider/verdict.ts'
import { NotSent, type ProviderRequest, type WireOutcome } from '../provider/wire.ts'
import { SealError } from '../seal/seal.ts'
import type { Instant } from '../time.ts'
import type { CommitOutcome, GrantCommit, GrantRow } from './credentials.ts'
import { untilDurable } from './durable.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'
import { credentialContext } from './new-credential.ts'
import { recordFailure } from './record-failure.ts'
import { type ChainOutcome, runChain } from './run-chain.ts'
import { type AnsweredPresentation, commitWhenFree, keepsAnswers, type NotGranted, noteStored, settleGrant, wholeCommit } from './settle-grant.ts'

/** What became of a renewal whose access token takes a further request. */
export type ChainedOutcome =
  | { readonly kind: 'granted'; readonly commit: GrantCommit; readonly grant: Granted; readonly outcome: CommitOutcome }
  /** The refresh token is safe; the access token is asked for again. */
  | { readonly kind: 'failed'; readonly fault: StoredFault; readonly retryAt: Instant | null }
  | { readonly kind: 'not_now'; readonly code: FaultCode; readonly retryAt: Instant; readonly detail?: string }
  | { readonly kind: 'moved' }

/**
 * Two commits (docs/decisions/0029): first the refresh token of the answer, beside the old access token; only then the chain,
 * which has all the time it needs, because nothing that it may lose is not stored.
 */
export async function renewChained(world: EngineWorld, answered: AnsweredPresentation, grant: Granted): Promise<ChainedOutcome> {
  const { connection } = answered.presentation.row
  const settled = await settleGrant(world, answered, grant, true)
  const outcome = settled.outcome ?? (await settled.committed)
  if (outcome.kind === 'superseded' || outcome.kind === 'disconnected') return { kind: 'moved' }
  const { sentAt, grantContext } = answered
  const intent = keepsAnswers(grantContext.reuse) ? answered.intent : null
  world.firstAnswers.keep(connection.id, { generation: outcome.generation, grant, sentAt, intent })
  return finishChain(world, connection.id, grantContext)
}

/** Runs the chain from the first answer that memory has, if the row is still the one that it made. Spends nothing, and so needs no lease. */
export async function finishChain(world: EngineWorld, connection: ConnectionId, grantContext: GrantContext): Promise<ChainedOutcome> {
  try {
    const outcome = await finish(world, connection, grantContext)
    // Until here a restart would run the chain from that answer, and a server that stops leaves it to the next.
    if (outcome.kind !== 'not_now') world.firstAnswers.settle(connection)
    return outcome
  } catch (error) {
    const retryAt = world.clock.wall() + world.times.backoffBaseMs
    if (error instanceof Fault) return { kind: 'not_now', code: error.code, retryAt: error.details.retryAt ?? retryAt, detail: error.message }
    if (error instanceof SealError) return { kind: 'not_now', code: error.code, retryAt, detail: error.message }
    throw error
  }
}

async function finish(world: EngineWorld, connection: ConnectionId, grantContext: GrantContext): Promise<ChainedOutcome> {
  const row = await world.credentials.read(connection)
  const first = row === undefined ? null : world.firstAnswers.of(row, world.clock.wall())
  if (row === undefined || first === null || presentedSince(row)) return { kind: 'moved' }
  if (world.draining()) return { kind: 'not_now', code: 'draining', retryAt: world.clock.wall() }
  const context = await world.contexts.provider(grantContext, row.connection.variables, row.connection.facts)
  const send = (request: ProviderRequest) => ask(world, request)
  const chained = await runChain(context, chainOf(context.record, 'refresh'), first.grant, { send, clock: world.clock })
  if (chained.kind === 'granted') return commitSecond(world, row, grantContext, context, chained)
  if (chained.refused) world.firstAnswers.forget(connection)
  const failure = await recordFailure(world, { row, grantContext, intent: null, sentAt: null, answer: null, verdict: verdictOf(chained) })
  return failure.moved ? { kind: 'moved' } : { kind: 'failed', fault: failure.fault, retryAt: failure.retryAt }
}

function presentedSince({ credential, connection }: GrantRow): boolean {
  return credential.intent !== null || credential.suspicion !== null || connection.state === 'disconnected' || connection.state === 'paused'
}

/** Never more than the chain's own trouble: the grant is alive, and nothing of it was spent. */
function verdictOf(failed: Extract<ChainOutcome, { kind: 'failed' }>): NotGranted {
  const { said, cause } = failed
  return said.httpStatus === 429 || failed.retryAfterMs !== null
    ? { kind: 'throttled', retryAfterMs: failed.retryAfterMs, said }
    : { kind: 'pre_send', cause, said }
}

async function commitSecond(
  world: EngineWorld,
  row: GrantRow,
  grantContext: GrantContext,
  context: AnsweredPresentation['presentation']['context'],
  chained: Extract<ChainOutcome, { kind: 'granted' }>,
): Promise<ChainedOutcome> {
  const { connection, credential } = row
  const { refreshToken: sealed, generation } = credential
  if (chained.answer === null || sealed === null) return { kind: 'moved' }
  const refreshToken = world.seal.openText(sealed, credentialContext(connection.organization, connection.id, generation, 'refresh_token'))
  const answered: AnsweredPresentation = {
    presentation: { row, context, reuse: grantContext.reuse, refreshToken },
    grantContext,
    intent: newId('itn', world.entropy),
    // The refresh token's own lifetimes go on counting from when it was given.
    sentAt: credential.obtainedAt,
    receivedAt: world.clock.wall(),
    answer: chained.answer,
  }
  const grant = { ...chained.grant, refreshToken: null, refreshExpiresAt: null }
  const commit = { ...wholeCommit(world, answered, grant), onlyAtEpoch: credential.epoch }
  const outcome = await untilDurable(world, 'grant', () => commitWhenFree(world, commit))
  world.firstAnswers.forget(connection.id)
  noteStored(world, commit, outcome, grantContext.reuse)
  if (outcome.kind === 'superseded' || outcome.kind === 'disconnected') return { kind: 'moved' }
  return { kind: 'granted', commit, grant: chained.grant, outcome }
}

async function ask(world: EngineWorld, request: ProviderRequest): Promise<WireOutcome> {
  try {
    const line = await world.endpoint.open(request.url, { pooled: false })
    return await line.send(request, world.times.drainMs)
  } catch (error) {
    if (error instanceof NotSent) return { kind: 'not_sent', cause: error.reason }
    throw error
  }
}
