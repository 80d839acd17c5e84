import { Fault } from '../fault/fault.ts'
import { type Clock, SECOND } from '../time.ts'

/** While the store is away, one caller a second finds out whether it is back; the others do not wait for that. */
const ASK_AGAIN_MS = SECOND

/**
 * Bounds what memory may answer while the store does not: only for a while after memory was last known to be current, so
 * that a node cut off alone does not go on for ever beside others that know better.
 */
export class StoreOutage {
  readonly #clock: Pick<Clock, 'mono'>
  readonly #patienceMs: number
  #currentAt: number
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'mono'>, patienceMs: number) {
    this.#clock = clock
    this.#patienceMs = patienceMs
    this.#currentAt = clock.mono()
  }

  /** Memory is current: the channel is alive, or the store has just answered. */
  current(): void {
    this.#currentAt = this.#clock.mono()
  }

  /** The store failed moments ago, and memory may still answer. */
  mayAnswerAtOnce(): boolean {
    return this.#clock.mono() - this.#failedAt < ASK_AGAIN_MS && this.#withinPatience()
  }

  /** True when this failure is the store's being away, and memory may answer instead. */
  mayAnswerFor(error: unknown): boolean {
    if (!(error instanceof Fault) || error.code !== 'store_unavailable') return false
    this.#failedAt = this.#clock.mono()
    return this.#withinPatience()
  }

  #withinPatience(): boolean {
    return this.#clock.mono() - this.#currentAt < this.#patienceMs
  }
}
