interface GatheringOptions<Item> {
  /** Batches under way at once. */
  readonly lanes: number
  readonly size: number
  /** Settles every item itself; never rejects. */
  readonly run: (items: readonly Item[]) => Promise<void>
}

/**
 * Group commit: items that arrive while every lane is busy travel together with the next one. A batch holds one key at
 * most once, so that a statement over many rows never meets the same row twice.
 */
export class Gathering<Item extends { readonly key: string }> {
  readonly #options: GatheringOptions<Item>
  #waiting: Item[] = []
  #busy = 0
  #scheduled = false

  constructor(options: GatheringOptions<Item>) {
    this.#options = options
  }

  add(item: Item): void {
    this.#waiting.push(item)
    if (this.#scheduled || this.#busy >= this.#options.lanes) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#fill()
    })
  }

  #fill(): void {
    while (this.#waiting.length > 0 && this.#busy < this.#options.lanes) {
      const batch = this.#take()
      this.#busy += 1
      void this.#options.run(batch).finally(() => {
        this.#busy -= 1
        this.#fill()
      })
    }
  }

  #take(): readonly Item[] {
    const seen = new Set<string>()
    const batch: Item[] = []
    const later: Item[] = []
    for (const item of this.#waiting) {
      if (batch.length === this.#options.size || seen.has(item.key)) later.push(item)
      else {
        seen.add(item.key)
        batch.push(item)
      }
    }
    this.#waiting = later
    return batch
  }
}
