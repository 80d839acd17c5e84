import { BackupError } from './backup-error.ts'

const NEWLINE = 0x0a

/** More than any row has: an answer of a provider is 64 KB at most, a stored reply of ours a few hundred. */
const LINE_BYTES_MAX = 32 * 1024 * 1024

/** Lines without their end, out of bytes that come in any portions. */
export class LineSplitter {
  readonly #max: number
  #parts: Buffer[] = []
  #held = 0

  constructor(max = LINE_BYTES_MAX) {
    this.#max = max
  }

  /** The lines that end in these bytes. @throws BackupError for one over the limit */
  push(bytes: Uint8Array): readonly Buffer[] {
    const lines: Buffer[] = []
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      this.#hold(rest.subarray(0, end))
      lines.push(this.#parts.length === 1 ? (this.#parts[0] ?? rest) : Buffer.concat(this.#parts))
      this.#parts = []
      this.#held = 0
      rest = rest.subarray(end + 1)
    }
    // A copy: whoever handed the bytes in may write over them.
    if (rest.length > 0) this.#hold(Buffer.from(rest))
    return lines
  }

  /** @throws BackupError when a line has begun and not ended */
  end(): void {
    if (this.#held > 0) throw new BackupError('The backup is cut off in the middle of a line: use another one.')
  }

  #hold(part: Buffer): void {
    this.#held += part.length
    if (this.#held > this.#max)
      throw new BackupError(`The backup has a line of more than ${this.#max} bytes, which no backup of Evergrant has: use another one.`)
    this.#parts.push(part)
  }
}
