import type { Actor, NewEvent } from '../audit/event.ts'
import type { OrganizationId } from '../ids.ts'
import type { SealContext } from '../seal/seal.ts'
import type { Instant } from '../time.ts'
import type { SealedCursor } from './operations.ts'

/** One stored value as it is sealed now, and what it is bound to. */
export interface SealedValue {
  /** Index in the table of sealed places. */
  readonly source: number
  readonly column: string
  /** The values of the row's primary key. */
  readonly key: readonly string[]
  readonly sealed: Uint8Array
  readonly context: SealContext
}

/** Takes the place of exactly the bytes it was made from. */
export interface Swap extends Pick<SealedValue, 'source' | 'column' | 'key'> {
  readonly was: Uint8Array
  readonly is: Uint8Array
}

/** Sealing everything anew with one master key. There is one row for each key, and one of them at most goes on. */
export interface Reseal {
  /** The master key that seals from now on. */
  readonly key: string
  readonly organization: OrganizationId
  readonly startedBy: Actor
  readonly startedAt: Instant
  /** Values that another key sealed when it began; null until they are counted. */
  readonly total: number | null
  /** Values that were sealed anew. */
  readonly done: number
  /** Values of this pass that did not open: their key is missing, or they do not belong where they are. */
  readonly unopened: number
  /** What this pass changed or could not change yet: a pass without either is the last. */
  readonly touched: number
  /** Where it goes on; null: at the beginning of a pass. */
  readonly cursor: SealedCursor | null
  /** The node that works on it, until then. */
  readonly holder: string | null
  readonly heldUntil: Instant
  readonly finishedAt: Instant | null
}

/** What one step did. */
export interface ResealStep {
  readonly key: string
  readonly holder: string
  readonly heldUntil: Instant
  readonly swaps: readonly Swap[]
  readonly unopened: number
  /** Where the next step goes on; null: the pass is over. */
  readonly next: SealedCursor | null
}

export interface Reseals {
  /** Begins one, or says that it goes on already. One for another key ends with it. */
  start(reseal: Pick<Reseal, 'key' | 'organization' | 'startedBy' | 'startedAt'>, event: NewEvent): Promise<Reseal>
  /** The latest. */
  latest(): Promise<Reseal | undefined>
  /** Takes the work for this node until then, if nobody else holds it. Undefined: somebody does, or it is over. */
  claim(key: string, holder: string, now: Instant, until: Instant): Promise<Reseal | undefined>
  count(key: string, total: number): Promise<void>
  /** Values that another key than this one sealed: some, with where to go on. Reads a slice, however few it finds. */
  sealedByOthers(cursor: SealedCursor | null, key: string): Promise<{ readonly values: readonly SealedValue[]; readonly next: SealedCursor | null }>
  /**
   * One transaction: swaps what still is what it was, waits for no row that somebody else is writing, and writes how far it is.
   * Returns the row as it then is; undefined when it is over or somebody else's.
   */
  advance(step: ResealStep): Promise<Reseal | undefined>
  /** Ends it, if a whole pass found nothing left to do. Of many that try one does, and writes the event. */
  finish(key: string, at: Instant, event: NewEvent): Promise<boolean>
  /** Writes an event about keys by itself. */
  record(event: NewEvent): Promise<void>
}
