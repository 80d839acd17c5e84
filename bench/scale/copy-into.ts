import type pg from 'pg'
import type { Value } from './value.ts'

/** The two calls of the driver's connection that its type declarations leave out. */
interface CopyConnection {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/** `COPY ... FROM STDIN` of one batch. Ten times faster than inserts, and the driver speaks it when asked directly. */
export function copyInto(client: pg.Client, table: string, columns: readonly string[], rows: readonly (readonly Value[])[]): Promise<void> {
  const data = Buffer.from(rows.map((row) => `${row.map(encoded).join('\t')}\n`).join(''), 'utf8')
  return new Promise((resolve, reject) => {
    const copy = {
      submit: (connection: CopyConnection) => connection.query(`copy ${table} (${columns.join(', ')}) from stdin`),
      handleCopyInResponse: (connection: CopyConnection) => {
        connection.sendCopyFromChunk(data)
        connection.endCopyFrom()
      },
      handleCommandComplete: () => {},
      handleReadyForQuery: () => resolve(),
      handleError: (error: Error) => reject(error),
    }
    client.query(copy as unknown as pg.Submittable)
  })
}

/** The text format of COPY. */
function encoded(value: Value): string {
  if (value === null) return '\\N'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character)
  return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
