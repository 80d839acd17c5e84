import type { ProviderRecord } from '../provider/record.ts'
import { reuseOf } from '../provider/reuse-of.ts'
import { dueAfter } from '../refresh/due.ts'
import { isStrict } from '../refresh/protocol-times.ts'
import type { Instant } from '../time.ts'
import type { NewCredential } from './credential.ts'
import type { IntegrationSettings } from './integration.ts'

interface SpreadInput {
  readonly credential: NewCredential
  readonly settings: Pick<IntegrationSettings, 'renewal' | 'reuse'>
  readonly record: Pick<ProviderRecord, 'lifetimes' | 'reuse'>
  readonly now: Instant
  /** First renewals that are owed at once are drawn over this long. */
  readonly spreadMs: number
  /** In [0, 1). */
  readonly uniform: number
}

/**
 * When one of many imported grants is renewed first. Nobody has read it here yet, and its provider must not see all of them
 * at once: at a strict provider it is renewed when it is used, or kept alive; elsewhere its turn is drawn from the time that its
 * token still has, or, when that is over or unknown, from `spreadMs`. Whoever reads it before its turn renews it at once. Pure.
 */
export function spreadDueAt({ credential, settings, record, now, spreadMs, uniform }: SpreadInput): Instant | null {
  const reuse = reuseOf(record, settings)
  const keptAlive = dueAfter({ credential, settings: { renewal: 'on_use' }, lifetimes: record.lifetimes, reuse, lastReadAt: null, now })
  const ahead = settings.renewal === 'ahead' || (settings.renewal === 'auto' && !isStrict(reuse))
  if (credential.refreshToken === null || !ahead) return keptAlive
  const { accessExpiresAt, softAt } = credential
  if (accessExpiresAt === null) return keptAlive
  if (accessExpiresAt <= now || softAt === null) return earlier(keptAlive, now + Math.floor(uniform * spreadMs))
  // Earlier than this, the provider gives the same token back.
  const { noopAboveSeconds } = record.lifetimes
  const from = noopAboveSeconds === null ? now : Math.max(now, accessExpiresAt - noopAboveSeconds * 1_000)
  return earlier(keptAlive, from >= softAt ? softAt : from + Math.floor(uniform * (softAt - from)))
}

function earlier(left: Instant | null, right: Instant): Instant {
  return left === null ? right : Math.min(left, right)
}
