import type { Suspicion } from '../connection/credential.ts'
import { endedByClockAlone } from '../connection/status.ts'
import type { FaultCode } from '../fault/fault.ts'
import type { RefreshFacts } from '../provider/record.ts'
import type { Reuse } from '../provider/reuse.ts'
import type { Instant } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import { endHeld } from './death-watch.ts'
import { endedWithItself, refreshableFrom } from './own-renewal.ts'
import type { ProtocolTimes } from './protocol-times.ts'
import { presentableAt } from './suspicion.ts'

/** Who asks: a reader, a person who wants it now, the due queue, or the death watch. */
export type PlanAsk =
  | { readonly kind: 'read'; readonly minTtlMs: number; readonly rejectedGeneration: number | null }
  | { readonly kind: 'force' }
  | { readonly kind: 'due' }
  /** The turn of a grant whose end is held. */
  | { readonly kind: 'held_probe' }

type RefreshReason = 'expiring' | 'expired' | 'rejected' | 'forced' | 'keep_alive' | 'probe'

/** What to do with a connection at a given instant. Pure: the same input always gives the same plan. */
export type RefreshPlan =
  | { readonly kind: 'fresh' }
  /** `background`: the old token is served meanwhile and a failure stays invisible. */
  | { readonly kind: 'refresh'; readonly reason: RefreshReason; readonly background: boolean }
  | { readonly kind: 'wait'; readonly until: Instant | null; readonly code: FaultCode }
  | { readonly kind: 'reconnect'; readonly code: FaultCode }

interface PlanInput {
  readonly row: GrantRow
  readonly reuse: Reuse
  readonly ask: PlanAsk
  readonly now: Instant
  /** What the record says of its refresh; without it, an ordinary one. */
  readonly refresh?: Pick<RefreshFacts, 'presents' | 'minimumAgeSeconds'>
}

/** The oldest presentation of this generation whose outcome is not known, open intents of dead holders included. */
export function suspicionOf(row: GrantRow, now: Instant): Suspicion | null {
  const { suspicion, intent, lease, generation } = row.credential
  if (suspicion !== null) return suspicion
  const orphaned = intent !== null && intent.generation === generation && (lease === null || lease.until <= now)
  return orphaned ? { intent: intent.id, at: intent.at, answered: false } : null
}

/** True when the stored access token may be handed out for `needMs` more milliseconds. */
export function servable(row: GrantRow, now: Instant, minTtlMs = 0): boolean {
  const { accessToken, accessExpiresAt, obtainedAt } = row.credential
  if (accessToken === null) return false
  if (accessExpiresAt === null) return true
  const halfLife = Math.max(0, (accessExpiresAt - obtainedAt) / 2)
  return accessExpiresAt - now > Math.min(minTtlMs, halfLife)
}

export function planRefresh(input: PlanInput, times: ProtocolTimes): RefreshPlan {
  const { row, ask, now } = input
  const stopped = endedByClockAlone(row, now) ? null : stateStops(row)
  if (stopped !== null) return stopped
  const wanted = wantedRefresh(row, ask, now)
  if (wanted === null) return { kind: 'fresh' }
  if (row.credential.refreshToken === null) return withoutRefreshToken(input)
  return outsideItsTime(wanted, input) ?? gate(wanted, input, times)
}

function stateStops(row: GrantRow): RefreshPlan | null {
  const { state, fault } = row.connection
  switch (state) {
    case 'active':
      return null
    case 'needs_reauth':
      return { kind: 'reconnect', code: fault?.code ?? 'connection_revoked' }
    case 'paused':
      return { kind: 'reconnect', code: 'connection_paused' }
    case 'disconnected':
      return { kind: 'reconnect', code: 'connection_disconnected' }
  }
}

function wantedRefresh(row: GrantRow, ask: PlanAsk, now: Instant): Extract<RefreshPlan, { kind: 'refresh' }> | null {
  const { credential } = row
  if (ask.kind === 'force') return { kind: 'refresh', reason: 'forced', background: false }
  if (ask.kind === 'due' || ask.kind === 'held_probe') return dueRefresh(row, now)
  if (ask.rejectedGeneration !== null && ask.rejectedGeneration === credential.generation) {
    return { kind: 'refresh', reason: 'rejected', background: false }
  }
  if (!servable(row, now, ask.minTtlMs)) return { kind: 'refresh', reason: 'expired', background: false }
  if (credential.hardAt !== null && now >= credential.hardAt) return { kind: 'refresh', reason: 'expiring', background: false }
  if (credential.softAt !== null && now >= credential.softAt) return { kind: 'refresh', reason: 'expiring', background: true }
  return null
}

