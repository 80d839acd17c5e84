import type { AuditEvent, EventType } from '../audit/event.ts'
import type { ConnectionDetails, ConnectionService } from '../connection/connection-service.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import type { Integration } from '../connection/integration.ts'
import { integrationNotFound } from '../connection/integration-service.ts'
import type { Integrations } from '../connection/integrations.ts'
import { providerNameOf } from '../connection/provider-name.ts'
import type { IntegrationId, OrganizationId } from '../ids.ts'
import { isNamedByBrowser } from '../provider/account.ts'
import type { ProviderDirectory } from '../provider/context.ts'
import { reconnectModes } from '../provider/reconnect-modes.ts'
import { type Clock, DAY, HOUR, type Instant, SECOND } from '../time.ts'
import { allIntegrations } from './all-integrations.ts'
import type { ClosedSpan, ConnectionSearch, ConnectionSort } from './connection-search.ts'
import type { Observed, ProgramCounts, Setup } from './observed.ts'
import { type Cause, type Counts, causesOf, countsOf, sentenceOf, type Weather, weatherOf } from './overview.ts'

/** What changed how this organization works; people see it beside what broke. */
const CHANGES: readonly EventType[] = [
  'integration.created',
  'integration.updated',
  'integration.deleted',
  'integration.blocked',
  'integration.unblocked',
  'integration.deaths_held',
  'integration.deaths_confirmed',
  'integration.deaths_released',
  'organization.updated',
  'api_key.created',
  'api_key.rotated',
  'api_key.revoked',
  'agent.policy_changed',
  'agent.settings_changed',
  'recovery.switch_changed',
  'provider.drift_detected',
  'signing_key.activated',
]
const CHANGES_SHOWN = 20
/** Many who look at the same time share one answer. */
const FRESH_MS = 2 * SECOND

interface ConsolePorts {
  readonly observed: Observed
  readonly connections: Pick<ConnectionService, 'detailed'>
  readonly integrations: Pick<Integrations, 'list'>
  readonly providers: Pick<ProviderDirectory, 'get'>
  readonly clock: Pick<Clock, 'wall' | 'mono'>
  /** Breakers of this node: how long each has been open. */
  readonly openBreakers: () => readonly { readonly integration: string; readonly openForMs: number }[]
}

export interface WantedSearch extends Omit<ConnectionSearch, 'integrations'> {
  /** Id or slug. */
  readonly integration?: string
  readonly provider?: string
}

export interface Facet {
  readonly value: string
  readonly name: string
  readonly count: number
}

interface Facets {
  readonly total: number
  readonly statuses: readonly Facet[]
  readonly providers: readonly Facet[]
  readonly integrations: readonly Facet[]
  readonly codes: readonly Facet[]
}

export interface Overview {
  readonly at: Instant
  readonly sentence: string
  readonly counts: Counts
  readonly attention: readonly Cause[]
  readonly expiring: { readonly day: number; readonly week: number; readonly month: number; readonly quarter: number }
  readonly weather: readonly Weather[]
  readonly changes: readonly AuditEvent[]
  readonly agents: ProgramCounts
  readonly setup: Setup
}

interface ExpiryBucket {
  readonly from: Instant
  readonly to: Instant
  readonly lane: string
  /** Somebody has to act. */
  readonly human: number
  readonly automatic: number
}

/** What operators see of all connections together. Reads only. */
export class ConsoleService {
  readonly #ports: ConsolePorts
  readonly #overviews = new Map<OrganizationId, { readonly madeAt: number; readonly overview: Promise<Overview> }>()

  constructor(ports: ConsolePorts) {
    this.#ports = ports
  }

