import { type Clock, type Instant, MINUTE } from '../time.ts'
import type { Operations, SealedCursor } from './operations.ts'

/** How many stored values each master key still seals. */
export interface KeyCensus {
  /** False while the first count goes on: the numbers are then those that were counted so far. */
  readonly complete: boolean
  /** When the count was finished. */
  readonly countedAt: Instant | null
  readonly counts: ReadonlyMap<string, number>
}

const KEPT_MS = 5 * MINUTE

/** Counts in slices and keeps the result for some minutes: nobody's read waits for it. */
export class KeyCensusTaker {
  private readonly ports: { readonly operations: Pick<Operations, 'sealedSlice'>; readonly clock: Clock }
  private last: KeyCensus | null = null
  private lastMono = 0
  private running: Promise<KeyCensus> | null = null
  private sofar: Map<string, number> = new Map()

  constructor(ports: { readonly operations: Pick<Operations, 'sealedSlice'>; readonly clock: Clock }) {
    this.ports = ports
  }

  /** Waits for a count of its own at most `patience` resolves; then says what is counted so far. */
  async take(patience: Promise<void>): Promise<KeyCensus> {
    const { clock } = this.ports
    if (this.last !== null && clock.mono() - this.lastMono < KEPT_MS) return this.last
    this.running ??= this.count().finally(() => {
      this.running = null
    })
    const late = patience.then(() => this.last ?? { complete: false, countedAt: null, counts: new Map(this.sofar) })
    return Promise.race([this.running, late])
  }

  private async count(): Promise<KeyCensus> {
    const { operations, clock } = this.ports
    this.sofar = new Map()
    let cursor: SealedCursor | null = null
    do {
      const slice: Awaited<ReturnType<Operations['sealedSlice']>> = await operations.sealedSlice(cursor)
      for (const [key, count] of slice.counts) this.sofar.set(key, (this.sofar.get(key) ?? 0) + count)
      cursor = slice.next
    } while (cursor !== null)
    this.last = { complete: true, countedAt: clock.wall(), counts: this.sofar }
    this.lastMono = clock.mono()
    return this.last
  }
}
