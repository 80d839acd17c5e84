import { Fault } from '../fault/fault.ts'
import { type ConnectionId, type IntentId, newId, type OrganizationId } from '../ids.ts'
import { keptHeaders } from '../provider/beside-body.ts'
import type { ProviderContext } from '../provider/context.ts'
import { judge } from '../provider/judge.ts'
import { type ProbeLimits, type ProbePorts, type ProbeReport, probeReuse } from '../provider/probe-reuse.ts'
import { refreshRequest } from '../provider/token-request.ts'
import type { Granted, Verdict } from '../provider/verdict.ts'
import { NotSent, type ProviderAnswer, type WireOutcome } from '../provider/wire.ts'
import { SealError } from '../seal/seal.ts'
import { type Instant, MINUTE, SECOND } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import { untilDurable } from './durable.ts'
import type { EngineWorld } from './engine-ports.ts'
import { noteAnswered, noteFailure, passGate } from './gate.ts'
import type { GrantContext } from './grant-contexts.ts'
import { credentialContext } from './new-credential.ts'
import { takeBack } from './present.ts'
import { recordFailure } from './record-failure.ts'
import { type AnsweredPresentation, isChained, type NotGranted, settleGrant, storedAnswer } from './settle-grant.ts'

export interface ReuseProbeRequest {
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  readonly limits: ProbeLimits
  /** Stops readers and everybody who would refresh. Called under the lease. @throws Fault */
  pause(): Promise<unknown>
  /** Goes on, still under the lease. @throws Fault when the connection is another one by now: then it is left as it is */
  resume(): Promise<unknown>
  /** Whether an access token works at the API; null when nobody can tell. */
  use(context: ProviderContext, accessToken: string): Promise<boolean | null>
}

export interface ReuseProbeReport extends ProbeReport {
  /** What was done, in order. Holds no token. */
  readonly steps: readonly string[]
  /** The probe ended the grant: only its owner can help. */
  readonly ended: boolean
}

/** Presentations that hang, and the commit: added to the waiting to make the lease. */
const LEASE_EXTRA_MS = 15 * MINUTE

/**
 * Learns the reuse class on the grant of one connection, which it may end. To everybody else it is one long presentation: one lease and
 * one intent from the first request to the last, so that nobody presents beside it, and each answer is in the journal before its token is
 * presented. At the end the refresh token that came last is stored, or the end of the grant. After a crash the connection is paused and
 * its outcome unknown: resumed, it is treated like any lost answer. @throws Fault when nothing was presented
 */
export async function probeConnection(world: EngineWorld, request: ReuseProbeRequest): Promise<ReuseProbeReport> {
  const held = await hold(world, request)
  const probing = new Probing(world, held, request)
  try {
    await request.pause()
    const report = await probeReuse(held.refreshToken, request.limits, probing)
    return { ...report, steps: probing.steps, ended: probing.over }
  } finally {
    await untilDurable(world, 'resume', () => request.resume().catch(unlessRefused))
    await probing.settle()
  }
}

/** A connection that was disconnected meanwhile is not brought back; a database that is away is asked again. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof Fault) || error.definition.class === 'local') throw error
}

interface Held {
  readonly row: GrantRow
  readonly grantContext: GrantContext
  readonly context: ProviderContext
  readonly refreshToken: string
  readonly intent: IntentId
}

/** Everything that may refuse it comes before the claim: from then on the intent says that the token may be spent. */
async function hold(world: EngineWorld, { organization, connection, limits }: ReuseProbeRequest): Promise<Held> {
  const row = await world.credentials.read(connection)
  if (row === undefined || row.connection.organization !== organization) throw new Fault('not_found', { detail: `there is no connection ${connection}` })
  const grantContext = await world.contexts.of(row.connection.integration)
  const refreshToken = presentable(world, row, grantContext)
  const context = await world.contexts.provider(grantContext, row.connection.variables, row.connection.facts)
  if (world.draining()) throw new Fault('draining')
  const refusal = world.liveness.refusal()
  if (refusal !== null) throw new Fault(refusal.code)
  const distrust = await world.trust.mayPresent(row, grantContext.reuse)
  if (distrust !== null) throw new Fault('database_untrusted', { detail: distrust.detail })
  const intent = newId('itn', world.entropy)
  const leaseMs = Math.max(limits.forSeconds, limits.patienceSeconds) * SECOND + LEASE_EXTRA_MS
  const { generation, epoch } = row.credential
  const claim = await world.credentials.claim({ connection, generation, epoch, node: world.node, intent, leaseMs }).catch((error: unknown) => {
    // It may have been written all the same, for as long as a probe lasts.
    void takeBack(world, row, intent, row.health.dueAt)
    throw error
  })
  if (claim.kind === 'claimed') return { row, grantContext, context, refreshToken, intent }
  const retryAt = claim.kind === 'held' ? { retryAt: claim.until } : {}
  throw new Fault('refresh_in_progress', { detail: 'somebody else is about to refresh this connection; try again', ...retryAt })
}

