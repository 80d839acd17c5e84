/** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
export type Instant = number

/** Reads time. `wall` may jump; `mono` never goes back and is only good for differences. Both in milliseconds. */
export interface Clock {
  wall(): Instant
  mono(): number
}

/** Waits. Kept apart from {@link Clock} so that a simulation decides when a wait ends. */
export interface Timers {
  /** Resolves after `ms`; resolves early, and never rejects, when `signal` is cancelled. */
  sleep(ms: number, signal?: Cancellation): Promise<void>
  /** Runs `task` once after `ms`; returns a function that cancels it. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void
}

/** A minimal abort signal that core can name without the DOM; every `AbortSignal` satisfies it. */
export interface Cancellation {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** The only source of randomness. */
export interface Entropy {
  bytes(length: number): Uint8Array
  /** Uniform in [0, 1). */
  uniform(): number
  /** UUIDv7 (RFC 9562 section 5.7): sortable by creation time. */
  uuid(): string
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** What one machine's clock wrote may lie so far ahead of another's, or of the same one after it was set right. */
export const CLOCKS_DIFFER_MS = MINUTE
