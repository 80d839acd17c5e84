import type { NodeIdentity } from '../../../evergrant/src/engine.ts'
import type { MachineClock } from './sim-clock.ts'
import type { World } from './world.ts'

/** One machine, as the others know it. It outlives its processes. */
export interface Machine {
  readonly name: string
  readonly clock: MachineClock
  /** Sites that it cannot reach now. */
  readonly cutFrom: Set<number>
  databaseCut: boolean
  pausedUntil: number
}

/** One process of a node, from its start to its end. After the end nothing of it runs, and what it waits for never comes. */
export class Life {
  alive = true
  draining = false
  drainingSince = 0
  ready = false
  /** Recovery runs a second time over the same journal. */
  recoveringAgain = false
  readonly node: Machine
  readonly number: number
  readonly identity: NodeIdentity
  readonly #world: World

  constructor(world: World, node: Machine, number: number, identity: NodeIdentity) {
    this.#world = world
    this.node = node
    this.number = number
    this.identity = identity
  }

  /** By this machine's clock. While the machine is paused everything waits for its end. */
  readonly later = (ms: number, task: () => void): (() => void) => this.#plan(this.node.clock.trueMs(ms), task)

  /** At a true instant. */
  readonly laterAt = (instant: number, task: () => void): (() => void) => this.#plan(instant - this.#world.now, task)

  #plan(ms: number, task: () => void): () => void {
    if (!this.alive) return () => {}
    const run = () => {
      if (!this.alive) return
      const { pausedUntil } = this.node
      if (pausedUntil > this.#world.now) {
        event = this.#world.at(pausedUntil, run)
        return
      }
      task()
    }
    let event = this.#world.after(ms, run)
    return () => {
      event.task = null
    }
  }
}
