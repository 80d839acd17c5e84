import type { AuditEvent } from '../../core/audit/event.ts'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import { idFrom } from '../../core/ids.ts'
import type { ClosedSpan } from '../../core/observe/connection-search.ts'
import type { ExpiryCell, HistoryRow, Observed, Reconnect } from '../../core/observe/observed.ts'
import type { Instant } from '../../core/time.ts'
import { matching, searchConnections, searchEvents, tally } from './search.ts'
import type { Tables } from './tables.ts'

const historyKey = ({ organization, hour, provider, node }: HistoryRow): string => `${organization} ${hour} ${provider} ${node}`

function expiries(tables: Tables, organization: OrganizationId, what: 'ends' | 'renews', { from, to }: ClosedSpan, bucketMs: number): readonly ExpiryCell[] {
  const cells = new Map<string, { integration: IntegrationId; bucket: number; connections: number }>()
  for (const { connection, health } of matching(tables, organization, {})) {
    const at = what === 'ends' ? health.endsAt : health.dueAt
    const counts = connection.state === 'active' || (what === 'ends' && connection.state === 'paused')
    if (at === null || at < from || at >= to || !counts) continue
    if (what === 'renews' && health.endsAt !== null && at >= health.endsAt) continue
    const bucket = Math.floor((at - from) / bucketMs)
    const key = `${connection.integration} ${bucket}`
    const cell = cells.get(key) ?? { integration: connection.integration, bucket, connections: 0 }
    cells.set(key, { ...cell, connections: cell.connections + 1 })
  }
  return [...cells.values()]
}

/** Oldest first. */
function eventsOf(tables: Tables, organization: OrganizationId, matches: (event: AuditEvent) => boolean): AuditEvent[] {
  return [...tables.events.values()]
    .filter((event) => event.organization === organization && matches(event))
    .sort((left, right) => (left.id < right.id ? -1 : 1))
}

const between = (from: Instant, to: Instant) => (event: AuditEvent) => event.id >= idFrom('evt', from) && event.id < idFrom('evt', to)

function reconnects(tables: Tables, organization: OrganizationId, from: Instant, to: Instant, limit: number): readonly Reconnect[] {
  const inside = between(from, to)
  return eventsOf(tables, organization, (event) => event.type === 'connection.reconnected' && inside(event))
    .slice(0, limit)
    .flatMap(({ id, connection, at }) => {
      const row = connection === null ? undefined : tables.connections.get(connection)
      if (connection === null || row === undefined) return []
      const ends = eventsOf(tables, organization, (event) => event.type === 'connection.needs_reauth' && event.connection === connection && event.id < id)
      const works = row.grant.connection.state === 'active' && row.grant.health.failures === 0
      return [{ connection, at, brokenAt: ends.at(-1)?.at ?? null, works }]
    })
}

function notified(tables: Tables, organization: OrganizationId, from: Instant, to: Instant): number {
  const taken = [...tables.alerting.deliveries.values()].filter(
    ({ organization: own, type, state, finishedAt: at }) =>
      own === organization && type === 'connection.needs_reauth' && state === 'delivered' && at !== null && at >= from && at < to,
  )
  const letters = eventsOf(tables, organization, between(from, to)).filter(({ type }) => type === 'owner.notified')
  const told = [...taken.map(({ event }) => tables.events.get(`${organization} ${event}`)?.connection), ...letters.map(({ connection }) => connection)]
  return new Set(told).size
}

function foldHistory(tables: Tables, before: Instant): boolean {
  const starts = [...tables.history.values()].filter(({ hour, node }) => hour < before && node.startsWith('start '))
  const hour = starts.reduce((oldest, row) => Math.min(oldest, row.hour), Number.POSITIVE_INFINITY)
  for (const row of starts.filter((candidate) => candidate.hour === hour)) {
    tables.history.delete(historyKey(row))
    const whole = { ...row, node: '' }
    const counts: Record<string, number> = { ...tables.history.get(historyKey(whole))?.counts }
    for (const [name, value] of Object.entries(row.counts)) counts[name] = (counts[name] ?? 0) + value
    tables.history.set(historyKey(whole), { ...whole, counts })
  }
  return starts.length > 0
}

