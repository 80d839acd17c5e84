/** The only file of the console that touches clock, timers and chance; tests stand in for it. */
export const system = {
  /** Milliseconds since 1970, UTC. */
  now: (): number => Date.now(),
  /** Calls once, later; returns what cancels it. */
  after(ms: number, run: () => void): () => void {
    const handle = setTimeout(run, ms)
    return () => clearTimeout(handle)
  },
  /** Calls again and again; returns what ends it. */
  every(ms: number, run: () => void): () => void {
    const handle = setInterval(run, ms)
    return () => clearInterval(handle)
  },
  uuid: (): string => crypto.randomUUID(),
  /** Between 0 and 1. */
  uniform: (): number => Math.random(),
}
