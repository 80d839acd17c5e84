import type { AuditEvent } from '../audit/event.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import { everyItem } from '../connection/every-item.ts'
import type { IntegrationId, OrganizationId } from '../ids.ts'
import { newId } from '../ids.ts'
import { SECOND } from '../time.ts'
import { type Delivery, KEEP_TRYING_MS } from '../webhook/delivery.ts'
import { wants } from '../webhook/endpoint.ts'
import type { Alert } from './alert.ts'
import { AlertBook } from './alert-book.ts'
import type { AlertCommit } from './alerts.ts'
import { lookAt } from './looks.ts'
import type { OwnerLetter } from './owner-letter.ts'
import { type AlertKind, type AlertRule, completeRules, withChannels } from './rule.ts'
import { asksForConnection, ownerCanMend, type Reading, type Relief, readEvent, type Signal } from './signals.ts'
import type { WatchPorts } from './watch-ports.ts'

const BATCH = 200
/** Longer than a batch takes; a node that dies is followed after it. */
const LEASE_MS = 30 * SECOND

/**
 * Makes deliveries, alerts and letters of what happened. One node at a time, by a lease; should two overlap, the database lets one
 * of them commit: an event is settled in the transaction that writes what follows from it, so nothing is lost and nothing told twice.
 */
export class AlertWatch {
  readonly #ports: WatchPorts

  constructor(ports: WatchPorts) {
    this.#ports = ports
  }

