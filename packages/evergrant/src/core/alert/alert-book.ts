import type { EventType, NewEvent } from '../audit/event.ts'
import { SYSTEM_ACTOR } from '../audit/event.ts'
import { newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Entropy, Instant } from '../time.ts'
import { MINUTE } from '../time.ts'
import type { Delivery } from '../webhook/delivery.ts'
import { KEEP_TRYING_MS } from '../webhook/delivery.ts'
import type { Alert, AlertItem, Notice, NoticeReason } from './alert.ts'
import type { Channel } from './channel.ts'
import { afterQuiet, type MinuteOfDay, nextDigest } from './quiet-hours.ts'
import type { AlertKind, AlertRule } from './rule.ts'
import type { Relief, Signal } from './signals.ts'

export interface BookParts {
  readonly organization: OrganizationId
  readonly rules: ReadonlyMap<AlertKind, AlertRule>
  readonly channels: readonly Channel[]
  /** Every open alert of the organization. */
  readonly open: readonly Alert[]
  /** Unresolved items of every subject that will be named. */
  readonly items: readonly AlertItem[]
  readonly now: Instant
  readonly entropy: Entropy
  readonly minuteOfDay: MinuteOfDay
}

interface Entry {
  alert: Alert
  readonly before: number | null
  touched: boolean
}

const UTC = 'UTC'

/** The open alerts of one organization while signals and reliefs are applied to them. Reads nothing, writes nothing: what to write is asked for at the end. */
export class AlertBook {
  readonly #parts: BookParts
  readonly #entries = new Map<string, Entry>()
  readonly #items = new Map<string, AlertItem>()
  readonly #changedItems = new Set<string>()
  readonly #notices: Notice[] = []
  readonly #deliveries: Delivery[] = []
  readonly #events: NewEvent[] = []

  constructor(parts: BookParts) {
    this.#parts = parts
    for (const alert of parts.open) this.#entries.set(alert.key, { alert, before: alert.version, touched: false })
    for (const item of parts.items) this.#items.set(itemKey(item), item)
  }

