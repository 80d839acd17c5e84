import { type EventType, SYSTEM_ACTOR } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import type { Suspicion } from '../connection/credential.ts'
import type { FaultCode } from '../fault/fault.ts'
import { type IntentId, newId } from '../ids.ts'
import type { ProviderSaid } from '../provider/verdict.ts'
import { HOUR, type Instant } from '../time.ts'
import { backoffMs } from './backoff.ts'
import type { FailureCommit, GrantRow, StoredAnswer } from './credentials.ts'
import { deathReport, endHeld } from './death-watch.ts'
import { untilDurable } from './durable.ts'
import type { EngineWorld } from './engine-ports.ts'
import { refusedItself } from './gate.ts'
import type { GrantContext } from './grant-contexts.ts'
import { suspicionOf } from './plan.ts'
import { isStrict } from './protocol-times.ts'
import type { NotGranted } from './settle-grant.ts'
import { deathMeansLostAnswer, presentableAt, windowOpen } from './suspicion.ts'

/** Providers end a lifetime by their own clock. */
const END_TOLERANCE_MS = HOUR

interface FailedPresentation {
  readonly row: GrantRow
  readonly grantContext: GrantContext
  /** Null when it failed before any claim. */
  readonly intent: IntentId | null
  readonly sentAt: Instant | null
  /** No claim of this intent says in the database when it was sent: the suspicion counts from `sentAt` all the same. */
  readonly unclaimed?: boolean
  readonly answer: StoredAnswer | null
  readonly verdict: NotGranted
}

interface RecordedFailure {
  readonly fault: StoredFault
  readonly retryAt: Instant | null
  /** The generation moved meanwhile: the verdict is about an old token and changed nothing. */
  readonly moved: boolean
}

/** What one failed presentation does to its connection. Never more than the evidence allows. */
export async function recordFailure(world: EngineWorld, failed: FailedPresentation): Promise<RecordedFailure> {
  const now = world.clock.wall()
  const { row, grantContext, verdict } = failed
  const suspicion = suspicionOf(row, now)
  const fault = faultOf(world, failed, suspicion, now)
  const effect = effectOf(failed)
  const nextAttemptAt = effect === 'dead' ? null : nextAttempt(world, failed, suspicion, now)
  const retryAt = effect === 'suspect' ? suspectRetryAt(world, failed, suspicion, nextAttemptAt, now) : nextAttemptAt
  const commit: FailureCommit = {
    connection: row.connection.id,
    organization: row.connection.organization,
    intent: failed.intent,
    attempt: failed.intent ?? newId('itn', world.entropy),
    presentedGeneration: row.credential.generation,
    answer: failed.answer,
    effect,
    answered: verdict.kind === 'unknown' && verdict.answered,
    fault,
    // What is refused to the client is no trouble of the grant; what is refused to one grant again and again is.
    countsAsFailure: verdict.kind !== 'config' || refusedItself(row, grantContext.integration) !== null,
    nextAttemptAt,
    dueAt: effect === 'dead' ? null : (retryAt ?? now + world.times.blockedProbeMs),
    event: failureEvent(world, failed, fault, effect),
    death:
      effect === 'dead'
        ? deathReport({ row, fault, refreshes: world.answered.count(row.connection.integration, world.clock.mono()) }, world.times, world.entropy)
        : null,
  }
  const outcome = await untilDurable(world, 'failure', () => world.credentials.commitFailure(commit))
  if (verdict.kind === 'config') await blockIntegration(world, grantContext, fault)
  if (outcome.kind === 'held' && commit.death !== null) return { fault: commit.death.heldFault, retryAt: now + world.times.heldProbeMs, moved: false }
  return { fault, retryAt, moved: outcome.kind === 'moved' }
}

function effectOf(failed: FailedPresentation): FailureCommit['effect'] {
  switch (failed.verdict.kind) {
    case 'dead':
      return 'dead'
    case 'unknown':
      return 'suspect'
    case 'pre_send':
    case 'throttled':
    case 'config':
    case 'restart_flow':
      return 'untouched'
  }
}

/** The provider does not say why; a lifetime that is over does. */
function endedAsKnown({ row }: FailedPresentation, now: Instant): boolean {
  const { endsAt } = row.health
  return endsAt !== null && now >= endsAt - END_TOLERANCE_MS
}

function codeOf(failed: FailedPresentation, lost: boolean, now: Instant): FaultCode {
  const { verdict } = failed
  switch (verdict.kind) {
    case 'dead':
      return lost ? 'refresh_outcome_lost' : endedAsKnown(failed, now) && verdict.code === 'connection_revoked' ? 'connection_expired' : verdict.code
    case 'throttled':
      return 'provider_rate_limited'
    case 'config':
      return 'client_rejected'
    case 'pre_send':
    case 'restart_flow':
      return 'provider_unavailable'
    case 'unknown':
      return verdict.answered && (verdict.said.httpStatus ?? 0) >= 500 ? 'provider_unavailable' : 'outcome_unknown'
  }
}

