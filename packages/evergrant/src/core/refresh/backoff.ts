/** Exponential back-off with full jitter: uniform in (0, base * 2^failures], never above `capMs`, never below `floorMs`. */
export interface Backoff {
  readonly baseMs: number
  readonly capMs: number
  /** Consecutive failures before this one; 0 for the first. */
  readonly failures: number
  /** `Retry-After`, as a floor; 0 when there is none. */
  readonly floorMs: number
}

export function backoffMs(backoff: Backoff, uniform: number): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(backoff.failures, 30))
  const jittered = Math.max(1, Math.round(ceiling * (1 - uniform)))
  return Math.max(backoff.floorMs, jittered)
}
