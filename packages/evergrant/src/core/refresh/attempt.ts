import { SYSTEM_ACTOR } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import { Fault, type FaultCode } from '../fault/fault.ts'
import { newId } from '../ids.ts'
import { isOwnWord } from '../provider/account.ts'
import { confirmedVerdict, confirmRequest } from '../provider/confirm-end.ts'
import type { HeldToken } from '../provider/grant.ts'
import { judge } from '../provider/judge.ts'
import type { Reuse } from '../provider/reuse.ts'
import type { Granted, Verdict } from '../provider/verdict.ts'
import type { WireOutcome } from '../provider/wire.ts'
import { SealError } from '../seal/seal.ts'
import { type Instant, MINUTE } from '../time.ts'
import type { Leave } from './admission.ts'
import { type ChainedOutcome, finishChain, renewChained } from './chained-grant.ts'
import type { CommitOutcome, GrantCommit, GrantRow } from './credentials.ts'
import { endHeld } from './death-watch.ts'
import { untilDurable } from './durable.ts'
import type { EngineWorld, Observation } from './engine-ports.ts'
import { isRetry, noteAnswered, noteFailure, passGate } from './gate.ts'
import type { GrantContext } from './grant-contexts.ts'
import { heldToken } from './held-token.ts'
import { keptInstead } from './kept-answers.ts'
import { isCrowded } from './line-length.ts'
import { credentialContext } from './new-credential.ts'
import { missesWindow } from './patience.ts'
import { type PresentOutcome, present, type ReadyPresentation } from './present.ts'
import { type PresentedGrant, presented } from './presented-grant.ts'
import { isStrict } from './protocol-times.ts'
import { blockIntegration, recordFailure } from './record-failure.ts'
import type { TokenAnswer } from './refresh-engine.ts'
import { releaseDeaths } from './release-deaths.ts'
import { type AnsweredPresentation, isChained, type NotGranted, previousAccessToken, settleGrant, storedAnswer } from './settle-grant.ts'
import { askBeside } from './side-request.ts'
import { shortage } from './socket-shortage.ts'

/** What became of one attempt to renew one connection. */
export type AttemptOutcome =
  /** Durable, at least in the journal; `committed` resolves when the database has it too. */
  | { readonly kind: 'granted'; readonly row: RenewedToken; readonly committed: Promise<CommitOutcome> }
  | { readonly kind: 'failed'; readonly fault: StoredFault; readonly retryAt: Instant | null }
  /** Nothing was spent; ask again then. */
  | { readonly kind: 'not_now'; readonly code: FaultCode; readonly retryAt: Instant | null; readonly detail?: string }
  | { readonly kind: 'held'; readonly until: Instant }
  /** The row is another one now: read and plan again. */
  | { readonly kind: 'moved' }

/** A token that is durable, ready to be handed out and cached. */
export interface RenewedToken {
  readonly answer: TokenAnswer
  readonly organization: string
  readonly obtainedAt: Instant
  readonly softAt: Instant | null
  readonly hardAt: Instant | null
  /** False when the provider gave the same access token again, where the record says that it may. */
  readonly changed: boolean
}

interface AttemptRequest {
  readonly row: GrantRow
  readonly context: GrantContext
  /** Somebody waits for it; true from when somebody does. */
  readonly urgent: boolean
  /** Gets the way to go before the background, while this one stands in line for a place. */
  readonly waits: (hurry: () => void) => void
}

/** Preflight, connect, claim, send, judge, commit: the whole life of one presentation. */
export function attempt(world: EngineWorld, request: AttemptRequest): Promise<AttemptOutcome> {
  if (world.tracing === undefined) return attempted(world, request)
  const { connection } = request.row
  const facts = { 'evergrant.connection': connection.id, 'evergrant.provider': request.context.record.id, 'evergrant.urgent': request.urgent }
  return world.tracing.span('refresh', facts, () => attempted(world, request))
}

async function attempted(world: EngineWorld, request: AttemptRequest): Promise<AttemptOutcome> {
  const { integration } = request.context
  const { placePatienceMs } = world.times
  const { concurrency } = integration.settings
  const crowded = () => isCrowded(world, integration.id, concurrency)
  const leave = await world.admission.enter(integration.id, concurrency, request.urgent, placePatienceMs, crowded, request.waits)
  if (leave === null) {
    world.backlogs.waiting(integration.id, world.clock.mono())
    const retryAt = world.clock.wall() + placePatienceMs
    return { kind: 'not_now', code: 'provider_unavailable', retryAt, detail: 'the provider is slow, and all requests that may be under way at once are' }
  }
  try {
    return await admitted(world, request, leave)
  } finally {
    leave()
  }
}

