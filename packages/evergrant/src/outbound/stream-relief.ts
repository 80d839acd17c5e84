const COLLECT_EVERY_BYTES = 8 * 1_024 * 1_024

/**
 * V8 does not feel the weight of bytes outside its heap until there are some 64 MB of them. Whoever streams bodies counts what its
 * sockets read, and has young buffers collected earlier: about a millisecond for every 8 MB.
 */
export class StreamRelief {
  readonly #collect: () => void
  #bytes = 0

  constructor(collect: () => void) {
    this.#collect = collect
  }

  /** So many more bytes were read into buffers. */
  note(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < COLLECT_EVERY_BYTES) return
    this.#bytes = 0
    this.#collect()
  }
}
