const POLL_MS = 10

interface UntilOptions {
  /** Default 20 s. */
  readonly timeoutMs?: number
  readonly pollMs?: number
}

/** Resolves once `holds` is true; it is asked again and again. Rejects, naming what was waited for, after the time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, options: UntilOptions = {}): Promise<void> {
  if (!(await comesTrue(holds, options))) throw new Error(`waited in vain for ${what}`)
}

/** The same, but says whether it came true. */
export async function comesTrue(holds: () => boolean | Promise<boolean>, { timeoutMs = 20_000, pollMs = POLL_MS }: UntilOptions = {}): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    if (await holds()) return true
    if (performance.now() >= deadline) return false
    await rest(pollMs)
  }
}

export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