  /** @throws Fault `invalid_request` for a cursor of another order */
  async connections(organization: OrganizationId, wanted: WantedSearch, sort: ConnectionSort, page: PageRequest): Promise<Page<ConnectionDetails>> {
    const search = await this.search(organization, wanted)
    const found = await this.#ports.observed.connections(organization, search, sort, page)
    return { items: await this.#ports.connections.detailed(found.items), cursor: found.cursor }
  }

  /** What the databases are asked: integrations by id. A provider that nobody uses finds nothing. @throws Fault `not_found` for an integration that is none */
  async search(organization: OrganizationId, { integration, provider, ...search }: WantedSearch): Promise<ConnectionSearch> {
    if (integration === undefined && provider === undefined) return search
    const all = await allIntegrations(this.#ports.integrations, organization)
    const fits = (one: Integration) =>
      (integration === undefined || one.id === integration || one.slug === integration) && (provider === undefined || one.provider === provider)
    if (integration !== undefined && !all.some((one) => one.id === integration || one.slug === integration)) throw integrationNotFound(integration)
    return { ...search, integrations: all.filter(fits).map(({ id }) => id) }
  }

  async facets(organization: OrganizationId, wanted: WantedSearch): Promise<Facets> {
    const known = await this.#integrations(organization)
    const cells = await this.#ports.observed.tally(organization, await this.search(organization, wanted))
    const by = (pick: (cell: (typeof cells)[number]) => string | null, nameOf: (value: string) => string): readonly Facet[] => {
      const sums = new Map<string, number>()
      for (const cell of cells) {
        const value = pick(cell)
        if (value !== null) sums.set(value, (sums.get(value) ?? 0) + cell.connections)
      }
      return [...sums].map(([value, count]) => ({ value, name: nameOf(value), count })).sort((left, right) => right.count - left.count)
    }
    const same = (value: string): string => value
    const providerName = (provider: string): string => this.#ports.providers.get(provider)?.name ?? provider
    const integrationName = (slug: string): string => [...known.values()].find((one) => one.slug === slug)?.name ?? slug
    return {
      total: cells.reduce((sum, cell) => sum + cell.connections, 0),
      statuses: by(({ status }) => status, same),
      providers: by(({ integration }) => known.get(integration)?.provider ?? null, providerName),
      integrations: by(({ integration }) => known.get(integration)?.slug ?? null, integrationName),
      codes: by(({ code }) => code, same),
    }
  }

  overview(organization: OrganizationId): Promise<Overview> {
    const now = this.#ports.clock.mono()
    const known = this.#overviews.get(organization)
    if (known !== undefined && now - known.madeAt < FRESH_MS) return known.overview
    for (const [id, { madeAt }] of this.#overviews) if (now - madeAt >= FRESH_MS) this.#overviews.delete(id)
    const overview = this.#overview(organization)
    this.#overviews.set(organization, { madeAt: now, overview })
    // A failure is nobody's answer but theirs who waited for it.
    overview.catch(() => this.#overviews.delete(organization))
    return overview
  }

  /** In buckets of `bucketMs`; empty ones are left out. One lane, `all`, unless they are asked for by provider. */
  async expiries(
    organization: OrganizationId,
    span: ClosedSpan,
    bucketMs: number,
    byProvider: boolean,
  ): Promise<{ readonly buckets: readonly ExpiryBucket[]; readonly lanes: readonly string[] }> {
    const { observed } = this.#ports
    const known = await this.#integrations(organization)
    const [human, automatic] = await Promise.all([
      observed.expiries(organization, 'ends', span, bucketMs),
      observed.expiries(organization, 'renews', span, bucketMs),
    ])
    const buckets = new Map<string, ExpiryBucket>()
    for (const [cells, what] of [[human, 'human'] as const, [automatic, 'automatic'] as const]) {
      for (const { bucket, integration, connections } of cells) {
        const lane = byProvider ? (known.get(integration)?.provider ?? 'unknown') : 'all'
        const from = span.from + bucket * bucketMs
        const one = buckets.get(`${bucket} ${lane}`) ?? { from, to: Math.min(span.to, from + bucketMs), lane, human: 0, automatic: 0 }
        buckets.set(`${bucket} ${lane}`, { ...one, [what]: one[what] + connections })
      }
    }
    const found = [...buckets.values()].sort((left, right) => left.from - right.from || (left.lane < right.lane ? -1 : 1))
    return { buckets: found, lanes: [...new Set(found.map(({ lane }) => lane))].sort() }
  }

  async #overview(organization: OrganizationId): Promise<Overview> {
    const { observed, clock, providers } = this.#ports
    const at = clock.wall()
    const [known, cells, ending, rows, changes, agents, setup] = await Promise.all([
      this.#integrations(organization),
      observed.tally(organization, {}),
      observed.endingBefore(
        organization,
        at,
        [1, 7, 30, 90].map((days) => at + days * DAY),
      ),
      observed.history(organization, at - 24 * HOUR, at + HOUR),
      observed.eventsOfTypes(organization, CHANGES, CHANGES_SHOWN),
      observed.programs(organization, at - DAY),
      observed.setup(organization),
    ])
    const [day = 0, week = 0, month = 0, quarter = 0] = ending
    const counts = countsOf(cells)
    const attention = causesOf(cells, known, (integration) => {
      const record = providers.get(integration.provider)
      const linkRepairs =
        record !== undefined && reconnectModes({ grant: record.grant, linkRepairs: !isNamedByBrowser(record), accountKnown: true }).includes('link')
      return { provider: providerNameOf(record, integration), linkRepairs }
    })
    const weather = weatherOf(rows, at, this.#open(known, at), (provider) => providers.get(provider)?.name ?? provider)
    return { at, sentence: sentenceOf(counts, attention), counts, attention, expiring: { day, week, month, quarter }, weather, changes, agents, setup }
  }

  async #integrations(organization: OrganizationId): Promise<ReadonlyMap<IntegrationId, Integration>> {
    return new Map((await allIntegrations(this.#ports.integrations, organization)).map((one) => [one.id, one]))
  }

  /** Providers of this organization that are held up, and since when. */
  #open(known: ReadonlyMap<string, Integration>, now: Instant): ReadonlyMap<string, Instant> {
    const open = new Map<string, Instant>()
    for (const { integration, openForMs } of this.#ports.openBreakers()) {
      const provider = known.get(integration)?.provider
      if (provider !== undefined) open.set(provider, Math.min(open.get(provider) ?? now, now - openForMs))
    }
    return open
  }
}
