/** What was said lately: many fail of the same cause, and one line says it. */
export class Told {
  readonly #at = new Map<string, number>()
  readonly #lasting = new Map<string, { readonly first: number; readonly last: number }>()

  /** True when it was not said within `everyMs`. Monotonic milliseconds. */
  once(what: string, now: number, everyMs: number): boolean {
    const last = this.#at.get(what)
    if (last !== undefined && now - last < everyMs) return false
    this.#at.set(what, now)
    return true
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
