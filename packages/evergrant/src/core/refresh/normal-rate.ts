/**
 * How many requests a second one integration sends on an ordinary day: an exponentially weighted average. It stands still
 * while the integration has a backlog, so that neither an outage nor what follows it counts as ordinary.
 */
export class NormalRate {
  readonly #averageMs: number
  #perMs = 0
  #ageMs = 0
  #at: number
  #frozen = false

  /** `averageMs`: over this long the rate is averaged, newer requests counting more. */
  constructor(averageMs: number, monoMs: number) {
    this.#averageMs = averageMs
    this.#at = monoMs
  }

  /** Requests per second; 0 before the first. */
  perSecond(monoMs: number): number {
    this.#decay(monoMs)
    const seen = 1 - Math.exp(-this.#ageMs / this.#averageMs)
    return seen === 0 ? 0 : (this.#perMs / seen) * 1_000
  }

  /** Watched for long enough to be believed. */
  known(monoMs: number): boolean {
    this.#decay(monoMs)
    return this.#ageMs >= this.#averageMs
  }

  note(monoMs: number): void {
    if (this.#frozen) return
    this.#decay(monoMs)
    this.#perMs += 1 / this.#averageMs
  }

  freeze(monoMs: number): void {
    this.#decay(monoMs)
    this.#frozen = true
  }

  thaw(monoMs: number): void {
    this.#at = monoMs
    this.#frozen = false
  }

  #decay(monoMs: number): void {
    if (this.#frozen) return
    const elapsed = Math.max(0, monoMs - this.#at)
    this.#at = monoMs
    this.#ageMs += elapsed
    this.#perMs *= Math.exp(-elapsed / this.#averageMs)
  }
}
