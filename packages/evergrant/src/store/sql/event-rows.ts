import type { AuditEvent, EventType, NewEvent } from '../../core/audit/event.ts'
import type { ConnectionId, EventId, OrganizationId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import { type Program, type Row, run } from './program.ts'
import { integer, json, text, textOrNull } from './rows.ts'

/** Appends an event; the same id twice is one event, so that a repeated transaction repeats nothing. */
export function* append(event: NewEvent): Program<void> {
  yield* run(
    `insert into event (id, organization_id, type, at, actor_kind, actor_id, connection_id, subject, data) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict do nothing`,
    event.id,
    event.organization,
    event.type,
    event.at,
    event.actor.kind,
    event.actor.id,
    event.connection,
    event.subject,
    JSON.stringify(event.data),
  )
}

export function toEvent(row: Row): AuditEvent {
  return {
    id: text(row, 'id') as EventId,
    organization: text(row, 'organization_id') as OrganizationId,
    type: text(row, 'type') as EventType,
    at: integer(row, 'at'),
    actor: { kind: text(row, 'actor_kind') as AuditEvent['actor']['kind'], id: textOrNull(row, 'actor_id') },
    connection: textOrNull(row, 'connection_id') as ConnectionId | null,
    subject: textOrNull(row, 'subject'),
    data: json<JsonObject>(row, 'data'),
  }
}
