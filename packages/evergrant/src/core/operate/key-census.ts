import { type Clock, type Instant, MINUTE } from '../time.ts'
import type { Operations, SealedCursor } from './operations.ts'

/** How many stored values each master key still seals. */
export interface KeyCensus {
  /** False while the first count goes on: the numbers are then those that were counted so far. */
  readonly complete: boolean
  /** When the count was finished. */
  readonly countedAt: Instant | null
  readonly counts: ReadonlyMap<string, number>
  /** The same by table, for each key. */
  readonly places: ReadonlyMap<string, ReadonlyMap<string, number>>
}

const KEPT_MS = 5 * MINUTE

/** Counts in slices and keeps the result for some minutes: nobody's read waits for it. */
export class KeyCensusTaker {
  readonly #ports: { readonly operations: Pick<Operations, 'sealedSlice'>; readonly clock: Clock }
  #last: KeyCensus | null = null
  #lastMono = 0
  #running: Promise<KeyCensus> | null = null
  #sofar: Map<string, Map<string, number>> = new Map()

  constructor(ports: { readonly operations: Pick<Operations, 'sealedSlice'>; readonly clock: Clock }) {
    this.#ports = ports
  }

  /** Waits for a count of its own at most `patience` resolves; then says what is counted so far. */
  async take(patience: Promise<void>): Promise<KeyCensus> {
    const { clock } = this.#ports
    if (this.#last !== null && clock.mono() - this.#lastMono < KEPT_MS) return this.#last
    this.#running ??= this.#count().finally(() => {
      this.#running = null
    })
    const late = patience.then(() => this.#last ?? { complete: false, countedAt: null, ...summed(this.#sofar) })
    return Promise.race([this.#running, late])
  }

  /** Whoever asks next counts anew: much was sealed with another key meanwhile. */
  forget(): void {
    this.#last = null
  }

  /** Counts now, whatever is remembered. */
  async afresh(): Promise<KeyCensus> {
    await this.#running?.catch(() => {})
    this.forget()
    return this.take(new Promise(() => {}))
  }

  async #count(): Promise<KeyCensus> {
    const { operations, clock } = this.#ports
    this.#sofar = new Map()
    let cursor: SealedCursor | null = null
    do {
      const slice: Awaited<ReturnType<Operations['sealedSlice']>> = await operations.sealedSlice(cursor)
      for (const [key, count] of slice.counts) {
        const places = this.#sofar.get(key) ?? new Map<string, number>()
        this.#sofar.set(key, places.set(slice.table, (places.get(slice.table) ?? 0) + count))
      }
      cursor = slice.next
    } while (cursor !== null)
    this.#last = { complete: true, countedAt: clock.wall(), ...summed(this.#sofar) }
    this.#lastMono = clock.mono()
    return this.#last
  }
}

function summed(sofar: ReadonlyMap<string, ReadonlyMap<string, number>>): Pick<KeyCensus, 'counts' | 'places'> {
  const total = (places: ReadonlyMap<string, number>) => [...places.values()].reduce((sum, count) => sum + count, 0)
  return {
    counts: new Map([...sofar].map(([key, places]) => [key, total(places)])),
    places: new Map([...sofar].map(([key, places]) => [key, new Map(places)])),
  }
}
