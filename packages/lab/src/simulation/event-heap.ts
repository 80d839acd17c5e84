/** One thing that will happen. `task` null: it was called off. */
export interface PlannedEvent {
  readonly at: number
  readonly order: number
  task: (() => void) | null
}

/** A binary heap, ordered by time and then by the order in which the events were planned. */
export class EventHeap {
  readonly #events: PlannedEvent[] = []
  #order = 0

  get size(): number {
    return this.#events.length
  }

  get first(): PlannedEvent | undefined {
    return this.#events[0]
  }

  push(at: number, task: () => void): PlannedEvent {
    const event: PlannedEvent = { at, order: this.#order++, task }
    const events = this.#events
    let place = events.length
    events.push(event)
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = events[above]
      if (parent === undefined || !before(event, parent)) break
      events[place] = parent
      place = above
    }
    events[place] = event
    return event
  }

  pop(): PlannedEvent | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (first === undefined || last === undefined || events.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const leftChild = events[left]
      if (leftChild === undefined) break
      const rightChild = events[left + 1]
      const right = rightChild !== undefined && before(rightChild, leftChild)
      const child = right ? rightChild : leftChild
      if (!before(child, last)) break
      events[place] = child
      place = right ? left + 1 : left
    }
    events[place] = last
    return first
  }
}

function before(one: PlannedEvent, other: PlannedEvent): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
