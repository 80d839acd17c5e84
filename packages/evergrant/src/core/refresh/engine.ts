import { statusOf } from '../connection/status.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import { SealError } from '../seal/seal.ts'
import { Admission } from './admission.ts'
import { AnsweredRefreshes } from './answered-refreshes.ts'
import type { RenewedToken } from './attempt.ts'
import { Backlogs } from './backlog.ts'
import { askAgain, ended, endsGrant, failedFault, notRenewed, notStored, waiting } from './caller-faults.ts'
import type { GrantRow } from './credentials.ts'
import { DeathRunner } from './death-runner.ts'
import { DueRunner } from './due-runner.ts'
import { StuckWrites } from './durable.ts'
import { EndpointBreakers } from './endpoint-breaker.ts'
import type { EnginePorts, EngineWorld } from './engine-ports.ts'
import { ExchangeTimes } from './exchange-times.ts'
import { FirstAnswers } from './first-answers.ts'
import { type FlightResult, Flights } from './flights.ts'
import { ForgottenLeases } from './forgotten-leases.ts'
import { type GrantContext, GrantContexts } from './grant-contexts.ts'
import { recordEnd } from './grant-end.ts'
import { Interest } from './interest.ts'
import { storeKeptAnswers } from './kept-answers.ts'
import { credentialContext } from './new-credential.ts'
import { Nudges } from './nudges.ts'
import { planRefresh, servable } from './plan.ts'
import { recoverNode } from './recovery.ts'
import type { DrainReport, EngineStats, RecoveryReport, RefreshEngine, RefreshReport, TokenAnswer, TokenRequest } from './refresh-engine.ts'
import { RefusedSecrets, refusalFault } from './refused-secret.ts'
import { RejectionGuard } from './rejection-guard.ts'
import { RetryBudgets } from './retry-budget.ts'
import { probeConnection, type ReuseProbeReport, type ReuseProbeRequest } from './reuse-probe.ts'
import { StoreOutage } from './store-outage.ts'
import { Takeover } from './takeover.ts'
import { TokenBudgets } from './token-budget.ts'
import { answers, type CachedToken, TokenCache } from './token-cache.ts'
import { Told } from './told.ts'
import { recordToldEnd, type ToldEnd, type ToldEndOutcome } from './told-end.ts'

interface Loaded {
  readonly row: GrantRow
  readonly context: GrantContext
}

type Reading = ReturnType<TokenCache['reading']>

/** The engine on its ports. Call `recover` once before anything else. */
export function createRefreshEngine(ports: EnginePorts): Engine {
  return new Engine(ports)
}

export class Engine implements RefreshEngine {
  readonly #world: EngineWorld
  readonly #cache: TokenCache
  readonly #flights: Flights
  readonly #interest: Interest
  readonly #rejections: RejectionGuard
  readonly #refused: RefusedSecrets
  readonly #due: DueRunner
  readonly #deaths: DeathRunner
  readonly #outage: StoreOutage
  readonly #takeover: Takeover
  readonly #forgotten: ForgottenLeases
  readonly #atWork: (connection: ConnectionId) => boolean
  readonly #probes = new Map<Promise<ReuseProbeReport>, ConnectionId>()
  readonly #nudges: Nudges
  #draining = false

