import { createHash, type Hash } from 'node:crypto'
import type { CellRow, DatabaseCopy, TableShape } from '../core/backup/database-copy.ts'
import { BackupError, reasonOf } from './backup-error.ts'
import { type BackupEnd, type BackupHeader, damaged, endLine, readHeader, readLine, readRow } from './format.ts'
import { LineSplitter } from './line-splitter.ts'

/** Rows that go into the copy together, and their bytes at most. */
const PORTION = 500
const PORTION_BYTES = 4 * 1024 * 1024
const NEWLINE = Buffer.from('\n')

export interface ReadBackup {
  readonly header: BackupHeader
  readonly end: BackupEnd
  /** Rows of each table, by name. */
  readonly rows: Readonly<Record<string, number>>
}

/** All of it at once. @throws BackupError */
export async function readBackup(bytes: AsyncIterable<Uint8Array>, copy: DatabaseCopy): Promise<ReadBackup> {
  const reader = new BackupReader(copy)
  for await (const portion of bytes) await reader.take(portion)
  return reader.finish()
}

interface Part {
  readonly table: TableShape
  readonly hash: Hash
  waiting: CellRow[]
  waitingBytes: number
  rows: number
}

/**
 * Restores a backup into `copy`, which is neither committed nor abandoned here. Nothing of the file is believed: format and schema are
 * known, tables and columns are those of the schema, each value is of its column's kind, every checksum and every count is right,
 * nothing is missing and nothing follows, and the copy as a whole holds together.
 * Each method throws a BackupError with what is wrong; then the copy is to be abandoned.
 */
export class BackupReader {
  readonly #copy: DatabaseCopy
  readonly #lines = new LineSplitter()
  readonly #whole = createHash('sha256')
  readonly #rows: Record<string, number> = {}
  #header: BackupHeader | null = null
  #left = new Map<string, TableShape>()
  #tables: readonly TableShape[] = []
  #part: Part | null = null
  #end: BackupEnd | null = null
  #total = 0

  constructor(copy: DatabaseCopy) {
    this.#copy = copy
  }

  /** The next bytes, in any portions. */
  async take(bytes: Uint8Array): Promise<void> {
    for (const line of this.#lines.push(bytes)) await this.#line(line)
  }

  /** After the last byte. */
  async finish(): Promise<ReadBackup> {
    this.#lines.end()
    return this.#checked()
  }

  async #line(line: Buffer): Promise<void> {
    if (this.#end !== null) throw new BackupError('Something follows the end of the backup: it is not as it was written. Use another one.')
    if (this.#header === null) await this.#begin(line)
    else await this.#next(line)
    if (this.#end === null) this.#whole.update(line).update(NEWLINE)
  }

  async #checked(): Promise<ReadBackup> {
    if (this.#header === null) throw new BackupError('The backup is empty: use another one.')
    if (this.#end === null) {
      const where = this.#part === null ? `with ${this.#left.size} tables missing` : `in table ${this.#part.table.name}, after ${this.#part.rows} rows`
      throw new BackupError(`The backup is cut off ${where}: use another one.`)
    }
    const flaws = await this.#copy.flaws()
    if (flaws.length > 0) throw new BackupError(`The backup does not hold together: ${flaws.join('; ')}. Use another one.`)
    for (const table of this.#tables) {
      const stored = await this.#copy.count(table)
      if (stored !== this.#rows[table.name])
        throw new BackupError(`${table.name} has ${stored} rows after the restore, and ${this.#rows[table.name]} in the backup.`)
    }
    return { header: this.#header, end: this.#end, rows: this.#rows }
  }

  async #begin(line: Buffer): Promise<void> {
    const header = readHeader(line)
    const unknown = header.schema.filter((version) => !this.#copy.known.includes(version))
    if (unknown.length > 0) {
      throw new BackupError(
        `The backup has schema ${unknown.join(', ')}, which this version does not know (it knows ${Math.max(...this.#copy.known)}): restore it with Evergrant ${header.program} or newer.`,
      )
    }
    this.#tables = await this.#copy.begin(header.schema)
    if (header.tables !== this.#tables.length) throw damaged('its header')
    this.#left = new Map(this.#tables.map((table) => [table.name, table]))
    this.#header = header
  }

  async #next(text: Buffer): Promise<void> {
    const line = readLine(text, this.#part === null ? 'a line between two tables' : `a line of ${this.#part.table.name}`)
    switch (line.kind) {
      case 'row':
        return this.#row(line.cells, text)
      case 'part':
        return this.#open(line.table, line.columns)
      case 'part_end':
        return this.#close(line.table, line.rows, line.sha256)
      case 'end':
        return this.#finish(line.end)
    }
  }

  /** The names of a file become part of no statement: they only choose among the tables of the schema. */
  #open(name: string, columns: readonly string[]): void {
    const table = this.#left.get(name)
    if (this.#part !== null || table === undefined) throw damaged('the order of its tables')
    if (columns.length !== table.columns.length || !table.columns.every((column, at) => column.name === columns[at]))
      throw damaged(`the columns of ${table.name}`)
    this.#left.delete(name)
    this.#part = { table, hash: createHash('sha256'), waiting: [], waitingBytes: 0, rows: 0 }
  }

  async #row(cells: Parameters<typeof readRow>[0], text: Buffer): Promise<void> {
    const part = this.#part
    if (part === null) throw damaged('a row without a table')
    part.waiting.push(readRow(cells, part.table))
    part.waitingBytes += text.length
    part.hash.update(text).update(NEWLINE)
    part.rows += 1
    if (part.waiting.length >= PORTION || part.waitingBytes >= PORTION_BYTES) await this.#insert(part)
  }

  async #close(name: string, rows: number, sha256: string): Promise<void> {
    const part = this.#part
    if (part === null || part.table.name !== name) throw damaged('the order of its tables')
    if (part.rows !== rows) throw new BackupError(`The backup has ${part.rows} rows of ${name} and says ${rows}: some are missing. Use another one.`)
    if (part.hash.digest('hex') !== sha256) throw new BackupError(`The checksum of ${name} is wrong: the backup was altered. Use another one.`)
    await this.#insert(part)
    this.#rows[name] = rows
    this.#total += rows
    this.#part = null
  }

  #finish(end: BackupEnd): void {
    if (this.#part !== null || this.#left.size > 0)
      throw new BackupError(`The backup lacks tables: ${[...this.#left.keys()].slice(0, 5).join(', ')}. Use another one.`)
    if (end.tables !== this.#tables.length || end.rows !== this.#total) throw damaged('its last line')
    if (this.#whole.update(endLine({ ...end, sha256: '' })).digest('hex') !== end.sha256)
      throw new BackupError('The checksum of the whole backup is wrong: it was altered. Use another one.')
    this.#end = end
  }

  async #insert(part: Part): Promise<void> {
    if (part.waiting.length === 0) return
    try {
      await this.#copy.insert(part.table, part.waiting)
    } catch (error) {
      throw new BackupError(`A row of ${part.table.name} does not fit: ${reasonOf(error)}`, { cause: error })
    }
    part.waiting = []
    part.waitingBytes = 0
  }
}
