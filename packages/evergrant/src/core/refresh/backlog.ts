import type { IntegrationId } from '../ids.ts'
import { NormalRate } from './normal-rate.ts'
import type { ProtocolTimes } from './protocol-times.ts'

/** A backlog leaves at no more than this many times the normal rate, new work included. */
const TIMES_NORMAL = 2
/** Where next to nothing is normal. */
const FLOOR_PER_SECOND = 1

interface Backlog {
  closedUntil: number
  /** It was closed, and nothing has been granted since: one at a time. */
  recovering: boolean
  /** It was closed since the line began, or may have been: it leaves at a measured pace. Else only as many start as have places. */
  paced: boolean
  releasingSince: number | null
  tokens: number
  filledAt: number
}

/**
 * Which integrations have due connections that wait. A closed integration (breaker open, Retry-After, blocked, all grants
 * refused) has its due connections parked as they come up, once each, so that they cost nothing while they cannot be served
 * and stand in nobody's way. When it opens again they leave in order, at no more than twice its normal rate on this node.
 * Where the line is only long, and nothing was closed, they leave in order as fast as places at the provider become free.
 * Instants are monotonic milliseconds.
 */
export class Backlogs {
  readonly #backlogs = new Map<IntegrationId, Backlog>()
  readonly #rates = new Map<IntegrationId, NormalRate>()
  readonly #endpoints = new Map<IntegrationId, string | null>()
  readonly #times: Pick<ProtocolTimes, 'normalRateMs' | 'releaseEveryMs' | 'releaseDoubleMs'>

  constructor(times: Pick<ProtocolTimes, 'normalRateMs' | 'releaseEveryMs' | 'releaseDoubleMs'>) {
    this.#times = times
  }

  /** The integrations whose due connections are parked as they come up. */
  get integrations(): readonly IntegrationId[] {
    return [...this.#backlogs.keys()]
  }

  /** Whether everything of this integration goes to this endpoint, as far as this node has seen. */
  onlyEndpoint(integration: IntegrationId, endpoint: string): boolean {
    const known = this.#endpoints.get(integration)
    if (known === undefined) this.#endpoints.set(integration, endpoint)
    else if (known !== endpoint) this.#endpoints.set(integration, null)
    return this.#endpoints.get(integration) === endpoint
  }

  /** Somebody was turned away, and everybody else would be, too. */
  closed(integration: IntegrationId, until: number, now: number): void {
    const backlog = this.#pacing(integration, now)
    backlog.closedUntil = Math.max(backlog.closedUntil, until)
    backlog.recovering = true
    backlog.releasingSince = null
  }

  /** What closed it is over: it is tried at once. */
  reopened(integration: IntegrationId): void {
    const backlog = this.#backlogs.get(integration)
    if (backlog !== undefined) backlog.closedUntil = 0
  }

  isClosed(integration: IntegrationId, now: number): boolean {
    return (this.#backlogs.get(integration)?.closedUntil ?? 0) > now
  }

  /** There may be parked connections, and nothing is known against the provider: left by another node, or more than fits beside others. */
  waiting(integration: IntegrationId, now: number): void {
    this.#open(integration, now)
  }

  /** Many that were held go back to work. */
  released(integration: IntegrationId, now: number): void {
    this.#pacing(integration, now)
  }

  /** The provider serves it again. */
  served(integration: IntegrationId, now: number): void {
    const backlog = this.#backlogs.get(integration)
    if (backlog === undefined || !backlog.recovering) return
    Object.assign(backlog, { recovering: false, closedUntil: 0, releasingSince: now, tokens: 0, filledAt: now })
  }

  /** A request goes out, whoever asked for it: callers who wait are served first, at the cost of the background. */
  sent(integration: IntegrationId, now: number): void {
    this.#rate(integration, now).note(now)
    const backlog = this.#backlogs.get(integration)
    if (backlog === undefined || backlog.recovering || !backlog.paced) return
    this.#fill(integration, backlog, now)
    backlog.tokens = Math.max(backlog.tokens - 1, -TIMES_NORMAL * this.#releaseRate(integration, backlog, now))
  }

  /** How many parked connections may be started now, as far as the provider's rest after trouble goes; infinite where it had none. */
  allowance(integration: IntegrationId, now: number): number {
    const backlog = this.#backlogs.get(integration)
    if (backlog === undefined || backlog.closedUntil > now) return 0
    if (backlog.recovering) return 1
    if (!backlog.paced) return Number.POSITIVE_INFINITY
    backlog.releasingSince ??= now
    this.#fill(integration, backlog, now)
    return Math.max(0, Math.floor(backlog.tokens))
  }

  /** Nothing is parked any more. */
  emptied(integration: IntegrationId, now: number): void {
    const backlog = this.#backlogs.get(integration)
    if (backlog === undefined || backlog.closedUntil > now) return
    this.#backlogs.delete(integration)
    if (backlog.paced) this.#rate(integration, now).thaw(now)
  }

  #open(integration: IntegrationId, now: number): Backlog {
    const known = this.#backlogs.get(integration)
    if (known !== undefined) return known
    const fresh: Backlog = { closedUntil: 0, recovering: false, paced: false, releasingSince: null, tokens: 0, filledAt: now }
    this.#backlogs.set(integration, fresh)
    return fresh
  }

  #pacing(integration: IntegrationId, now: number): Backlog {
    const backlog = this.#open(integration, now)
    if (backlog.paced) return backlog
    this.#rate(integration, now).freeze(now)
    return Object.assign(backlog, { paced: true, filledAt: now })
  }

  #fill(integration: IntegrationId, backlog: Backlog, now: number): void {
    const rate = this.#releaseRate(integration, backlog, now)
    const gained = (rate * Math.max(0, now - backlog.filledAt)) / 1_000
    backlog.tokens = Math.min(Math.max(1, rate), backlog.tokens + gained)
    backlog.filledAt = now
  }

  /** While the normal rate is not known the pace doubles: a node that has just started finds its own. */
  #releaseRate(integration: IntegrationId, backlog: Backlog, now: number): number {
    const normal = this.#rate(integration, now)
    const twice = Math.max(FLOOR_PER_SECOND, TIMES_NORMAL * normal.perSecond(now))
    if (normal.known(now)) return twice
    const doublings = Math.floor((now - (backlog.releasingSince ?? now)) / this.#times.releaseDoubleMs)
    return Math.max((1_000 / this.#times.releaseEveryMs) * 2 ** Math.min(doublings, 10), twice)
  }

  #rate(integration: IntegrationId, now: number): NormalRate {
    const known = this.#rates.get(integration)
    if (known !== undefined) return known
    const fresh = new NormalRate(this.#times.normalRateMs, now)
    this.#rates.set(integration, fresh)
    return fresh
  }
}
