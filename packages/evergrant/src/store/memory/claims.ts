import type { Credential } from '../../core/connection/credential.ts'
import type { ConnectionId, IntentId } from '../../core/ids.ts'
import type { ClaimOutcome, ClaimRequest, DueConnection, NodeIdentity, ReadMark } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import type { StoredConnection } from './connection-table.ts'
import type { Tables } from './tables.ts'

export const NO_FLIGHT = { lease: null, intent: null } as const

/** An open intent that is overwritten becomes the suspicion; an older suspicion stays. */
function suspicionOf({ suspicion, intent }: Credential): Credential['suspicion'] {
  if (suspicion !== null || intent === null) return suspicion
  return { intent: intent.id, at: intent.at, answered: false }
}

/** Idempotent by intent: whoever lost the answer of a claim asks again and gets it. */
export function claim(tables: Tables, request: ClaimRequest): ClaimOutcome {
  const row = tables.connections.get(request.connection)
  const state = row?.grant.connection.state
  if (row === undefined || state === 'paused' || state === 'disconnected') return { kind: 'gone' }
  const { credential } = row.grant
  const { generation } = credential
  if (generation !== request.generation) return { kind: 'moved', generation }
  if (credential.intent?.id === request.intent) return { kind: 'claimed', epoch: credential.epoch, at: credential.intent.at }
  const at = tables.now()
  if (credential.lease !== null && credential.lease.until > at) return { kind: 'held', until: credential.lease.until }
  if (credential.epoch !== request.epoch) return { kind: 'moved', generation }
  const epoch = credential.epoch + 1
  const until = at + request.leaseMs
  tables.connections.change(row, {
    credential: {
      suspicion: suspicionOf(credential),
      epoch,
      lease: { owner: request.node.id, incarnation: request.node.incarnation, epoch, until },
      intent: { id: request.intent, generation, at },
    },
    health: { dueAt: state === 'active' ? until : null, ...(request.quietMs !== undefined && { nextAttemptAt: at + request.quietMs }) },
    leasedBy: request.node.id,
  })
  return { kind: 'claimed', epoch, at }
}

/** Gives the lease and the intent back if they are still this intent's; the row as it then is. */
export function dropFlight(tables: Tables, row: StoredConnection, intent: IntentId): StoredConnection {
  if (row.grant.credential.intent?.id !== intent) return row
  return tables.connections.change(row, { credential: NO_FLIGHT, leasedBy: null })
}

export function release(tables: Tables, connection: ConnectionId, intent: IntentId, dueAt: Instant | null): void {
  const row = tables.connections.get(connection)
  if (row === undefined || row.grant.credential.intent?.id !== intent) return
  const health = row.grant.connection.state === 'active' ? { dueAt, nextAttemptAt: null } : {}
  tables.connections.change(row, { credential: NO_FLIGHT, leasedBy: null, health })
  tables.changed({ kind: 'connection', connection })
}

/** The holder is gone: its open intent becomes the suspicion, and the row is due now. */
export function freeLease(tables: Tables, row: StoredConnection): void {
  const { connection, credential } = row.grant
  tables.connections.change(row, {
    credential: { ...NO_FLIGHT, suspicion: suspicionOf(credential) },
    health: { dueAt: connection.state === 'active' ? tables.now() : null },
    leasedBy: null,
  })
  tables.changed({ kind: 'connection', connection: connection.id })
}

export function reclaim(tables: Tables, node: NodeIdentity): number {
  let freed = 0
  for (const row of tables.connections.ofHolder(node.id)) {
    const { credential } = row.grant
    if (credential.lease === null || credential.lease.owner !== node.id || credential.lease.incarnation === node.incarnation) continue
    freeLease(tables, row)
    freed += 1
  }
  return freed
}

/** One that this very incarnation took is freed only when it is over. */
export function reclaimForgotten(tables: Tables, connection: ConnectionId, node: NodeIdentity, epoch: number): boolean {
  const row = tables.connections.get(connection)
  const lease = row?.grant.credential.lease
  if (row === undefined || lease === null || lease === undefined || lease.owner !== node.id || row.grant.credential.epoch !== epoch) return false
  if (lease.until > tables.now() && lease.incarnation === node.incarnation) return false
  freeLease(tables, row)
  return true
}

export function markReads(tables: Tables, marks: readonly ReadMark[]): void {
  for (const { connection: id, at, dueAt } of marks) {
    const row = tables.connections.get(id)
    if (row === undefined) continue
    const { connection, health } = row.grant
    const newer = (connection.lastReadAt ?? 0) < at
    const sooner = dueAt !== null && connection.state === 'active' && (health.dueAt ?? dueAt) >= dueAt
    if (newer || sooner) tables.connections.change(row, { ...(newer && { connection: { lastReadAt: at } }), ...(sooner && { health: { dueAt } }) })
  }
}

export function reschedule(tables: Tables, { connection, takenUntil }: Pick<DueConnection, 'connection' | 'takenUntil'>, dueAt: Instant | null): void {
  const row = tables.connections.get(connection)
  if (row?.grant.connection.state === 'active' && row.grant.health.dueAt === takenUntil) tables.connections.change(row, { health: { dueAt } })
}