/** @throws Fault */
function presentable(world: EngineWorld, { connection, credential }: GrantRow, grantContext: GrantContext): string {
  const { record } = grantContext
  const { refreshToken } = credential
  if (refreshToken === null || record.grant !== 'authorization_code' || record.token.refresh.presents !== 'refresh_token')
    throw new Fault('refresh_not_supported', { detail: `${record.name} gave no refresh token for this connection: there is nothing to learn.` })
  if (isChained(grantContext) || record.token.refresh.prolongs)
    throw new Fault('invalid_request', { detail: `A refresh at ${record.name} is more than one request: probe it with a refresh token, without a server.` })
  if (connection.state !== 'active' || credential.suspicion !== null || credential.intent !== null)
    throw new Fault('conflict', { detail: 'A probe needs an active connection whose last refresh has a known outcome.' })
  try {
    return world.seal.openText(refreshToken, credentialContext(connection.organization, connection.id, credential.generation, 'refresh_token'))
  } catch (error) {
    if (error instanceof SealError) throw new Fault(error.code, { detail: error.message, cause: error })
    throw error
  }
}

interface Brought {
  readonly presented: string
  readonly refreshToken: string
  readonly grant: Granted
  readonly answer: ProviderAnswer
  readonly sentAt: Instant
  readonly receivedAt: Instant
  readonly intent: IntentId
}

interface Failed {
  readonly verdict: NotGranted
  readonly answer: ProviderAnswer | null
  readonly sentAt: Instant
}

/** The presentations of one probe, and what is worth keeping of them. */
class Probing implements ProbePorts {
  readonly steps: string[] = []
  readonly #world: EngineWorld
  readonly #held: Held
  readonly #request: ReuseProbeRequest
  #newest: Brought | null = null
  /** What became of the newest refresh token when it was presented last; null while it has not been. */
  #failed: Failed | null = null
  #sent = false

  constructor(world: EngineWorld, held: Held, request: ReuseProbeRequest) {
    this.#world = world
    this.#held = held
    this.#request = request
  }

  /** The newest refresh token was refused: there is no other. */
  get over(): boolean {
    return this.#failed?.verdict.kind === 'dead'
  }

  now(): Instant {
    return this.#world.clock.wall()
  }

  tell(step: string): void {
    this.steps.push(step)
  }

  use(accessToken: string): Promise<boolean | null> {
    return this.#request.use(this.#held.context, accessToken)
  }

  /** In pieces, so that a server that stops is not held up. */
  async wait(ms: number): Promise<void> {
    const { clock, timers, draining } = this.#world
    const until = clock.mono() + ms
    for (let left = ms; left > 0; left = until - clock.mono()) {
      if (draining()) throw new Fault('draining', { detail: 'the server stops; what the probe learnt until here is no class' })
      await timers.sleep(Math.min(left, SECOND))
    }
  }

