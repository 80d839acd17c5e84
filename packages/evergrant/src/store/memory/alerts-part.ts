import type { Alert, AlertItem } from '../../core/alert/alert.ts'
import type { AlertCommit, Alerts, Channels } from '../../core/alert/alerts.ts'
import { idFrom, type OrganizationId } from '../../core/ids.ts'
import { DAY } from '../../core/time.ts'
import { afterOf, limitOf, toPage } from '../sql/paging.ts'
import type { Tables } from './tables.ts'
import { insertDelivery } from './webhooks-part.ts'

const OPEN_SHOWN = 500
const WARNED_AHEAD_MS = 31 * DAY

const byId = <Row extends { readonly id: string }>(rows: Iterable<Row>): Row[] => [...rows].sort((left, right) => (left.id < right.id ? -1 : 1))

/** The stored alert is the one that `before` says, and no other one of its cause is open. */
function mayWrite(tables: Tables, alert: Alert, before: number | null): boolean {
  const { alerts } = tables.alerting
  if (before !== null) return alerts.get(alert.id)?.version === before
  return ![...alerts.values()].some((known) => known.organization === alert.organization && known.key === alert.key && known.resolvedAt === null)
}

function commit(tables: Tables, { done, alerts, items, notices, deliveries, letters, events }: AlertCommit): 'committed' | 'raced' {
  const rows = tables.alerting
  if (done.some((id) => !rows.outbox.has(id)) || alerts.some(({ alert, before }) => !mayWrite(tables, alert, before))) return 'raced'
  for (const id of done) rows.outbox.delete(id)
  for (const { alert } of alerts) {
    rows.alerts.set(alert.id, alert)
    tables.changed({ kind: 'alert', alert: alert.id })
  }
  for (const item of items) rows.items.set(`${item.alert} ${item.subject}`, item)
  for (const notice of notices) if (rows.channels.has(notice.channel)) rows.notices.set(notice.id, notice)
  for (const event of events) tables.append(event)
  for (const delivery of deliveries) insertDelivery(tables, delivery)
  for (const letter of letters) {
    const known = [...rows.letters.values()].some(({ connection, cause }) => connection === letter.connection && cause === letter.cause)
    if (!known) rows.letters.set(letter.id, letter)
  }
  return 'committed'
}

function isHealed(tables: Tables, { kind, connection, resolvedAt }: AlertItem): boolean {
  const grant = connection === null ? undefined : tables.connections.get(connection)?.grant
  if (grant === undefined || resolvedAt !== null) return false
  const { state } = grant.connection
  if (kind === 'connection_needs_reauth') return state !== 'needs_reauth'
  if (kind === 'refresh_failing') return state !== 'active' || grant.health.failures === 0
  const { endsAt } = grant.health
  return kind === 'expires_soon' && (state !== 'active' || endsAt === null || endsAt > tables.now() + WARNED_AHEAD_MS)
}

function failingRows(tables: Tables, organization: OrganizationId) {
  return [...tables.connections.all()]
    .map(({ grant }) => grant)
    .filter(({ connection, health }) => connection.organization === organization && connection.state === 'active' && health.failures > 0)
}

function failing(tables: Tables, ...[organization, before, limit]: Parameters<Alerts['failing']>): Awaited<ReturnType<Alerts['failing']>> {
  const known = new Set(
    [...tables.alerting.items.values()].flatMap((item) => (item.kind === 'refresh_failing' && item.resolvedAt === null ? [item.subject] : [])),
  )
  return failingRows(tables, organization)
    .flatMap(({ connection, health }) =>
      health.firstFailedAt !== null && health.firstFailedAt <= before && !known.has(connection.id)
        ? [{ connection: connection.id, firstFailedAt: health.firstFailedAt }]
        : [],
    )
    .slice(0, limit)
}

function outcomes(tables: Tables, ...[organization, from, limit]: Parameters<Alerts['outcomes']>) {
  const first = idFrom('evt', from)
  const newest = byId([...tables.events.values()].filter((event) => event.organization === organization && event.id >= first)).slice(-limit)
  const refreshed = newest.filter(({ type }) => type === 'connection.refreshed').length
  return { refreshed, failing: Math.min(limit, failingRows(tables, organization).length) }
}

function purge(tables: Tables, before: number, limit: number): number {
  const { alerts, items, notices, letters } = tables.alerting
  const old = [...alerts.values()].filter(({ resolvedAt }) => resolvedAt !== null && resolvedAt < before).slice(0, limit)
  for (const { id } of old) {
    alerts.delete(id)
    for (const [key, item] of items) if (item.alert === id) items.delete(key)
    for (const [key, notice] of notices) if (notice.alert === id) notices.delete(key)
  }
  const written = [...letters.values()].filter(({ createdAt, nextAt }) => createdAt < before && nextAt === null).slice(0, limit)
  for (const { id } of written) letters.delete(id)
  return Math.max(old.length, written.length)
}

