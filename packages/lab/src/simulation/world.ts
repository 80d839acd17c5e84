import { EventHeap, type PlannedEvent } from './event-heap.ts'
import { type Random, Streams } from './random.ts'
import type { Violation } from './seed-report.ts'

/** The wall time at which every seed starts. */
export const EPOCH = Date.UTC(2026, 0, 1)

const VIOLATIONS_KEPT = 20

/** Virtual time, the order of everything, and the record of what happened. Knows nothing of tokens. */
export class World {
  readonly streams: Streams
  readonly violations: Violation[] = []
  readonly counts: Record<string, number> = {}
  readonly tracing: boolean
  /** Milliseconds since the start of the seed, an integer. */
  now = 0
  events = 0
  /** Store operations that have begun to apply and are not over: the next event waits for them. */
  applying = 0
  violationCount = 0
  #hash = 0x811c9dc5
  readonly #heap = new EventHeap()
  readonly #order: Random
  readonly #trace: ((line: string) => void) | undefined
  #ended = false

  constructor(seed: number, trace: ((line: string) => void) | undefined) {
    this.streams = new Streams(seed)
    this.#order = this.streams.of('order')
    this.#trace = trace
    this.tracing = trace !== undefined
  }

  /** After `ms` and a seeded, never empty moment more, so that no two steps keep the order of the code that planned them. */
  after(ms: number, task: () => void): PlannedEvent {
    return this.#heap.push(this.now + Math.max(0, Math.round(ms)) + 1 + (this.#order.next() & 3), task)
  }

  /** At that very instant: for what has had its moment already. */
  at(instant: number, task: () => void): PlannedEvent {
    return this.#heap.push(Math.max(this.now, Math.round(instant)), task)
  }

  /** Runs the next event. False when the seed is over. */
  step(): boolean {
    while (!this.#ended) {
      const event = this.#heap.pop()
      if (event === undefined) return false
      const { task } = event
      if (task === null) continue
      event.task = null
      if (event.at !== this.now) {
        this.now = event.at
        this.note(event.at)
      }
      this.events += 1
      task()
      return true
    }
    return false
  }

  end(): void {
    this.#ended = true
  }

  /** Goes into the hash of the seed. */
  note(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193) ^ (this.#hash >>> 15)
  }

  noteText(text: string): void {
    for (let at = 0; at < text.length; at++) this.note(text.charCodeAt(at))
  }

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by
  }

  /** Only behind `tracing`: a line costs more than an event. */
  say(line: string): void {
    this.#trace?.(`${String(this.now).padStart(10)} #${this.events} ${line}`)
  }

  violate(invariant: string, text: string): void {
    this.violationCount += 1
    this.noteText(invariant)
    if (this.tracing) this.say(`VIOLATION ${invariant}: ${text}`)
    if (this.violations.length < VIOLATIONS_KEPT) this.violations.push({ invariant, at: this.now, event: this.events, text })
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }
}
