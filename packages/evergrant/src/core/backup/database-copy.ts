import type { EventId } from '../ids.ts'
import type { Lineage, Trusted } from '../refresh/lineage.ts'
import type { Instant } from '../time.ts'

/** What a column holds. Neither database has other kinds, so what one wrote the other can read. */
export type CellKind = 'integer' | 'text' | 'blob'

/** One value of one row. Whoever carries it does not look into it. */
export type Cell = string | number | Uint8Array | null

export type CellRow = readonly Cell[]

export interface ColumnShape {
  readonly name: string
  readonly kind: CellKind
}

export interface TableShape {
  readonly name: string
  /** In the order in which the cells of a row stand. */
  readonly columns: readonly ColumnShape[]
}

export interface SnapshotFacts {
  readonly store: 'sqlite' | 'postgres'
  /** The moment of the snapshot, by the database's clock. */
  readonly madeAt: Instant
  /** Numbers of the migrations that are applied, ascending. */
  readonly schema: readonly number[]
  /** Null: no server has ever started on this database. */
  readonly lineage: Pick<Lineage, 'instance' | 'era' | 'home'> | null
}

/** One moment of a database, read while others go on writing to it. */
export interface Snapshot {
  readonly facts: SnapshotFacts
  readonly tables: readonly TableShape[]
  /** In portions, so that memory is bounded however many rows there are. */
  rows(table: TableShape): AsyncIterable<readonly CellRow[]>
  close(): Promise<void>
}

/** What a restored database says of itself before anybody opens it. */
export interface Declaration {
  readonly trusted: Exclude<Trusted, 'trusted'>
  /** For operators: which backup, and where it was made. */
  readonly reason: string
  readonly event: EventId
}

/** A database that is being made. Nobody sees anything of it before `commit`. */
export interface DatabaseCopy {
  /** Every migration that this program knows. */
  readonly known: readonly number[]
  /** Makes the empty tables of these migrations. */
  begin(schema: readonly number[]): Promise<readonly TableShape[]>
  /** @throws an error of the driver when a row does not fit its table */
  insert(table: TableShape, rows: readonly CellRow[]): Promise<void>
  count(table: TableShape): Promise<number>
  /** After the last row: foreign keys hold and the file is sound. Returns what is wrong, for people; empty: nothing. */
  flaws(): Promise<readonly string[]>
  /** A fact about the database itself, by name. */
  meta(name: string): Promise<Uint8Array | undefined>
  /** Where the copy will live; null: its server does not say. */
  home(): Promise<Lineage['home']>
  /** Durable and in its place. `declared`: null for a database that never served. */
  commit(declared: Declaration | null): Promise<void>
  /** Leaves nothing behind. Harmless after `commit`. */
  abandon(): Promise<void>
}
