/** So many are worth a look for those that may be said again anyway: an outage has a line for each attempt that waits. */
const FORGET_ABOVE = 1_000

/** What was said lately: many fail of the same cause, and one line says it. */
export class Told {
  /** Until when each is not said again. */
  readonly #quietUntil = new Map<string, number>()
  #forgetAbove = FORGET_ABOVE
  readonly #lasting = new Map<string, { readonly first: number; readonly last: number }>()

  /** True when it was not said within `everyMs`. Monotonic milliseconds. */
  once(what: string, now: number, everyMs: number): boolean {
    if (now < (this.#quietUntil.get(what) ?? now)) return false
    if (this.#quietUntil.size >= this.#forgetAbove) this.#forget(now)
    this.#quietUntil.set(what, now + everyMs)
    return true
  }

  /** What is left is looked through again when it is twice as much: a look for each new line would cost the square of them. */
  #forget(now: number): void {
    for (const [other, until] of this.#quietUntil) if (now >= until) this.#quietUntil.delete(other)
    this.#forgetAbove = Math.max(FORGET_ABOVE, 2 * this.#quietUntil.size)
  }

  /** Since when it has been so, as often as somebody looked: a pause longer than `gapMs` begins anew. Monotonic milliseconds. */
  since(what: string, now: number, gapMs: number): number {
    const known = this.#lasting.get(what)
    const first = known === undefined || now - known.last > gapMs ? now : known.first
    this.#lasting.set(what, { first, last: now })
    return first
  }

  over(what: string): void {
    this.#lasting.delete(what)
  }
}