  async refresh(token: string): Promise<Verdict> {
    const { context, grantContext, row } = this.#held
    const world = this.#world
    const endpoint = context.endpoints.refresh
    const pass = passGate(world, { row, context: grantContext, urgent: true }, endpoint)
    if ('kind' in pass) return { kind: 'pre_send', cause: pass.detail ?? pass.code, said: { httpStatus: null, code: null, text: null } }
    const started = world.clock.mono()
    const { outcome, sentAt } = await this.#send(token)
    if (outcome.kind === 'not_sent') pass.giveBack()
    const verdict = judge(context, { step: 'refresh', outcome, sentAt, secrets: [token, context.clientSecret ?? ''], held: null })
    world.observe({ kind: verdict.kind, provider: context.record.id, durationMs: world.clock.mono() - started })
    if (verdict.kind === 'granted' && outcome.kind === 'answered') {
      noteAnswered(world, grantContext.integration.id, endpoint, false)
      await this.#keep(token, verdict.grant, outcome.answer, sentAt)
    } else if (verdict.kind !== 'granted') {
      // A death that we bring about says nothing about the other grants of the integration.
      if (verdict.kind !== 'dead') noteFailure(world, grantContext.integration.id, endpoint, verdict)
      if (token === this.#current()) this.#failed = { verdict, answer: outcome.kind === 'answered' ? outcome.answer : null, sentAt }
    }
    return verdict
  }

  async #send(token: string): Promise<{ readonly outcome: WireOutcome; readonly sentAt: Instant }> {
    const { context, row } = this.#held
    const { endpoint, clock, times } = this.#world
    const wire = refreshRequest(context, { refreshToken: token, scopes: row.connection.scopes ?? [] })
    try {
      const line = await endpoint.open(wire.url, { pooled: false, certificate: wire.certificate })
      const sentAt = clock.wall()
      this.#sent = true
      return { sentAt, outcome: await line.send(wire, times.strictDrainMs) }
    } catch (error) {
      if (error instanceof NotSent) return { sentAt: clock.wall(), outcome: { kind: 'not_sent', cause: error.reason } }
      throw error
    }
  }

  #current(): string {
    return this.#newest?.refreshToken ?? this.#held.refreshToken
  }

  /** In the journal before it is presented: after a crash the newest answer is applied to the credential that is stored. */
  async #keep(presented: string, grant: Granted, answer: ProviderAnswer, sentAt: Instant): Promise<void> {
    const { clock, entropy, journal, log } = this.#world
    const { connection, credential } = this.#held.row
    const before = this.#newest
    const receivedAt = clock.wall()
    const intent = newId('itn', entropy)
    this.#newest = { presented, refreshToken: grant.refreshToken ?? presented, grant, answer, sentAt, receivedAt, intent }
    this.#failed = null
    try {
      await journal.append({
        intent,
        organization: connection.organization,
        subject: { kind: 'connection', id: connection.id },
        generation: credential.generation,
        fingerprint: credential.fingerprint,
        sentAt,
        receivedAt,
        httpStatus: answer.status,
        headers: keptHeaders(this.#held.grantContext.record, answer),
        body: answer.body,
      })
    } catch (error) {
      log.error({ intent, error: String(error) }, 'the journal cannot keep an answer of a probe; it is stored when the probe ends')
    }
    if (before !== null) journal.settle(before.intent)
  }

  /** Stores what the grant goes on with, or its end, and gives the lease back. */
  async settle(): Promise<void> {
    const world = this.#world
    const { row, grantContext, context, intent } = this.#held
    const newest = this.#newest
    const failed = this.#failed
    if (newest !== null && failed?.verdict.kind !== 'dead') {
      const presentation = { row, context, reuse: grantContext.reuse, refreshToken: newest.presented }
      const { sentAt, receivedAt, answer } = newest
      const answered: AnsweredPresentation = { presentation, grantContext, intent, sentAt, receivedAt, answer }
      const { committed } = await settleGrant(world, answered, newest.grant, true)
      const outcome = await committed
      if (failed?.verdict.kind === 'unknown' && (outcome.kind === 'applied' || outcome.kind === 'already')) await this.#suspect(failed, outcome.generation)
    } else if (failed !== null && this.#sent) {
      const { organization } = row.connection
      const receivedAt = world.clock.wall()
      const { answer: raw, verdict, sentAt } = failed
      const answer = raw === null ? null : storedAnswer(world, organization, { intent, receivedAt, answer: raw, grantContext }, verdict.kind)
      await recordFailure(world, { row, grantContext, intent, sentAt, answer, verdict })
    } else await takeBack(world, row, intent, row.health.dueAt)
    if (newest !== null) world.journal.settle(newest.intent)
  }

  /** The refresh token that is stored now was presented, and nobody knows what became of it. */
  async #suspect({ verdict, answer: raw, sentAt }: Failed, generation: number): Promise<void> {
    const world = this.#world
    const { connection } = this.#held.row
    const { grantContext } = this.#held
    const row = await untilDurable(world, 'suspicion', () => world.credentials.read(connection.id))
    if (row?.credential.generation !== generation) return
    const intent = newId('itn', world.entropy)
    const receivedAt = world.clock.wall()
    const answer = raw === null ? null : storedAnswer(world, connection.organization, { intent, receivedAt, answer: raw, grantContext }, verdict.kind)
    await recordFailure(world, { row, grantContext, intent, sentAt, answer, verdict, unclaimed: true })
  }
}
