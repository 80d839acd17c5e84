import type { ConnectionId, EventId, OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'

export type EventType =
  | 'organization.created'
  | 'integration.created'
  | 'integration.updated'
  | 'integration.deleted'
  | 'integration.blocked'
  | 'integration.unblocked'
  | 'integration.deaths_held'
  | 'integration.deaths_confirmed'
  | 'integration.deaths_released'
  | 'integration.push_secret_set'
  | 'integration.push_refused'
  | 'connection.created'
  | 'connection.imported'
  | 'connection.reconnected'
  | 'connection.credentials_replaced'
  | 'connection.updated'
  | 'connection.paused'
  | 'connection.resumed'
  | 'connection.disconnected'
  | 'connection.refreshed'
  | 'connection.refresh_failed'
  | 'connection.suspect'
  | 'connection.needs_reauth'
  | 'connection.recovered'
  | 'connection.answer_superseded'
  | 'connection.scope_reduced'
  | 'connection.revocation_done'
  | 'connection.revocation_failed'
  | 'connection.expires_soon'
  | 'connection.superseded'
  | 'connection.cap_near'
  | 'connection.checked'
  | 'push.revoked'
  | 'push.changed'
  | 'push.code'
  | 'provider.drift_detected'
  | 'database.restored'
  | 'database.cloned'
  | 'database.moved'
  | 'database.confirmed'
  | 'connect.session_created'
  | 'connect.started'
  | 'connect.refused'
  | 'connect.failed'
  | 'connect.completed'
  | 'connect.account_mismatch'
  | 'api_key.created'
  | 'api_key.rotated'
  | 'api_key.revoked'
  | 'user.created'
  | 'user.invited'
  | 'user.invitation_withdrawn'
  | 'user.updated'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.erased'
  | 'user.email_verified'
  | 'user.password_changed'
  | 'user.password_reset_asked'
  | 'user.role_changed'
  | 'user.joined'
  | 'user.left'
  | 'user.identity_added'
  | 'user.factor_added'
  | 'user.factor_removed'
  | 'user.recovery_codes_replaced'
  | 'user.mail_failed'
  | 'session.opened'
  | 'session.refused'
  | 'session.reissued'
  | 'session.rolled_forward'
  | 'session.reuse_detected'
  | 'session.ended'
  | 'session.reauthenticated'
  | 'owner.exported'
  | 'owner.erased'
  | 'owner.page_made'
  | 'owner.page_opened'
  | 'signing_key.created'
  | 'signing_key.activated'
  | 'signing_key.retired'

/** Who did it: a backend with a key, a person who is signed in, the engine itself, the end user's browser, the command line. */
export type Actor = { readonly kind: 'api_key' | 'user' | 'system' | 'browser' | 'cli'; readonly id: string | null }

/** An append-only audit record. `data` never holds a secret. */
export interface AuditEvent {
  readonly id: EventId
  readonly organization: OrganizationId
  readonly type: EventType
  readonly at: Instant
  readonly actor: Actor
  readonly connection: ConnectionId | null
  /** The other thing concerned: integration, provider, connect session or key id. */
  readonly subject: string | null
  readonly data: JsonObject
}

/** What a caller supplies; the store adds nothing but durability. */
export type NewEvent = AuditEvent

export const SYSTEM_ACTOR: Actor = { kind: 'system', id: null }
