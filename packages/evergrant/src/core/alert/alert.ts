import type { AlertId, ChannelId, ConnectionId, NoticeId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { AlertKind, Severity } from './rule.ts'

/** What the words of an alert are made of. Names only: nothing here is secret. */
export interface AlertAbout {
  /** As people know it. */
  readonly provider: string | null
  /** Slug. */
  readonly integration: string | null
  /** Of the fault. */
  readonly code: string | null
  /** Of the node, endpoint, installation or session where the alert is about one. */
  readonly name: string | null
  /** What was measured, in the unit of the rule. */
  readonly value: number | null
}

/** One cause, with everything that suffers from it. At most one is open for each {@link Alert.key}. */
export interface Alert {
  readonly id: AlertId
  readonly organization: OrganizationId
  readonly kind: AlertKind
  readonly key: string
  readonly severity: Severity
  readonly about: AlertAbout
  /** Where it is about one thing: its id. */
  readonly subject: string | null
  /** Subjects that are not well. */
  readonly count: number
  /** Subjects that ever joined. */
  readonly total: number
  readonly openedAt: Instant
  readonly lastAt: Instant
  readonly resolvedAt: Instant | null
  /** `healed`, or who said so: `user:usr_...`. */
  readonly resolvedBy: string | null
  readonly acknowledgedAt: Instant | null
  readonly acknowledgedBy: string | null
  readonly snoozedUntil: Instant | null
  /** When channels last heard of it, and how many subjects it had then. */
  readonly toldAt: Instant | null
  readonly toldTotal: number
  /** +1 for every write. */
  readonly version: number
}

type AlertState = 'open' | 'acknowledged' | 'snoozed' | 'resolved'

export function alertState({ resolvedAt, snoozedUntil, acknowledgedAt }: Alert, now: Instant): AlertState {
  if (resolvedAt !== null) return 'resolved'
  if (snoozedUntil !== null && snoozedUntil > now) return 'snoozed'
  return acknowledgedAt === null ? 'open' : 'acknowledged'
}

/** One subject of an alert: a connection, a session, an installation, a node, an endpoint. */
export interface AlertItem {
  readonly alert: AlertId
  readonly organization: OrganizationId
  readonly kind: AlertKind
  readonly subject: string
  readonly connection: ConnectionId | null
  readonly at: Instant
  readonly resolvedAt: Instant | null
}

/** `grew`: more subjects joined. `reminder`: a snooze is over and it is still so. */
export type NoticeReason = 'opened' | 'grew' | 'reminder' | 'resolved'

/** A word to one channel about one alert, written with the change that causes it. */
export interface Notice {
  readonly id: NoticeId
  readonly organization: OrganizationId
  readonly channel: ChannelId
  readonly alert: AlertId
  readonly reason: NoticeReason
  /** `dropped`: it was no news any more when its time came. */
  readonly state: 'waiting' | 'sent' | 'dropped' | 'failed'
  readonly attempts: number
  readonly nextAt: Instant | null
  readonly createdAt: Instant
}
