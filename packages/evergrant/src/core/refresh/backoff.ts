/**
 * Exponential back-off with full jitter: uniform in (0, base * 2^failures], never above `capMs`. Where `floorMs` is longer, the wait is the
 * floor and up to a tenth of it more, so that those who were told the same do not come back together.
 */
interface Backoff {
  readonly baseMs: number
  readonly capMs: number
  /** Consecutive failures before this one; 0 for the first. */
  readonly failures: number
  /** `Retry-After`, as a floor; 0 when there is none. */
  readonly floorMs: number
}

const FLOOR_SPREAD = 0.1

export function backoffMs(backoff: Backoff, uniform: number): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(backoff.failures, 30))
  const jittered = Math.max(1, Math.round(ceiling * (1 - uniform)))
  if (jittered >= backoff.floorMs) return jittered
  const extra = Math.min(ceiling, Math.max(1_000, FLOOR_SPREAD * backoff.floorMs))
  return backoff.floorMs + Math.round(extra * (1 - uniform))
}
