import type { Timers } from '../core/time.ts'

/** What a process knows about the bytes that its sockets read. */
export interface BufferMemory {
  /** Bytes of all buffers that are not collected yet. */
  bytes(): number
  /** Collects the young ones: about a millisecond. */
  collect(): void
}

const LOOK_EVERY_MS = 20
const GROWTH_BYTES = 12 * 1_024 * 1_024

/**
 * V8 does not feel the weight of bytes outside its heap until there are some 64 MB of them. While bodies stream, somebody looks,
 * and has the young ones collected earlier.
 */
export class StreamRelief {
  readonly #timers: Pick<Timers, 'after'>
  readonly #memory: BufferMemory
  #streams = 0
  #floor = 0
  #looking = false

  constructor(timers: Pick<Timers, 'after'>, memory: BufferMemory) {
    this.#timers = timers
    this.#memory = memory
  }

  /** A body begins; call the result when it is over. */
  begin(): () => void {
    this.#streams += 1
    if (!this.#looking) {
      this.#looking = true
      this.#floor = this.#memory.bytes()
      this.#lookSoon()
    }
    let over = false
    return () => {
      if (!over) this.#streams -= 1
      over = true
    }
  }

  #lookSoon(): void {
    this.#timers.after(LOOK_EVERY_MS, () => {
      if (this.#streams === 0) {
        this.#looking = false
        return
      }
      const bytes = this.#memory.bytes()
      if (bytes < this.#floor) this.#floor = bytes
      if (bytes - this.#floor > GROWTH_BYTES) {
        this.#memory.collect()
        this.#floor = this.#memory.bytes()
      }
      this.#lookSoon()
    })
  }
}
