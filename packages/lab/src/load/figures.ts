/** Times of one kind of request, and what became of those that failed. */
export class Times {
  readonly #ms: number[] = []
  readonly failures = new Map<string, number>()

  add(ms: number, failure: string | null): void {
    this.#ms.push(ms)
    if (failure !== null) this.failures.set(failure, (this.failures.get(failure) ?? 0) + 1)
  }

  get count(): number {
    return this.#ms.length
  }

  get failed(): number {
    return [...this.failures.values()].reduce((sum, count) => sum + count, 0)
  }

  summary(): TimesSummary {
    const sorted = Float64Array.from(this.#ms).sort()
    return { requests: sorted.length, p50_ms: percentile(sorted, 0.5), p95_ms: percentile(sorted, 0.95), p99_ms: percentile(sorted, 0.99) }
  }

  static together(all: readonly Times[]): TimesSummary {
    const whole = new Times()
    for (const one of all) for (const ms of one.#ms) whole.#ms.push(ms)
    return whole.summary()
  }
}

export interface TimesSummary {
  readonly requests: number
  readonly p50_ms: number
  readonly p95_ms: number
  readonly p99_ms: number
}

/** Of sorted times; a tenth of a millisecond. 0 when there are none. */
function percentile(sorted: ArrayLike<number>, share: number): number {
  const found = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
  return Math.round(found * 10) / 10
}
