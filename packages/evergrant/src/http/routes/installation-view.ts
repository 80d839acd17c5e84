import { Type } from 'typebox'
import { type Installation, type InstallationStatus, keepsWorkloadOut } from '../../core/agent/installation.ts'
import type { InstallationDetails, ListedInstallation, RecoveryExplanation } from '../../core/agent/installation-service.ts'
import type { RecoveryAttempt } from '../../core/agent/installations.ts'
import { pauseUntil, recentRecoveries } from '../../core/agent/recovery-rules.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import type { TimelineEntry } from '../../core/agent/timeline.ts'
import { eventSentence } from '../../core/agent/timeline-words.ts'
import { ACCESS_TOKEN_SECONDS } from '../../core/session/access-token.ts'
import { DAY, type Instant, SECOND } from '../../core/time.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { JsonObjectSchema } from '../input.ts'
import { nullable, Time } from '../schema.ts'

/** SDKs renew at two thirds of an access token's life, give or take their jitter. */
const RENEWED_AFTER_MS = (ACCESS_TOKEN_SECONDS * SECOND * 2) / 3

const Metadata = Type.Object({
  source: Type.String({ description: '`enrolment`, `token_rotation`, `token_reissue`, `token_recovery`, `roll_forward` or `re_key`.' }),
  recovered_from: nullable(Type.String({ description: 'After a recovery: the token that it replaced.' })),
  recovery_reason: nullable(Type.String({ description: '`expired`, `hygiene`, `policy`, `key_rollover` or `approved`.' })),
})

export const SdkTokenView = Type.Object({
  id: Type.String(),
  generation: Type.Integer(),
  state: Type.String({ description: '`active`, `expired`, `superseded`, `withdrawn` or `revoked`.' }),
  created_at: Time,
  seen_at: nullable(Type.String({ description: 'When it was first seen in use; null: its answer may have been lost.' })),
  expires_at: Time,
  revoked_at: nullable(Time),
  revoke_class: nullable(Type.String({ description: '`hygiene`, `policy` and `key_rollover` heal; all others do not.' })),
  revoke_reason: nullable(Type.String()),
  revoked_by: nullable(Type.String()),
  address: nullable(Type.String()),
  user_agent: nullable(Type.String()),
  metadata: Metadata,
})

export const InstallationView = Type.Object({
  id: Type.String(),
  agent: Type.String(),
  name: Type.String(),
  status: Type.String({ description: '`active`, `recovery_blocked`, `locked` or `retired`.' }),
  generation: Type.Integer({ description: 'Of its newest token: one more with every refresh.' }),
  key_thumbprint: Type.String({ description: 'RFC 7638, SHA-256: the identity of the installation.' }),
  key_created_at: Time,
  custody: Type.String({ description: 'Where its machine says that the key lives.' }),
  enrolled_via: Type.String(),
  recovery_mode: nullable(Type.String({ description: 'Its own; null: as its agent.' })),
  lock: nullable(Type.Object({ code: Type.String(), at: Time, message: Type.String(), incident: nullable(Type.String()) })),
  workload_refused: Type.Boolean({ description: 'It was cut off or locked, and so its workload does not enrol again until that is lifted or unlocked.' }),
  rekey_until: nullable(Type.String({ description: 'Unlocked: until then it goes on with a new key, and not without.' })),
  host: nullable(Type.String({ description: "The machine's own word." })),
  platform: nullable(Type.String({ description: "The machine's own word." })),
  address: nullable(Type.String()),
  user_agent: nullable(Type.String()),
  created_at: Time,
  last_seen_at: nullable(Time),
  last_refreshed_at: nullable(Time),
  expires_at: nullable(Type.String({ description: 'Its absolute end, which nothing extends; null: none.' })),
  token: SdkTokenView,
})

export const DetailsView = Type.Object({
  ...InstallationView.properties,
  agent_name: Type.String(),
  agent_status: Type.String(),
  owner: Type.String(),
  next_refresh_at: nullable(Type.String({ description: 'About: two thirds of the life of its access token. Null where none is to come.' })),
  recovery: Type.Object({
    mode: Type.String({ description: 'What counts: its own, else its agent’s, else the organization’s.' }),
    limit: Type.Integer(),
    used: Type.Integer({ description: 'Counted recoveries in the window.' }),
    remaining: nullable(Type.Integer({ description: 'Null where none is counted.' })),
    window_days: Type.Number(),
    max_offline_days: Type.Number(),
    cooldown_until: nullable(Time),
  }),
})

function tokenState({ state, expiresAt }: SdkToken, now: Instant): string {
  return state === 'active' && now >= expiresAt ? 'expired' : state
}

export function sdkTokenView(token: SdkToken, now: Instant) {
  return {
    id: token.id,
    generation: token.generation,
    state: tokenState(token, now),
    created_at: iso(token.createdAt),
    seen_at: isoOrNull(token.activatedAt),
    expires_at: iso(token.expiresAt),
    revoked_at: isoOrNull(token.revokedAt),
    revoke_class: token.revokeClass,
    revoke_reason: token.revokeReason,
    revoked_by: token.revokedBy,
    address: token.address,
    user_agent: token.userAgent,
    metadata: token.metadata,
  }
}

