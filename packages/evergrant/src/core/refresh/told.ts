/** What was said lately: many fail of the same cause, and one line says it. */
export class Told {
  readonly #at = new Map<string, number>()

  /** True when it was not said within `everyMs`. Monotonic milliseconds. */
  once(what: string, now: number, everyMs: number): boolean {
    const last = this.#at.get(what)
    if (last !== undefined && now - last < everyMs) return false
    this.#at.set(what, now)
    return true
  }
}
