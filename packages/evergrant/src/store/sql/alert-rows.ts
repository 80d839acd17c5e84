import type { Alert, AlertAbout, AlertItem, Notice } from '../../core/alert/alert.ts'
import type { OwnerLetter } from '../../core/alert/owner-letter.ts'
import type { AlertKind, Severity } from '../../core/alert/rule.ts'
import type { AlertId, ChannelId, ConnectionId, NoticeId, OrganizationId, OwnerLetterId } from '../../core/ids.ts'
import { type Program, type Row, run, type SqlValue } from './program.ts'
import { integer, integerOrNull, json, text, textOrNull } from './rows.ts'

export const ALERT =
  'a.id, a.organization_id, a.kind, a.cause_key, a.severity, a.about, a.subject, a.count, a.total, a.opened_at, a.last_at, a.resolved_at, a.resolved_by, a.acknowledged_at, a.acknowledged_by, a.snoozed_until, a.told_at, a.told_total, a.version'
export const ITEM = 'i.alert_id, i.organization_id, i.kind, i.subject, i.connection_id, i.at, i.resolved_at'
export const NOTICE = 'n.id, n.organization_id, n.channel_id, n.alert_id, n.reason, n.state, n.attempts, n.next_at, n.created_at'
export const LETTER = 'l.id, l.organization_id, l.connection_id, l.why, l.cause, l.state, l.attempts, l.next_at, l.created_at'

const columns = (list: string): string => list.replace(/\b[anil]\./g, '')
const marks = (count: number): string => Array.from({ length: count }, () => '?').join(', ')

export function toAlert(found: Row): Alert {
  return {
    id: text(found, 'id') as AlertId,
    organization: text(found, 'organization_id') as OrganizationId,
    kind: text(found, 'kind') as AlertKind,
    key: text(found, 'cause_key'),
    severity: text(found, 'severity') as Severity,
    about: json<AlertAbout>(found, 'about'),
    subject: textOrNull(found, 'subject'),
    count: integer(found, 'count'),
    total: integer(found, 'total'),
    openedAt: integer(found, 'opened_at'),
    lastAt: integer(found, 'last_at'),
    resolvedAt: integerOrNull(found, 'resolved_at'),
    resolvedBy: textOrNull(found, 'resolved_by'),
    acknowledgedAt: integerOrNull(found, 'acknowledged_at'),
    acknowledgedBy: textOrNull(found, 'acknowledged_by'),
    snoozedUntil: integerOrNull(found, 'snoozed_until'),
    toldAt: integerOrNull(found, 'told_at'),
    toldTotal: integer(found, 'told_total'),
    version: integer(found, 'version'),
  }
}

/** In the order of {@link ALERT}. */
function alertValues(alert: Alert): readonly SqlValue[] {
  return [
    alert.id,
    alert.organization,
    alert.kind,
    alert.key,
    alert.severity,
    JSON.stringify(alert.about),
    alert.subject,
    alert.count,
    alert.total,
    alert.openedAt,
    alert.lastAt,
    alert.resolvedAt,
    alert.resolvedBy,
    alert.acknowledgedAt,
    alert.acknowledgedBy,
    alert.snoozedUntil,
    alert.toldAt,
    alert.toldTotal,
    alert.version,
  ]
}

/** False when the stored version is another one, or another alert of the same cause is open. */
export function* writeAlert(alert: Alert, before: number | null): Program<boolean> {
  const values = alertValues(alert)
  if (before === null) return (yield* run(`insert into alert (${columns(ALERT)}) values (${marks(values.length)}) on conflict do nothing`, ...values)) === 1
  const set = columns(ALERT)
    .split(', ')
    .map((column) => `${column} = ?`)
  return (yield* run(`update alert set ${set.join(', ')} where id = ? and version = ?`, ...values, alert.id, before)) === 1
}

export function toItem(found: Row): AlertItem {
  return {
    alert: text(found, 'alert_id') as AlertId,
    organization: text(found, 'organization_id') as OrganizationId,
    kind: text(found, 'kind') as AlertKind,
    subject: text(found, 'subject'),
    connection: textOrNull(found, 'connection_id') as ConnectionId | null,
    at: integer(found, 'at'),
    resolvedAt: integerOrNull(found, 'resolved_at'),
  }
}

export function* writeItem(item: AlertItem): Program<void> {
  yield* run(
    `insert into alert_item (${columns(ITEM)}) values (${marks(7)})
     on conflict (alert_id, subject) do update set at = excluded.at, resolved_at = excluded.resolved_at`,
    item.alert,
    item.organization,
    item.kind,
    item.subject,
    item.connection,
    item.at,
    item.resolvedAt,
  )
}

export function toNotice(found: Row): Notice {
  return {
    id: text(found, 'id') as NoticeId,
    organization: text(found, 'organization_id') as OrganizationId,
    channel: text(found, 'channel_id') as ChannelId,
    alert: text(found, 'alert_id') as AlertId,
    reason: text(found, 'reason') as Notice['reason'],
    state: text(found, 'state') as Notice['state'],
    attempts: integer(found, 'attempts'),
    nextAt: integerOrNull(found, 'next_at'),
    createdAt: integer(found, 'created_at'),
  }
}

/** A channel that was deleted meanwhile is told nothing. */
export function* writeNotice(notice: Notice): Program<void> {
  yield* run(
    `insert into notice (${columns(NOTICE)}) select ?, ?, c.id, ?, ?, ?, ?, ?, ? from channel c where c.id = ?`,
    notice.id,
    notice.organization,
    notice.alert,
    notice.reason,
    notice.state,
    notice.attempts,
    notice.nextAt,
    notice.createdAt,
    notice.channel,
  )
}

export function toLetter(found: Row): OwnerLetter {
  return {
    id: text(found, 'id') as OwnerLetterId,
    organization: text(found, 'organization_id') as OrganizationId,
    connection: text(found, 'connection_id') as ConnectionId,
    why: text(found, 'why') as OwnerLetter['why'],
    cause: text(found, 'cause'),
    state: text(found, 'state') as OwnerLetter['state'],
    attempts: integer(found, 'attempts'),
    nextAt: integerOrNull(found, 'next_at'),
    createdAt: integer(found, 'created_at'),
  }
}

export function* writeLetter(letter: OwnerLetter): Program<void> {
  yield* run(
    `insert into owner_letter (${columns(LETTER)}) values (${marks(9)}) on conflict do nothing`,
    letter.id,
    letter.organization,
    letter.connection,
    letter.why,
    letter.cause,
    letter.state,
    letter.attempts,
    letter.nextAt,
    letter.createdAt,
  )
}
