import type { Clock, Instant, Timers } from '../core/time.ts'

interface Wait {
  readonly at: number
  readonly order: number
  readonly task: () => void
}

export interface ManualTime {
  readonly clock: Clock
  readonly timers: Timers
  /** Moves time on by `ms`, running what falls due in order of its time; settled promises are drained between two tasks. */
  advance(ms: number): Promise<void>
  /** Moves only the wall clock, as an operator or NTP would. */
  setWall(instant: Instant): void
  /** Waits that have not ended. */
  waiting(): number
}

/** A clock and timers that stand still until a test moves them. `start` is the wall time, in milliseconds. */
export function createManualTime(start: Instant = Date.UTC(2026, 0, 1)): ManualTime {
  let mono = 0
  let offset = start
  let order = 0
  const waits = new Set<Wait>()

  const after = (ms: number, task: () => void): (() => void) => {
    const wait: Wait = { at: mono + Math.max(0, ms), order: order++, task }
    waits.add(wait)
    return () => waits.delete(wait)
  }

  const sleep: Timers['sleep'] = (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = (): void => {
        cancel()
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const cancel = after(ms, finish)
      signal?.addEventListener('abort', finish, { once: true })
    })

  const advance = async (ms: number): Promise<void> => {
    const end = mono + ms
    await drain()
    for (let wait = earliest(waits, end); wait !== undefined; wait = earliest(waits, end)) {
      waits.delete(wait)
      mono = Math.max(mono, wait.at)
      wait.task()
      await drain()
    }
    mono = end
    await drain()
  }

  return {
    clock: { wall: () => Math.floor(offset + mono), mono: () => mono },
    timers: { sleep, after },
    advance,
    setWall: (instant) => {
      offset = instant - mono
    },
    waiting: () => waits.size,
  }
}

function earliest(waits: ReadonlySet<Wait>, end: number): Wait | undefined {
  let first: Wait | undefined
  for (const wait of waits) {
    if (wait.at <= end && (first === undefined || wait.at < first.at || (wait.at === first.at && wait.order < first.order))) first = wait
  }
  return first
}

/** One turn of the event loop runs every microtask, however many promises they chain. */
function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Until `work` is done, time runs: for what waits for sockets and for the clock in turn. */
export async function whileTimeRuns<Value>(time: Pick<ManualTime, 'advance'>, work: Promise<Value>): Promise<Value> {
  let done = false
  const end = (): void => {
    done = true
  }
  work.then(end, end)
  while (!done) {
    await time.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return work
}
