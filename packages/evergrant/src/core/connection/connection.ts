import type { FaultCode } from '../fault/fault.ts'
import type { ConnectionId, IntegrationId, IntentId, OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'

/** What is stored. `degraded` and `blocked` are not stored: they follow from time and from the integration, see {@link ConnectionStatus}. */
export type ConnectionState = 'active' | 'needs_reauth' | 'paused' | 'disconnected'

/** What people see (DESIGN section 6). */
export type ConnectionStatus = 'active' | 'degraded' | 'needs_reauth' | 'blocked' | 'paused' | 'disconnected'

/** The proof behind a state: which presentation, and what the provider said. Texts are redacted and cut to 500 characters. */
export interface FaultEvidence {
  readonly intent: IntentId | null
  readonly httpStatus: number | null
  readonly providerCode: string | null
  readonly providerText: string | null
  readonly answerHash: string | null
}

export interface StoredFault {
  readonly code: FaultCode
  readonly at: Instant
  readonly evidence: FaultEvidence
}

/** One grant of one end user at one integration; survives every reconnect under the same id. */
export interface Connection {
  readonly id: ConnectionId
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  /** Opaque to us, unique per organization: whose grant this is, in the application's words. */
  readonly owner: string
  /** The account at the provider, when the provider tells it. Unique with (integration, owner). */
  readonly account: string | null
  readonly accountLabel: string | null
  readonly state: ConnectionState
  /** The latest failure, or null after a success. With state `needs_reauth` it is the reason. */
  readonly fault: StoredFault | null
  readonly metadata: JsonObject
  readonly tags: readonly string[]
  /** Granted scopes as the provider told them (token body or callback); null when it never said. */
  readonly scopes: readonly string[] | null
  /** Values that fill the record's URL templates for this connection: shop, site, region. */
  readonly variables: Readonly<Record<string, string>>
  /** Lifted from token answers and callbacks: api base, instance url, tenant. */
  readonly facts: Readonly<Record<string, string>>
  readonly consentedAt: Instant | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly lastReadAt: Instant | null
  readonly lastRefreshedAt: Instant | null
  readonly disconnectedAt: Instant | null
  /** +1 for every change to metadata, tags or label. Independent of the credential's generation. */
  readonly version: number
}

/**
 * The protocol's own bookkeeping for a connection. Written only by the protocol, in its own columns, never as part
 * of a whole-row write.
 */
export interface Health {
  /** When the background worker should next look at this connection; null means never by itself. */
  readonly dueAt: Instant | null
  /** No attempt before this instant (back-off, Retry-After). */
  readonly nextAttemptAt: Instant | null
  /** Consecutive failures since the last success. Persisted, so that a restart does not reset the back-off. */
  readonly failures: number
  readonly firstFailedAt: Instant | null
  /** When the grant ends whatever we do, unless its owner grants again; null when no such end is known. */
  readonly endsAt: Instant | null
}
