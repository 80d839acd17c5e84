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
  if (connection.state !== 'active') return connection.state
  if (integration.blocked !== null) return 'blocked'
  const inTrouble = health.failures > 0 || credential.suspicion !== null
  const expired = credential.accessExpiresAt !== null && credential.accessExpiresAt <= now
  return inTrouble && expired ? 'degraded' : 'active'
}
