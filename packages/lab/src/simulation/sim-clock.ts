import type { Clock, Entropy, Timers } from '../../../evergrant/src/engine.ts'
import type { Random } from './random.ts'
import { EPOCH, type World } from './world.ts'

/** The clock of one machine: its wall clock is off and may be set; it runs a little too fast or too slow. */
export class MachineClock implements Clock {
  /** What the wall clock is off by, beside the drift since the start. */
  offset = 0
  readonly #world: World
  #rate = 1
  #ranUntil = 0
  #ran = 0

  constructor(world: World) {
    this.#world = world
  }

  wall(): number {
    return EPOCH + this.mono() + this.offset
  }

  mono(): number {
    return Math.floor(this.#ran + (this.#world.now - this.#ranUntil) * this.#rate)
  }

  /** From now on it gains this share of the time; negative: loses. */
  drift(share: number): void {
    this.#ran += (this.#world.now - this.#ranUntil) * this.#rate
    this.#ranUntil = this.#world.now
    this.#rate = 1 + share
  }

  /** Somebody sets the wall clock: so much off the truth. */
  set(offByMs: number): void {
    this.offset = this.#world.now - this.mono() + offByMs
  }

  /** How long `ms` of this clock take in true time. */
  trueMs(ms: number): number {
    return ms / this.#rate
  }
}

/** Runs something later on behalf of one life of a node: not at all once that life is over. Returns what calls it off. */
type Later = (ms: number, task: () => void) => () => void

/** The timers of one life of a node. */
export function timersOf(later: Later): Timers {
  return {
    after: (ms, task) => later(Math.max(0, ms), task),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const finish = () => {
          cancel()
          signal?.removeEventListener('abort', finish)
          resolve()
        }
        const cancel = later(Math.max(0, ms), finish)
        signal?.addEventListener('abort', finish, { once: true })
      }),
  }
}

/** Seeded randomness; ids sort by the time of `clock`, and count up within it. */
export function entropyOf(random: Random, clock: Pick<Clock, 'wall'>): Entropy {
  let count = 0
  return {
    bytes: (length) => Uint8Array.from({ length }, () => random.next() & 0xff),
    uniform: () => random.uniform(),
    uuid: () => {
      count += 1
      const time = clock.wall().toString(16).padStart(12, '0')
      const tail = random.next().toString(16).padStart(8, '0')
      const number = (count & 0xfff).toString(16).padStart(3, '0')
      return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${number}-8${tail.slice(0, 3)}-${tail.slice(3, 8)}${random.next().toString(16).padStart(8, '0').slice(0, 7)}`
    },
  }
}
