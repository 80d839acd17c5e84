import type { JsonObject } from '../../core/json.ts'

/** One line of a file or one row of a table; the first is 1, and a file's header counts. */
export type SourceRow = { readonly line: number; readonly values: JsonObject } | { readonly line: number; readonly unreadable: string }

/** How much was read: bytes of a file, rows of a table. `total` is null where nobody knows. */
export interface Extent {
  readonly done: number
  readonly total: number | null
}

/** Where grants are read from, one after the other: memory does not grow with their number. */
export interface Source {
  /** `line` or `row`, for people. */
  readonly unit: string
  /** Can be read a second time. */
  readonly repeatable: boolean
  /** Every row has every column: one that the first row lacks is nowhere. */
  readonly sameColumns?: true
  /** From the beginning each time it is called. */
  rows(): AsyncIterable<SourceRow>
  extent(): Extent
}

/** A line longer than this is no grant. */
export const LINE_MAX = 1024 * 1024
