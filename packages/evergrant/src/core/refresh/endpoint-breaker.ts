import type { Instant } from '../time.ts'
import type { ProtocolTimes } from './protocol-times.ts'

/** Consecutive failures, over all connections of one token endpoint, that open its breaker. */
const FAILURES_TO_OPEN = 5

interface BreakerState {
  failures: number
  openUntil: Instant
  openings: number
  probing: boolean
}

/**
 * One breaker per token endpoint. Open: nobody is sent there, and no connection is charged for it. After the pause one
 * probe goes through; its outcome closes the breaker or doubles the pause.
 */
export class EndpointBreakers {
  readonly #states = new Map<string, BreakerState>()
  readonly #pauses = new Map<string, Instant>()
  readonly #probes = new Map<string, Instant>()
  readonly #times: Pick<ProtocolTimes, 'breakerBaseMs' | 'breakerCapMs'>

  constructor(times: Pick<ProtocolTimes, 'breakerBaseMs' | 'breakerCapMs'>) {
    this.#times = times
  }

  /** Null when a request may go; else the instant to ask again. A half-open breaker lets exactly one caller through. */
  closedOrRetryAt(endpoint: string, now: Instant): Instant | null {
    const state = this.#states.get(endpoint)
    if (state === undefined || state.openUntil === 0) return null
    if (now < state.openUntil) return state.openUntil
    if (state.probing) return now + this.#times.breakerBaseMs
    state.probing = true
    return null
  }

  /** The endpoint answered something it decided itself, good or bad for the grant. */
  succeeded(endpoint: string): void {
    this.#states.delete(endpoint)
  }

  /** Network trouble, throttling, 5xx or silence. `floorMs` is a Retry-After. */
  failed(endpoint: string, now: Instant, floorMs = 0): void {
    const state = this.#states.get(endpoint) ?? { failures: 0, openUntil: 0, openings: 0, probing: false }
    state.failures += 1
    if (state.probing || state.failures >= FAILURES_TO_OPEN) {
      const pause = Math.min(this.#times.breakerCapMs, this.#times.breakerBaseMs * 2 ** Math.min(state.openings, 10))
      state.openUntil = Math.max(state.openUntil, now + Math.max(pause, floorMs))
      state.openings += 1
      state.probing = false
    }
    this.#states.set(endpoint, state)
  }

  /** No request of this integration before `until` (Retry-After): pacing, not a failure. */
  pause(integration: string, until: Instant): void {
    this.#pauses.set(integration, Math.max(this.#pauses.get(integration) ?? 0, until))
  }

  pausedUntil(integration: string, now: Instant): Instant | null {
    const until = this.#pauses.get(integration)
    if (until === undefined) return null
    if (until > now) return until
    this.#pauses.delete(integration)
    return null
  }

  /** One probe of a blocked integration per `everyMs`. */
  mayProbe(integration: string, now: Instant, everyMs: number): boolean {
    const last = this.#probes.get(integration)
    if (last !== undefined && now - last < everyMs) return false
    this.#probes.set(integration, now)
    return true
  }

  /** The probe never left (lost claim, drain): somebody else may try. */
  abandoned(endpoint: string): void {
    const state = this.#states.get(endpoint)
    if (state !== undefined) state.probing = false
  }

  openCount(now: Instant): number {
    return [...this.#states.values()].filter((state) => state.openUntil > now).length
  }
}
