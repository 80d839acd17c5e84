import type { Change } from '../../../evergrant/src/engine.ts'
import type { Life } from './life.ts'
import type { Weather } from './profile.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** A change that has not reached us after this long means that the channel is deaf (the store's own ping). */
const DEAF_AFTER_MS = 1_000

/** The notification channel of one life of a node. */
export class ChangeChannel {
  readonly #world: World
  readonly #life: Life
  readonly #listener: (change: Change) => void
  /** Sent, not delivered: oldest first. */
  readonly #flying: number[] = []
  #deafSince: number | null = null

  constructor(world: World, life: Life, listener: (change: Change) => void) {
    this.#world = world
    this.#life = life
    this.#listener = listener
  }

  fresh(): boolean {
    const horizon = this.#world.now - DEAF_AFTER_MS
    if (this.#deafSince !== null && this.#deafSince <= horizon) return false
    const oldest = this.#flying[0]
    return oldest === undefined || oldest > horizon
  }

  deliver(change: Change, delayMs: number, twice: boolean): void {
    if (!this.#life.alive || this.#deafSince !== null) return
    const sentAt = this.#world.now
    this.#flying.push(sentAt)
    this.#life.later(delayMs, () => {
      this.#flying.splice(this.#flying.indexOf(sentAt), 1)
      this.#listener(change)
      if (twice) this.#life.later(5, () => this.#listener(change))
    })
  }

  goDeaf(): void {
    this.#deafSince ??= this.#world.now
  }

  /** The channel is back; what was missed is not told, only that something was. */
  hearAgain(): void {
    if (this.#deafSince === null) return
    this.#life.later(1, () => {
      this.#deafSince = null
      this.#listener({ kind: 'unknown' })
    })
  }
}

/** Sends every change of the database to every node that listens. */
export class ChangeFan {
  readonly channels = new Set<ChangeChannel>()
  readonly #world: World
  readonly #weather: Weather
  readonly #random: Random
  readonly #fault: Random

  constructor(world: World, weather: Weather) {
    this.#world = world
    this.#weather = weather
    this.#random = world.streams.of('changes')
    this.#fault = world.streams.of('fault u')
  }

  tell(change: Change): void {
    const { profile } = this.#weather
    for (const channel of this.channels) {
      const bad = this.#weather.has('u')
      const late = bad && this.#fault.chance(profile.chance.u)
      const twice = bad && this.#fault.chance(profile.chance.u)
      if (late) this.#world.count('fault u')
      channel.deliver(change, late ? this.#fault.between(100, 3_000) : this.#random.between(0, 8), twice)
    }
  }
}