function dueRefresh(row: GrantRow, now: Instant): Extract<RefreshPlan, { kind: 'refresh' }> {
  if (suspicionOf(row, now) !== null) return { kind: 'refresh', reason: 'probe', background: true }
  const { softAt } = row.credential
  const reason = softAt !== null && now >= softAt ? 'expiring' : 'keep_alive'
  return { kind: 'refresh', reason, background: true }
}

/** Nothing can renew it: the token lives until its end, and then only its owner can help. */
function withoutRefreshToken({ row, reuse, ask, now }: PlanInput): RefreshPlan {
  const code = reuse.credentials === true ? 'new_credentials_needed' : 'connection_expired'
  if (ask.kind === 'read' && ask.rejectedGeneration === row.credential.generation) return { kind: 'reconnect', code }
  if (ask.kind === 'force') return { kind: 'reconnect', code: servable(row, now) ? 'refresh_not_supported' : code }
  return servable(row, now) ? { kind: 'fresh' } : { kind: 'reconnect', code }
}

/** An access token that renews itself is presented only while it lives, and only when it is old enough: sooner, a refusal says nothing about the grant. */
function outsideItsTime(wanted: Extract<RefreshPlan, { kind: 'refresh' }>, input: PlanInput): RefreshPlan | null {
  const { row, ask, now, refresh } = input
  if (refresh === undefined) return null
  if (endedWithItself(row.credential, refresh, now)) return withoutRefreshToken(input)
  if (refresh.minimumAgeSeconds === null) return null
  const from = refreshableFrom(row.credential.obtainedAt, refresh)
  if (now >= from) return null
  return ask.kind === 'read' && wanted.background ? { kind: 'fresh' } : { kind: 'wait', until: from, code: 'refresh_too_early' }
}

/** When the wish must wait: an absolute end, back-off, or a suspicion whose time has not come. */
function gate(wanted: Extract<RefreshPlan, { kind: 'refresh' }>, input: PlanInput, times: ProtocolTimes): RefreshPlan {
  const { row, reuse, now } = input
  const { accessExpiresAt } = row.credential
  const { nextAttemptAt } = row.health
  const suspicion = suspicionOf(row, now)
  if (endHeld(row)) return heldGate(wanted, input, times)
  if (suspicion === null) {
    const until = nextAttemptAt ?? 0
    return until > now ? { kind: 'wait', until, code: row.connection.fault?.code ?? 'provider_unavailable' } : wanted
  }
  const presentable = presentableAt({ suspicion, reuse, accessExpiresAt, now }, times)
  if (presentable === null) return neverAgain(row, now, times)
  const until = Math.max(presentable, nextAttemptAt ?? 0)
  return until > now ? { kind: 'wait', until, code: 'outcome_unknown' } : { ...wanted, reason: 'probe' }
}

/**
 * It will never be presented again, so that only its own answer can still save it. As long as the lease stands, its holder may
 * have that answer in hand: a node that comes back takes its own lease back, and of one that is lost it is taken (takeover.ts).
 */
function neverAgain(row: GrantRow, now: Instant, times: ProtocolTimes): RefreshPlan {
  const { suspicion, lease, accessExpiresAt } = row.credential
  if (servable(row, now)) return { kind: 'wait', until: accessExpiresAt, code: 'outcome_unknown' }
  if (suspicion === null && lease !== null) return { kind: 'wait', until: now + times.leaseMs, code: 'outcome_unknown' }
  return { kind: 'reconnect', code: 'refresh_outcome_lost' }
}

/** An end that is held is asked about in its turn and by nobody else, and no clock makes it final. */
function heldGate(wanted: Extract<RefreshPlan, { kind: 'refresh' }>, { row, reuse, ask, now }: PlanInput, times: ProtocolTimes): RefreshPlan {
  const suspicion = suspicionOf(row, now)
  const { accessExpiresAt } = row.credential
  const presentable = suspicion === null ? now : presentableAt({ suspicion, reuse, accessExpiresAt, now }, times)
  if (ask.kind === 'held_probe' && presentable !== null && presentable <= now) return { ...wanted, reason: 'probe' }
  return { kind: 'wait', until: now + times.heldProbeMs, code: 'deaths_held' }
}
