import type { AuditEvent } from '../audit/event.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../time.ts'

export interface PayloadPorts {
  readonly iso: (at: Instant) => string
  /** The connection of an event as it is now; undefined when it is gone. */
  readonly details: (event: AuditEvent) => Promise<ConnectionDetails | undefined>
  /** Where its owner repairs it; null where there is nothing to repair. */
  readonly reconnectUrl: (details: ConnectionDetails) => string | null
}

/**
 * The body of a delivery (Standard Webhooks: `type`, `timestamp`, `data`). `details` is what the audit record says of the
 * event; `connection` and `reconnect_url` are as of this try, so that a late delivery asks nobody to repair what is well.
 */
export async function payloadOf(event: AuditEvent, { iso, details, reconnectUrl }: PayloadPorts): Promise<string> {
  const found = event.connection === null ? undefined : await details(event)
  const data: JsonObject = {
    event_id: event.id,
    organization_id: event.organization,
    actor: { kind: event.actor.kind, id: event.actor.id },
    subject: event.subject,
    connection: found === undefined ? (event.connection === null ? null : { id: event.connection }) : connectionOf(found),
    reconnect_url: found === undefined ? null : reconnectUrl(found),
    details: event.data,
  }
  return JSON.stringify({ type: event.type, timestamp: iso(event.at), data })
}

/** Names and states: no token, no metadata, no variable. */
function connectionOf({ row: { connection, credential }, integration, status }: ConnectionDetails): JsonObject {
  return {
    id: connection.id,
    integration: integration.slug,
    provider: integration.provider,
    owner: connection.owner,
    account: { id: connection.account, label: connection.accountLabel },
    status,
    tags: [...connection.tags],
    generation: credential.generation,
  }
}
