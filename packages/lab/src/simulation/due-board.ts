import { EventHeap } from './event-heap.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

interface Poller {
  readonly earliest: number
  /** Where its polls fall within their period. */
  readonly phase: number
  readonly wake: (instant: number) => () => void
  wakesAt: number
  cancel: () => void
}

const NOTHING = () => {}
const PERIOD_MS = 1_000

/**
 * Lets idle polls be skipped: a poller sleeps until something may be due. It never sleeps through work: every instant that
 * was ever written as due is kept until a poll after it has found nothing more.
 */
export class DueBoard {
  readonly #hints = new EventHeap()
  readonly #pollers = new Set<Poller>()
  readonly #world: World
  readonly #phases: Random

  constructor(world: World) {
    this.#world = world
    this.#phases = world.streams.of('phases')
  }

  /** Something may be due from `instant` (true time) on. */
  hint(instant: number): void {
    this.#hints.push(instant, NOTHING)
    for (const poller of [...this.#pollers]) this.#aim(poller, instant)
  }

  /** A poll took everything that was due at `instant`. */
  nothingBefore(instant: number): void {
    while (this.#hints.first !== undefined && this.#hints.first.at <= instant) this.#hints.pop()
    const next = this.#hints.first?.at
    for (const poller of [...this.#pollers]) this.#aimAgain(poller, next)
  }

  /** Fires once, when `ms` have passed and something may be due. `later` plans on behalf of one life of a node. */
  wait(ms: number, later: (instant: number, task: () => void) => () => void, task: () => void): () => void {
    const poller: Poller = {
      earliest: this.#world.now + ms,
      phase: this.#phases.between(0, PERIOD_MS),
      wakesAt: Number.POSITIVE_INFINITY,
      cancel: NOTHING,
      wake: (instant) =>
        later(instant, () => {
          this.#forget(poller)
          task()
        }),
    }
    this.#pollers.add(poller)
    if (this.#hints.first !== undefined) this.#aim(poller, this.#hints.first.at)
    return () => this.#forget(poller)
  }

  /** Somebody else's poll took what this one was aimed at. */
  #aimAgain(poller: Poller, next: number | undefined): void {
    poller.cancel()
    poller.cancel = NOTHING
    poller.wakesAt = Number.POSITIVE_INFINITY
    if (next !== undefined) this.#aim(poller, next)
  }

  #aim(poller: Poller, instant: number): void {
    const wakesAt = Math.max(instant + poller.phase, poller.earliest)
    if (wakesAt >= poller.wakesAt) return
    poller.cancel()
    poller.wakesAt = wakesAt
    poller.cancel = poller.wake(wakesAt)
  }

  #forget(poller: Poller): void {
    poller.cancel()
    this.#pollers.delete(poller)
  }
}