function historyPart(tables: Tables): Pick<Observed, 'writeHistory' | 'foldHistory' | 'history' | 'forgetHistory'> {
  return {
    writeHistory: async (rows, notBefore) => {
      for (const row of rows) if (row.hour >= notBefore) tables.history.set(historyKey(row), row)
    },
    foldHistory: async (before) => foldHistory(tables, before),
    history: async (organization, from, to) =>
      [...tables.history.values()]
        .filter((row) => row.organization === organization && row.hour >= from && row.hour < to)
        .sort((left, right) => left.hour - right.hour || (historyKey(left) < historyKey(right) ? -1 : 1)),
    forgetHistory: async (before) => {
      const old = [...tables.history.values()].filter((row) => row.hour < before)
      for (const row of old) tables.history.delete(historyKey(row))
      return old.length
    },
  }
}

function bulkPart(tables: Tables): Pick<Observed, 'keepBulk' | 'bulk' | 'markUndone' | 'forgetBulks'> {
  const own: Observed['bulk'] = async (organization, id) => {
    const found = tables.bulks.get(id)
    return found?.organization === organization ? found : undefined
  }
  return {
    keepBulk: async (action) => void tables.bulks.set(action.id, action),
    bulk: own,
    markUndone: async (organization, id, at) => {
      const found = tables.bulks.get(id)
      if (found === undefined || found.organization !== organization || found.undoneAt !== null) return false
      tables.bulks.set(id, { ...found, undoneAt: at })
      return true
    },
    forgetBulks: async (before, limit) => {
      const old = [...tables.bulks.values()].filter(({ at }) => at < before).slice(0, limit)
      for (const { id } of old) tables.bulks.delete(id)
      return old.length
    },
  }
}

export function observedPart(tables: Tables): Observed {
  const ending: Observed['endingBefore'] = async (organization, from, instants) => {
    const ends = matching(tables, organization, { ends: { from, to: null } }).filter(
      ({ connection }) => connection.state === 'active' || connection.state === 'paused',
    )
    return instants.map((to) => ends.filter(({ health }) => health.endsAt !== null && health.endsAt < to).length)
  }
  return {
    connections: async (organization, search, sort, page) => searchConnections(tables, organization, search, sort, page),
    tally: async (organization, search) => tally(tables, organization, search),
    endingBefore: ending,
    expiries: async (organization, what, span, bucketMs) => expiries(tables, organization, what, span, bucketMs),
    events: async (organization, query, page) => searchEvents(tables, organization, query, page),
    eventsSince: async (organization, after, limit) => eventsOf(tables, organization, ({ id }) => id > after).slice(-limit),
    eventsOfTypes: async (organization, types, limit) =>
      eventsOf(tables, organization, ({ type }) => types.includes(type))
        .slice(-limit)
        .reverse(),
    countEvents: async (organization, types, from, to) => {
      const inside = eventsOf(tables, organization, between(from, to))
      return Object.fromEntries(types.map((type) => [type, inside.filter((event) => event.type === type).length]))
    },
    notified: async (organization, from, to) => notified(tables, organization, from, to),
    reconnects: async (organization, from, to, limit) => reconnects(tables, organization, from, to, limit),
    setup: async (organization) => ({
      hasIntegration: [...tables.integrations.values()].some(({ integration }) => integration.organization === organization),
      hasConnection: tables.connections.ofOrganization(organization).length > 0,
      hasRefresh: eventsOf(tables, organization, ({ type }) => type === 'connection.refreshed').length > 0,
      hasReconnect: eventsOf(tables, organization, ({ type }) => type === 'connection.reconnected').length > 0,
    }),
    programs: async (organization, healedSince) => {
      const installations = [...tables.installations.values()].filter((one) => one.organization === organization)
      return {
        agents: [...tables.agents.values()].filter((agent) => agent.organization === organization && agent.status !== 'revoked').length,
        installations: installations.filter(({ status }) => status !== 'retired').length,
        locked: installations.filter(({ status }) => status === 'locked').length,
        healed: installations.filter(({ id }) => (tables.healed.get(id) ?? Number.NEGATIVE_INFINITY) >= healedSince).length,
      }
    },
    ...historyPart(tables),
    ...bulkPart(tables),
  }
}
