import type { AuditEvent } from '../audit/event.ts'
import type { Instant } from '../time.ts'
import type { RecoveryAttempt } from './installations.ts'
import type { SdkToken } from './sdk-token.ts'

/** One thing that happened to an installation. */
export type TimelineEntry =
  | { readonly kind: 'token_issued'; readonly at: Instant; readonly token: SdkToken }
  | { readonly kind: 'token_revoked'; readonly at: Instant; readonly token: SdkToken }
  | { readonly kind: 'recovery'; readonly at: Instant; readonly attempt: RecoveryAttempt }
  | { readonly kind: 'event'; readonly at: Instant; readonly event: AuditEvent }

interface TimelineParts {
  readonly tokens: readonly SdkToken[]
  readonly attempts: readonly RecoveryAttempt[]
  readonly events: readonly AuditEvent[]
}

/** All of it in one order, newest first; `limit` at most. Of the same instant, what was the cause comes below what followed. */
export function timelineOf({ tokens, attempts, events }: TimelineParts, limit: number): readonly TimelineEntry[] {
  const entries: TimelineEntry[] = [
    ...tokens.map((token) => ({ kind: 'token_issued' as const, at: token.createdAt, token })),
    ...tokens.flatMap((token) => (token.revokedAt === null ? [] : [{ kind: 'token_revoked' as const, at: token.revokedAt, token }])),
    ...attempts.map((attempt) => ({ kind: 'recovery' as const, at: attempt.at, attempt })),
    ...events.map((event) => ({ kind: 'event' as const, at: event.at, event })),
  ]
  return entries.sort((left, right) => right.at - left.at || ORDER[left.kind] - ORDER[right.kind]).slice(0, limit)
}

const ORDER: Readonly<Record<TimelineEntry['kind'], number>> = { token_issued: 0, recovery: 1, token_revoked: 2, event: 3 }
