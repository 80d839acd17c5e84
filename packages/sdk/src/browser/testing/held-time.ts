import type { EvergrantClock } from '../clock.ts'

interface Wait {
  readonly at: number
  readonly task: () => void
}

export interface HeldTime {
  readonly clock: EvergrantClock
  /** Milliseconds since 1970 as the server sees them. */
  now(): number
  /** Time passes, timers run. */
  advance(ms: number): Promise<void>
  /** The device sleeps: wall time passes, `mono` and timers do not. */
  sleep(ms: number): void
  /** Somebody sets the device's clock. */
  setClock(byMs: number): void
  /** Time passes until `work` is settled. */
  run<Value>(work: Promise<Value>): Promise<Value>
  waiting(): number
}

/** Everything that is settled by now has run: sockets are not involved, so a few turns are enough. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export function createHeldTime(): HeldTime {
  const start = Date.UTC(2026, 10, 21, 12)
  let [mono, slept, set] = [0, 0, 0]
  const waits = new Set<Wait>()
  const advance = async (ms: number): Promise<void> => {
    const end = mono + ms
    await settled()
    for (;;) {
      const next = [...waits].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      waits.delete(next)
      mono = Math.max(mono, next.at)
      next.task()
      await settled()
    }
    mono = end
  }
  const now = (): number => start + mono + slept
  return {
    clock: {
      now: () => now() + set,
      mono: () => mono,
      after: (ms, task) => {
        const wait = { at: mono + ms, task }
        waits.add(wait)
        return () => waits.delete(wait)
      },
      random: () => 0.5,
    },
    now,
    advance,
    sleep: (ms) => {
      slept += ms
    },
    setClock: (byMs) => {
      set += byMs
    },
    async run(work) {
      let over = false
      work.then(
        () => (over = true),
        () => (over = true),
      )
      await settled()
      for (let step = 0; !over && step < 400; step += 1) await advance(100)
      if (!over) throw new Error('still not settled after 40 s')
      return work
    },
    waiting: () => waits.size,
  }
}
