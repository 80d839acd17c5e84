import type { ConnectionStatus } from '../connection/connection.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import type { FaultAction, FaultCode } from '../fault/fault.ts'
import { FAULTS } from '../fault/table.ts'
import { fillWords } from '../fault/words.ts'
import type { ConnectionId } from '../ids.ts'
import { DAY, HOUR, type Instant } from '../time.ts'
import type { Session } from './session.ts'

/** A connection in the words of its owner: what they see, and what they can do. docs/reference/session-protocol.md. */
export type ReportedStatus = 'valid' | 'expiring' | 'refreshing' | 'needs_reauth' | 'unavailable' | 'disconnected'

export interface ConnectionReport {
  readonly id: ConnectionId
  /** Slug. */
  readonly integration: string
  /** As people know it. */
  readonly provider: string
  readonly account: string | null
  readonly status: ReportedStatus
  readonly connectionStatus: ConnectionStatus
  /** Null while there is nothing to say. */
  readonly code: FaultCode | null
  readonly title: string | null
  readonly message: string | null
  readonly action: FaultAction
  /** When the grant ends whatever we do, unless its owner grants again. */
  readonly expiresAt: Instant | null
  readonly reconnectUrl: string | null
  readonly retryAt: Instant | null
}

interface SessionReport {
  readonly status: 'valid' | 'expiring'
  readonly expiresAt: Instant
  readonly idleExpiresAt: Instant
}

/** How long before its end a grant that no refresh extends is called `expiring`. */
const GRANT_ENDS_SOON_MS = 7 * DAY
const SESSION_ENDS_SOON_MS = HOUR

interface Told {
  readonly status: ReportedStatus
  readonly code: FaultCode | null
}

/** Pure: looks at nothing but what it is given, and asks no provider. */
export function connectionReport(details: ConnectionDetails, reconnectUrl: string | null, now: Instant): ConnectionReport {
  const { row, integration, providerName } = details
  const { id, accountLabel, account } = row.connection
  const { status, code } = tell(details, now)
  const words = { provider: providerName, account: accountLabel ?? account }
  const fault = code === null ? null : FAULTS[code]
  return {
    id,
    integration: integration.slug,
    provider: providerName,
    account: accountLabel ?? account,
    status,
    connectionStatus: details.status,
    code,
    title: fault === null ? null : fillWords(fault.title, words),
    message: fault === null ? null : fillWords(fault.endUser, words),
    action: fault === null ? 'none' : fault.action,
    expiresAt: row.health.endsAt,
    reconnectUrl: status === 'needs_reauth' ? reconnectUrl : null,
    retryAt: status === 'refreshing' ? row.health.nextAttemptAt : null,
  }
}

function tell({ row, integration, status }: ConnectionDetails, now: Instant): Told {
  const { fault } = row.connection
  switch (status) {
    case 'active':
      // Trouble is invisible while the access token lives: there is nothing that this person could do.
      return endsSoon(row.health.endsAt, now) ? { status: 'expiring', code: 'connection_expiring' } : { status: 'valid', code: null }
    case 'degraded':
      return { status: 'refreshing', code: fault?.code ?? 'outcome_unknown' }
    case 'needs_reauth':
      return { status: 'needs_reauth', code: fault?.code ?? 'connection_revoked' }
    case 'blocked':
      return { status: 'unavailable', code: integration.blocked?.code ?? 'client_rejected' }
    case 'paused':
      return { status: 'unavailable', code: 'connection_paused' }
    case 'disconnected':
      return { status: 'disconnected', code: 'connection_disconnected' }
  }
}

function endsSoon(endsAt: Instant | null, now: Instant): boolean {
  return endsAt !== null && endsAt - now <= GRANT_ENDS_SOON_MS
}

/** The session in the same words; `expiring` within an hour of whichever end comes first. */
export function sessionReport({ expiresAt, idleExpiresAt }: Pick<Session, 'expiresAt' | 'idleExpiresAt'>, now: Instant): SessionReport {
  const soon = Math.min(expiresAt, idleExpiresAt) - now <= SESSION_ENDS_SOON_MS
  return { status: soon ? 'expiring' : 'valid', expiresAt, idleExpiresAt }
}
