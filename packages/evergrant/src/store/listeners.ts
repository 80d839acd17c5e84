import type { Change, StoreOptions } from './contract.ts'

/** Who wants to hear of changes. A listener that throws is reported and harms nobody: the change is durable already. */
export class Listeners {
  readonly #all = new Set<(change: Change) => void>()
  readonly #log: StoreOptions['log']

  constructor(log: StoreOptions['log']) {
    this.#log = log
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#all.add(listener)
    return () => void this.#all.delete(listener)
  }

  announce(changes: readonly Change[]): void {
    for (const change of changes) for (const listener of this.#all) this.#tell(listener, change)
  }

  #tell(listener: (change: Change) => void, change: Change): void {
    try {
      listener(change)
    } catch (error) {
      this.#log?.warn({ error: error instanceof Error ? error.message : 'unknown', change: change.kind }, 'a subscriber of changes failed')
    }
  }
}
