import type { ConnectionStatus, StoredFault } from '../../core/connection/connection.ts'
import type { IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { ClosedSpan, ConnectionSearch } from '../../core/observe/connection-search.ts'
import type { ExpiryCell, TallyCell } from '../../core/observe/observed.ts'
import type { Instant } from '../../core/time.ts'
import { IN_TROUBLE, STATUS, TROUBLED } from './connection-status.ts'
import { type Dialect, type Program, type Row, rows } from './program.ts'
import { integer, integerOrNull, json, text } from './rows.ts'
import { RENEWED_IN_TIME, type Where, whereOf } from './search-where.ts'

interface Part {
  readonly integration: IntegrationId
  readonly state: string
  readonly code: string | null
  readonly connections: number
  readonly since: Instant | null
}

/**
 * Counts by integration, status and code without joining the many that are well: what is stored comes out of one index, what is degraded out
 * of those that are in trouble, and what is blocked follows from the integration.
 */
export function* tally(dialect: Dialect, organization: OrganizationId, search: ConnectionSearch): Program<readonly TallyCell[]> {
  const where = yield* whereOf(dialect, organization, search, null)
  const blocked = yield* blockedIntegrations(organization)
  const all = yield* byState(where)
  const faulty = yield* byFault(dialect, where)
  const degraded = yield* byTrouble(dialect, where)
  return cells({ all, faulty, degraded, blocked }).filter(({ connections, status }) => connections > 0 && (search.statuses?.includes(status) ?? true))
}

function* blockedIntegrations(organization: OrganizationId): Program<ReadonlyMap<string, StoredFault>> {
  const found = yield* rows('select i.id, i.blocked from integration i where i.organization_id = ? and i.blocked is not null', organization)
  return new Map(found.map((row) => [text(row, 'id'), json<StoredFault>(row, 'blocked')]))
}

function toPart(row: Row): Part {
  return {
    integration: text(row, 'integration_id') as IntegrationId,
    state: text(row, 'state'),
    code: typeof row.code === 'string' ? row.code : null,
    connections: integer(row, 'n'),
    since: row.since === undefined ? null : integerOrNull(row, 'since'),
  }
}

function* byState({ conditions, params }: Where): Program<readonly Part[]> {
  const found = yield* rows(
    `select k.integration_id, k.state, count(*) as n from connection k where ${conditions.join(' and ')} group by k.integration_id, k.state`,
    ...params,
  )
  return found.map(toPart)
}

function* byFault(dialect: Dialect, { conditions, params }: Where): Program<readonly Part[]> {
  const since = `min(cast(${dialect.member('k.fault', 'at')} as bigint))`
  const found = yield* rows(
    `select k.integration_id, k.state, ${dialect.member('k.fault', 'code')} as code, count(*) as n, ${since} as since
     from connection k where ${['k.fault is not null', ...conditions].join(' and ')} group by 1, 2, 3`,
    ...params,
  )
  return found.map(toPart)
}

function* byTrouble(dialect: Dialect, { conditions, params }: Where): Program<readonly Part[]> {
  const since = `min(cast(${dialect.member('k.fault', 'at')} as bigint))`
  const found = yield* rows(
    `select k.integration_id, k.state, ${dialect.member('k.fault', 'code')} as code, count(*) as n, ${since} as since
     from ${TROUBLED} where ${[IN_TROUBLE, ...conditions].join(' and ')} and ${STATUS} = 'degraded' group by 1, 2, 3`,
    ...params,
  )
  return found.map(toPart)
}

interface Counted {
  readonly all: readonly Part[]
  readonly faulty: readonly Part[]
  readonly degraded: readonly Part[]
  readonly blocked: ReadonlyMap<string, StoredFault>
}

function cells({ all, faulty, degraded, blocked }: Counted): TallyCell[] {
  const found: TallyCell[] = []
  for (const { integration, state, connections } of all) {
    const reason = blocked.get(integration)
    if (state === 'active' && reason !== undefined) {
      found.push({ integration, status: 'blocked', code: reason.code, connections, since: reason.at })
      continue
    }
    const here = (part: Part) => part.integration === integration && part.state === state
    const own = faulty.filter(here)
    const troubled = state === 'active' ? degraded.filter(here) : []
    const troubledOf = (code: string | null) => troubled.filter((part) => part.code === code).reduce((sum, part) => sum + part.connections, 0)
    const status = state as ConnectionStatus
    for (const part of own) found.push({ integration, status, code: part.code, connections: part.connections - troubledOf(part.code), since: part.since })
    for (const part of troubled) found.push({ integration, status: 'degraded', code: part.code, connections: part.connections, since: part.since })
    const well = connections - own.reduce((sum, part) => sum + part.connections, 0) - troubledOf(null)
    found.push({ integration, status, code: null, connections: well, since: null })
  }
  return found
}

export function* endingBefore(organization: OrganizationId, from: Instant, instants: readonly Instant[]): Program<readonly number[]> {
  if (instants.length === 0) return []
  const sums = instants.map((_, index) => `sum(case when h.ends_at < ? then 1 else 0 end) as n${index}`)
  const [found] = yield* rows(
    `select ${sums.join(', ')} from health h cross join connection k
     where h.ends_at is not null and h.ends_at >= ? and h.ends_at < ? and k.id = h.connection_id and k.organization_id = ? and k.state in ('active', 'paused')`,
    ...instants,
    from,
    Math.max(...instants),
    organization,
  )
  return instants.map((_, index) => (found === undefined ? 0 : (integerOrNull(found, `n${index}`) ?? 0)))
}

/** `renews`: those that are renewed before they end. */
export function* expiries(organization: OrganizationId, what: 'ends' | 'renews', { from, to }: ClosedSpan, bucketMs: number): Program<readonly ExpiryCell[]> {
  const column = what === 'ends' ? 'h.ends_at' : 'h.due_at'
  // What is left is `active`, said so that no index of the state serves it and PostgreSQL still knows how many they are.
  const only = what === 'ends' ? "k.state in ('active', 'paused')" : `k.state not in ('needs_reauth', 'paused', 'disconnected') and ${RENEWED_IN_TIME}`
  // Nearly all are renewed within any span: the index of the tally has all that is asked of them, and their wide rows are not read.
  const tables = what === 'ends' ? 'health h cross join connection k' : 'connection k cross join health h'
  const found = yield* rows(
    `select k.integration_id, (${column} - cast(? as bigint)) / cast(? as bigint) as bucket, count(*) as n from ${tables}
     where ${column} is not null and ${column} >= ? and ${column} < ? and k.id = h.connection_id and k.organization_id = ? and ${only} group by 1, 2`,
    from,
    bucketMs,
    from,
    to,
    organization,
  )
  return found.map((row) => ({ integration: text(row, 'integration_id') as IntegrationId, bucket: integer(row, 'bucket'), connections: integer(row, 'n') }))
}
