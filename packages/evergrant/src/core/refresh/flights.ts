import type { StoredFault } from '../connection/connection.ts'
import type { FaultCode } from '../fault/fault.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId } from '../ids.ts'
import type { Instant } from '../time.ts'
import { type AttemptOutcome, attempt, type RenewedToken } from './attempt.ts'
import type { GrantRow } from './credentials.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'
import { livingHolderUntil } from './living-holder.ts'
import { type PlanAsk, planRefresh, type RefreshPlan } from './plan.ts'

/** How a flight ended, for everybody who joined it. */
export type FlightResult =
  | { readonly kind: 'renewed'; readonly token: RenewedToken }
  /** Planned again after somebody else acted: the row as it now is. */
  | { readonly kind: 'planned'; readonly plan: Exclude<RefreshPlan, { kind: 'refresh' }>; readonly row: GrantRow; readonly context: GrantContext }
  | { readonly kind: 'failed'; readonly code: FaultCode; readonly fault: StoredFault | null; readonly retryAt: Instant | null; readonly detail?: string }
  | { readonly kind: 'gone' }

interface FlightRequest {
  readonly connection: ConnectionId
  readonly ask: PlanAsk
  /** Somebody waits for it; also true when such a one joins later. */
  urgent: boolean
  /** Goes before the background, where it stands in line with it. */
  hurry: () => void
  /** Monotonic: when the last of them stops waiting. */
  awaitedUntil: number
  readonly seen: GrantRow | undefined
  /** A change of the connection was announced since the attempt began. */
  overtaken: boolean
}

/** A row that keeps moving under us is somebody else's work succeeding again and again; more rounds than this are a defect. */
const ROUNDS_MAX = 20
const HELD_POLL_MS = 250

/** One flight per connection in this process: whoever comes while it is up joins it. */
export class Flights {
  readonly #world: EngineWorld
  readonly #up = new Map<ConnectionId, { readonly request: FlightRequest; readonly result: Promise<FlightResult> }>()
  readonly #landed = new Set<() => void>()
  readonly #ahead = new Map<ConnectionId, RenewedToken>()
  readonly #wakers = new Map<ConnectionId, Set<() => void>>()
  readonly #renewed: (token: RenewedToken, committed: Promise<{ kind: string }>, overtaken: boolean) => void
  #onlyInJournal = 0
  /** Flights that may bring an answer which only this process would have. */
  #precious = 0

  /** `overtaken`: a change of the connection was announced since the attempt began; it may be a newer token than this one. */
  constructor(world: EngineWorld, renewed: (token: RenewedToken, committed: Promise<{ kind: string }>, overtaken: boolean) => void) {
    this.#world = world
    this.#renewed = renewed
  }

  get count(): number {
    return this.#up.size
  }

  get onlyInJournal(): number {
    return this.#onlyInJournal
  }

  has(connection: ConnectionId): boolean {
    return this.#up.has(connection)
  }

  /** A token that is durable, but that the database may not have yet. */
  ahead(connection: ConnectionId): RenewedToken | undefined {
    return this.#ahead.get(connection)
  }

  /** Something changed about this connection elsewhere: whoever waits for another holder looks again. */
  wake(connection: ConnectionId | 'all'): void {
    const changed = connection === 'all' ? [...this.#up.values()] : [this.#up.get(connection)]
    for (const up of changed) if (up !== undefined) up.request.overtaken = true
    const woken = connection === 'all' ? [...this.#wakers.values()] : [this.#wakers.get(connection) ?? new Set<() => void>()]
    for (const wakers of woken) for (const wake of wakers) wake()
  }

  /** `seen`: the row as the caller has just read it, which saves the first read; the claim finds out if it is stale. */
  fly(connection: ConnectionId, ask: PlanAsk, urgent: boolean, seen?: GrantRow): Promise<FlightResult> {
    const up = this.#up.get(connection)
    if (up !== undefined) {
      if (urgent) this.#join(up.request)
      return up.result
    }
    let commitPending: Promise<unknown> = Promise.resolve()
    const request: FlightRequest = { connection, ask, urgent, hurry: () => {}, awaitedUntil: this.#awaitedUntil(), seen, overtaken: false }
    const result = this.#run(request, (committed) => {
      commitPending = this.#countJournalOnly(committed)
    })
    this.#up.set(connection, { request, result })
    const land = () => {
      this.#ahead.delete(connection)
      this.#giveWay(request)
      this.#tellLanded()
    }
    // The entry outlives its answer until the database has it: nobody may start again from the old generation.
    result.then(
      () => commitPending.then(land, land),
      () => commitPending.then(land, land),
    )
    return result
  }

  /**
   * Resolves when no flight is up, or after `ms`. `kept`: already when none is left whose answer only this process
   * would have: the rest is in the journal, or may be asked for again.
   */
  async idle(ms: number, until: 'landed' | 'kept' = 'landed'): Promise<void> {
    const deadline = this.#world.clock.mono() + ms
    while (until === 'landed' ? this.#up.size > 0 : this.#precious > 0) {
      const left = deadline - this.#world.clock.mono()
      if (left <= 0) return
      await this.#landing(left)
    }
  }

  #join(request: FlightRequest): void {
    request.urgent = true
    request.awaitedUntil = this.#awaitedUntil()
    request.hurry()
  }

