/** A stream of pseudo-random numbers (splitmix32): the same seed gives the same numbers everywhere. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** An unsigned 32-bit integer. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let mixed = this.#state ^ (this.#state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.next() / 4294967296
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.uniform() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.uniform() * items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** Whole milliseconds with this mean, exponentially distributed, at least 1. */
  exponential(mean: number): number {
    return Math.max(1, Math.round(-Math.log(1 - this.uniform()) * mean))
  }
}

/** One stream per purpose: what one of them draws never shifts what another will draw. */
export class Streams {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  of(purpose: string): Random {
    let hash = 0x811c9dc5 ^ this.#seed
    for (let at = 0; at < purpose.length; at++) hash = Math.imul(hash ^ purpose.charCodeAt(at), 0x01000193)
    const stream = new Random(hash ^ Math.imul(this.#seed, 0x9e3779b1))
    stream.next()
    return stream
  }
}
