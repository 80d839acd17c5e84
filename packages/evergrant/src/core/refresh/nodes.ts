import type { ConnectionId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { NodeIdentity } from './credentials.ts'

/** What a node says of its master keys, by id. */
export interface NodeKeyring {
  /** All that open, the one that shall seal first. */
  readonly ids: readonly string[]
  /** The one that seals: a node that lacks it must not serve beside this one. */
  readonly seals: string
  /** Answers in its journal that the database is not known to have, by the key that seals them. */
  readonly journal: Readonly<Record<string, number>>
}

/** What a process says of itself, for people and for the others. */
export interface NodeAbout {
  /** `command`: a command line that opened the database itself. It serves nobody, and ends by itself. */
  readonly kind: 'server' | 'command'
  /** EVERGRANT_PUBLIC_URL: where its links, callbacks and issuers point to. */
  readonly publicUrl: string
}

/** One node as the others see it. Instants are the database's. */
export interface NodeReport extends NodeIdentity {
  readonly startedAt: Instant
  readonly heartbeatAt: Instant
  readonly draining: boolean
  /**
   * Its liveness lock is held: the process runs, or is paused. False: the lock is free, so the process is gone, or cut off
   * from the database so that it may start nothing.
   */
  readonly alive: boolean
  /** Null: it has not said yet, or is of a version that does not say. */
  readonly keyring: NodeKeyring | null
  /** Null as for `keyring`. */
  readonly about: NodeAbout | null
}

/** The nodes of one database and what is known of their lives (refresh-protocol 2.9). */
export interface Nodes {
  /**
   * Takes the liveness lock of this node's id and writes its row, or waits up to `patienceMs` for an earlier process whose
   * lock is not free yet. A holder whose heartbeat goes on meanwhile is refused sooner.
   * @throws Fault `invalid_request` on EVERGRANT_NODE_ID when another live process has this id
   */
  join(node: NodeIdentity, patienceMs: number): Promise<Membership>
  /** Every known node, by id. A few rows: nodes, not connections. */
  list(): Promise<readonly NodeReport[]>
  /** Writes what this process says of its keys and of itself. False: its row is another process's, or gone until its next heartbeat. */
  tell(node: NodeIdentity, keyring: NodeKeyring, about: NodeAbout): Promise<boolean>
  /** Connections that hold a lease of this node id, in order of id, after `after`. Costs O(limit). */
  leasesOf(node: string, after: ConnectionId | null, limit: number): Promise<readonly ConnectionId[]>
  /**
   * Frees a lease whose holder's lock is free, if owner and epoch are still these: its open intent becomes the suspicion
   * (at = intent time, unanswered) and the row is due now. False: the lease moved, or its holder lives.
   */
  takeOver(connection: ConnectionId, holder: string, epoch: number): Promise<boolean>
  /** Forgets rows of nodes that hold no lease, whose lock is free and whose heartbeat is older than `olderThan`. Returns how many. */
  forgetLost(olderThan: Instant): Promise<number>
}

/** This process's place among the nodes, for as long as it runs. */
export interface Membership {
  /** Synchronous. False from the moment the lock may be lost until it is taken again: others may take this node for dead meanwhile. */
  held(): boolean
  /** How often the lock was lost since this process joined. Synchronous. */
  losses(): number
  /** Writes the heartbeat; resolves with the database's time. Rejects while the lock is lost. */
  beat(draining: boolean): Promise<Instant>
  /** Gives the lock back and takes the row away. */
  leave(): Promise<void>
}
