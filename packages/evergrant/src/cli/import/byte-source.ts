import { createReadStream, statSync } from 'node:fs'
import { CommandFailure, EXIT } from '../exit-code.ts'
import type { Extent } from './source.ts'

/** The bytes of a file, or of standard input for `-`, counted as they are read. */
export class ByteSource {
  readonly repeatable: boolean
  readonly #path: string
  readonly #total: number | null
  #done = 0

  constructor(path: string) {
    this.#path = path
    this.repeatable = path !== '-'
    this.#total = path === '-' ? null : sizeOf(path)
  }

  async *chunks(): AsyncIterable<Buffer> {
    this.#done = 0
    const stream: AsyncIterable<Buffer> = this.#path === '-' ? process.stdin : createReadStream(this.#path)
    for await (const chunk of stream) {
      this.#done += chunk.length
      yield chunk
    }
  }

  extent(): Extent {
    return { done: this.#done, total: this.#total }
  }
}

/** Null for a pipe, whose size says nothing. */
function sizeOf(path: string): number | null {
  try {
    const found = statSync(path)
    if (found.isDirectory()) throw new CommandFailure(EXIT.usage, `${path} is a folder; name a file`)
    return found.isFile() ? found.size : null
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    throw new CommandFailure(EXIT.usage, `${path} cannot be read`)
  }
}
