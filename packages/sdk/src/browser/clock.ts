/** Time and chance, so that a test can hold both. Milliseconds everywhere. */
export interface EvergrantClock {
  /** Since 1970, as the device believes. */
  readonly now: () => number
  /** Never goes back; may stand still while the device sleeps. */
  readonly mono: () => number
  /** Runs `task` once and gives the way to stop it. */
  readonly after: (ms: number, task: () => void) => () => void
  /** At least 0, below 1. */
  readonly random: () => number
}

/** Browsers run a longer timer at once. */
const TIMER_MAX_MS = 2 ** 31 - 1

export const systemClock: EvergrantClock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, Math.min(ms, TIMER_MAX_MS))
    return () => clearTimeout(timer)
  },
  random: Math.random,
}

export const nothing = (): void => {}

/** Settles like `work`, or rejects with the signal's reason at once; `work` goes on for others. */
export function race<Value>(work: Promise<Value>, signal?: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal?.reason)
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
    work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', stop))
  })
}
