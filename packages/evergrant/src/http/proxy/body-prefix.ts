import { Readable } from 'node:stream'

/** The whole body when it is short enough, else a stream that still gives all of it. */
export async function wholeUpTo(source: Readable, limit: number): Promise<Buffer | Readable> {
  const iterator: AsyncIterator<unknown> = source[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  let size = 0
  for (;;) {
    const next = await iterator.next()
    if (next.done === true) return Buffer.concat(chunks)
    const chunk = Buffer.isBuffer(next.value) ? next.value : Buffer.from(String(next.value))
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) return Readable.from(goOn(chunks, iterator), { objectMode: false })
  }
}

async function* goOn(chunks: readonly Buffer[], iterator: AsyncIterator<unknown>): AsyncGenerator<unknown> {
  try {
    yield* chunks
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}
