import type { Instant } from '../../core/time.ts'
import type { Change } from '../contract.ts'

/** What both databases take as a parameter. JSON travels as text, truth as 0 or 1, times as integer milliseconds. */
export type SqlValue = string | number | Uint8Array | null

/** One row as the driver gives it. Never leaves `store/`. */
export type Row = Readonly<Record<string, unknown>>

export type Step =
  | { readonly kind: 'rows'; readonly sql: string; readonly params: readonly SqlValue[] }
  | { readonly kind: 'run'; readonly sql: string; readonly params: readonly SqlValue[] }
  | { readonly kind: 'changed'; readonly change: Change }

export interface StepResult {
  readonly rows: readonly Row[]
  readonly changes: number
}

/**
 * A piece of database work, written once for both databases: it yields its statements and is handed their results.
 * SQLite drives it without ever leaving the stack, so nothing interleaves; PostgreSQL drives it over a connection.
 */
export type Program<Result> = Generator<Step, Result, StepResult>

export function* rows(sql: string, ...params: readonly SqlValue[]): Program<readonly Row[]> {
  const result = yield { kind: 'rows', sql, params }
  return result.rows
}

export function* row(sql: string, ...params: readonly SqlValue[]): Program<Row | undefined> {
  const result = yield { kind: 'rows', sql, params }
  return result.rows[0]
}

/** Returns the number of rows changed. */
export function* run(sql: string, ...params: readonly SqlValue[]): Program<number> {
  const result = yield { kind: 'run', sql, params }
  return result.changes
}

/** Told to subscribers after the transaction is durable, never before. */
export function* changed(change: Change): Program<void> {
  yield { kind: 'changed', change }
}

/** Where the two databases differ in words. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  /** Nothing runs beside a program, so it needs no lock before it looks. */
  readonly oneWriter: boolean
  /** The database's clock, where it can be asked without a statement. */
  readonly now?: () => Instant
  /** Ends a select whose rows are changed next: the row lock where there is more than one writer. */
  readonly forUpdate: (alias: string) => string
  /** Ends a select whose rows have to stay until what refers to them is written. */
  readonly forKeeping: (alias: string) => string
  readonly skipLocked: (alias: string) => string
  /** `column` is one of the texts in a JSON array parameter. */
  readonly among: (column: string) => string
  /** The objects of a JSON array parameter as rows named `alias`, with these columns of text. */
  readonly records: (alias: string, columns: readonly string[]) => string
  /** The JSON array in `column` holds the text parameter. */
  readonly holds: (column: string) => string
  /** A member of the JSON object in `column`, as text. */
  readonly member: (column: string, name: string) => string
  /** Compared and ordered by its bytes, whatever the language of the database. */
  readonly bytewise: (expression: string) => string
  /** The same with ASCII letters in lower case; migration 0021 has indexes over exactly these words. */
  readonly folded: (expression: string) => string
}

/** A database that runs programs. A program may be started more than once, so writers pass the recipe and not the meal. */
export interface Database {
  readonly dialect: Dialect
  read<Result>(program: () => Program<Result>): Promise<Result>
  /** One durable transaction, shared with others that arrive at the same time. Resolves after the commit. */
  write<Result>(program: () => Program<Result>, traits?: WriteTraits): Promise<Result>
}

/** What a database may make of a write. */
export interface WriteTraits {
  /** It locks this connection and nothing else, and repeating it is harmless: it may share a transaction with others of its kind. */
  readonly connection?: string
  /** Running it again after a commit whose outcome is unknown does no harm. */
  readonly repeatable?: boolean
}
