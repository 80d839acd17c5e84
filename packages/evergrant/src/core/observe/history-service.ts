import type { Organization } from '../access/organization.ts'
import type { Integration } from '../connection/integration.ts'
import type { Integrations } from '../connection/integrations.ts'
import type { IntegrationId, OrganizationId } from '../ids.ts'
import { type Clock, DAY, HOUR, type Instant, MINUTE, SECOND } from '../time.ts'
import { allIntegrations } from './all-integrations.ts'
import { placeIn, RECONNECT_SECONDS } from './buckets.ts'
import { type HistoryCounter, hourOf, OPEN_HOURS_MS } from './history-counter.ts'
import { type HistorySeries, type SeriesName, seriesOf } from './history-series.ts'
import type { HistoryRow, Observed } from './observed.ts'

/** Which series counts which events. */
const EVENTS_OF: Readonly<Record<string, readonly string[]>> = {
  connect_completed: ['connect.completed'],
  connect_failed: ['connect.failed', 'connect.refused', 'connect.account_mismatch'],
  connect_started: ['connect.started'],
  healed: ['recovery.succeeded'],
  reconnect_authorised: ['connection.reconnected'],
  reissues: ['session.reissued', 'sdk_token.reissued'],
  reuse_detected: ['session.reuse_detected', 'installation.clone_suspected'],
}
const COUNTED = [...new Set(Object.values(EVENTS_OF).flat())]
const OPENED_LIMIT = 1_000
/** The database is asked for the figures of one organization this often; a reader asks for the newest. */
const DERIVE_EVERY_MS = 10 * MINUTE
/** Counting a million connections takes the embedded database a second, which a node that starts has better use for. */
const AFTER_START_MS = MINUTE
const ORGANIZATIONS_A_RUN = 100
const HOURLY_UP_TO = 7 * DAY
const FORGET_BATCH = 500

interface HistoryPorts {
  readonly observed: Observed
  readonly integrations: Pick<Integrations, 'list'>
  readonly organizations: { list(): Promise<readonly Pick<Organization, 'id'>[]> }
  readonly counter: Pick<HistoryCounter, 'flush' | 'count'>
  readonly clock: Pick<Clock, 'wall'>
  /** Null keeps everything. */
  readonly keptMs: number | null
  /** Providers whose breaker is open at this node now, with the organization of each integration that is held up. */
  readonly openBreakers: () => readonly { readonly organization: OrganizationId; readonly provider: string }[]
}

interface HistoryAnswer {
  readonly step: 'hour' | 'day'
  readonly from: Instant
  readonly series: readonly HistorySeries[]
}

/**
 * The hours behind the plots. What only a node sees, each node counts by itself; what the database knows, whoever comes by reads out
 * of it again, so that no two ever count the same.
 */
export class HistoryService {
  readonly #ports: HistoryPorts
  readonly #derivedAt = new Map<OrganizationId, Instant>()
  /** When an organization that was not looked at yet is due. */
  readonly #firstAt: Instant
  #sampledAt: Instant | null = null

  constructor(ports: HistoryPorts) {
    this.#ports = ports
    this.#firstAt = ports.clock.wall() + AFTER_START_MS
  }

  /** The chore of a node, once a minute. True when there is more to do at once. */
  async work(): Promise<boolean> {
    const { observed, counter, organizations, clock, keptMs } = this.#ports
    this.#sampleBreakers()
    await counter.flush()
    const now = clock.wall()
    const due = (await organizations.list()).filter(({ id }) => now >= this.#dueAt(id))
    for (const { id } of due.slice(0, ORGANIZATIONS_A_RUN)) await this.derive(id)
    let more = due.length > ORGANIZATIONS_A_RUN
    if (await observed.foldHistory(hourOf(now - OPEN_HOURS_MS - HOUR))) more = true
    if (keptMs !== null && (await observed.forgetHistory(hourOf(now - keptMs), FORGET_BATCH)) >= FORGET_BATCH) more = true
    return more
  }

  #dueAt(organization: OrganizationId): Instant {
    const last = this.#derivedAt.get(organization)
    return last === undefined ? this.#firstAt : last + DERIVE_EVERY_MS
  }

  /** What was counted since the last minute, at shutdown. */
  flush(): Promise<void> {
    return this.#ports.counter.flush()
  }

