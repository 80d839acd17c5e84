import type { Cell, CellRow, SnapshotFacts, TableShape } from '../core/backup/database-copy.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { BackupError } from './backup-error.ts'

/** Of the file, not of the schema. Another number means that the lines themselves are others. */
const FORMAT = 1

export interface BackupHeader extends SnapshotFacts {
  /** Version of Evergrant that wrote it. */
  readonly program: string
  readonly tables: number
}

export interface BackupEnd {
  readonly tables: number
  readonly rows: number
  /** Ids of the master keys that sealed values of this backup name, sorted. */
  readonly keys: readonly string[]
  readonly sha256: string
}

export function headerLine({ program, store, madeAt, schema, lineage, tables }: BackupHeader): string {
  const origin = lineage === null ? null : { instance: lineage.instance, era: lineage.era, home: lineage.home === null ? null : { ...lineage.home } }
  return JSON.stringify({ evergrant_backup: FORMAT, program, store, made_at: madeAt, schema, lineage: origin, tables })
}

export function partLine({ name, columns }: TableShape): string {
  return JSON.stringify({ table: name, columns: columns.map((column) => column.name) })
}

export function rowLine(row: CellRow): string {
  return JSON.stringify(row.map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('base64') : cell)))
}

export function partEndLine(name: string, rows: number, sha256: string): string {
  return JSON.stringify({ end: name, rows, sha256 })
}

export function endLine({ tables, rows, keys, sha256 }: BackupEnd): string {
  return JSON.stringify({ complete: true, tables, rows, keys, sha256 })
}

/** @throws BackupError when it is no header, or one of another format */
export function readHeader(line: Buffer): BackupHeader {
  const value = objectOf(line)
  if (value === null || value['evergrant_backup'] === undefined) throw new BackupError('This is not a backup of Evergrant: its first line is another.')
  const format = value['evergrant_backup']
  const program = typeof value['program'] === 'string' ? value['program'].slice(0, 40) : 'unknown'
  if (format !== FORMAT) {
    throw new BackupError(
      `This backup is of format ${JSON.stringify(format).slice(0, 20)}, and this version reads format ${FORMAT}: restore it with the version that wrote it (${program}), or a newer one.`,
    )
  }
  const { store, made_at: madeAt, schema, tables } = value
  if (!isStore(store) || !isCount(madeAt) || !isCount(tables) || !Array.isArray(schema) || !schema.every(isCount)) throw damaged('its header')
  return { program, store, madeAt, schema, tables, lineage: readLineage(value['lineage']) }
}

function readLineage(value: JsonValue | undefined): SnapshotFacts['lineage'] {
  if (value === null) return null
  if (!isJsonObject(value) || typeof value['instance'] !== 'string' || !isCount(value['era'])) throw damaged('its header')
  const home = value['home']
  if (home === null) return { instance: value['instance'], era: value['era'], home: null }
  if (!isJsonObject(home) || typeof home['id'] !== 'string' || typeof home['name'] !== 'string') throw damaged('its header')
  const timeline = isCount(home['timeline']) ? home['timeline'] : null
  return { instance: value['instance'], era: value['era'], home: { id: home['id'], name: home['name'], timeline } }
}

/** What one line after the header is. @throws BackupError when it is nothing that a backup has */
type Line =
  | { readonly kind: 'row'; readonly cells: readonly JsonValue[] }
  | { readonly kind: 'part'; readonly table: string; readonly columns: readonly string[] }
  | { readonly kind: 'part_end'; readonly table: string; readonly rows: number; readonly sha256: string }
  | { readonly kind: 'end'; readonly end: BackupEnd }

export function readLine(line: Buffer, where: string): Line {
  const value = parse(line)
  if (Array.isArray(value)) return { kind: 'row', cells: value }
  if (!isJsonObject(value)) throw damaged(where)
  const { table, columns, end, rows, sha256, complete, tables, keys } = value
  if (typeof table === 'string' && isWords(columns)) return { kind: 'part', table, columns }
  if (typeof end === 'string' && isCount(rows) && typeof sha256 === 'string') return { kind: 'part_end', table: end, rows, sha256 }
  if (complete === true && isCount(tables) && isCount(rows) && isWords(keys) && typeof sha256 === 'string') {
    return { kind: 'end', end: { tables, rows, keys, sha256 } }
  }
  throw damaged(where)
}

/** Base64 that is exactly what its bytes are written as: two spellings of one value would be two checksums of one row. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** @throws BackupError when a value is not of its column's kind */
export function readRow(cells: readonly JsonValue[], { name, columns }: TableShape): CellRow {
  if (cells.length !== columns.length) throw damaged(`a row of ${name}`)
  return columns.map(({ name: column, kind }, at): Cell => {
    const value = cells[at]
    if (value === null) return null
    if (kind === 'integer' && typeof value === 'number' && Number.isSafeInteger(value)) return value
    if (kind === 'text' && typeof value === 'string') return value
    if (kind === 'blob' && typeof value === 'string' && BASE64.test(value)) return new Uint8Array(Buffer.from(value, 'base64'))
    throw damaged(`a value of ${name}.${column}`)
  })
}

export function damaged(where: string): BackupError {
  return new BackupError(`The backup is damaged: ${where} cannot be read. Use another one.`)
}

function parse(line: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    return undefined
  }
}

function objectOf(line: Buffer): JsonObject | null {
  const value = parse(line)
  return isJsonObject(value) ? value : null
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isWords(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string')
}

function isStore(value: JsonValue | undefined): value is 'sqlite' | 'postgres' {
  return value === 'sqlite' || value === 'postgres'
}
