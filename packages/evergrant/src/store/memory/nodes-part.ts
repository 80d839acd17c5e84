import { Fault } from '../../core/fault/fault.ts'
import type { ConnectionId } from '../../core/ids.ts'
import type { NodeIdentity } from '../../core/refresh/credentials.ts'
import type { Membership, NodeReport, Nodes } from '../../core/refresh/nodes.ts'
import type { Clock, Instant, Timers } from '../../core/time.ts'
import { freeLease } from './claims.ts'
import type { Tables } from './tables.ts'

const LOOK_AGAIN_MS = 100

/** What happens to a liveness lock without its process's doing. */
export interface NodeLocks {
  /** The connection that holds the lock is gone: the process died, or is cut off. */
  drop(node: NodeIdentity): void
  /** A process that was cut off has its connection back. False when another process has taken the lock meanwhile. */
  retake(node: NodeIdentity): boolean
}

/** Locks belong to connections, not to rows: a restored snapshot leaves them as they are. */
export function nodesPart(tables: Tables, ports: { readonly clock: Clock; readonly timers: Timers }): { readonly nodes: Nodes; readonly locks: NodeLocks } {
  /** By node id: the incarnation that holds the lock. */
  const held = new Map<string, string>()
  const holds = (node: NodeIdentity) => held.get(node.id) === node.incarnation
  const take = (node: NodeIdentity): boolean => {
    if (held.has(node.id)) return holds(node)
    held.set(node.id, node.incarnation)
    enter(tables, node)
    return true
  }
  const drop = (node: NodeIdentity): void => {
    if (holds(node)) held.delete(node.id)
  }
  const membership = (node: NodeIdentity): Membership => ({
    held: () => holds(node),
    losses: () => 0,
    beat: async (draining) => {
      if (!holds(node)) throw new Fault('store_unavailable', { detail: `the liveness lock of ${node.id} is lost` })
      return beat(tables, node, draining)
    },
    leave: async () => {
      if (!holds(node)) return
      held.delete(node.id)
      if (tables.connections.ofHolder(node.id).length === 0) tables.nodes.delete(node.id)
    },
  })
  return {
    nodes: {
      join: async (node, patienceMs) => {
        const until = ports.clock.mono() + patienceMs
        while (!take(node)) {
          if (ports.clock.mono() >= until) throw new Fault('invalid_request', { field: 'EVERGRANT_NODE_ID', detail: `a live process is ${node.id} already` })
          await ports.timers.sleep(LOOK_AGAIN_MS)
        }
        return membership(node)
      },
      list: async () => [...tables.nodes.values()].sort((left, right) => (left.id < right.id ? -1 : 1)).map((row) => ({ ...row, alive: held.has(row.id) })),
      tell: async (node, keyring, about) => {
        const row = tables.nodes.get(node.id)
        if (row === undefined || row.incarnation !== node.incarnation) return false
        tables.nodes.set(node.id, { ...row, keyring, about })
        return true
      },
      leasesOf: async (node, after, limit) => leasesOf(tables, node, after, limit),
      takeOver: async (connection, holder, epoch) => !held.has(holder) && takeOver(tables, connection, holder, epoch),
      forgetLost: async (olderThan) => forgetLost(tables, (id) => held.has(id), olderThan),
    },
    locks: { drop, retake: take },
  }
}

/** A process that has not said anything of itself yet. */
const SILENT = { keyring: null, about: null }

/** A row that is there already, of an earlier process or of this one before it lost its lock, becomes this process's. */
function enter(tables: Tables, { id, incarnation }: NodeIdentity): void {
  const at = tables.now()
  const earlier = tables.nodes.get(id)
  const startedAt = earlier?.incarnation === incarnation ? earlier.startedAt : at
  const { keyring, about } = earlier?.incarnation === incarnation ? earlier : SILENT
  tables.nodes.set(id, { id, incarnation, startedAt, heartbeatAt: at, draining: false, keyring, about })
}

function beat(tables: Tables, node: NodeIdentity, draining: boolean): Instant {
  const at = tables.now()
  const row = tables.nodes.get(node.id)
  if (row === undefined) enter(tables, node)
  else tables.nodes.set(node.id, { ...row, heartbeatAt: at, draining })
  return at
}

function leasesOf(tables: Tables, node: string, after: ConnectionId | null, limit: number): ConnectionId[] {
  const ids = tables.connections.ofHolder(node).map((row) => row.grant.connection.id)
  return ids.filter((id) => after === null || id > after).slice(0, limit)
}

function takeOver(tables: Tables, connection: ConnectionId, holder: string, epoch: number): boolean {
  const row = tables.connections.get(connection)
  if (row === undefined || row.grant.credential.lease?.owner !== holder || row.grant.credential.epoch !== epoch) return false
  freeLease(tables, row)
  return true
}

/** A row stays while leases name it: whoever looks for lost nodes finds them by it. */
function forgetLost(tables: Tables, lives: (id: string) => boolean, olderThan: Instant): number {
  const lost = [...tables.nodes.values()].filter((row: Omit<NodeReport, 'alive'>) => {
    return row.heartbeatAt < olderThan && !lives(row.id) && tables.connections.ofHolder(row.id).length === 0
  })
  for (const row of lost) tables.nodes.delete(row.id)
  return lost.length
}
