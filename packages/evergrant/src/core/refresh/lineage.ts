import type { NewEvent } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import type { FaultCode } from '../fault/fault.ts'
import type { ConnectionId, EventId, OrganizationId } from '../ids.ts'
import { type Instant, SECOND } from '../time.ts'

/** A grant made this much later than the end of the trust was made after it, whatever the clocks of two machines say. */
export const FRESH_AFTER_MS = 60 * SECOND

/** Where a database lives: what a copy of it cannot have in common with it. */
export interface DatabaseHome {
  /** PostgreSQL: system identifier and database oid. Embedded: the id of the data folder. */
  readonly id: string
  /** For people: the database's name or the file's. */
  readonly name: string
  /** PostgreSQL's timeline: another one after every promotion. Null where there is none, or the server does not tell. */
  readonly timeline: number | null
}

/**
 * `trusted`: what it holds is the newest we know of. `restored`: it is older than something that we saw it acknowledge.
 * `cloned`: it was written elsewhere, and the original may be alive.
 */
export type Trusted = 'trusted' | 'restored' | 'cloned'

/** The database's own account of itself. One row. */
export interface Lineage {
  /** Drawn when the database was made, and again when a copy is told that it is one. */
  readonly instance: string
  /** Null: its server does not say. */
  readonly home: DatabaseHome | null
  /** +1 whenever an operator says `restore confirm`: what was marked in an earlier era says nothing about this one. */
  readonly era: number
  readonly eraAt: Instant
  readonly trusted: Trusted
  /** When the trust ended, by the database's clock; null while it is trusted. */
  readonly since: Instant | null
  /** Why, for operators; null while it is trusted. */
  readonly reason: string | null
}

/** What a node reports as older in the database than it has to be. */
export interface BehindGrant {
  readonly connection: ConnectionId
  /** What the node saw the database acknowledge. */
  readonly marked: number
  /** What the database says; null: it does not know the connection, which was made after the backup. */
  readonly stored: number | null
}

export interface ReportedBehind extends BehindGrant {
  readonly organization: OrganizationId | null
  readonly owner: string | null
  readonly integration: string | null
  /** True when it moved on since (a reconnect, a roll-forward by another node): nothing is wrong with it any more. */
  readonly mended: boolean
}

/** One node's part in the comparison. */
export interface NodeComparison {
  readonly node: string
  readonly tick: number
  /** When it last raised its tick, by the database's clock. */
  readonly at: Instant
  /** The era and state in which it has compared its marks and rolled its journal forward; null: not yet. */
  readonly comparedEra: number | null
}

export interface StoredGeneration {
  readonly connection: ConnectionId
  readonly generation: number
  readonly fingerprint: string | null
}

/** Ends the grants that `endBehind` finds; ids are drawn by the caller, as many as `limit`. */
export interface EndGrants {
  readonly limit: number
  readonly fault: StoredFault
  /** One for each grant that may end. */
  readonly events: readonly EventId[]
  readonly event: Pick<NewEvent, 'at' | 'actor'>
}

export interface Ticked {
  readonly before: number | null
  readonly lineage: Lineage
  /** Of the server that answered; absent where there is none. */
  readonly timeline?: number
}

/**
 * Faults of grants that an operator's confirmation has ended. No answer of earlier days lifts them: newer ones may have
 * been given up with it, and a token from the middle of a chain ends the grant at a provider that punishes old ones.
 */
export const GIVEN_UP: readonly FaultCode[] = ['rotated_after_backup', 'grant_kept_elsewhere']

/** How many connections one node's journal may still bring forward: it has not looked at the generation that is stored now. */
export interface RollingNode {
  readonly node: string
  readonly connections: number
}

/** The store's part in finding out that a database went back in time, or is a copy. */
export interface Lineages {
  /** Where the database is now, as its server says. Null for the embedded one, and where the server does not tell. */
  whereabouts(): Promise<DatabaseHome | null>
  /** Written once, at the first start of all; afterwards only read. */
  open(first: { readonly instance: string; readonly home: DatabaseHome | null }): Promise<Lineage>
  /**
   * Raises the node's tick to `expected + 1` if it is `expected`. `before`: what was stored, null for a node that the
   * database does not know. A database whose tick is lower than one that it acknowledged went back in time.
   */
  tick(node: string, expected: number): Promise<Ticked>
  /** The first tick of a node whose data folder is new: whatever is stored, plus one. */
  firstTick(node: string): Promise<{ readonly tick: number; readonly lineage: Lineage }>
  /** Ends the trust. False when it had ended before: nothing is written, and no second event. */
  distrust(trusted: Exclude<Trusted, 'trusted'>, reason: string, event: NewEvent): Promise<boolean>
  /** Notes a new timeline (or name) of the same home. */
  move(home: DatabaseHome, event: NewEvent): Promise<void>
  generationsOf(connections: readonly ConnectionId[]): Promise<readonly StoredGeneration[]>
  /** Replaces what this node reported; and notes that it has compared in this era. */
  report(node: string, era: number, behind: readonly BehindGrant[]): Promise<void>
  /** Replaces what this node reported of these connections alone; those that are not in `behind` are no longer reported. */
  reportAgain(node: string, looked: readonly ConnectionId[], behind: readonly BehindGrant[]): Promise<void>
  /** Nodes that reported a connection which has come further since, so that their journals may bring it further still. */
  rolling(): Promise<readonly RollingNode[]>
  reported(limit: number): Promise<readonly ReportedBehind[]>
  nodes(): Promise<readonly NodeComparison[]>
  /** `needs_reauth` for reported grants that are still behind. Returns how many; fewer than `limit`: none is left. */
  endBehind(end: EndGrants): Promise<number>
  /** `needs_reauth` for every grant that was not made in this copy, and no upstream revocation of theirs. Returns how many. */
  endInherited(end: EndGrants): Promise<number>
  /** Trusted again, in a new era, at this home. `instance`: the new one of a copy, null to keep it. Reports and ticks are forgotten. */
  confirm(home: DatabaseHome | null, instance: string | null, event: NewEvent): Promise<Lineage>
}
