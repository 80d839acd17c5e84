import { useEffect, useState } from 'react'

/** As the texts of times are rounded. */
const COUNT_MS = 10_000

/** Milliseconds since 1970; goes on every 10 s while something `counts`, and whenever it counts to something else. */
export function useNow(counts: unknown, too?: unknown): number {
  const [now, setNow] = useState(() => Date.now())
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new goal is a new look at the clock.
  useEffect(() => {
    if (!counts) return
    const look = (): void => setNow(Date.now())
    look()
    const timer = setInterval(look, COUNT_MS)
    return () => clearInterval(timer)
  }, [counts, too])
  return now
}
