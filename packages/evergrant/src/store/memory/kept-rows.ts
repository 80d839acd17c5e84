import type { StoredCheck } from '../../core/connection/checks.ts'
import type { StoredFault } from '../../core/connection/connection.ts'
import type { Integration } from '../../core/connection/integration.ts'
import type { Ticket } from '../../core/identity/ticket.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { PushNotice } from '../../core/push/pushes.ts'
import type { DeathsHeld } from '../../core/refresh/deaths.ts'
import type { BehindGrant } from '../../core/refresh/lineage.ts'
import type { NodeReport } from '../../core/refresh/nodes.ts'
import type { Instant } from '../../core/time.ts'

/** A request with an idempotency key; without a status it runs, or its process died. */
export interface KeptRequest {
  readonly requestHash: string
  readonly at: Instant
  readonly status: number | null
  readonly body: Uint8Array | null
}

/** Removed integrations stay as a record: without their secret, under their id as slug. */
export interface KeptIntegration {
  readonly integration: Integration
  readonly removed: boolean
}

export type KeptNode = Omit<NodeReport, 'alive'>

/** Deaths of one integration: counted, and held when there are too many. */
export interface DeathWatch {
  readonly held: DeathsHeld | null
  readonly agreedAt: Instant | null
  readonly trustedUntil: Instant | null
  readonly probeAt: Instant | null
}

export interface CountedDeath {
  readonly connection: ConnectionId
  readonly organization: OrganizationId
  readonly integration: IntegrationId
  readonly generation: number
  readonly at: Instant
  readonly counts: boolean
  readonly held: boolean
  readonly probedAt: Instant
  readonly fault: StoredFault
}

export interface KeptBehind extends BehindGrant {
  readonly node: string
  readonly ended: boolean
}

export interface KeptParked {
  readonly integration: IntegrationId
  readonly rank: number
}

export interface KeptNotice {
  readonly notice: PushNotice
  readonly dueAt: Instant | null
  readonly doneAt: Instant | null
}

export interface KeptCheck {
  /** Null until the first one. */
  readonly latest: StoredCheck | null
  readonly dueAt: Instant | null
}

export interface KeptCheckPlan {
  readonly everyMs: number
  readonly lookedThrough: string
}

/** Which owners' connections were imported with one token. */
export type KeptImport = ReadonlyMap<string, ConnectionId>

export interface KeptTicket {
  readonly ticket: Ticket
  readonly spent: boolean
}
