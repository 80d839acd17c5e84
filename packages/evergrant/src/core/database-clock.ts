import type { Clock, Instant } from './time.ts'

interface Anchor {
  /** The database's time at `mono`, as far as known. */
  readonly at: number
  readonly mono: number
  /** How far from the truth `at` may be. */
  readonly error: number
}

/**
 * The database's clock as this process knows it: its time of the last round trip, carried on by the monotonic clock. All
 * stored instants are on it, so a jump of the machine's own wall clock expires and revives nothing. Until the first
 * round trip it is the machine's clock.
 */
export class DatabaseClock implements Clock {
  readonly #machine: Clock
  #anchor: Anchor | null = null

  constructor(machine: Clock) {
    this.#machine = machine
  }

  wall(): Instant {
    return this.#anchor === null ? this.#machine.wall() : Math.round(this.#now(this.#anchor))
  }

  mono(): number {
    return this.#machine.mono()
  }

  /**
   * The database said `at` in a round trip that took `tripMs` and has just ended: its time is now between `at` and
   * `at + tripMs` (and the millisecond that was cut off). What we believe moves no further than into that interval.
   */
  saw(at: Instant, tripMs: number): void {
    const mono = this.#machine.mono()
    const error = Math.max(0, tripMs) + 1
    const believed = this.#anchor === null ? at + error / 2 : this.#now(this.#anchor)
    const kept = Math.min(Math.max(believed, at), at + error)
    const known = this.#anchor !== null && kept === believed ? Math.min(this.#anchor.error, error) : error
    this.#anchor = { at: kept, mono, error: known }
  }

  /** Database minus machine in milliseconds, as much of it as is certain; 0 while nothing is. */
  skewMs(): number {
    if (this.#anchor === null) return 0
    const apart = this.#now(this.#anchor) - this.#machine.wall()
    const certain = Math.max(0, Math.abs(apart) - this.#anchor.error)
    return certain === 0 ? 0 : Math.round(Math.sign(apart) * certain)
  }

  #now(anchor: Anchor): number {
    return anchor.at + (this.#machine.mono() - anchor.mono)
  }
}