  /** Reads out of the database what it knows of this hour and, while it is young, of the one before. */
  async derive(organization: OrganizationId): Promise<void> {
    const now = this.#ports.clock.wall()
    this.#derivedAt.set(organization, now)
    const hour = hourOf(now)
    const rows: HistoryRow[] = []
    if (now - hour < 2 * DERIVE_EVERY_MS) rows.push(await this.#eventsOf(organization, hour - HOUR))
    rows.push(await this.#eventsOf(organization, hour), ...(await this.#statusesOf(organization, hour)))
    await this.#ports.observed.writeHistory(rows, hourOf(now - OPEN_HOURS_MS))
  }

  /** Steps of an hour up to seven days, of a day above; `from` is cut to what is kept. */
  async read(organization: OrganizationId, names: readonly SeriesName[], from: Instant, to: Instant, byProvider: boolean): Promise<HistoryAnswer> {
    await this.#ports.counter.flush()
    await this.derive(organization)
    const step = to - from <= HOURLY_UP_TO ? 'hour' : 'day'
    const stepMs = step === 'hour' ? HOUR : DAY
    const start = Math.floor(from / stepMs) * stepMs
    const rows = await this.#ports.observed.history(organization, start, to + 1)
    return { step, from: start, series: seriesOf(rows, names, { stepMs, byProvider }) }
  }

  async #eventsOf(organization: OrganizationId, hour: Instant): Promise<HistoryRow> {
    const { observed } = this.#ports
    const found = await observed.countEvents(organization, COUNTED, hour, hour + HOUR)
    const counts: Record<string, number> = {}
    for (const [series, types] of Object.entries(EVENTS_OF)) {
      const sum = types.reduce((total, type) => total + (found[type] ?? 0), 0)
      if (sum > 0) counts[series] = sum
    }
    const add = (name: string) => {
      counts[name] = (counts[name] ?? 0) + 1
    }
    for (const { at, brokenAt, works } of (found['connection.reconnected'] ?? 0) > 0
      ? await observed.reconnects(organization, hour, hour + HOUR, OPENED_LIMIT)
      : []) {
      if (works) add('reconnect_verified')
      if (brokenAt !== null) add(`repair:${placeIn(RECONNECT_SECONDS, (at - brokenAt) / SECOND)}`)
    }
    const opened = (found['connect.started'] ?? 0) > 0 ? await this.#opened(organization, hour) : 0
    if (opened > 0) counts.reconnect_opened = opened
    const notified = await observed.notified(organization, hour, hour + HOUR)
    if (notified > 0) counts.reconnect_notified = notified
    return { organization, hour, provider: '', node: 'events', counts }
  }

  /** Flows that began for a connection that is there already. */
  async #opened(organization: OrganizationId, hour: Instant): Promise<number> {
    const term = (field: 'type' | 'connection', value: string, prefix: boolean) => ({ field, value, prefix, negated: false })
    const query = { terms: [term('type', 'connect.started', false), term('connection', '', true)], from: hour, to: hour + HOUR }
    let count = 0
    let cursor: string | null = null
    do {
      const page: { readonly items: readonly unknown[]; readonly cursor: string | null } = await this.#ports.observed.events(organization, query, {
        limit: 200,
        cursor,
      })
      count += page.items.length
      cursor = page.cursor
    } while (cursor !== null && count < OPENED_LIMIT)
    return count
  }

  async #statusesOf(organization: OrganizationId, hour: Instant): Promise<readonly HistoryRow[]> {
    const known = new Map<IntegrationId, Integration>((await allIntegrations(this.#ports.integrations, organization)).map((one) => [one.id, one]))
    const byProvider = new Map<string, Record<string, number>>()
    for (const { integration, status, connections } of await this.#ports.observed.tally(organization, {})) {
      const provider = known.get(integration)?.provider ?? ''
      const counts = byProvider.get(provider) ?? {}
      byProvider.set(provider, counts)
      counts[`status:${status}`] = (counts[`status:${status}`] ?? 0) + connections
    }
    return [...byProvider].map(([provider, counts]) => ({ organization, hour, provider, node: 'statuses', counts }))
  }

  #sampleBreakers(): void {
    const now = this.#ports.clock.wall()
    // A minute at most: what lay between two samples that are further apart is not known.
    const seconds = this.#sampledAt === null ? 0 : Math.round(Math.min(Math.max(0, now - this.#sampledAt), MINUTE) / SECOND)
    this.#sampledAt = now
    if (seconds > 0)
      for (const { organization, provider } of this.#ports.openBreakers()) this.#ports.counter.count(organization, provider, 'breaker_open_seconds', seconds)
  }
}
