import type { AuditEvent } from '../../core/audit/event.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import { statusOf } from '../../core/connection/status.ts'
import { idFrom, type OrganizationId } from '../../core/ids.ts'
import { type ConnectionSearch, type ConnectionSort, folded, type Span, STATUS_ORDER } from '../../core/observe/connection-search.ts'
import type { EventQuery, EventTerm } from '../../core/observe/event-query.ts'
import type { TallyCell } from '../../core/observe/observed.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { afterOf, limitOf, toPage } from '../sql/paging.ts'
import { placeOf, toCursor } from '../sql/search-cursor.ts'
import type { Tables } from './tables.ts'

function statusIn(tables: Tables, grant: GrantRow) {
  const integration = tables.integrations.get(grant.connection.integration)?.integration
  return statusOf(grant, { blocked: integration?.blocked ?? null }, tables.now())
}

const shownOf = ({ connection }: GrantRow): string => folded(connection.accountLabel ?? connection.account ?? '')

/** Every connection of the organization that matches, in no order. */
export function matching(tables: Tables, organization: OrganizationId, search: ConnectionSearch): readonly GrantRow[] {
  const { text, integrations, owner, tag, statuses, code, ends, renews } = search
  return tables.connections
    .ofOrganization(organization)
    .map((row) => row.grant)
    .filter((grant) => {
      const { connection, health } = grant
      return (
        (integrations === undefined || integrations.includes(connection.integration)) &&
        (owner === undefined || connection.owner === owner) &&
        (tag === undefined || connection.tags.includes(tag)) &&
        (code === undefined || connection.fault?.code === code) &&
        (ends === undefined || within(health.endsAt, ends)) &&
        (renews === undefined || (within(health.dueAt, renews) && (health.endsAt === null || (health.dueAt ?? 0) < health.endsAt))) &&
        (text === undefined || begins(grant, text)) &&
        (statuses === undefined || statuses.includes(statusIn(tables, grant)))
      )
    })
}

function within(instant: Instant | null, { from, to }: Span): boolean {
  return instant !== null && (from === null || instant >= from) && (to === null || instant < to)
}

function begins(grant: GrantRow, text: string): boolean {
  const { connection } = grant
  const from = folded(text)
  return (
    connection.id === text ||
    connection.tags.includes(text) ||
    folded(connection.owner).startsWith(from) ||
    (connection.account !== null && folded(connection.account).startsWith(from)) ||
    shownOf(grant).startsWith(from)
  )
}

/** Which stretch of the list, and what decides within it. */
function placed(tables: Tables, grant: GrantRow, by: ConnectionSort['by'], down: boolean): { readonly stretch: number; readonly key: string | number | null } {
  const instant = (at: Instant | null) => ({ stretch: at === null ? 1 : 0, key: at })
  switch (by) {
    case 'created':
      return { stretch: 0, key: null }
    case 'account':
      return { stretch: 0, key: shownOf(grant) }
    case 'status': {
      const order = down ? STATUS_ORDER.toReversed() : STATUS_ORDER
      return { stretch: order.indexOf(statusIn(tables, grant)), key: null }
    }
    case 'expires':
      return instant(grant.health.endsAt)
    case 'next':
      return instant(grant.health.dueAt)
    case 'last_success':
      return instant(grant.connection.lastRefreshedAt)
  }
}

export function searchConnections(
  tables: Tables,
  organization: OrganizationId,
  search: ConnectionSearch,
  sort: ConnectionSort,
  page: PageRequest,
): Page<GrantRow> {
  const limit = limitOf(page)
  const place = placeOf(sort, page.cursor)
  const found = matching(tables, organization, search).map((grant) => ({
    grant,
    id: grant.connection.id as string,
    ...placed(tables, grant, sort.by, sort.down),
  }))
  const turn = (stretch: number): number => (sort.down || sort.by === 'status' || stretch > 0 ? -1 : 1)
  const order = (left: Omit<(typeof found)[number], 'grant'>, right: Omit<(typeof found)[number], 'grant'>): number =>
    left.stretch - right.stretch || turn(left.stretch) * (compare(left.key, right.key) || compare(left.id, right.id))
  const after = found.sort(order).filter((one) => place === null || order(one, place) > 0)
  const shown = after.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(({ grant }) => grant), cursor: after.length > limit && last !== undefined ? toCursor(sort, last) : null }
}