async function admitted(world: EngineWorld, request: AttemptRequest, leave: Leave): Promise<AttemptOutcome> {
  const now = world.clock.wall()
  if (world.draining()) return { kind: 'not_now', code: 'draining', retryAt: now }
  const refusal = world.liveness.refusal()
  if (refusal !== null) return { kind: 'not_now', ...refusal, retryAt: now + world.times.backoffBaseMs }
  if (!world.journal.healthy())
    return { kind: 'not_now', code: 'store_unavailable', retryAt: now + world.times.backoffBaseMs, detail: 'the journal cannot be written; see the log' }
  const distrust = await world.trust.mayPresent(request.row, request.context.reuse)
  if (distrust !== null) return distrusted(world, distrust.detail)
  const kept = await keptInstead(world, request.row, request.context.reuse)
  if (kept !== null) return kept
  if (isChained(request.context) && world.firstAnswers.of(request.row, now) !== null)
    return chained(request.row, await finishChain(world, request.row.connection.id, request.context))
  const prepared = await prepare(world, request)
  if ('kind' in prepared) return prepared
  const endpoint = prepared.context.endpoints.refresh
  const pass = passGate(world, request, endpoint)
  if ('kind' in pass) return pass
  const started = world.clock.mono()
  try {
    const outcome = await present(world, prepared)
    // The place is one at the provider: while the answer is stored, the next request may go out.
    leave()
    if (neverLeft(outcome)) pass.giveBack()
    return await concluded(world, request, prepared, outcome, started)
  } catch (error) {
    pass.giveBack()
    throw error
  }
}

/** Nothing is presented until an operator has decided; a look a minute later is soon enough. */
function distrusted(world: EngineWorld, detail: string): Extract<AttemptOutcome, { kind: 'not_now' }> {
  return { kind: 'not_now', code: 'database_untrusted', retryAt: world.clock.wall() + MINUTE, detail }
}

type Prepared = ReadyPresentation & PresentedGrant & { readonly held: HeldToken | null }

/** Opens what will be presented. A key that is missing is ours to mend: nothing is sent, nothing is recorded. */
async function prepare(world: EngineWorld, request: AttemptRequest): Promise<Prepared | Extract<AttemptOutcome, { kind: 'not_now' }>> {
  const { row, context } = request
  const { connection, credential } = row
  try {
    const sealed = credential.refreshToken
    if (sealed === null) return { kind: 'not_now', code: 'refresh_not_supported', retryAt: null }
    const refreshToken = world.seal.openText(sealed, credentialContext(connection.organization, connection.id, credential.generation, 'refresh_token'))
    const provider = await world.contexts.provider(context, connection.variables, connection.facts)
    const held = heldToken(world, row, context.record)
    return { row, reuse: context.reuse, refreshToken, held, ...presented(provider, context, row.connection, refreshToken) }
  } catch (error) {
    // What keeps this request from being built (an issuer that cannot be discovered) keeps others of its integration, too: the background comes back once a minute.
    const { backoffBaseMs, breakerCapMs } = world.times
    const retryAt = world.clock.wall() + (request.urgent || missesWindow(world, request, breakerCapMs) ? backoffBaseMs : breakerCapMs)
    if (error instanceof SealError) return { kind: 'not_now', code: error.code, retryAt, detail: error.message }
    if (error instanceof Fault && error.code === 'invalid_request') return unbuildable(world, context, error)
    if (error instanceof Fault) return { kind: 'not_now', code: error.code, retryAt: error.details.retryAt ?? retryAt, detail: error.message }
    throw error
  }
}

/** A request that cannot be built is not the caller's trouble. Where the integration's key is at fault, none of its connections can go on, and its operator is told. */
async function unbuildable(world: EngineWorld, context: GrantContext, error: Fault): Promise<Extract<AttemptOutcome, { kind: 'not_now' }>> {
  const at = world.clock.wall()
  const ours = error.details.field === '/integration'
  const evidence = { intent: null, httpStatus: null, providerCode: null, providerText: error.message, answerHash: null }
  if (ours) await blockIntegration(world, context, { code: 'client_rejected', at, evidence })
  const retryAt = at + (ours ? world.times.blockedProbeMs : world.times.backoffBaseMs)
  return { kind: 'not_now', code: 'client_rejected', retryAt, detail: error.message }
}

const neverLeft = ({ kind }: PresentOutcome): boolean =>
  kind === 'unsent' || kind === 'exhausted' || kind === 'early' || kind === 'unclaimed' || kind === 'distrusted' || kind === 'throttled'

