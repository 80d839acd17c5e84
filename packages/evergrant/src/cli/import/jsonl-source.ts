import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { ByteSource } from './byte-source.ts'
import { LINE_MAX, type Source, type SourceRow } from './source.ts'

const NEWLINE = 0x0a

/** One JSON object a line; empty lines are skipped. */
export function jsonlSource(path: string): Source {
  const bytes = new ByteSource(path)
  return {
    unit: 'line',
    repeatable: bytes.repeatable,
    extent: () => bytes.extent(),
    async *rows() {
      let number = 0
      for await (const line of linesOf(bytes.chunks())) {
        number += 1
        const row = rowOf(line, number)
        if (row !== null) yield row
      }
    },
  }
}

/** Null: longer than any grant. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer | null> {
  let parts: Buffer[] = []
  let length = 0
  const take = (): Buffer | null => {
    const line = length > LINE_MAX ? null : Buffer.concat(parts)
    parts = []
    length = 0
    return line
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      length += end - from
      parts.push(chunk.subarray(from, end))
      yield take()
      from = end + 1
    }
    length += chunk.length - from
    // What is too long is counted and not kept.
    if (length <= LINE_MAX) parts.push(chunk.subarray(from))
  }
  if (length > 0) yield take()
}

function rowOf(line: Buffer | null, number: number): SourceRow | null {
  if (line === null) return { line: number, unreadable: `The line is longer than ${LINE_MAX} bytes.` }
  const text = line.toString('utf8').replace(/^\uFEFF/, '')
  if (text.trim() === '') return null
  // The parser's own message quotes the line, and with it a token.
  const value = parse(text)
  if (isJsonObject(value)) return { line: number, values: value }
  return { line: number, unreadable: 'The line is not one JSON object. Write one object a line, as `jq -c` does.' }
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
