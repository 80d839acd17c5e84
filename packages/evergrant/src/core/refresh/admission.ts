/** A place among the token requests under way at one integration. Give it back exactly once. */
export type Leave = () => void

interface Queue {
  busy: number
  readonly urgent: ((leave: Leave) => void)[]
  readonly patient: ((leave: Leave) => void)[]
}

/** Bounds the token requests under way per integration; callers who wait go before the background. */
export class Admission {
  readonly #queues = new Map<string, Queue>()

  enter(integration: string, limit: number, urgent: boolean): Promise<Leave> {
    const queue = this.#queues.get(integration) ?? { busy: 0, urgent: [], patient: [] }
    this.#queues.set(integration, queue)
    if (queue.busy < limit) {
      queue.busy += 1
      return Promise.resolve(this.#leave(integration, queue))
    }
    return new Promise((admit) => {
      const line = urgent ? queue.urgent : queue.patient
      line.push(admit)
    })
  }

  #leave(integration: string, queue: Queue): Leave {
    let left = false
    return () => {
      if (left) return
      left = true
      const next = queue.urgent.shift() ?? queue.patient.shift()
      if (next !== undefined) return next(this.#leave(integration, queue))
      queue.busy -= 1
      if (queue.busy === 0) this.#queues.delete(integration)
    }
  }
}
