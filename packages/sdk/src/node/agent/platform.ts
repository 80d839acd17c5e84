import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

/** Everything that the client takes from the machine, in one place: tests hand in their own. */
export interface Platform {
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since 1970, as this machine believes. */
  readonly now: () => number
  /** Runs `task` once; never keeps the process alive. Returns what takes it back. */
  readonly after: (ms: number, task: () => void) => () => void
  /** Rejects with the reason of `signal` when that ends first. Keeps the process alive: somebody waits. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>
  /** From 0 to 1, for jitter. */
  readonly random: () => number
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder of the credential file. */
  readonly home: string
  readonly cwd: string
  readonly system: string
}

export function platformOf(given: Partial<Platform> = {}): Platform {
  const env = given.env ?? process.env
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    now: () => Date.now(),
    after: (ms, task) => {
      const timer = setTimeout(task, ms)
      timer.unref()
      return () => clearTimeout(timer)
    },
    wait: waitFor,
    random: () => Math.random(),
    home: env['EVERGRANT_HOME'] || join(homedir(), '.evergrant'),
    cwd: process.cwd(),
    system: process.platform,
    ...given,
    env,
  }
}

function waitFor(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
