import type { Instant } from '../../core/time.ts'

interface Entry<Key> {
  readonly at: Instant
  readonly order: number
  readonly key: Key
}

const FEW = 64

/**
 * Keys by time, oldest first; at one instant the key that was set first comes first. Setting a key again moves it: the
 * earlier entry stays in the heap until it comes up or until the heap is rebuilt. O(log n) for every change.
 */
export class TimeIndex<Key> {
  readonly #current = new Map<Key, Entry<Key>>()
  #heap: Entry<Key>[] = []
  #order = 0

  /** Null takes the key out. @throws Error when `at` is no integer */
  set(key: Key, at: Instant | null): void {
    if (at === null) {
      this.#current.delete(key)
      return
    }
    if (!Number.isSafeInteger(at)) throw new Error(`${at} is no instant`)
    const entry = { at, order: this.#order++, key }
    this.#current.set(key, entry)
    if (this.#heap.length > 2 * this.#current.size + FEW) this.#rebuild()
    else this.#push(entry)
  }

  /** Takes out and returns up to `limit` keys that are due at `now`. */
  take(now: Instant, limit: number): Key[] {
    const taken: Key[] = []
    for (let first = this.#heap[0]; first !== undefined && first.at <= now && taken.length < limit; first = this.#heap[0]) {
      this.#pop()
      if (this.#current.get(first.key) !== first) continue
      this.#current.delete(first.key)
      taken.push(first.key)
    }
    return taken
  }

  clear(): void {
    this.#current.clear()
    this.#heap = []
  }

  #rebuild(): void {
    this.#heap = [...this.#current.values()].sort(compare)
  }

  #push(entry: Entry<Key>): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(entry)
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || compare(parent, entry) <= 0) break
      heap[place] = parent
      place = above
    }
    heap[place] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const lower = lowerOf(heap, left, left + 1)
      const child = heap[lower]
      if (child === undefined || compare(last, child) <= 0) break
      heap[place] = child
      place = lower
    }
    heap[place] = last
  }
}

function lowerOf<Key>(heap: readonly Entry<Key>[], left: number, right: number): number {
  const [first, second] = [heap[left], heap[right]]
  return first !== undefined && second !== undefined && compare(second, first) < 0 ? right : left
}

function compare(left: Entry<unknown>, right: Entry<unknown>): number {
  return left.at - right.at || left.order - right.order
}