  #awaitedUntil(): number {
    return this.#world.clock.mono() + this.#world.times.callerWaitMs
  }

  #giveWay(request: FlightRequest): void {
    if (this.#up.get(request.connection)?.request === request) this.#up.delete(request.connection)
  }

  #tellLanded(): void {
    for (const landed of this.#landed) landed()
  }

  #landing(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel()
        this.#landed.delete(done)
        resolve()
      }
      const cancel = this.#world.timers.after(ms, done)
      this.#landed.add(done)
    })
  }

  async #countJournalOnly(committed: Promise<unknown>): Promise<void> {
    this.#onlyInJournal += 1
    await committed
    this.#onlyInJournal -= 1
  }

  async #run(flight: FlightRequest, pending: (committed: Promise<unknown>) => void): Promise<FlightResult> {
    const world = this.#world
    const { connection, ask } = flight
    let seen = flight.seen
    let started: number | null = null
    for (let round = 0; round < ROUNDS_MAX; ) {
      const row = seen ?? (await world.credentials.read(connection))
      seen = undefined
      if (row === undefined) return { kind: 'gone' }
      const context = await world.contexts.of(row.connection.integration)
      // A force asks for something newer than what it saw, and what was due was due for that: a generation that moved meanwhile is the answer.
      if (ask.kind !== 'read' && started !== null && row.credential.generation > started) return { kind: 'planned', plan: { kind: 'fresh' }, row, context }
      started ??= row.credential.generation
      const plan = planRefresh({ row, reuse: context.reuse, ask, now: world.clock.wall(), refresh: context.record.token.refresh }, world.times)
      if (plan.kind !== 'refresh') return { kind: 'planned', plan, row, context }
      flight.overtaken = false
      const outcome = (await heldNow(world, row, context)) ?? (await this.#attempt(row, context, flight))
      switch (outcome.kind) {
        case 'granted':
          pending(outcome.committed)
          this.#ahead.set(connection, outcome.row)
          this.#renewed(outcome.row, outcome.committed, flight.overtaken)
          return { kind: 'renewed', token: outcome.row }
        case 'failed':
          return { kind: 'failed', code: outcome.fault.code, fault: outcome.fault, retryAt: outcome.retryAt }
        case 'not_now':
          return { ...outcome, kind: 'failed', fault: null }
        case 'held':
          if (!flight.urgent || world.clock.mono() >= flight.awaitedUntil || world.draining()) {
            // Nobody waits: whoever comes now and would wait gets a flight of their own.
            this.#giveWay(flight)
            return { kind: 'failed', code: 'refresh_in_progress', fault: null, retryAt: outcome.until }
          }
          await this.#waitForOther(connection, outcome.until)
          break
        case 'moved':
          round += 1
          break
      }
    }
    throw new Fault('refresh_in_progress', { detail: 'the connection is being changed faster than it can be read; try again' })
  }

  async #attempt(row: GrantRow, context: GrantContext, flight: FlightRequest): Promise<AttemptOutcome> {
    await this.#untilSeenAlive(flight)
    const request = {
      row,
      context,
      get urgent() {
        return flight.urgent
      },
      waits: (hurry: () => void) => {
        flight.hurry = hurry
      },
    }
    const precious = context.reuse.class !== 'P0'
    if (!precious) return attempt(this.#world, request)
    this.#precious += 1
    try {
      return await attempt(this.#world, request)
    } finally {
      this.#precious -= 1
      this.#tellLanded()
    }
  }

  /** A connection to the database that was cut is back in a moment: as long as a caller waits, so does their flight. */
  async #untilSeenAlive(flight: FlightRequest): Promise<void> {
    const { clock, liveness, timers, times, draining } = this.#world
    const deadline = clock.mono() + times.callerWaitMs
    while (flight.urgent && liveness.refusal()?.code === 'store_unavailable' && !draining() && clock.mono() < deadline) await timers.sleep(HELD_POLL_MS)
  }

  #waitForOther(connection: ConnectionId, until: Instant): Promise<void> {
    // Past by our clock, yet held: the database's clock is behind ours, and only patience helps.
    const left = until - this.#world.clock.wall()
    const ms = left > 0 ? Math.min(HELD_POLL_MS, left) : HELD_POLL_MS
    return new Promise((resolve) => {
      const wakers = this.#wakers.get(connection) ?? new Set()
      this.#wakers.set(connection, wakers)
      const wake = () => {
        cancel()
        wakers.delete(wake)
        if (wakers.size === 0) this.#wakers.delete(connection)
        resolve()
      }
      const cancel = this.#world.timers.after(ms, wake)
      wakers.add(wake)
    })
  }
}

/** Read from the row, so that waiting for another holder opens no connection to the provider. */
async function heldNow(world: EngineWorld, row: GrantRow, context: GrantContext): Promise<AttemptOutcome | null> {
  const { lease } = row.credential
  if (lease === null) return null
  const until = lease.until > world.clock.wall() ? lease.until : await livingHolderUntil(world, row, context.reuse)
  return until === null ? null : { kind: 'held', until }
}
