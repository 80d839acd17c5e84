import type { ProtocolTimes } from './protocol-times.ts'

/** Consecutive failures, over all connections of one token endpoint, that open its breaker. */
const FAILURES_TO_OPEN = 5

interface BreakerState {
  failures: number
  openUntil: number
  openings: number
  /** A probe under way is believed to be until here. */
  probeUntil: number
  /** Of its first opening since it last worked. */
  openedAt: number
  /** Whose request failed last. */
  integration: string | null
}

/** `go` with `probe`: the one request that decides whether a half-open breaker closes. Else the instant to ask again. */
type Passage = { readonly go: true; readonly probe: boolean } | { readonly go: false; readonly until: number }

type BreakerTimes = Pick<ProtocolTimes, 'breakerBaseMs' | 'breakerCapMs' | 'breakerProbeMaxMs'>

/**
 * One breaker per token endpoint. Open: nobody is sent there, and no connection is charged for it. After the pause one
 * probe goes through; its outcome closes the breaker or doubles the pause. A probe that never comes back counts for as
 * long as a probe can take, and then makes room for another. Instants are monotonic: no wall clock opens or closes it.
 */
export class EndpointBreakers {
  readonly #states = new Map<string, BreakerState>()
  readonly #pauses = new Map<string, number>()
  readonly #probes = new Map<string, number>()
  readonly #times: BreakerTimes

  constructor(times: BreakerTimes) {
    this.#times = times
  }

  enter(endpoint: string, now: number): Passage {
    const state = this.#states.get(endpoint)
    if (state === undefined || state.openUntil === 0) return { go: true, probe: false }
    if (now < state.openUntil) return { go: false, until: state.openUntil }
    if (now < state.probeUntil) return { go: false, until: Math.min(state.probeUntil, now + this.#times.breakerBaseMs) }
    state.probeUntil = now + this.#times.breakerProbeMaxMs
    return { go: true, probe: true }
  }

  /** The endpoint answered something it decided itself, good or bad for the grant. */
  succeeded(endpoint: string): void {
    this.#states.delete(endpoint)
  }

  /** Network trouble, throttling, 5xx or silence. */
  failed(endpoint: string, now: number, toOpen = FAILURES_TO_OPEN, integration: string | null = null): void {
    const state = this.#states.get(endpoint) ?? { failures: 0, openUntil: 0, openings: 0, probeUntil: 0, openedAt: 0, integration }
    this.#states.set(endpoint, state)
    state.integration = integration ?? state.integration
    state.failures += 1
    // Who was sent before it opened says nothing new; the pause grows by probes alone.
    if (now < state.openUntil || state.failures < toOpen) return
    state.openUntil = now + Math.min(this.#times.breakerCapMs, this.#times.breakerBaseMs * 2 ** Math.min(state.openings, 10))
    if (state.openings === 0) state.openedAt = now
    state.openings += 1
    state.probeUntil = 0
  }

  /** The probe never left (lost claim, drain): somebody else may try. */
  abandoned(endpoint: string): void {
    const state = this.#states.get(endpoint)
    if (state !== undefined) state.probeUntil = 0
  }

  /** No request of this integration before `until` (Retry-After): pacing, not a failure. */
  pause(integration: string, until: number): void {
    this.#pauses.set(integration, Math.max(this.#pauses.get(integration) ?? 0, until))
  }

  pausedUntil(integration: string, now: number): number | null {
    const until = this.#pauses.get(integration)
    if (until === undefined) return null
    if (until > now) return until
    this.#pauses.delete(integration)
    return null
  }

  /** Null: one probe of a blocked integration per `everyMs` may go, and this is it. Else the instant of the next. */
  nextProbe(integration: string, now: number, everyMs: number): number | null {
    const last = this.#probes.get(integration)
    if (last !== undefined && now - last < everyMs) return last + everyMs
    this.#probes.set(integration, now)
    return null
  }

  /** What is not let through, or only by a probe: by the integration that met it last, and since when. Monotonic. */
  open(): readonly { readonly integration: string; readonly since: number }[] {
    return [...this.#states.values()].flatMap(({ integration, openings, openedAt }) =>
      integration === null || openings === 0 ? [] : [{ integration, since: openedAt }],
    )
  }

  openCount(now: number): number {
    return [...this.#states.values()].filter((state) => state.openUntil > now).length
  }
}
