import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import { Fault } from '../fault/fault.ts'
import { type AlertId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { type Clock, DAY, type Entropy, type Instant } from '../time.ts'
import type { Alert, AlertItem } from './alert.ts'
import { AlertBook } from './alert-book.ts'
import type { AlertCommit, Alerts, Channels } from './alerts.ts'
import type { MinuteOfDay } from './quiet-hours.ts'
import { ABOUT_OWNERS, type AlertKind, type AlertRule, completeRules, THRESHOLDS, WITH_MINUTES, withChannels } from './rule.ts'

interface AlertServicePorts {
  readonly alerts: Alerts
  readonly channels: Pick<Channels, 'list'>
  readonly minuteOfDay: MinuteOfDay
  readonly clock: Clock
  readonly entropy: Entropy
}

export type RuleChange = Pick<AlertRule, 'kind'> & Partial<Omit<AlertRule, 'kind'>>

const LONGEST_SNOOZE_MS = 30 * DAY
const ITEMS_SHOWN = 200
const TRIES = 5

/** What people do to rules and alerts. */
export class AlertService {
  readonly #ports: AlertServicePorts

  constructor(ports: AlertServicePorts) {
    this.#ports = ports
  }

  async rules(organization: OrganizationId): Promise<readonly AlertRule[]> {
    const stored = await this.#ports.alerts.rules(organization)
    // In this order: a rule names no channel that was not there before it.
    const channels = await this.#ports.channels.list(organization)
    return completeRules(stored).map((rule) => withChannels(rule, channels))
  }

  /** Changes the rules that are named, field by field; the others stay. @throws Fault `invalid_request` */
  async putRules(organization: OrganizationId, changes: readonly RuleChange[], actor: Actor): Promise<readonly AlertRule[]> {
    const known = new Set((await this.#ports.channels.list(organization)).map(({ id }) => id))
    for (const [index, change] of changes.entries()) checkChange(change, `/items/${index}`, known)
    const stored = await this.rules(organization)
    const rules = stored.map((rule) => ({ ...rule, ...changes.find(({ kind }) => kind === rule.kind) }))
    const kinds = changes.map(({ kind }) => kind)
    // The others are left alone: somebody may be changing them at this moment.
    const named = rules.filter(({ kind }) => kinds.includes(kind))
    await this.#ports.alerts.putRules(organization, named, this.#event(organization, 'alert_rules.updated', null, actor, { kinds }))
    return this.rules(organization)
  }

  list(organization: OrganizationId, resolved: boolean | null, page: PageRequest): Promise<Page<Alert>> {
    return this.#ports.alerts.list(organization, resolved, page)
  }

  /** With its first 200 subjects. @throws Fault `not_found` */
  async get(organization: OrganizationId, id: AlertId): Promise<{ readonly alert: Alert; readonly items: readonly AlertItem[] }> {
    const alert = await this.#find(organization, id)
    return { alert, items: await this.#ports.alerts.items(id, ITEMS_SHOWN) }
  }

  /** Somebody has taken it on: nobody is told more of it until it is over. @throws Fault `not_found`, `conflict` */
  acknowledge(organization: OrganizationId, id: AlertId, actor: Actor): Promise<Alert> {
    return this.#change(organization, id, actor, 'alert.acknowledged', (alert, now) => ({
      acknowledgedAt: alert.acknowledgedAt ?? now,
      acknowledgedBy: alert.acknowledgedBy ?? nameOf(actor),
      snoozedUntil: null,
    }))
  }

  /** Nobody is told of it until then; afterwards they are reminded. @throws Fault */
  async snooze(organization: OrganizationId, id: AlertId, until: Instant, actor: Actor): Promise<Alert> {
    const now = this.#ports.clock.wall()
    if (until <= now || until > now + LONGEST_SNOOZE_MS)
      throw new Fault('invalid_request', { field: '/until', detail: '`until` must lie in the future, and within 30 days.' })
    return this.#change(organization, id, actor, 'alert.snoozed', () => ({ snoozedUntil: until }))
  }

  /** Over, because a person says so. It opens anew when something joins it. Repeating it changes nothing. @throws Fault */
  async resolve(organization: OrganizationId, id: AlertId, actor: Actor): Promise<Alert> {
    const { alerts, channels, clock, entropy, minuteOfDay } = this.#ports
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const alert = await this.#find(organization, id)
      if (alert.resolvedAt !== null) return alert
      const rules = new Map((await this.rules(organization)).map((rule) => [rule.kind, rule] as const))
      const listening = await channels.list(organization)
      const book = new AlertBook({ organization, rules, channels: listening, open: [alert], items: [], now: clock.wall(), entropy, minuteOfDay })
      book.resolve(alert, nameOf(actor))
      const changes = book.changes()
      const events = changes.events.map((event) => ({ ...event, actor }))
      if ((await alerts.commit({ ...NOTHING_MORE, ...changes, events })) === 'committed') return this.#find(organization, id)
    }
    throw moving()
  }

  async #change(organization: OrganizationId, id: AlertId, actor: Actor, type: EventType, to: (alert: Alert, now: Instant) => Partial<Alert>): Promise<Alert> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const alert = await this.#find(organization, id)
      if (alert.resolvedAt !== null) throw new Fault('conflict', { detail: 'This alert is resolved already: there is nothing left to do about it.' })
      const next: Alert = { ...alert, ...to(alert, this.#ports.clock.wall()), version: alert.version + 1 }
      const events = [this.#event(organization, type, id, actor, { kind: alert.kind, until: next.snoozedUntil })]
      if ((await this.#ports.alerts.commit({ ...NOTHING_MORE, alerts: [{ alert: next, before: alert.version }], events })) === 'committed') return next
    }
    throw moving()
  }

  async #find(organization: OrganizationId, id: AlertId): Promise<Alert> {
    const alert = await this.#ports.alerts.get(organization, id)
    if (alert === undefined) throw new Fault('not_found', { field: 'id', detail: `There is no alert ${id} in this organization. GET alerts lists them.` })
    return alert
  }

  #event(organization: OrganizationId, type: EventType, subject: string | null, actor: Actor, data: JsonObject): NewEvent {
    const { entropy, clock } = this.#ports
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection: null, subject, data }
  }
}

