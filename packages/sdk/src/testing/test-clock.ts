interface Wait {
  readonly at: number
  readonly task: () => void
}

/** Time that passes when a test says so. Hand it to the client as `platform`, and to the fake server as `now`. */
export interface TestClock {
  readonly now: () => number
  readonly after: (ms: number, task: () => void) => () => void
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly random: () => number
  /** Time passes; what was due runs in its order. */
  advance(ms: number): Promise<void>
  /** Somebody sets the clock: timers do not notice. */
  set(ms: number): void
  waiting(): number
}

/** Enough turns for work that waits for no socket. */
const TURNS = 20

export function createTestClock(start: number = Date.UTC(2026, 10, 21, 12)): TestClock {
  let [now, offset] = [start, 0]
  const waits = new Set<Wait>()
  const after = (ms: number, task: () => void): (() => void) => {
    const wait = { at: now + ms, task }
    waits.add(wait)
    return () => waits.delete(wait)
  }
  return {
    now: () => now + offset,
    after,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        const cancel = after(ms, resolve)
        signal?.addEventListener(
          'abort',
          () => {
            cancel()
            reject(signal.reason)
          },
          { once: true },
        )
      }),
    random: () => 0.5,
    async advance(ms) {
      const end = now + ms
      await settled()
      for (;;) {
        const next = [...waits].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0]
        if (next === undefined) break
        waits.delete(next)
        now = Math.max(now, next.at)
        next.task()
        await settled()
      }
      now = end
    },
    set: (ms) => {
      offset += ms
    },
    waiting: () => waits.size,
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0))
}
