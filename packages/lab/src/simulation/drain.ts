import { setFlagsFromString } from 'node:v8'
import type { World } from './world.ts'

type Drain = 'portable' | 'fast'

/** Runs the seed to its end; between two events every microtask has run. */
export function drive(world: World, drain: Drain): Promise<void> {
  return drain === 'portable' ? drivePortably(world) : driveFast(world)
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** One turn of the event loop runs every microtask, however many promises they chain. */
async function drivePortably(world: World): Promise<void> {
  while (world.step()) {
    do await turn()
    while (world.applying > 0)
  }
}

let checkpoint: (() => void) | undefined

function microtaskCheckpoint(): () => void {
  if (checkpoint === undefined) {
    setFlagsFromString('--allow-natives-syntax')
    checkpoint = new Function('%PerformMicrotaskCheckpoint()') as () => void
    setFlagsFromString('--no-allow-natives-syntax')
  }
  return checkpoint
}

/** The checkpoint does nothing inside a microtask, so the loop stands in a macrotask and never awaits. */
function driveFast(world: World): Promise<void> {
  const runMicrotasks = microtaskCheckpoint()
  return new Promise((resolve, reject) => {
    const loop = () => {
      try {
        // A store that takes turns of the event loop is waited for with turns.
        for (;;) {
          runMicrotasks()
          if (world.applying > 0) return void setImmediate(loop)
          if (!world.step()) return resolve()
        }
      } catch (error) {
        reject(error)
      }
    }
    setImmediate(loop)
  })
}
