import type { Clock, Timers } from '../../../../evergrant/src/engine.ts'

interface Wait {
  readonly at: number
  readonly order: number
  readonly task: () => void
}

const START = Date.UTC(2026, 0, 1)

/** Time that stands still until a scenario moves it on. */
export class StageTime {
  readonly clock: Clock = { wall: () => START + this.now, mono: () => this.now }
  readonly timers: Timers = { after: (ms, task) => this.#after(ms, task), sleep: (ms, signal) => this.#sleep(ms, signal) }
  now = 0
  #order = 0
  readonly #waits = new Set<Wait>()

  /** Runs what falls due in the next `ms`, in order of its time; all promises settle between two tasks. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms
    await settled()
    for (let wait = this.#earliest(end); wait !== undefined; wait = this.#earliest(end)) {
      this.#waits.delete(wait)
      this.now = Math.max(this.now, wait.at)
      wait.task()
      await settled()
    }
    this.now = end
    await settled()
  }

  /** Moves on until `promise` settles, for `ms` at most. @throws Error when it has not settled by then */
  async until<Value>(promise: Promise<Value>, ms = 3_600_000): Promise<Value> {
    let open = true
    const close = () => {
      open = false
    }
    promise.then(close, close)
    const end = this.now + ms
    await settled()
    while (open && this.now < end) await this.advance(Math.min(100, end - this.now))
    if (open) throw new Error(`nothing came of it in ${ms} ms`)
    return promise
  }

  #after(ms: number, task: () => void): () => void {
    const wait: Wait = { at: this.now + Math.max(0, ms), order: this.#order++, task }
    this.#waits.add(wait)
    return () => this.#waits.delete(wait)
  }

  #sleep(ms: number, signal?: Parameters<Timers['sleep']>[1]): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = () => {
        cancel()
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const cancel = this.#after(ms, finish)
      signal?.addEventListener('abort', finish, { once: true })
    })
  }

  #earliest(end: number): Wait | undefined {
    let first: Wait | undefined
    for (const wait of this.#waits) {
      if (wait.at > end) continue
      if (first === undefined || wait.at < first.at || (wait.at === first.at && wait.order < first.order)) first = wait
    }
    return first
  }
}

/** One turn of the event loop runs every microtask, however many promises they chain. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
