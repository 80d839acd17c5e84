import type { GrantRow } from '../refresh/credentials.ts'
import type { Instant } from '../time.ts'
import type { ConnectionStatus } from './connection.ts'
import type { Integration } from './integration.ts'

/**
 * What people see. `blocked` follows from the integration, so that a refused client secret changes no grant; `degraded`
 * follows from time: trouble is invisible while the access token lives.
 */
export function statusOf(row: GrantRow, integration: Pick<Integration, 'blocked'>, now: Instant): ConnectionStatus {
  const { connection, credential, health } = row
  if (connection.state !== 'active' && !endedByClockAlone(row, now)) return connection.state
  if (integration.blocked !== null) return 'blocked'
  const inTrouble = health.failures > 0 || credential.suspicion !== null
  const expired = credential.accessExpiresAt !== null && credential.accessExpiresAt <= now
  return inTrouble && expired ? 'degraded' : 'active'
}

/**
 * The stored end follows from a lifetime that we computed, and by the clock as it now is that lifetime is not over: a
 * clock that was wrong ends no grant.
 */
export function endedByClockAlone(row: GrantRow, now: Instant): boolean {
  const { state, fault } = row.connection
  if (state !== 'needs_reauth' || fault?.code !== 'connection_expired' || fault.evidence.intent !== null) return false
  const { accessExpiresAt } = row.credential
  return accessExpiresAt === null || accessExpiresAt > now
}