async function concluded(
  world: EngineWorld,
  request: AttemptRequest,
  prepared: Prepared,
  outcome: PresentOutcome,
  startedMono: number,
): Promise<AttemptOutcome> {
  switch (outcome.kind) {
    case 'unsent':
      return { kind: 'moved' }
    case 'early':
      return { kind: 'not_now', code: 'outcome_unknown', retryAt: outcome.until }
    case 'distrusted':
      return distrusted(world, outcome.detail)
    case 'throttled':
      return { kind: 'not_now', code: 'provider_rate_limited', retryAt: outcome.until }
    case 'unclaimed':
      noteClaim(world, request.row, outcome.claim)
      if (outcome.claim.kind === 'held') return { kind: 'held', until: outcome.claim.until }
      return { kind: 'moved' }
    case 'exhausted':
      return shortage(world, outcome.cause)
    case 'unreachable': {
      const said = { httpStatus: null, code: outcome.cause, text: null }
      return notGranted(world, request, prepared, { kind: 'pre_send', cause: outcome.cause, said }, null)
    }
    case 'sent': {
      const { sentAt } = outcome
      const secrets = [prepared.refreshToken, prepared.context.clientSecret ?? '', ...prepared.secrets]
      const told = prepared.read(judge(prepared.context, { step: 'refresh', outcome: outcome.outcome, sentAt, secrets, held: prepared.held }))
      const verdict = told.kind === 'dead' ? await confirmed(world, prepared, told, secrets) : told
      const durationMs = world.clock.mono() - startedMono
      observe(world, {
        kind: verdict.kind,
        provider: request.context.record.id,
        durationMs,
        organization: request.row.connection.organization,
        ...leadOf(world, request, verdict),
        ...liveAnswer(request, outcome.outcome, verdict),
      })
      return judged(world, request, prepared, { ...outcome, verdict: carefully(verdict, prepared.reuse) })
    }
  }
}

/** A record may know answers that speak of an end and mean the client: then the provider is asked before it is believed. */
async function confirmed(
  world: EngineWorld,
  { context, request }: Prepared,
  verdict: Extract<Verdict, { kind: 'dead' }>,
  secrets: readonly string[],
): Promise<Verdict> {
  const question = confirmRequest(context, verdict, request)
  return question === null ? verdict : confirmedVerdict(context, verdict, await askBeside(world, question), secrets)
}

/** A row that was read at one generation and is claimed at a lower one went back in time between the two. */
function noteClaim(world: EngineWorld, { connection, credential }: GrantRow, claim: Extract<PresentOutcome, { kind: 'unclaimed' }>['claim']): void {
  if (claim.kind === 'moved' && claim.generation < credential.generation) world.trust.wentBack(connection.id, credential.generation, claim.generation)
}

function liveAnswer({ context, row }: AttemptRequest, outcome: WireOutcome, verdict: Verdict): Pick<Observation, 'live'> {
  if (verdict.kind !== 'granted' || outcome.kind !== 'answered') return {}
  return { live: { record: context.record, organization: row.connection.organization, step: 'refresh', answer: outcome.answer } }
}

function leadOf(world: EngineWorld, { row }: AttemptRequest, verdict: Verdict): Pick<Observation, 'leadMs'> {
  const { accessExpiresAt } = row.credential
  return verdict.kind !== 'granted' || accessExpiresAt === null ? {} : { leadMs: accessExpiresAt - world.clock.wall() }
}

/** An answer in hand is worth more than its measurement. */
function observe(world: EngineWorld, observation: Observation): void {
  try {
    world.observe(observation)
  } catch (error) {
    world.log.warn({ error: String(error) }, 'a presentation was not measured')
  }
}

/** A gateway may say 503 after its backend has rotated: where that may cost the grant, patience is no proof (2.6). */
function carefully(verdict: Verdict, reuse: Reuse): Verdict {
  if (verdict.kind !== 'throttled' || verdict.said.httpStatus !== 503 || !secondMayCost(reuse)) return verdict
  return { ...verdict, kind: 'unknown', answered: true, cause: 'http_503' }
}

function secondMayCost(reuse: Reuse): boolean {
  return isStrict(reuse) || reuse.class === 'P1'
}

interface Judged {
  readonly intent: `itn_${string}`
  readonly sentAt: Instant
  readonly outcome: WireOutcome
  readonly verdict: Verdict
}