function taking(tables: Tables): Pick<Alerts, 'takeNotices' | 'settleNotices' | 'takeLetters' | 'settleLetter'> {
  const { notices, letters } = tables.alerting
  const due = <Row extends { readonly id: string; readonly nextAt: number | null }>(rows: Iterable<Row>, now: number, limit: number): Row[] =>
    byId(rows)
      .filter(({ nextAt }) => nextAt !== null && nextAt <= now)
      .sort((left, right) => (left.nextAt ?? 0) - (right.nextAt ?? 0))
      .slice(0, limit)
  return {
    takeNotices: async (now, until, limit) => {
      const taken = due(notices.values(), now, limit)
      for (const one of taken) notices.set(one.id, { ...one, nextAt: until, attempts: one.attempts + 1 })
      return taken
    },
    settleNotices: async (settled) => {
      for (const { id, state, nextAt } of settled) {
        const known = notices.get(id)
        if (known !== undefined) notices.set(id, { ...known, state, nextAt })
      }
    },
    takeLetters: async (now, limit) => {
      const taken = due(letters.values(), now, limit)
      for (const one of taken) letters.set(one.id, { ...one, state: 'sending', nextAt: null, attempts: one.attempts + 1 })
      return taken
    },
    settleLetter: async (id, state, nextAt, event) => {
      const known = letters.get(id)
      if (known !== undefined) letters.set(id, { ...known, state, nextAt })
      if (event !== null) tables.append(event)
    },
  }
}

export function alertsPart(tables: Tables): Alerts {
  const { outbox, leases, rules, alerts, items } = tables.alerting
  const own = (organization: OrganizationId) => byId([...alerts.values()].filter((alert) => alert.organization === organization))
  return {
    ...taking(tables),
    lease: async (name, holder, now, until) => {
      const known = leases.get(name)
      if (known !== undefined && known.holder !== holder && known.until > now && known.until <= until + (until - now)) return false
      leases.set(name, { holder, until })
      return true
    },
    pending: async (limit, without = []) =>
      [...outbox]
        .filter(([, organization]) => !without.includes(organization))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit)
        .flatMap(([id, organization]) => tables.events.get(`${organization} ${id}`) ?? []),
    commit: async (change) => commit(tables, change),
    rules: async (organization) => rules.get(organization) ?? [],
    putRules: async (organization, next, event) => {
      const kept = (rules.get(organization) ?? []).filter(({ kind }) => !next.some((rule) => rule.kind === kind))
      rules.set(organization, [...kept, ...next])
      tables.append(event)
    },
    get: async (organization, id) => own(organization).find((alert) => alert.id === id),
    find: async (id) => alerts.get(id),
    open: async (organization) =>
      own(organization)
        .filter(({ resolvedAt }) => resolvedAt === null)
        .slice(0, OPEN_SHOWN),
    list: async (organization, resolved, page) => {
      const after = afterOf(page)
      const found = own(organization).filter(
        ({ id, resolvedAt }) => (resolved === null || (resolvedAt !== null) === resolved) && (after === null || id < after),
      )
      return toPage(found.reverse().slice(0, limitOf(page) + 1), limitOf(page), ({ id }) => id)
    },
    itemsOf: async (organization, subjects) =>
      [...items.values()].filter((item) => item.organization === organization && item.resolvedAt === null && subjects.includes(item.subject)),
    items: async (alert, limit) =>
      [...items.values()]
        .filter((item) => item.alert === alert)
        .sort((left, right) => left.at - right.at || (left.subject < right.subject ? -1 : 1))
        .slice(0, limit),
    healed: async (organization, limit) => [...items.values()].filter((item) => item.organization === organization && isHealed(tables, item)).slice(0, limit),
    failing: async (...asked) => failing(tables, ...asked),
    outcomes: async (...asked) => outcomes(tables, ...asked),
    purge: async (before, limit) => purge(tables, before, limit),
  }
}

export function channelsPart(tables: Tables): Channels {
  const { channels, notices } = tables.alerting
  const own = (organization: OrganizationId) => byId([...channels.values()].filter((channel) => channel.organization === organization))
  return {
    insert: async (channel, event) => {
      channels.set(channel.id, channel)
      tables.append(event)
    },
    update: async (channel, event) => {
      const old = channels.get(channel.id)
      if (old === undefined || old.organization !== channel.organization || old.version !== channel.version - 1) return 'moved'
      const { lastSentAt, lastError } = old
      channels.set(channel.id, { ...channel, lastSentAt, lastError })
      tables.append(event)
      return 'updated'
    },
    remove: async (organization, id, event) => {
      if (channels.get(id)?.organization !== organization) return 'gone'
      channels.delete(id)
      for (const [key, notice] of notices) if (notice.channel === id) notices.delete(key)
      tables.append(event)
      return 'removed'
    },
    get: async (organization, id) => own(organization).find((channel) => channel.id === id),
    list: async (organization) => own(organization),
    everyDay: async () => byId([...channels.values()].filter(({ enabled, whenWell }) => enabled && whenWell)),
    claimDay: async (id, known, at) => {
      const channel = channels.get(id)
      if (channel === undefined || channel.lastSentAt !== known) return false
      channels.set(id, { ...channel, lastSentAt: at })
      return true
    },
    note: async (id, at, error, off) => {
      const known = channels.get(id)
      if (known === undefined) return
      const result = error === null ? { lastSentAt: at, lastError: null } : { lastError: error }
      channels.set(id, { ...known, ...result, ...(off ? { enabled: false, version: known.version + 1 } : {}) })
    },
  }
}