export function installationView({ installation, head }: Pick<ListedInstallation, 'installation' | 'head'>, now: Instant) {
  const { lock, hints } = installation
  return {
    id: installation.id,
    agent: installation.agent,
    name: installation.name,
    status: installation.status,
    generation: installation.generation,
    key_thumbprint: installation.keyThumbprint,
    key_created_at: iso(installation.keyCreatedAt),
    custody: installation.custody,
    enrolled_via: installation.enrolledVia,
    recovery_mode: installation.recoveryMode,
    lock: lock === null ? null : { code: lock.code, at: iso(lock.at), message: lock.message, incident: lock.incident },
    workload_refused: keepsWorkloadOut(installation),
    rekey_until: installation.rekeyUntil !== null && now < installation.rekeyUntil ? iso(installation.rekeyUntil) : null,
    host: hints.host,
    platform: hints.platform,
    address: installation.address,
    user_agent: installation.userAgent,
    created_at: iso(installation.createdAt),
    last_seen_at: isoOrNull(installation.lastSeenAt),
    last_refreshed_at: isoOrNull(installation.lastRefreshedAt),
    expires_at: isoOrNull(installation.expiresAt),
    token: sdkTokenView(head, now),
  }
}

export function detailsView(details: InstallationDetails, now: Instant) {
  const { installation, head, agent, recovery, remaining } = details
  return {
    ...installationView(details, now),
    agent_name: agent.name,
    agent_status: agent.status,
    owner: agent.owner,
    next_refresh_at: isoOrNull(nextRefresh(installation, head, now)),
    recovery: {
      mode: recovery.mode,
      limit: recovery.limit,
      used: recentRecoveries(installation, recovery, now).length,
      remaining,
      window_days: days(recovery.windowMs),
      max_offline_days: days(recovery.maxOfflineMs),
      cooldown_until: isoOrNull(pauseUntil(installation, now)),
    },
  }
}

const WORKING: ReadonlySet<InstallationStatus> = new Set(['active', 'recovery_blocked'])

function nextRefresh({ status }: Pick<Installation, 'status'>, head: SdkToken, now: Instant): Instant | null {
  return WORKING.has(status) && tokenState(head, now) === 'active' ? head.createdAt + RENEWED_AFTER_MS : null
}

function days(ms: number): number {
  return Math.round((ms / DAY) * 100) / 100
}

const AttemptView = Type.Object({
  id: Type.String(),
  at: Time,
  outcome: Type.String({ description: '`succeeded`, `denied` or `pending`.' }),
  code: nullable(Type.String({ description: 'Fault code where it was denied.' })),
  counted: Type.Boolean({ description: 'Against the limit.' }),
  reason: Type.String(),
  token: nullable(Type.String()),
  new_token: nullable(Type.String()),
  key_thumbprint: Type.String(),
  address: nullable(Type.String()),
  user_agent: nullable(Type.String()),
  request_id: Type.String(),
})

function attemptView(attempt: RecoveryAttempt) {
  return {
    id: attempt.id,
    at: iso(attempt.at),
    outcome: attempt.outcome,
    code: attempt.code,
    counted: attempt.counted,
    reason: attempt.reason,
    token: attempt.token,
    new_token: attempt.newToken,
    key_thumbprint: attempt.keyThumbprint,
    address: attempt.address,
    user_agent: attempt.userAgent,
    request_id: attempt.requestId,
  }
}

export const WhyView = Type.Object({
  next: Type.Object({
    needed: Type.Boolean({ description: 'False: its token is good, and an ordinary refresh does.' }),
    verdict: Type.String({ description: '`granted`, `asks` (a person decides) or `refused`.' }),
    rule: Type.String(),
    sentence: Type.String(),
    counted: Type.Boolean(),
    retry_at: nullable(Time),
  }),
  attempts: Type.Array(AttemptView),
})

export function whyView({ attempts, next }: RecoveryExplanation) {
  const { needed, verdict, rule, sentence, counted, retryAt } = next
  return { next: { needed, verdict, rule, sentence, counted, retry_at: isoOrNull(retryAt) }, attempts: attempts.map(attemptView) }
}

export const EntryView = Type.Object({
  at: Time,
  kind: Type.String({ description: '`token_issued`, `token_revoked`, `recovery` or `event`.' }),
  id: Type.String({ description: 'Of the token, the attempt or the event.' }),
  what: Type.String({ description: 'Where the token came from, the class of its end, the outcome, or the type of the event.' }),
  sentence: Type.String(),
  data: JsonObjectSchema,
})

export function entryView(entry: TimelineEntry, now: Instant) {
  const at = iso(entry.at)
  const { kind } = entry
  switch (kind) {
    case 'token_issued': {
      const { token } = entry
      return { at, kind, id: token.id, what: token.metadata.source, sentence: `Generation ${token.generation} was issued.`, data: sdkTokenView(token, now) }
    }
    case 'token_revoked': {
      const { token } = entry
      const { revokeClass, revokeReason, generation } = token
      const why = revokeReason === null ? '' : `: ${revokeReason}`
      return {
        at,
        kind,
        id: token.id,
        what: revokeClass ?? 'owner_request',
        sentence: `Generation ${generation} was revoked${why}${why.endsWith('.') ? '' : '.'}`,
        data: sdkTokenView(token, now),
      }
    }
    case 'recovery':
      return { at, kind, id: entry.attempt.id, what: entry.attempt.outcome, sentence: entry.attempt.reason, data: attemptView(entry.attempt) }
    case 'event':
      return {
        at,
        kind,
        id: entry.event.id,
        what: entry.event.type,
        sentence: eventSentence(entry.event),
        data: { ...entry.event.data, actor: { ...entry.event.actor } },
      }
  }
}
