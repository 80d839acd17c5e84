import type { ConnectionId } from '../ids.ts'
import type { HighWater, HighWaterOrigin, Mark } from './high-water.ts'
import { highest } from './high-water-compare.ts'

/**
 * Marks that last as long as the process: for a node without a data folder, and for simulations, which hand one to the
 * next start of their node.
 */
export class MemoryHighWater implements HighWater {
  readonly #marks = new Map<ConnectionId, Mark>()
  #origin: (HighWaterOrigin & { readonly tick: number }) | null = null
  #sinceTick: Mark[] = []
  #sinceEarlier: Mark[] = []

  get remembered(): HighWater['remembered'] {
    return this.#origin
  }

  raise(mark: Mark): void {
    const known = this.#marks.get(mark.connection)
    if (known !== undefined && known.generation >= mark.generation) return
    this.#marks.set(mark.connection, mark)
    this.#sinceTick.push(mark)
  }

  recent(connection: ConnectionId): Mark | undefined {
    return this.#marks.get(connection)
  }

  ticked(tick: number): void {
    if (this.#origin !== null) this.#origin = { ...this.#origin, tick }
    this.#sinceEarlier = this.#sinceTick
    this.#sinceTick = []
  }

  uncovered(): readonly Mark[] {
    return highest([...this.#sinceEarlier, ...this.#sinceTick])
  }

  async *all(): AsyncIterable<readonly Mark[]> {
    yield [...this.#marks.values()]
  }

  begin(origin: HighWaterOrigin, tick: number, forget: 'all' | ReadonlySet<ConnectionId>): Promise<void> {
    const stays = ({ connection }: Mark) => forget !== 'all' && !forget.has(connection)
    for (const mark of [...this.#marks.values()]) if (!stays(mark)) this.#marks.delete(mark.connection)
    this.#sinceTick = this.#sinceTick.filter(stays)
    this.#sinceEarlier = this.#sinceEarlier.filter(stays)
    this.#origin = { ...origin, tick }
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
