import { Type } from 'typebox'
import { type Alert, type AlertItem, alertState } from '../core/alert/alert.ts'
import { alertWords } from '../core/alert/alert-words.ts'
import type { Channel } from '../core/alert/channel.ts'
import type { AlertLinks } from '../core/alert/notifier.ts'
import type { AlertRule } from '../core/alert/rule.ts'
import type { Delivery, DeliveryTry } from '../core/webhook/delivery.ts'
import { stateOf, type WebhookEndpoint } from '../core/webhook/endpoint.ts'
import { iso, isoOrNull } from './connection-view.ts'
import { nullable, Time } from './schema.ts'

export const AlertView = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  severity: Type.String(),
  state: Type.String({ description: 'open, acknowledged, snoozed or resolved.' }),
  title: Type.String(),
  text: Type.String(),
  subject: nullable(Type.String({ description: 'What it is about, where that is one thing.' })),
  count: Type.Integer({ description: 'How many are not well.' }),
  total: Type.Integer({ description: 'How many ever joined.' }),
  opened_at: Time,
  last_at: Time,
  resolved_at: nullable(Time),
  resolved_by: nullable(Type.String({ description: '`healed`, or who said so.' })),
  acknowledged_at: nullable(Time),
  acknowledged_by: nullable(Type.String()),
  snoozed_until: nullable(Time),
  runbook_url: Type.String(),
  filter: nullable(Type.String({ description: 'Query of the list behind it: GET connections.' })),
})

/** The words, the number and the list behind it. */
export function alertView(alert: Alert, links: Pick<AlertLinks, 'runbook'>, now: number) {
  return {
    id: alert.id,
    kind: alert.kind,
    severity: alert.severity,
    state: alertState(alert, now),
    ...alertWords(alert),
    subject: alert.subject,
    count: alert.count,
    total: alert.total,
    opened_at: iso(alert.openedAt),
    last_at: iso(alert.lastAt),
    resolved_at: isoOrNull(alert.resolvedAt),
    resolved_by: alert.resolvedBy,
    acknowledged_at: isoOrNull(alert.acknowledgedAt),
    acknowledged_by: alert.acknowledgedBy,
    snoozed_until: isoOrNull(alert.snoozedUntil),
    runbook_url: links.runbook(alert.kind),
    filter: filterOf(alert, now),
  }
}

const DAY_MS = 86_400_000

/** In the words of `GET connections`; null where no list of connections is behind it. */
function filterOf({ kind, about }: Alert, now: number): string | null {
  const of: readonly (readonly [string, string | null])[] = [
    ['integration', about.integration],
    ['code', about.code],
  ]
  const query = (more: readonly (readonly [string, string | null])[]): string =>
    new URLSearchParams(more.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]))).toString()
  switch (kind) {
    case 'connection_needs_reauth':
      return query([['status', 'needs_reauth'], ...of])
    case 'refresh_failing':
      return query(of)
    case 'integration_misconfigured':
      return query([['integration', about.integration]])
    case 'expires_soon':
      return query([
        ['integration', about.integration],
        ['expires_before', iso(now + (about.value ?? 0) * DAY_MS)],
      ])
    default:
      return null
  }
}

export const AlertItemView = Type.Object({ subject: Type.String(), connection_id: nullable(Type.String()), at: Time, resolved_at: nullable(Time) })

export function itemView({ subject, connection, at, resolvedAt }: AlertItem) {
  return { subject, connection_id: connection, at: iso(at), resolved_at: isoOrNull(resolvedAt) }
}

export const RuleView = Type.Object({
  id: Type.String({ description: 'The kind: there is one rule for each.' }),
  kind: Type.String(),
  enabled: Type.Boolean(),
  threshold: nullable(Type.Integer()),
  minutes: nullable(Type.Integer()),
  severity: Type.String(),
  channels: nullable(Type.Array(Type.String(), { description: 'Null: every channel.' })),
  group_minutes: Type.Integer(),
  notify_owner: Type.Boolean(),
})

