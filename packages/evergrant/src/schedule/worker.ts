import type { Log } from '../core/log.ts'
import type { Timers } from '../core/time.ts'

/** One thing that is done again and again. Returns true when there is more to do at once. */
export interface Chore {
  readonly name: string
  readonly everyMs: number
  run(): Promise<boolean>
}

export interface Worker {
  /** Runs a chore now, as soon as its current run is over. */
  nudge(name: string): void
  /** Starts nothing new; resolves when what runs is over. */
  stop(): Promise<void>
}

/** Runs chores side by side, each one after its own last run: a slow chore delays nobody, and none overlaps itself. */
export function startWorker(chores: readonly Chore[], ports: { readonly timers: Timers; readonly log: Log }): Worker {
  const loops = chores.map((chore) => startLoop(chore, ports))
  return {
    nudge: (name) => loops.find((loop) => loop.name === name)?.nudge(),
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}

function startLoop(
  chore: Chore,
  { timers, log }: { readonly timers: Timers; readonly log: Log },
): { readonly name: string; nudge(): void; stop(): Promise<void> } {
  let stopped = false
  let nudged = false
  let endWait = () => {}
  const wait = () =>
    new Promise<void>((resolve) => {
      const cancel = timers.after(chore.everyMs, resolve)
      endWait = () => {
        cancel()
        resolve()
      }
    })
  const loop = async () => {
    while (!stopped) {
      const more = await runOnce(chore, log)
      if (stopped) return
      if (!more && !nudged) await wait()
      nudged = false
    }
  }
  const running = loop()
  const nudge = () => {
    nudged = true
    endWait()
  }
  return {
    name: chore.name,
    nudge,
    stop: () => {
      stopped = true
      endWait()
      return running
    },
  }
}

async function runOnce(chore: Chore, log: Log): Promise<boolean> {
  try {
    return await chore.run()
  } catch (error) {
    log.warn({ chore: chore.name, error: error instanceof Error ? error.message : String(error) }, 'a chore failed; it will run again')
    return false
  }
}
