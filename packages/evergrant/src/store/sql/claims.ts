import type { ConnectionId, IntentId } from '../../core/ids.ts'
import type { ClaimOutcome, ClaimRequest, NodeIdentity } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { changed, type Dialect, type Program, row, rows, run } from './program.ts'
import { integer, integerOrNull, text, textOrNull } from './rows.ts'

/** An open intent that a new claim overwrites becomes the suspicion; an older suspicion stays. */
export const INTENT_BECOMES_SUSPICION = `
  suspect_at = case when suspect_intent is null then intent_at else suspect_at end,
  suspect_answered = case when suspect_intent is not null then suspect_answered when intent_id is not null then 0 end,
  suspect_intent = coalesce(suspect_intent, intent_id)`

/** Idempotent by intent: whoever lost the answer of a commit asks again and gets it. */
export function* claim(dialect: Dialect, request: ClaimRequest): Program<ClaimOutcome> {
  // One writer: nothing can come between, and the usual claim is one statement and its due time.
  const taken = dialect.oneWriter && dialect.now !== undefined ? yield* claimAtOnce(request, dialect.now()) : undefined
  return taken ?? (yield* claimStepwise(dialect, request))
}

function* claimAtOnce(request: ClaimRequest, at: Instant): Program<ClaimOutcome | undefined> {
  const until = at + request.leaseMs
  const leased = yield* run(
    `update credential set ${INTENT_BECOMES_SUSPICION}, lease_owner = ?, lease_incarnation = ?, lease_epoch = lease_epoch + 1, lease_until = ?,
       intent_id = ?, intent_generation = generation, intent_at = ?
     where connection_id = ? and generation = ? and lease_epoch = ? and (lease_until is null or lease_until <= ?)
       and exists (select 1 from connection k where k.id = connection_id and k.state = 'active')`,
    request.node.id,
    request.node.incarnation,
    until,
    request.intent,
    at,
    request.connection,
    request.generation,
    request.epoch,
    at,
  )
  if (leased === 0) return undefined
  yield* run(
    'update health set leased_by = ?, due_at = ?, next_attempt_at = coalesce(?, next_attempt_at) where connection_id = ?',
    request.node.id,
    until,
    quietUntil(request, at),
    request.connection,
  )
  return { kind: 'claimed', epoch: request.epoch + 1, at }
}

function* claimStepwise(dialect: Dialect, request: ClaimRequest): Program<ClaimOutcome> {
  const found = yield* row(`select k.state from connection k where k.id = ? ${dialect.forUpdate('k')}`, request.connection)
  if (found === undefined || found.state === 'paused' || found.state === 'disconnected') return { kind: 'gone' }
  const current = yield* row(
    'select generation, lease_epoch, lease_until, intent_id, intent_at, now_ms() as now from credential where connection_id = ?',
    request.connection,
  )
  if (current === undefined) return { kind: 'gone' }
  const generation = integer(current, 'generation')
  if (generation !== request.generation) return { kind: 'moved', generation }
  const at = integer(current, 'now')
  if (current.intent_id === request.intent) return { kind: 'claimed', epoch: integer(current, 'lease_epoch'), at: integer(current, 'intent_at') }
  const until = integerOrNull(current, 'lease_until')
  if (until !== null && until > at) return { kind: 'held', until }
  if (integer(current, 'lease_epoch') !== request.epoch) return { kind: 'moved', generation }
  const leased = yield* row(
    `update credential set ${INTENT_BECOMES_SUSPICION}, lease_owner = ?, lease_incarnation = ?, lease_epoch = lease_epoch + 1, lease_until = ?,
       intent_id = ?, intent_generation = generation, intent_at = ? where connection_id = ? returning lease_epoch`,
    request.node.id,
    request.node.incarnation,
    at + request.leaseMs,
    request.intent,
    at,
    request.connection,
  )
  yield* run(
    'update health set leased_by = ?, due_at = ?, next_attempt_at = coalesce(?, next_attempt_at) where connection_id = ?',
    request.node.id,
    found.state === 'active' ? at + request.leaseMs : null,
    quietUntil(request, at),
    request.connection,
  )
  return { kind: 'claimed', epoch: leased === undefined ? 0 : integer(leased, 'lease_epoch'), at }
}

