import type { Actor, NewEvent } from '../audit/event.ts'
import type { OrganizationId, SweepId } from '../ids.ts'
import type { Instant } from '../time.ts'

/** How much work waits. Every number but the alerts stops at {@link WORKLOAD_MOST}: a long queue must not cost a long count. */
export interface Workload {
  /** Connections whose time has come and that nobody has taken. */
  readonly due: number
  /** When the one that waits for longest was due. */
  readonly oldestDueAt: Instant | null
  /** They wait for a provider that was away. */
  readonly parked: number
  /** Connections that some node is refreshing. */
  readonly leased: number
  /** Connections with a request whose answer never came. */
  readonly suspect: number
  readonly revocations: number
  readonly deliveries: number
  readonly notices: number
  readonly letters: number
  readonly alerts: readonly OpenAlerts[]
}

export interface OpenAlerts {
  readonly kind: string
  readonly severity: string
  readonly open: number
}

export const WORKLOAD_MOST = 10_000

/** One look at everything that was due at once, and what became of it. */
export interface Sweep {
  readonly id: SweepId
  readonly organization: OrganizationId
  readonly startedBy: Actor
  readonly startedAt: Instant
  /** Connections whose time had come when it began. */
  readonly due: number
  readonly progress: SweepProgress
  /** Null: it goes on, on whichever nodes there are. */
  readonly finishedAt: Instant | null
}

export interface SweepProgress {
  /** Of those that were due at the start: not yet tried, or under way. */
  readonly remaining: number
  /** Refreshes since the start, of any connection of the organization. */
  readonly refreshed: number
  /** Tries since the start that failed; each is repeated by itself. */
  readonly failed: number
  /** Connections whose owner has to act since the start. */
  readonly needsOwner: number
}

/** Key ids of sealed values, as far as one slice saw them. */
export interface SealedSlice {
  /** The table that it is of. */
  readonly table: string
  readonly counts: ReadonlyMap<string, number>
  /** Where the next slice goes on; null: all was seen. */
  readonly next: SealedCursor | null
}

/** A place in the table of sealed places, and the primary key of the last row that was seen there. */
export interface SealedCursor {
  readonly source: number
  readonly after: readonly string[]
}

export interface Operations {
  workload(): Promise<Workload>
  /** Counts what is due, and writes the sweep with its event. */
  startSweep(sweep: Omit<Sweep, 'due' | 'progress' | 'finishedAt'>, event: NewEvent): Promise<Sweep>
  /** Newest first. */
  sweeps(organization: OrganizationId, limit: number): Promise<readonly Sweep[]>
  sweep(organization: OrganizationId, id: SweepId): Promise<Sweep | undefined>
  /** Of all organizations, oldest first. */
  openSweeps(limit: number): Promise<readonly Sweep[]>
  /** Counts anew and writes what it found. Costs what happened since the start, never what exists. */
  measureSweep(sweep: Sweep): Promise<SweepProgress>
  /** Of many nodes one ends it, and writes the event. */
  finishSweep(sweep: Sweep, at: Instant, event: NewEvent): Promise<boolean>
  /** Removes finished ones. Returns how many, at most `limit`. */
  forgetSweeps(before: Instant, limit: number): Promise<number>
  /** Counts sealed values by the id of their key, some thousand at a time, so that nothing waits behind it. Null begins. */
  sealedSlice(cursor: SealedCursor | null): Promise<SealedSlice>
}

const MAGIC = 1

/** The id of the key in the header of a sealed value; null for what is no sealed value. */
export function sealedBy(header: Uint8Array): string | null {
  const [format, length] = header
  if (format !== MAGIC || length === undefined || length === 0 || header.length < 2 + length) return null
  return String.fromCharCode(...header.subarray(2, 2 + length))
}
