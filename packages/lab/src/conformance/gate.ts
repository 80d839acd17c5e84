import { until } from '../until.ts'

/** Where requests are made to wait, so that a scenario acts at an exact moment. */
export class Gate {
  readonly #waiting: ((how: 'go' | 'cut') => void)[] = []
  #open: 'go' | 'cut' | null = null
  /** How many have come here so far. */
  reached = 0

  pass(): Promise<'go' | 'cut'> {
    this.reached += 1
    if (this.#open !== null) return Promise.resolve(this.#open)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets everybody through, now and later. */
  release(): void {
    this.#end('go')
  }

  /** Cuts the sockets of everybody who waits, and of whoever comes later. */
  cut(): void {
    this.#end('cut')
  }

  async reachedBy(count: number): Promise<void> {
    await until(`${count} requests at the gate (${this.reached} are there)`, () => this.reached >= count)
  }

  #end(how: 'go' | 'cut'): void {
    this.#open = how
    for (const pass of this.#waiting.splice(0)) pass(how)
  }
}