function quietUntil({ quietMs }: ClaimRequest, at: Instant): Instant | null {
  return quietMs === undefined ? null : at + quietMs
}

/** Gives the lease and the intent back if they are still this intent's. Returns whether they were. */
export function* dropFlight(connection: ConnectionId, intent: IntentId): Program<boolean> {
  const dropped = yield* run(
    `update credential set lease_owner = null, lease_incarnation = null, lease_until = null, intent_id = null, intent_generation = null, intent_at = null
     where connection_id = ? and intent_id = ?`,
    connection,
    intent,
  )
  if (dropped === 1) yield* run('update health set leased_by = null where connection_id = ?', connection)
  return dropped === 1
}

export function* release(dialect: Dialect, connection: ConnectionId, intent: IntentId, dueAt: Instant | null): Program<void> {
  const found = yield* row(`select k.state from connection k where k.id = ? ${dialect.forUpdate('k')}`, connection)
  if (found === undefined) return
  if (!(yield* dropFlight(connection, intent))) return
  if (found.state === 'active') yield* run('update health set due_at = ?, next_attempt_at = null where connection_id = ?', dueAt, connection)
  yield* changed({ kind: 'connection', connection })
}

export function* reclaim(dialect: Dialect, node: NodeIdentity): Program<number> {
  const candidates = yield* rows('select connection_id from health where leased_by = ? order by connection_id', node.id)
  let freed = 0
  for (const candidate of candidates) if (yield* reclaimOne(dialect, text(candidate, 'connection_id') as ConnectionId, node)) freed += 1
  return freed
}

function* reclaimOne(dialect: Dialect, connection: ConnectionId, node: NodeIdentity): Program<boolean> {
  const found = yield* row(`select k.state from connection k where k.id = ? ${dialect.forUpdate('k')}`, connection)
  const current = yield* row('select lease_owner, lease_incarnation from credential where connection_id = ?', connection)
  if (found === undefined || current === undefined) return false
  if (textOrNull(current, 'lease_owner') !== node.id || textOrNull(current, 'lease_incarnation') === node.incarnation) return false
  yield* freeLease(connection, text(found, 'state'))
  return true
}

/** One that this very incarnation took is freed only when it is over. */
export function* reclaimForgotten(dialect: Dialect, connection: ConnectionId, node: NodeIdentity, epoch: number): Program<boolean> {
  const found = yield* row(`select k.state from connection k where k.id = ? ${dialect.forUpdate('k')}`, connection)
  const current = yield* row(
    'select lease_owner, lease_incarnation, lease_epoch, lease_until, now_ms() as now from credential where connection_id = ?',
    connection,
  )
  if (found === undefined || current === undefined) return false
  if (textOrNull(current, 'lease_owner') !== node.id || integer(current, 'lease_epoch') !== epoch) return false
  const over = (integerOrNull(current, 'lease_until') ?? 0) <= integer(current, 'now')
  if (!over && textOrNull(current, 'lease_incarnation') === node.incarnation) return false
  yield* freeLease(connection, text(found, 'state'))
  return true
}

/** The lease goes, the epoch stays; an open intent becomes the suspicion, and the connection is due now. */
export function* freeLease(connection: ConnectionId, state: string): Program<void> {
  yield* run(
    `update credential set ${INTENT_BECOMES_SUSPICION}, lease_owner = null, lease_incarnation = null, lease_until = null,
       intent_id = null, intent_generation = null, intent_at = null where connection_id = ?`,
    connection,
  )
  yield* run(`update health set leased_by = null, due_at = ${state === 'active' ? 'now_ms()' : 'null'} where connection_id = ?`, connection)
  yield* changed({ kind: 'connection', connection })
}
