import { createHash } from 'node:crypto'
import type { CellRow, Snapshot, TableShape } from '../core/backup/database-copy.ts'
import { endLine, headerLine, partEndLine, partLine, rowLine } from './format.ts'

/** The id of the master key that a value is sealed with; null: it is not sealed. */
type KeyIdOf = (value: Uint8Array) => string | null

interface WritePorts {
  readonly snapshot: Snapshot
  /** Version of Evergrant. */
  readonly program: string
  readonly keyIdOf: KeyIdOf
}

/** The bytes of a backup, not encrypted, in portions of some hundred rows. */
export async function* backupBytes({ snapshot, program, keyIdOf }: WritePorts): AsyncGenerator<Buffer> {
  const { facts, tables } = snapshot
  const whole = createHash('sha256')
  const keys = new Set<string>()
  const written = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'utf8')
    whole.update(bytes)
    return bytes
  }
  let total = 0
  yield written(`${headerLine({ ...facts, program, tables: tables.length })}\n`)
  for (const table of tables) {
    yield written(`${partLine(table)}\n`)
    const part = createHash('sha256')
    let rows = 0
    for await (const portion of snapshot.rows(table)) {
      noteKeys(portion, table, keyIdOf, keys)
      const bytes = written(portion.map((row) => `${rowLine(row)}\n`).join(''))
      part.update(bytes)
      rows += portion.length
      yield bytes
    }
    total += rows
    yield written(`${partEndLine(table.name, rows, part.digest('hex'))}\n`)
  }
  const end = { tables: tables.length, rows: total, keys: [...keys].sort() }
  // The last line stands in its own checksum, with the checksum left empty.
  whole.update(endLine({ ...end, sha256: '' }))
  yield Buffer.from(`${endLine({ ...end, sha256: whole.digest('hex') })}\n`, 'utf8')
}

function noteKeys(portion: readonly CellRow[], { columns }: TableShape, keyIdOf: KeyIdOf, keys: Set<string>): void {
  for (const [at, { kind }] of columns.entries()) {
    if (kind !== 'blob') continue
    for (const row of portion) {
      const value = row[at]
      const id = value instanceof Uint8Array ? keyIdOf(value) : null
      if (id !== null) keys.add(id)
    }
  }
}