export function ruleView({ kind, enabled, threshold, minutes, severity, channels, groupMinutes, notifyOwner }: AlertRule) {
  return { id: kind, kind, enabled, threshold, minutes, severity, channels, group_minutes: groupMinutes, notify_owner: notifyOwner }
}

export const WebhookView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  url: Type.String(),
  types: Type.Array(Type.String()),
  state: Type.String({ description: 'active, failing, open (the circuit) or off.' }),
  enabled: Type.Boolean(),
  failures: Type.Integer({ description: 'Failed tries since one that was taken.' }),
  failing_since: nullable(Time),
  open_until: nullable(Time),
  last_delivered_at: nullable(Time),
  previous_secret_until: nullable(Type.String({ description: 'Until when the secret before signs, too.' })),
  created_at: Time,
  updated_at: Time,
})

export function webhookView(endpoint: WebhookEndpoint) {
  return {
    id: endpoint.id,
    name: endpoint.name,
    url: endpoint.url,
    types: endpoint.types,
    state: stateOf(endpoint),
    enabled: endpoint.enabled,
    failures: endpoint.failures,
    failing_since: isoOrNull(endpoint.failingSince),
    open_until: isoOrNull(endpoint.openUntil),
    last_delivered_at: isoOrNull(endpoint.lastDeliveredAt),
    previous_secret_until: isoOrNull(endpoint.previousUntil),
    created_at: iso(endpoint.createdAt),
    updated_at: iso(endpoint.updatedAt),
  }
}

const TryView = Type.Object({
  at: Time,
  status: nullable(Type.Integer()),
  duration_ms: Type.Integer(),
  error: nullable(Type.String()),
  answer: nullable(Type.String()),
})

export const DeliveryView = Type.Object({
  id: Type.String(),
  webhook_id: Type.String(),
  event_id: Type.String({ description: 'Sent as `webhook-id`: the same however often it is sent.' }),
  type: Type.String(),
  state: Type.String({ description: 'waiting, delivered or failed.' }),
  attempts: Type.Integer(),
  next_at: nullable(Time),
  created_at: Time,
  expires_at: Time,
  finished_at: nullable(Time),
  tries: Type.Array(TryView, { description: 'The latest 50, oldest first, each with the first 500 characters of its answer.' }),
})

export function deliveryView(delivery: Delivery, tries: readonly DeliveryTry[]) {
  return {
    id: delivery.id,
    webhook_id: delivery.endpoint,
    event_id: delivery.event,
    type: delivery.type,
    state: delivery.state,
    attempts: delivery.attempts,
    next_at: isoOrNull(delivery.nextAt),
    created_at: iso(delivery.createdAt),
    expires_at: iso(delivery.expiresAt),
    finished_at: isoOrNull(delivery.finishedAt),
    tries: tries.map(tryView),
  }
}

const tryView = ({ at, status, durationMs, error, excerpt }: DeliveryTry) => ({ at: iso(at), status, duration_ms: durationMs, error, answer: excerpt })

export const ChannelView = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  name: Type.String(),
  enabled: Type.Boolean(),
  host: nullable(Type.String({ description: 'Of the address, which is never shown.' })),
  to: Type.Array(Type.String()),
  digest: Type.Boolean(),
  digest_when_well: Type.Boolean(),
  webhook_id: nullable(Type.String()),
  quiet_hours: nullable(Type.Object({ from: Type.String(), to: Type.String(), time_zone: Type.String() })),
  last_sent_at: nullable(Time),
  last_error: nullable(Type.String()),
  created_at: Time,
  updated_at: Time,
})

export function channelView(channel: Channel) {
  const { quiet } = channel
  return {
    id: channel.id,
    kind: channel.kind,
    name: channel.name,
    enabled: channel.enabled,
    host: channel.host,
    to: channel.to,
    digest: channel.digest,
    digest_when_well: channel.whenWell,
    webhook_id: channel.webhook,
    quiet_hours: quiet === null ? null : { from: quiet.from, to: quiet.to, time_zone: quiet.timeZone },
    last_sent_at: isoOrNull(channel.lastSentAt),
    last_error: channel.lastError,
    created_at: iso(channel.createdAt),
    updated_at: iso(channel.updatedAt),
  }
}