  constructor(ports: EnginePorts) {
    this.#world = {
      ...ports,
      contexts: new GrantContexts(ports),
      breakers: new EndpointBreakers(ports.times),
      retries: new RetryBudgets(ports.times.retryWindowMs),
      budgets: new TokenBudgets(),
      backlogs: new Backlogs(ports.times),
      answered: new AnsweredRefreshes(ports.times.deathWindowMs),
      admission: new Admission(ports.timers),
      exchanges: new ExchangeTimes(ports.clock, ports.timers),
      told: new Told(),
      firstAnswers: new FirstAnswers(ports.journal),
      stuck: new StuckWrites(),
      draining: () => this.#draining,
    }
    this.#cache = new TokenCache(ports.options.cacheEntries)
    this.#interest = new Interest(this.#world)
    this.#rejections = new RejectionGuard()
    this.#refused = new RefusedSecrets(this.#world)
    this.#outage = new StoreOutage(ports.clock, ports.options.withoutStoreMs)
    this.#flights = new Flights(this.#world, (token, committed, overtaken) => this.#keep(token, committed, overtaken))
    this.#nudges = new Nudges(this.#world, this.#flights)
    this.#due = new DueRunner(this.#world, this.#flights)
    this.#deaths = new DeathRunner(this.#world, this.#flights)
    this.#takeover = new Takeover(this.#world)
    this.#atWork = (connection) => this.#flights.has(connection) || [...this.#probes.values()].includes(connection)
    this.#forgotten = new ForgottenLeases(this.#world, this.#atWork)
  }

  /** Shared with the code exchange, so that both use the same integrations and endpoints. */
  get contexts(): GrantContexts {
    return this.#world.contexts
  }

  peek(request: TokenRequest): TokenAnswer | undefined {
    if (this.#world.changesFresh()) this.#outage.current()
    else if (!this.#outage.mayAnswerAtOnce()) return undefined
    return this.#remembered(request)
  }

  #remembered(request: TokenRequest): TokenAnswer | undefined {
    const now = this.#world.clock.wall()
    const entry = this.#cache.find(request, now)
    if (entry === undefined) return undefined
    this.#interest.read(request.connection, now, entry.softAt)
    if (entry.softAt !== null && now >= entry.softAt) this.#nudges.nudge(request.connection)
    return entry.answer
  }

  async token(request: TokenRequest): Promise<TokenAnswer> {
    const cached = this.peek(request)
    if (cached !== undefined) return cached
    const { tracing } = this.#world
    if (tracing === undefined) return this.#missed(request)
    return tracing.span('token read', { 'evergrant.connection': request.connection }, () => this.#missed(request))
  }

  async #missed(request: TokenRequest): Promise<TokenAnswer> {
    const reading = this.#cache.reading(request.connection)
    try {
      const answer = await this.#fromStore(request, reading)
      if (answer.generation >= this.#cache.newest(request.connection)) return answer
      // A read that was held up, or a database that went back in time: the second look tells, and is believed.
      return await this.#fromStore(request, reading)
    } catch (error) {
      const remembered = this.#outage.mayAnswerFor(error) ? this.#remembered(request) : undefined
      if (remembered === undefined) throw error
      return remembered
    } finally {
      reading.end()
    }
  }

  async #fromStore(request: TokenRequest, reading: Reading): Promise<TokenAnswer> {
    const { row, context } = await this.#load(request)
    const now = this.#world.clock.wall()
    this.#interest.read(request.connection, now, row.credential.softAt)
    const { minTtlMs, rejectedGeneration } = request
    const quietMs = this.#rejections.quietForMs(request.connection, rejectedGeneration, this.#world.clock.mono())
    if (quietMs !== null)
      throw new Fault('upstream_token_refused', {
        retryAt: now + quietMs,
        detail: 'a token renewed moments ago is refused again: the refusal is not about its age',
      })
    const ask = { kind: 'read', minTtlMs, rejectedGeneration } as const
    const plan = planRefresh({ row, reuse: context.reuse, ask, now, refresh: context.record.token.refresh }, this.#world.times)
    const ahead = this.#flights.ahead(request.connection)
    // The row may still be the old one while its commit is tried again: nobody goes back a generation, and nobody can go on to the next.
    if (ahead !== undefined && ahead.answer.generation > row.credential.generation && row.connection.state === 'active') {
      if (answers(ahead, request, now)) return ahead.answer
      throw notStored(now)
    }
    const rejected = rejectedGeneration === row.credential.generation
    switch (plan.kind) {
      case 'fresh':
        return this.#answer(row, context, reading)
      case 'refresh':
        if (!plan.background) return this.#renewed(request, { row, context }, reading, rejected)
        this.#nudges.nudge(request.connection)
        return this.#answer(row, context, reading)
      case 'wait':
        if (!rejected && servable(row, now, minTtlMs)) return this.#answer(row, context, reading)
        throw waiting(plan.code, plan.until, row, request)
      case 'reconnect':
        if (!rejected || plan.code !== 'new_credentials_needed' || row.connection.state !== 'active') return this.#end(row, plan.code, rejected)
        await this.#lookAtSecret(row, context, request.reportedBy)
        throw ended(plan.code, row)
    }
  }

  /** Returns when the secret has ended. @throws Fault when it has not */
  async #lookAtSecret(row: GrantRow, context: GrantContext, reporter: string | undefined): Promise<void> {
    const { id } = row.connection
    const now = this.#world.clock.wall()
    const refusal = await this.#refused.look(row, context, reporter)
    if (refusal.kind === 'works') this.#rejections.renewed(id, row.credential.generation, this.#world.clock.mono())
    const fault = refusalFault(refusal, now)
    if (fault !== null) throw fault
    this.#cache.forget(id)
  }

  async refresh(organization: OrganizationId, connection: ConnectionId): Promise<RefreshReport> {
    await this.#load({ organization, connection })
    const now = this.#world.clock.wall()
    const { expiresAt: over = null } = this.#flights.ahead(connection)?.answer ?? {}
    if (over !== null && over <= now) throw notStored(now)
    const result = await this.#inTime(this.#flights.fly(connection, { kind: 'force' }, true))
    if (result === null) throw askAgain(this.#world.clock.wall())
    switch (result.kind) {
      case 'renewed': {
        const { answer, changed } = result.token
        return { connection, generation: answer.generation, expiresAt: answer.expiresAt, changed }
      }
      case 'planned':
        return this.#plannedReport(result, connection)
      case 'failed':
        throw failedFault(result)
      case 'gone':
        throw new Fault('not_found')
    }
  }

  /** The provider told, unasked and proven, that the grant of `row` is over. */
  async toldEnd(row: GrantRow, told: ToldEnd): Promise<ToldEndOutcome> {
    const outcome = await recordToldEnd(this.#world, row, told)
    this.forget(row.connection.id)
    return outcome
  }

  /** Presents spent tokens again, on purpose: for a grant that may be lost. @throws Fault */
  async learnReuse(request: ReuseProbeRequest): Promise<ReuseProbeReport> {
    const probe = probeConnection(this.#world, request)
    this.#probes.set(probe, request.connection)
    return probe.finally(() => {
      this.#probes.delete(probe)
      this.forget(request.connection)
    })
  }

  async recover(): Promise<RecoveryReport> {
    return recoverNode(this.#world)
  }

  runDue(): Promise<number> {
    if (this.#draining) return Promise.resolve(0)
    void this.#deaths.run()
    return this.#due.run()
  }

  takeOverLost(): Promise<number> {
    return this.#takeover.run()
  }

  async freeForgotten(): Promise<number> {
    if (!this.#draining) await storeKeptAnswers(this.#world, this.#atWork)
    return this.#forgotten.run()
  }

  worked(connection: ConnectionId): void {
    this.#refused.worked(connection)
  }

  forget(connection: ConnectionId | 'all'): void {
    this.#cache.forget(connection)
    this.#flights.wake(connection)
  }

  /**
   * Stops starting at once; waits until every answer in hand is in the database, or `ms` have passed. `kept`, for a store that
   * is lost: until each is at least in the journal.
   */
  async drain(ms = this.#world.times.strictDrainMs + this.#world.times.claimToSendMs, until: 'landed' | 'kept' = 'landed'): Promise<DrainReport> {
    this.#draining = true
    const finished = this.#flights.count
    const flushed = this.#interest.flush()
    await this.#flights.idle(ms, until)
    await this.#inTime(Promise.allSettled(this.#probes.keys()))
    // Read marks are worth no wait for a database that hangs.
    await this.#inTime(flushed)
    return { finished, onlyInJournal: this.#flights.onlyInJournal }
  }

  flushInterest(): Promise<void> {
    return this.#interest.flush()
  }

  /** Providers that are given a rest, by an integration that met them, with how long that lasts. */
  openBreakers(): readonly { readonly integration: string; readonly openForMs: number }[] {
    const { breakers, clock } = this.#world
    return breakers.open().map(({ integration, since }) => ({ integration, openForMs: clock.mono() - since }))
  }

  stats(): EngineStats {
    const { breakers, clock, stuck } = this.#world
    return {
      flights: this.#flights.count,
      cached: this.#cache.size,
      openBreakers: breakers.openCount(clock.mono()),
      stuckWrites: stuck.kinds(),
      draining: this.#draining,
    }
  }

  async #load(request: Pick<TokenRequest, 'organization' | 'connection'>): Promise<Loaded> {
    const row = await this.#world.credentials.read(request.connection)
    this.#outage.current()
    if (row === undefined || row.connection.organization !== request.organization)
      throw new Fault('not_found', { detail: `there is no connection ${request.connection}` })
    return { row, context: await this.#world.contexts.of(row.connection.integration) }
  }

  /** Waits for the one flight; what cannot be renewed in time is answered with the old token, if that still lives. */
  async #renewed(request: TokenRequest, { row, context }: Loaded, reading: Reading, rejected: boolean): Promise<TokenAnswer> {
    const { connection, minTtlMs, rejectedGeneration } = request
    const result = await this.#inTime(this.#flights.fly(connection, { kind: 'read', minTtlMs, rejectedGeneration }, true, row))
    const now = this.#world.clock.wall()
    const seen = row.credential.generation
    switch (result?.kind) {
      case 'renewed':
        if (result.token.answer.generation < seen) break
        if (rejected) this.#rejections.renewed(connection, result.token.answer.generation, this.#world.clock.mono())
        return result.token.answer
      case 'planned':
        if (result.plan.kind === 'wait') break
        if (result.plan.kind === 'reconnect') return this.#end(result.row, result.plan.code, rejected)
        if (result.row.credential.generation < seen) throw askAgain(now)
        return this.#answer(result.row, result.context, reading)
      case 'gone':
        throw new Fault('not_found')
    }
    if (!rejected && !endsGrant(result) && servable(row, now, minTtlMs)) return this.#answer(row, context, reading)
    throw notRenewed(result, request, now)
  }

  async #plannedReport(result: Extract<FlightResult, { kind: 'planned' }>, connection: ConnectionId): Promise<RefreshReport> {
    const { row, plan } = result
    if (plan.kind === 'fresh') return { connection, generation: row.credential.generation, expiresAt: row.credential.accessExpiresAt, changed: true }
    if (plan.kind === 'wait') throw new Fault(plan.code, plan.until === null ? {} : { retryAt: plan.until })
    return this.#end(row, plan.code, false)
  }

  /** @throws Fault always: the grant is over, which is written down first */
  async #end(row: GrantRow, code: Fault['code'], rejected: boolean): Promise<never> {
    await recordEnd(this.#world, row, code, rejected)
    throw ended(code, row)
  }

  #answer(row: GrantRow, context: GrantContext, reading: Reading): TokenAnswer {
    const { connection, credential } = row
    if (credential.accessToken === null) throw new Fault('internal', { detail: 'the credential has no access token' })
    try {
      const where = credentialContext(connection.organization, connection.id, credential.generation, 'access_token')
      const answer: TokenAnswer = {
        connection: connection.id,
        integration: connection.integration,
        owner: connection.owner,
        accessToken: this.#world.seal.openText(credential.accessToken, where),
        tokenType: credential.tokenType,
        expiresAt: credential.accessExpiresAt,
        generation: credential.generation,
        scopes: connection.scopes,
        status: statusOf(row, context.integration, this.#world.clock.wall()),
      }
      const { obtainedAt, softAt, hardAt } = credential
      reading.keep({ organization: connection.organization, answer, obtainedAt, softAt, hardAt })
      this.#cache.handedOut(answer)
      return answer
    } catch (error) {
      if (error instanceof SealError) throw new Fault(error.code, { detail: error.message, cause: error })
      throw error
    }
  }

  /** The database's word on a commit may come late, after another node's newer token was announced: then memory keeps nothing. */
  #keep(token: RenewedToken, committed: Promise<{ kind: string }>, overtaken: boolean): void {
    const { answer, organization, obtainedAt, softAt, hardAt } = token
    const entry: CachedToken = { organization, answer, obtainedAt, softAt, hardAt }
    if (!overtaken) this.#cache.put(entry)
    void committed.then((outcome) => {
      if (outcome.kind !== 'applied' && outcome.kind !== 'already') this.#cache.forget(answer.connection)
    })
  }

  async #inTime<Result>(awaited: Promise<Result>): Promise<Result | null> {
    let cancel = () => {}
    const timeout = new Promise<null>((resolve) => {
      cancel = this.#world.timers.after(this.#world.times.callerWaitMs, () => resolve(null))
    })
    try {
      return await Promise.race([awaited, timeout])
    } finally {
      cancel()
    }
  }
}
