import type { FaultCode } from '../fault/fault.ts'
import type { Instant } from '../time.ts'

/** Why this node must not start spending now. */
export interface Refusal {
  readonly code: FaultCode
  readonly detail: string
}

/** What the engine asks about its own node. A simulation answers for a node that is paused, cut off or wrong about the time. */
export interface Liveness {
  /** Null when this node may take leases. Synchronous: asked before every claim. Answers in hand are committed all the same. */
  refusal(): Refusal | null
  /** Raised whenever others could not see for a moment that this node lives: what was claimed before may be somebody else's since. Synchronous. */
  term(): number
  /** The database's time as a round trip brought it; the trip took `tripMs` by the monotonic clock. */
  sawDatabaseTime(at: Instant, tripMs: number): void
}

/** For a process that is alone with its database. */
export const ALONE: Liveness = { refusal: () => null, term: () => 0, sawDatabaseTime: () => {} }