function compare(left: string | number | null, right: string | number | null): number {
  if (left === right || left === null || right === null) return 0
  return left < right ? -1 : 1
}

export function tally(tables: Tables, organization: OrganizationId, search: ConnectionSearch): readonly TallyCell[] {
  const cells = new Map<string, TallyCell>()
  for (const grant of matching(tables, organization, search)) {
    const { connection } = grant
    const status = statusIn(tables, grant)
    const fault = status === 'blocked' ? (tables.integrations.get(connection.integration)?.integration.blocked ?? null) : connection.fault
    const code = fault?.code ?? null
    const key = `${connection.integration} ${status} ${code}`
    const cell = cells.get(key)
    const since = fault === null ? null : Math.min(fault.at, cell?.since ?? fault.at)
    cells.set(key, { integration: connection.integration, status, code, connections: (cell?.connections ?? 0) + 1, since })
  }
  return [...cells.values()]
}

/** Newest first. */
export function searchEvents(tables: Tables, organization: OrganizationId, query: EventQuery, page: PageRequest): Page<AuditEvent> {
  const limit = limitOf(page)
  const after = afterOf(page)
  const from = query.from === null ? null : idFrom('evt', query.from)
  const to = query.to === null ? null : idFrom('evt', query.to)
  const found = [...tables.events.values()].filter(
    (event) =>
      event.organization === organization &&
      (after === null || event.id < after) &&
      (from === null || event.id >= from) &&
      (to === null || event.id < to) &&
      holds(tables, event, query.terms),
  )
  found.sort((left, right) => (left.id < right.id ? 1 : -1))
  return toPage(found.slice(0, limit + 1), limit, (item) => item.id)
}

function holds(tables: Tables, event: AuditEvent, terms: readonly EventTerm[]): boolean {
  return terms.every((term) => {
    if (term.negated) return !valuesOf(tables, event, term).some((value) => fits(term, value))
    const alternatives = terms.filter((other) => other.field === term.field && !other.negated)
    return alternatives.some((other) => valuesOf(tables, event, other).some((value) => fits(other, value)))
  })
}

function fits({ value, prefix }: EventTerm, found: string | null | undefined): boolean {
  if (found === null || found === undefined) return false
  return prefix ? found.startsWith(value) : found === value
}

function valuesOf(tables: Tables, event: AuditEvent, { field, value, prefix }: EventTerm): readonly (string | null | undefined)[] {
  const connection = event.connection === null ? undefined : tables.connections.get(event.connection)?.grant.connection
  const providerOf = (integration: string | null | undefined): string | undefined =>
    [...tables.integrations.values()].find((one) => one.integration.id === integration)?.integration.provider
  const agentOf = (id: string | null): string | undefined => [...tables.installations.values()].find((one) => one.id === id)?.agent
  switch (field) {
    case 'connection':
      return [event.connection]
    case 'subject':
      return [event.subject]
    case 'type':
      return [event.type]
    case 'code':
      return [typeof event.data.code === 'string' ? event.data.code : null]
    case 'actor':
      return [event.actor.kind, event.actor.id]
    case 'owner':
      return [connection?.owner]
    case 'provider':
      return [providerOf(connection?.integration), providerOf(event.subject)]
    case 'agent':
      if (prefix && value === '') return [event.actor.kind === 'installation' ? 'yes' : null]
      return [prefix ? null : event.subject, agentOf(event.actor.id), agentOf(event.subject)]
  }
}