/** The evidence of a lost answer is the presentation that was lost, not the probe that found out. */
function faultOf(world: EngineWorld, failed: FailedPresentation, suspicion: Suspicion | null, now: Instant): StoredFault {
  const lost = failed.verdict.kind === 'dead' && deathMeansLostAnswer(suspicion, failed.grantContext.reuse, now, world.times)
  const said: ProviderSaid = failed.verdict.said
  return {
    code: codeOf(failed, lost, now),
    at: failed.unclaimed === true ? (failed.sentAt ?? now) : now,
    evidence: {
      intent: lost && suspicion !== null ? suspicion.intent : failed.intent,
      httpStatus: said.httpStatus,
      providerCode: said.code,
      providerText: said.text,
      answerHash: failed.answer?.bodyHash ?? null,
    },
  }
}

function nextAttempt(world: EngineWorld, failed: FailedPresentation, suspicion: Suspicion | null, now: Instant): Instant | null {
  const { verdict, row, grantContext } = failed
  const { times } = world
  const { reuse } = grantContext
  if (verdict.kind === 'config') return null
  const floorMs = verdict.kind === 'throttled' || verdict.kind === 'unknown' ? (verdict.retryAfterMs ?? 0) : 0
  const again = (baseMs: number, capMs: number) => now + backoffMs({ baseMs, capMs, failures: row.health.failures, floorMs }, world.entropy.uniform())
  if (verdict.kind !== 'unknown') return again(times.backoffBaseMs, times.backoffCapMs)
  const opened: Suspicion = suspicion ?? { intent: failed.intent ?? 'itn_none', at: failed.sentAt ?? now, answered: verdict.answered }
  if (windowOpen(opened, reuse, now, times)) return again(times.windowRetryMs, Math.max(times.windowRetryMs, reuse.windowMs / 6))
  if (!isStrict(reuse) && reuse.class !== 'P1') return again(times.eagerBackoffBaseMs, times.backoffCapMs)
  if (verdict.answered) return suspicion === null && reuse.class !== 'P3' ? now + floorMs : again(times.backoffBaseMs, times.backoffCapMs)
  return suspicion === null ? null : now + times.probeEveryMs
}

/** When the suspect will really be presented again: what callers are told as `retry_at`. */
function suspectRetryAt(world: EngineWorld, failed: FailedPresentation, suspicion: Suspicion | null, nextAttemptAt: Instant | null, now: Instant): Instant {
  const answered = failed.verdict.kind === 'unknown' && failed.verdict.answered
  const opened: Suspicion = suspicion ?? { intent: failed.intent ?? 'itn_none', at: failed.sentAt ?? now, answered }
  const { accessExpiresAt } = failed.row.credential
  const presentable = presentableAt({ suspicion: opened, reuse: failed.grantContext.reuse, accessExpiresAt, now }, world.times)
  return Math.max(presentable ?? accessExpiresAt ?? now + world.times.probeEveryMs, nextAttemptAt ?? 0)
}

/** One event when trouble begins or changes its name, not one per attempt. */
function failureEvent(world: EngineWorld, failed: FailedPresentation, fault: StoredFault, effect: FailureCommit['effect']): FailureCommit['event'] {
  const { connection, health } = failed.row
  if (endHeld(failed.row) && effect !== 'dead') return null
  const news = effect === 'dead' || health.failures === 0 || connection.fault?.code !== fault.code
  if (!news) return null
  const type: EventType = effect === 'dead' ? 'connection.needs_reauth' : effect === 'suspect' ? 'connection.suspect' : 'connection.refresh_failed'
  const { httpStatus, providerCode, providerText } = fault.evidence
  return {
    id: newId('evt', world.entropy),
    organization: connection.organization,
    type,
    at: fault.at,
    actor: SYSTEM_ACTOR,
    connection: connection.id,
    subject: fault.evidence.intent,
    data: { code: fault.code, generation: failed.row.credential.generation, http_status: httpStatus, provider_code: providerCode, provider_text: providerText },
  }
}

/** Told once, however many find out at once. */
export async function blockIntegration(world: EngineWorld, context: GrantContext, fault: StoredFault): Promise<void> {
  const { integration } = context
  const event = {
    id: newId('evt', world.entropy),
    organization: integration.organization,
    type: 'integration.blocked' as const,
    at: fault.at,
    actor: SYSTEM_ACTOR,
    connection: null,
    subject: integration.id,
    data: { code: fault.code, provider_code: fault.evidence.providerCode, provider_text: fault.evidence.providerText },
  }
  if (integration.blocked === null) await untilDurable(world, 'block', () => world.integrations.setBlocked(integration.id, fault, event))
  world.contexts.forget(integration.id)
}