const NOTHING_MORE: AlertCommit = { done: [], alerts: [], items: [], notices: [], deliveries: [], letters: [], events: [] }

const nameOf = ({ kind, id }: Actor): string => (id === null ? kind : `${kind}:${id}`)

function moving(): Fault {
  return new Fault('conflict', { detail: 'This alert changes faster than it can be written. Try again in a moment.' })
}

function checkChange(change: RuleChange, field: string, channels: ReadonlySet<string>): void {
  const bounds = THRESHOLDS[change.kind]
  const { threshold, minutes } = change
  const refuse = (name: string, detail: string): never => {
    throw new Fault('invalid_request', { field: `${field}/${name}`, detail })
  }
  if (threshold !== undefined && threshold !== null && bounds === undefined)
    refuse('threshold', `Rules of the kind ${change.kind} have no \`threshold\`. Leave it out.`)
  if (bounds !== undefined && threshold !== undefined && (threshold === null || threshold < bounds.min || threshold > bounds.max))
    refuse('threshold', `\`threshold\` of ${change.kind} is ${bounds.min} to ${bounds.max} ${bounds.unit}.`)
  if (minutes !== undefined && (minutes !== null) !== WITH_MINUTES.has(change.kind))
    refuse(
      'minutes',
      WITH_MINUTES.has(change.kind) ? '`minutes` is a number of minutes.' : `Rules of the kind ${change.kind} count at once. Leave \`minutes\` out.`,
    )
  if (change.notifyOwner === true && !isAboutOwners(change.kind))
    refuse('notify_owner', `End users can do nothing about ${change.kind}. Leave \`notify_owner\` out.`)
  const unknown = change.channels?.find((id) => !channels.has(id))
  if (unknown !== undefined) refuse('channels', `There is no channel ${unknown} in this organization. GET channels lists them; null means every channel.`)
}

const isAboutOwners = (kind: AlertKind): boolean => ABOUT_OWNERS.has(kind)
