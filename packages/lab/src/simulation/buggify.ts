import type { Life } from './life.ts'
import type { Weather } from './profile.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

interface Strikes {
  crash(life: Life, where: string): void
  pause(life: Life, ms: number, where: string): void
}

/** Kills or pauses a process exactly at a step of the protocol: random strikes almost never hit a window of 3 ms. */
export class Buggify {
  strikes: Strikes | null = null
  readonly #world: World
  readonly #weather: Weather
  readonly #random: Random

  constructor(world: World, weather: Weather) {
    this.#world = world
    this.#weather = weather
    this.#random = world.streams.of('fault r')
  }

  /** True when the process died right there. */
  step(life: Life, step: string): boolean {
    if (this.strikes === null || !life.alive || !this.#weather.has('r')) return false
    const { profile } = this.#weather
    if (!this.#random.chance(profile.chance.r)) return false
    this.#world.count(`at ${step}`)
    if (this.#random.chance(0.5)) {
      this.strikes.crash(life, step)
      return true
    }
    this.strikes.pause(life, Math.min(profile.pauseMaxMs, this.#random.exponential(profile.pauseMeanMs)), step)
    return false
  }
}
