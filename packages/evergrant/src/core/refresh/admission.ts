import type { Timers } from '../time.ts'

/** A place among the token requests under way at one integration. Gives it back; a second time does nothing. */
export type Leave = () => void

/** The second look comes after this part of the patience. */
const SECOND_LOOK = 0.2

interface Queue {
  busy: number
  readonly urgent: Set<(leave: Leave) => void>
  readonly patient: Set<(leave: Leave) => void>
}

/** Bounds the token requests under way per integration; callers who wait go before the background. */
export class Admission {
  readonly #queues = new Map<string, Queue>()
  readonly #timers: Pick<Timers, 'after'>

  constructor(timers: Pick<Timers, 'after'>) {
    this.#timers = timers
  }

  /**
   * Callers who wait are `urgent` and patient without end. Null: nobody made room for the others within `patienceMs`, and it
   * is `hopeless`, which is asked twice, because after a pause of this process all who wait look as if they had waited long.
   * `waits`: gets the way to become urgent in the line, for one that a caller begins to wait for; it does nothing once the line is left.
   */
  enter(
    integration: string,
    limit: number,
    urgent: boolean,
    patienceMs: number,
    hopeless: () => boolean = () => true,
    waits: (hurry: () => void) => void = () => {},
  ): Promise<Leave | null> {
    const queue = this.#queues.get(integration) ?? { busy: 0, urgent: new Set(), patient: new Set() }
    this.#queues.set(integration, queue)
    if (queue.busy < limit) {
      queue.busy += 1
      return Promise.resolve(this.#leave(integration, queue))
    }
    return new Promise((resolve) => {
      const line = urgent ? queue.urgent : queue.patient
      let giveUp = () => {}
      const admit = (leave: Leave) => {
        giveUp()
        resolve(leave)
      }
      line.add(admit)
      if (urgent) return
      const look = (before: boolean): void => {
        const now = hopeless()
        if (before && now) {
          line.delete(admit)
          resolve(null)
        } else giveUp = this.#timers.after(patienceMs * SECOND_LOOK, () => look(now))
      }
      giveUp = this.#timers.after(patienceMs * (1 - SECOND_LOOK), () => look(false))
      waits(() => {
        if (!line.delete(admit)) return
        giveUp()
        queue.urgent.add(admit)
      })
    })
  }

  /** Places that are free, once everybody in line has one. */
  room(integration: string, limit: number): number {
    const queue = this.#queues.get(integration)
    return queue === undefined ? limit : Math.max(0, limit - queue.busy - queue.urgent.size - queue.patient.size)
  }

  /** How many have a place or wait for one. */
  load(integration: string): number {
    const queue = this.#queues.get(integration)
    return queue === undefined ? 0 : queue.busy + queue.urgent.size + queue.patient.size
  }

  #leave(integration: string, queue: Queue): Leave {
    let left = false
    return () => {
      if (left) return
      left = true
      for (const line of [queue.urgent, queue.patient]) {
        for (const next of line) {
          line.delete(next)
          return next(this.#leave(integration, queue))
        }
      }
      queue.busy -= 1
      if (queue.busy === 0) this.#queues.delete(integration)
    }
  }
}
