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
  const { accessExpiresAt } = row.credential
  if (state !== 'needs_reauth' || fault === null || fault.evidence.intent !== null) return false
  if (fault.code === 'connection_expired') return accessExpiresAt === null || accessExpiresAt > now
  // A static secret with a known end: what was refused has evidence.
  const { httpStatus, providerCode } = fault.evidence
  return fault.code === 'new_credentials_needed' && httpStatus === null && providerCode === null && accessExpiresAt !== null && accessExpiresAt > now
}
