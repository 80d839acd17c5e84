import type { ConnectionId } from '../ids.ts'
import type { Reuse } from '../provider/reuse.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'

/** A generation that the database has acknowledged. */
export interface Mark {
  readonly connection: ConnectionId
  readonly generation: number
  /** Of its refresh token; null when it has none. */
  readonly fingerprint: string | null
}

/** What the marks of a data folder belong to. */
export interface HighWaterOrigin {
  readonly instance: string
  readonly era: number
}

/**
 * The marks of one node, kept OUTSIDE the database: the file that shows that a database went back in time. A mark need
 * not be on disk before its answer is used: it is evidence, not the credential. It is written within a second and synced
 * when files are merged and at `close`; the records of the journal, which are synced before use, stand in for what a
 * power cut takes.
 */
export interface HighWater {
  /** What the last start left; null: this data folder is new. */
  readonly remembered: (HighWaterOrigin & { readonly tick: number }) | null
  /** Raises a mark in memory at once, on disk within a second. Never lowers one. */
  raise(mark: Mark): void
  /** The mark of a connection, if it was raised lately by this process. */
  recent(connection: ConnectionId): Mark | undefined
  /** The database has acknowledged this tick: marks raised before it are known to be in the database. */
  ticked(tick: number): void
  /** Marks that no acknowledged tick covers. */
  uncovered(): readonly Mark[]
  /** Every mark, in portions, from the files: for a database that went back in time. */
  all(): AsyncIterable<readonly Mark[]>
  /** From here on the marks belong to this origin; those of `forget` are gone. */
  begin(origin: HighWaterOrigin, tick: number, forget: 'all' | ReadonlySet<ConnectionId>): Promise<void>
  close(): Promise<void>
}

/** Why nothing may be presented. */
export interface Distrust {
  readonly detail: string
}

/** Applies what the journal has for these connections, and keeps in memory what fits later. */
export type RollsForward = (wanted: ReadonlySet<ConnectionId>) => Promise<RolledForward>

export interface RolledForward {
  /** How many were applied. */
  readonly answers: number
  /** Once more for these, which another node brought further. Resolves with the generation at which nothing fitted, of each that has links left. */
  goOn(connections: readonly ConnectionId[]): Promise<ReadonlyMap<ConnectionId, number>>
}

export const NOTHING_ROLLED: RolledForward = { answers: 0, goOn: () => Promise.resolve(new Map()) }

export interface Examination {
  readonly trusted: boolean
  /** Answers to requests sent before this instant belong to a history that an operator has given up. */
  readonly eraAt: Instant
  readonly rolledForward: number
}

/**
 * Asked before every presentation, told of every credential that the database has acknowledged. An engine without
 * suspicion of its database uses {@link TRUSTING}.
 */
export interface Trust {
  /** Once, at boot, before anything is presented: compares the marks with the database. `rollForward` is kept for later. */
  examine(rollForward: RollsForward): Promise<Examination>
  /** Null: present it. Otherwise nothing is presented; the stored access token is served while it lives. Rejects as the store does. */
  mayPresent(row: GrantRow, reuse: Reuse): Promise<Distrust | null>
  /** The database has this generation. */
  stored(mark: Mark, reuse: Reuse): void
  /** The database said a generation lower than one that it had acknowledged to this node. */
  wentBack(connection: ConnectionId, acknowledged: number, said: number): void
  /** Another node may have stored something new for it: in an older database that is a turn in rolling it forward. */
  moved(connection: ConnectionId): void
}

export const TRUSTING: Trust = {
  examine: () => Promise.resolve({ trusted: true, eraAt: 0, rolledForward: 0 }),
  mayPresent: () => Promise.resolve(null),
  stored: () => {},
  wentBack: () => {},
  moved: () => {},
}
