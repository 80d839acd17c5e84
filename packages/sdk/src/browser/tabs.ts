import { type EvergrantClock, nothing } from './clock.ts'

/** What a tab that was asleep must know; no secret. Kept in `localStorage`. */
export interface Stamp {
  /** Counts sign-ins and sign-outs of this browser; the time of the last one, or one more. */
  readonly epoch: number
  /** Session id. */
  readonly sid: string
  readonly generation: number
  /** When it was written. */
  readonly at: number
  /** Why the session ended, or null while it stands. */
  readonly out: string | null
}

/** How the tabs of one origin agree. Everything here may fail: the server alone makes it correct. */
export interface TabCoordinator {
  /** Runs `work` while no other tab does, or anyway after a while; says whether another one was first. */
  exclusive<Value>(work: (waited: boolean) => Promise<Value>): Promise<Value>
  post(message: object): void
  listen(handler: (message: unknown) => void): void
  read(): Stamp | null
  write(stamp: Stamp): void
  close(): void
}

/** The tabs of this browser, by whatever of Web Locks, BroadcastChannel and `localStorage` it lets a page have. */
export function browserTabs(name: string, clock: EvergrantClock): TabCoordinator {
  // After this long, the holder of the lock is taken for stuck, and its work for repeatable.
  const stuckMs = 5_000
  const channel = attempt(() => new BroadcastChannel(name))
  return {
    exclusive: (work) =>
      new Promise((resolve) => {
        const limit = new AbortController()
        let task: ReturnType<typeof work> | undefined
        const run = (waited: boolean): ReturnType<typeof work> => {
          cancel()
          task ??= work(waited)
          resolve(task)
          return task
        }
        const cancel = clock.after(stuckMs, () => {
          limit.abort()
          run(true)
        })
        const enter = async (): Promise<void> => {
          const { locks } = navigator
          await locks.request(name, { ifAvailable: true }, (lock) => lock && run(false))
          if (!task) await locks.request(name, { signal: limit.signal }, () => run(true))
        }
        // Refused, aborted or not there at all: go on without it. Never stolen, so that nobody's work is cut.
        enter().catch(() => run(false).catch(nothing))
      }),
    post: (message) => attempt(() => channel?.postMessage(message)),
    listen: (handler) => channel?.addEventListener('message', ({ data }) => handler(data)),
    read: () => attempt(() => JSON.parse(localStorage.getItem(name) ?? 'null')) ?? null,
    write: (stamp) => attempt(() => localStorage.setItem(name, JSON.stringify(stamp))),
    close: () => channel?.close(),
  }
}

/** Private windows, sandboxed frames and old browsers throw where others answer. */
function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