async function judged(world: EngineWorld, request: AttemptRequest, prepared: Prepared, result: Judged): Promise<AttemptOutcome> {
  const { verdict, outcome } = result
  if (verdict.kind !== 'granted' || outcome.kind !== 'answered') return notGranted(world, request, prepared, verdict as NotGranted, result)
  const answered: AnsweredPresentation = {
    presentation: prepared,
    grantContext: request.context,
    intent: result.intent,
    sentAt: result.sentAt,
    receivedAt: world.clock.wall(),
    answer: outcome.answer,
  }
  const stored = prepared.row.connection.account
  const { account } = verdict.grant
  if (account !== null && stored !== null && account !== stored && !isOwnWord(prepared.context, account)) {
    const said = { ...verdict.said, code: 'account_mismatch' }
    return notGranted(world, request, prepared, { kind: 'dead', code: 'account_mismatch', said }, result)
  }
  noteAnswered(world, request.context.integration.id, prepared.context.endpoints.refresh, false)
  if (isRetry(request.row)) world.retries.giveBack(prepared.context.endpoints.refresh)
  const renewed = await granted(world, answered, verdict)
  void unblock(world, request.context)
  if (renewed.kind === 'granted' && endHeld(request.row)) void renewed.committed.then(() => releaseDeaths(world, request.row.connection, 'probe_succeeded'))
  return renewed
}

async function granted(world: EngineWorld, answered: AnsweredPresentation, verdict: Extract<Verdict, { kind: 'granted' }>): Promise<AttemptOutcome> {
  const { presentation, grantContext } = answered
  if (isChained(grantContext)) return chained(presentation.row, await renewChained(world, answered, verdict.grant))
  const databaseOnly = grantContext.reuse.class === 'P2' && world.options.databaseFirst
  const settled = await settleGrant(world, answered, verdict.grant, databaseOnly)
  const { commit, outcome } = settled
  if (outcome?.kind === 'superseded' || outcome?.kind === 'disconnected') return { kind: 'moved' }
  // Opened only where the answer may repeat it: opening costs a key derivation.
  const { lifetimes, token } = grantContext.record
  const mayRepeat = lifetimes.noopAboveSeconds !== null || token.refresh.prolongs
  const changed = !mayRepeat || verdict.grant.accessToken !== previousAccessToken(world, presentation.row)
  return { kind: 'granted', committed: settled.committed, row: renewedToken(presentation.row, commit, verdict.grant, changed) }
}

function chained(row: GrantRow, outcome: ChainedOutcome): AttemptOutcome {
  if (outcome.kind !== 'granted') return outcome
  return { kind: 'granted', committed: Promise.resolve(outcome.outcome), row: renewedToken(row, outcome.commit, outcome.grant, true) }
}

function renewedToken({ connection }: GrantRow, commit: GrantCommit, { accessToken, tokenType, accessExpiresAt }: Granted, changed: boolean): RenewedToken {
  const { id, organization, integration, owner } = connection
  const { obtainedAt, softAt, hardAt } = commit.credential
  const generation = commit.presentedGeneration + 1
  const scopes = commit.scopes ?? connection.scopes
  const answer: TokenAnswer = { connection: id, integration, owner, accessToken, tokenType, expiresAt: accessExpiresAt, generation, scopes, status: 'active' }
  return { organization, obtainedAt, softAt, hardAt, changed, answer }
}

async function notGranted(
  world: EngineWorld,
  request: AttemptRequest,
  prepared: Prepared,
  verdict: NotGranted,
  result: Judged | null,
): Promise<AttemptOutcome> {
  const now = world.clock.wall()
  const endpoint = prepared.context.endpoints.refresh
  const { organization } = request.row.connection
  noteFailure(world, request.context.integration.id, endpoint, verdict)
  const answer =
    result !== null && result.outcome.kind === 'answered'
      ? storedAnswer(
          world,
          organization,
          { intent: result.intent, receivedAt: now, answer: result.outcome.answer, grantContext: request.context },
          verdict.kind,
        )
      : null
  const recorded = await recordFailure(world, {
    row: request.row,
    grantContext: request.context,
    intent: result?.intent ?? null,
    sentAt: result?.sentAt ?? null,
    answer,
    verdict,
  })
  return recorded.moved ? { kind: 'moved' } : { kind: 'failed', fault: recorded.fault, retryAt: recorded.retryAt }
}

async function unblock(world: EngineWorld, context: GrantContext): Promise<void> {
  const { integration } = context
  if (integration.blocked === null) return
  const event = {
    id: newId('evt', world.entropy),
    organization: integration.organization,
    type: 'integration.unblocked' as const,
    at: world.clock.wall(),
    actor: SYSTEM_ACTOR,
    connection: null,
    subject: integration.id,
    data: {},
  }
  await untilDurable(world, 'unblock', () => world.integrations.setBlocked(integration.id, null, event))
  world.contexts.forget(integration.id)
}
