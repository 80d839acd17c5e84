import { MINUTE } from '../time.ts'

const BUCKETS = 6
/** Retries per first attempt. */
const SHARE = 0.1
/** So many retries a minute are always allowed: a quiet endpoint must heal, too. */
const FLOOR = 10
/** The background leaves this part of the budget to callers who wait. */
const BACKGROUND_SHARE = 0.8
/** Beyond this the counts begin anew: what was sent is forgotten, and with it what retries it would allow. */
const ENDPOINTS_KEPT = 10_000

interface Endpoint {
  readonly firsts: Map<number, number>
  /** When the retries of the last minute went out, oldest first. */
  readonly retries: number[]
}

/**
 * Retries at one token endpoint are at most a tenth of its first attempts per minute, and ten: trouble must not be
 * answered with more requests. What exceeds it is not sent and costs its connection nothing. A retry that is granted
 * gives its place back: when trouble ends, those who wait for their retry do not wait for the budget. Times are monotonic.
 */
export class RetryBudgets {
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #windowMs: number
  readonly #bucketMs: number

  constructor(windowMs = MINUTE) {
    this.#windowMs = windowMs
    this.#bucketMs = windowMs / BUCKETS
  }

  /** Null when a retry may go; else milliseconds until the oldest retry leaves the window. */
  waitMs(endpoint: string, urgent: boolean, monoMs: number): number | null {
    const { firsts, retries } = this.#of(endpoint, monoMs)
    let first = 0
    for (const count of firsts.values()) first += count
    const budget = Math.max(FLOOR, Math.floor(SHARE * first))
    const share = urgent ? budget : Math.floor(budget * BACKGROUND_SHARE)
    const blocking = retries[retries.length - share]
    return blocking === undefined ? null : Math.max(1, blocking + this.#windowMs - monoMs)
  }

  note(endpoint: string, retry: boolean, monoMs: number): void {
    const state = this.#of(endpoint, monoMs)
    if (retry) {
      state.retries.push(monoMs)
      return
    }
    const bucket = Math.floor(monoMs / this.#bucketMs)
    state.firsts.set(bucket, (state.firsts.get(bucket) ?? 0) + 1)
  }

  /** A retry was granted. */
  giveBack(endpoint: string): void {
    this.#endpoints.get(endpoint)?.retries.shift()
  }

  /** Without what has left the window. A bucket leaves as a whole and early: fewer first attempts than there were, never more. */
  #of(endpoint: string, monoMs: number): Endpoint {
    const known = this.#endpoints.get(endpoint)
    if (known === undefined) {
      if (this.#endpoints.size >= ENDPOINTS_KEPT) this.#endpoints.clear()
      const fresh: Endpoint = { firsts: new Map(), retries: [] }
      this.#endpoints.set(endpoint, fresh)
      return fresh
    }
    for (const bucket of known.firsts.keys()) if (bucket * this.#bucketMs <= monoMs - this.#windowMs) known.firsts.delete(bucket)
    const live = known.retries.findIndex((at) => at > monoMs - this.#windowMs)
    known.retries.splice(0, live === -1 ? known.retries.length : live)
    return known
  }
}
