/** Bytes of many values in one parameter, because a binary parameter travels as it is. Offsets count from 1, as SQL does. */
export class BytePieces {
  readonly #parts: Uint8Array[] = []
  #next = 1

  add(part: Uint8Array | null): readonly [offset: number | null, length: number | null] {
    if (part === null) return [null, null]
    const offset = this.#next
    this.#parts.push(part)
    this.#next += part.length
    return [offset, part.length]
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }
}