  /** The same subject twice is one item; a new subject joins the open alert of its cause, and the first one opens it. */
  raise(signal: Signal): void {
    const rule = this.#parts.rules.get(signal.kind)
    if (rule === undefined || !rule.enabled) return
    const key = `${signal.kind} ${signal.cause}`
    // What it suffers from has another name now: it changes the alert, and does not stay in two.
    for (const { alert } of this.#entries.values())
      if (alert.kind === signal.kind && alert.key !== key && this.#isIn(alert, signal.subject)) this.#leave(alert, signal.subject)
    const entry = this.#entries.get(key)
    if (entry !== undefined && entry.alert.resolvedAt === null && this.#isIn(entry.alert, signal.subject)) return this.#write(entry, { lastAt: signal.at })
    const opened = entry === undefined || entry.alert.resolvedAt !== null ? this.#openFor(signal, key, rule) : null
    const joined = opened ?? entry
    if (joined === undefined) return
    const { alert } = joined
    this.#put({ alert: alert.id, organization: alert.organization, kind: alert.kind, ...itemOf(signal) })
    this.#write(joined, { count: alert.count + 1, total: alert.total + 1, lastAt: signal.at, subject: alert.total === 0 ? signal.subject : alert.subject })
    if (opened !== null) this.#tell(opened, 'opened', rule)
  }

  relieve(relief: Relief): void {
    for (const { alert } of this.#entries.values())
      if (relief.kinds.includes(alert.kind) && this.#isIn(alert, relief.subject)) this.#leave(alert, relief.subject)
    // What a person ended before its subjects were well still holds them: they would be well at every look, and unwell unseen the next time.
    for (const item of this.#items.values())
      if (item.subject === relief.subject && relief.kinds.includes(item.kind) && item.resolvedAt === null) this.#put({ ...item, resolvedAt: this.#parts.now })
  }

  /** A person says that it is over. */
  resolve(alert: Alert, by: string): void {
    const entry = this.#entries.get(alert.key)
    if (entry === undefined || entry.alert.resolvedAt !== null) return
    this.#close(entry, by)
  }

  /** What time alone brings: more subjects to tell of, a snooze that is over. */
  tend(): void {
    const { now, rules } = this.#parts
    for (const entry of this.#entries.values()) {
      const { alert } = entry
      const rule = rules.get(alert.kind)
      if (alert.resolvedAt !== null || rule === undefined) continue
      if (alert.snoozedUntil !== null) {
        if (alert.snoozedUntil > now) continue
        this.#write(entry, { snoozedUntil: null })
        this.#tell(entry, 'reminder', rule)
        continue
      }
      const quietFor = now - (alert.toldAt ?? 0)
      if (alert.acknowledgedAt === null && alert.total > alert.toldTotal && quietFor >= rule.groupMinutes * MINUTE) this.#tell(entry, 'grew', rule)
    }
  }

  changes() {
    // What is over is written first: of one cause one alert may be open.
    const alerts = [...this.#entries.values()].filter(({ touched }) => touched).sort((left, right) => openLast(left.alert) - openLast(right.alert))
    return {
      alerts: alerts.map(({ alert, before }) => ({ alert, before })),
      items: [...this.#changedItems].flatMap((key) => this.#items.get(key) ?? []),
      notices: this.#notices,
      deliveries: this.#deliveries,
      events: this.#events,
    }
  }

  #isIn(alert: Alert, subject: string): boolean {
    const item = this.#items.get(`${alert.id} ${subject}`)
    return item !== undefined && item.resolvedAt === null
  }

  #leave(alert: Alert, subject: string): void {
    const item = this.#items.get(`${alert.id} ${subject}`)
    const entry = this.#entries.get(alert.key)
    if (item === undefined || entry === undefined) return
    this.#put({ ...item, resolvedAt: this.#parts.now })
    this.#write(entry, { count: Math.max(0, entry.alert.count - 1) })
    if (entry.alert.count === 0) this.#close(entry, 'healed')
  }

  #close(entry: Entry, by: string): void {
    const { now, rules } = this.#parts
    this.#write(entry, { resolvedAt: now, resolvedBy: by, snoozedUntil: null })
    const event = this.#event('alert.resolved', entry.alert, { resolved_by: by })
    const rule = rules.get(entry.alert.kind)
    // Who never heard of it need not hear that it is over; the sender drops what is no news.
    if (rule !== undefined) this.#post(entry.alert, 'resolved', rule, event)
  }

  #openFor({ organization, kind, at, about }: Signal, key: string, { severity }: AlertRule): Entry {
    const alert: Alert = {
      id: newId('alt', this.#parts.entropy),
      ...{ organization, kind, key, severity, about, subject: null, count: 0, total: 0 },
      openedAt: at,
      lastAt: at,
      ...{ resolvedAt: null, resolvedBy: null, acknowledgedAt: null, acknowledgedBy: null, snoozedUntil: null, toldAt: null },
      toldTotal: 0,
      version: 1,
    }
    const entry: Entry = { alert, before: null, touched: true }
    // One that was closed in this very book is written under its own key, beside the new one.
    const closed = this.#entries.get(key)
    if (closed !== undefined) this.#entries.set(`${key} ${closed.alert.id}`, closed)
    this.#entries.set(key, entry)
    return entry
  }

  #tell(entry: Entry, reason: NoticeReason, rule: AlertRule): void {
    this.#write(entry, { toldAt: this.#parts.now, toldTotal: entry.alert.total })
    const event = reason === 'opened' ? this.#event('alert.opened', entry.alert, {}) : null
    this.#post(entry.alert, reason, rule, event)
  }

  #post(alert: Alert, reason: NoticeReason, rule: AlertRule, event: NewEvent | null): void {
    const { channels, now, entropy } = this.#parts
    for (const channel of channels) {
      if (!channel.enabled || (rule.channels !== null && !rule.channels.includes(channel.id))) continue
      if (channel.webhook === null) {
        const common = { organization: alert.organization, channel: channel.id, alert: alert.id, reason, attempts: 0, createdAt: now } as const
        this.#notices.push({ id: newId('ntc', entropy), ...common, state: 'waiting', nextAt: this.#whenToTell(channel, alert) })
      } else if (event !== null) {
        const times = { createdAt: now, nextAt: now, expiresAt: now + KEEP_TRYING_MS, finishedAt: null }
        const what = { organization: alert.organization, endpoint: channel.webhook, event: event.id, type: event.type }
        this.#deliveries.push({ id: newId('dlv', entropy), ...what, state: 'waiting', attempts: 0, ...times })
      }
    }
  }

  /** What is critical waits for no morning, except where somebody asked for one mail a day. Of a zone that this node does not know, which is another's newer name, nobody can tell when its morning is. */
  #whenToTell({ digest, quiet }: Channel, { severity }: Alert): Instant {
    const { now, minuteOfDay } = this.#parts
    try {
      if (digest) return nextDigest(now, quiet?.timeZone ?? UTC, minuteOfDay)
      return severity === 'critical' ? now : afterQuiet(now, quiet, minuteOfDay)
    } catch {
      return now
    }
  }

  #event(type: EventType, alert: Alert, more: JsonObject): NewEvent {
    const { entropy, now } = this.#parts
    const { kind, severity, count, total, about } = alert
    const data = { kind, severity, count, total, code: about.code, integration: about.integration, ...more }
    const common = { actor: SYSTEM_ACTOR, connection: null, subject: alert.id }
    const event: NewEvent = { id: newId('evt', entropy), organization: alert.organization, type, at: now, ...common, data }
    this.#events.push(event)
    return event
  }

  #put(item: AlertItem): void {
    this.#items.set(itemKey(item), item)
    this.#changedItems.add(itemKey(item))
  }

  #write(entry: Entry, changes: Partial<Alert>): void {
    entry.alert = { ...entry.alert, ...changes, version: (entry.before ?? 0) + 1 }
    entry.touched = true
  }
}

const itemKey = ({ alert, subject }: Pick<AlertItem, 'alert' | 'subject'>): string => `${alert} ${subject}`

function itemOf({ subject, connection, at }: Signal): Pick<AlertItem, 'subject' | 'connection' | 'at' | 'resolvedAt'> {
  return { subject, connection, at, resolvedAt: null }
}

const openLast = ({ resolvedAt }: Alert): number => (resolvedAt === null ? 1 : 0)