  /** Reads what happened since. True when there is more. */
  async readEvents(): Promise<boolean> {
    if (!(await this.#mayRun('events'))) return false
    const failed: OrganizationId[] = []
    for (;;) {
      const pending = await this.#ports.alerts.pending(BATCH, failed)
      const before = failed.length
      for (const [organization, events] of byOrganization(pending)) {
        if (!(await this.#worked(organization, () => this.#readOf(organization, events)))) failed.push(organization)
      }
      if (pending.length < BATCH) return false
      // Behind those that cannot be read now others may wait.
      if (failed.length === before) return true
    }
  }

  /** Looks for what no event tells: trouble that lasts, and trouble that is over. */
  async look(): Promise<boolean> {
    if (!(await this.#mayRun('looks'))) return false
    let more = false
    for (const { id } of await this.#ports.organizations.list()) {
      await this.#worked(id, async () => {
        const rules = await this.#rulesOf(id)
        const found = await lookAt(this.#ports, id, rules)
        await this.#apply(id, found, { rules, done: [], deliveries: [], letters: [] })
        more ||= found.more
      })
    }
    return more
  }

  /** What fails of one organization is tried again with the next run, and holds up no other. */
  async #worked(organization: OrganizationId, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.#ports.log.warn({ organization, error: error instanceof Error ? error.message : 'unknown' }, 'the events of an organization could not be read')
      return false
    }
  }

  /** What one node finds about itself. Any node at any time. */
  async report(organization: OrganizationId, found: Reading): Promise<void> {
    await this.#apply(organization, found, { rules: await this.#rulesOf(organization), done: [], deliveries: [], letters: [] })
  }

  #mayRun(what: string): Promise<boolean> {
    const { alerts, holder, clock } = this.#ports
    const now = clock.wall()
    return alerts.lease(`alerts ${what}`, holder, now, now + LEASE_MS)
  }

  async #rulesOf(organization: OrganizationId): Promise<ReadonlyMap<AlertKind, AlertRule>> {
    return new Map(completeRules(await this.#ports.alerts.rules(organization)).map((rule) => [rule.kind, rule]))
  }

  async #readOf(organization: OrganizationId, events: readonly AuditEvent[]): Promise<void> {
    const rules = await this.#rulesOf(organization)
    const endpoints = (await this.#ports.webhooks.list(organization)).filter(({ enabled }) => enabled)
    const signals: Signal[] = []
    const reliefs: Relief[] = []
    const letters: OwnerLetter[] = []
    const deliveries: Delivery[] = []
    // One after the other: a signal and its relief in one batch must meet in the order of what happened.
    const steps: Reading[] = []
    for (const event of events) {
      const { connection } = event
      const details = connection !== null && asksForConnection(event) ? await this.#ports.details(organization, connection) : undefined
      const reading = await this.#named(readEvent(event, rules, details))
      steps.push(reading)
      signals.push(...reading.signals)
      reliefs.push(...reading.reliefs)
      if (details !== undefined) letters.push(...(await this.#lettersFor(event, reading, rules, details)))
      for (const endpoint of endpoints) if (wants(endpoint, event.type)) deliveries.push(this.#delivery(event, endpoint.id))
    }
    await this.#apply(organization, { signals, reliefs, steps }, { rules, done: events.map(({ id }) => id), deliveries, letters })
  }

  /** An alert about an integration says its name, not its id. */
  async #named(reading: Reading): Promise<Reading> {
    const signals: Signal[] = []
    for (const signal of reading.signals) {
      if (signal.kind !== 'integration_misconfigured') signals.push(signal)
      else {
        const integration = await this.#ports.integrations.get(signal.organization, signal.subject as IntegrationId)
        signals.push({ ...signal, about: { ...signal.about, integration: integration?.slug ?? signal.subject } })
      }
    }
    return { ...reading, signals }
  }

  #delivery(event: AuditEvent, endpoint: Delivery['endpoint']): Delivery {
    const now = this.#ports.clock.wall()
    const what = { organization: event.organization, endpoint, event: event.id, type: event.type }
    const times = { createdAt: now, nextAt: now, expiresAt: now + KEEP_TRYING_MS, finishedAt: null }
    return { id: newId('dlv', this.#ports.entropy), ...what, state: 'waiting', attempts: 0, ...times }
  }

  /** To the end user, where the rule and the organization say so and the end user can do something about it. */
  async #lettersFor(
    event: AuditEvent,
    { signals }: Reading,
    rules: ReadonlyMap<AlertKind, AlertRule>,
    { row }: ConnectionDetails,
  ): Promise<readonly OwnerLetter[]> {
    const [signal] = signals
    const rule = signal === undefined ? undefined : rules.get(signal.kind)
    if (signal === undefined || rule === undefined || !rule.enabled || !rule.notifyOwner) return []
    if (signal.kind !== 'connection_needs_reauth' || !ownerCanMend(signal.about.code)) return []
    if (!(await this.#ports.ownerMail(event.organization))) return []
    const cause = `ended ${row.credential.generation}`
    const now = this.#ports.clock.wall()
    const what = { organization: event.organization, connection: row.connection.id, why: 'needs_reauth', cause } as const
    return [{ id: newId('ltr', this.#ports.entropy), ...what, state: 'waiting', attempts: 0, nextAt: now, createdAt: now }]
  }

  async #apply(
    organization: OrganizationId,
    { signals, reliefs, steps }: Reading & { readonly steps?: readonly Reading[] },
    more: Pick<AlertCommit, 'done' | 'deliveries' | 'letters'> & { readonly rules: ReadonlyMap<AlertKind, AlertRule> },
  ): Promise<void> {
    const { alerts, channels, clock, entropy, minuteOfDay } = this.#ports
    const subjects = [...new Set([...signals, ...reliefs].map(({ subject }) => subject))]
    const open = await this.#openOf(organization)
    if (subjects.length === 0 && open.length === 0 && more.done.length === 0) return
    const items = subjects.length === 0 ? [] : await alerts.itemsOf(organization, subjects)
    const listening = await channels.list(organization)
    const rules = new Map([...more.rules].map(([kind, rule]) => [kind, withChannels(rule, listening)] as const))
    const book = new AlertBook({ organization, rules, channels: listening, open, items, now: clock.wall(), entropy, minuteOfDay })
    for (const step of steps ?? [{ signals, reliefs }]) {
      for (const relief of step.reliefs) book.relieve(relief)
      for (const signal of step.signals) book.raise(signal)
    }
    book.tend()
    const changes = book.changes()
    if (changes.alerts.length + changes.items.length + more.done.length === 0) return
    const { done, letters, deliveries } = more
    // Raced: a person or another node was first. What is not settled is read again.
    await alerts.commit({ done, letters, ...changes, deliveries: [...deliveries, ...changes.deliveries] })
  }

  /** Every one, however many: of a cause whose open alert were left out, a second one would be opened, which no store takes, and its event would be read for ever. */
  async #openOf(organization: OrganizationId): Promise<readonly Alert[]> {
    const open: Alert[] = []
    for await (const alert of everyItem((page) => this.#ports.alerts.list(organization, false, page))) open.push(alert)
    return open.reverse()
  }
}

function byOrganization(events: readonly AuditEvent[]): ReadonlyMap<OrganizationId, readonly AuditEvent[]> {
  const found = new Map<OrganizationId, AuditEvent[]>()
  for (const event of events) {
    const known = found.get(event.organization)
    if (known === undefined) found.set(event.organization, [event])
    else known.push(event)
  }
  return found
}
