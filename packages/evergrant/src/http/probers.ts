import { MINUTE, SECOND } from '../core/time.ts'

interface Prober {
  readonly at: number
  /** Between its last two questions; null while there was one. */
  readonly everyMs: number | null
}

/** Who has missed three of its turns, and a second, asks no more. */
const TURNS = 3
const MOST = 64

/** Whoever asks again and again whether a node is ready, by address: it shares out requests, and knows that a node goes once it was told. Monotonic milliseconds. */
export class Probers {
  readonly #seen = new Map<string, Prober>()

  /** Returns when it had asked before; null for the first time. */
  asked(from: string, now: number): number | null {
    const before = this.#seen.get(from)
    this.#seen.delete(from)
    if (this.#seen.size >= MOST) for (const [other, { at }] of this.#seen) if (now - at > MINUTE) this.#seen.delete(other)
    if (this.#seen.size < MOST) this.#seen.set(from, { at: now, everyMs: before === undefined ? null : now - before.at })
    return before?.at ?? null
  }

  /** True while one that asks regularly has not asked since then, and is due to. */
  unaware(since: number, now: number): boolean {
    for (const { at, everyMs } of this.#seen.values()) if (everyMs !== null && at < since && now - at < Math.max(SECOND, TURNS * everyMs)) return true
    return false
  }
}
