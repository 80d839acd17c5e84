import type { ConnectionStatus } from '../../core/connection/connection.ts'
import type { ConnectionFilter, Page, PageRequest } from '../../core/connection/connections.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { type Dialect, type Program, row, rows, type SqlValue } from './program.ts'
import { GRANT_COLUMNS, GRANT_TABLES, integer, text, toGrantRow } from './rows.ts'

const JOINED = `${GRANT_TABLES} join integration i on i.id = k.integration_id`

/** The rule of `core/connection/status.ts`, in SQL; the conformance suite holds the two together. */
const STATUS = `case
  when k.state <> 'active' then k.state
  when i.blocked is not null then 'blocked'
  when (h.failures > 0 or d.suspect_intent is not null) and d.access_expires_at is not null and d.access_expires_at <= (select now_ms()) then 'degraded'
  else 'active' end`

export function* get(organization: OrganizationId, id: ConnectionId): Program<GrantRow | undefined> {
  const found = yield* row(`select ${GRANT_COLUMNS} from ${GRANT_TABLES} where k.id = ? and k.organization_id = ?`, id, organization)
  return found === undefined ? undefined : toGrantRow(found)
}

const LIVE_FIRST = "order by case when k.state = 'disconnected' then 1 else 0 end, k.id"

export function* byOwner(organization: OrganizationId, integration: IntegrationId, owner: string): Program<readonly GrantRow[]> {
  const found = yield* rows(
    `select ${GRANT_COLUMNS} from ${GRANT_TABLES} where k.organization_id = ? and k.integration_id = ? and k.owner = ? ${LIVE_FIRST}`,
    organization,
    integration,
    owner,
  )
  return found.map(toGrantRow)
}

export function* byAccount(organization: OrganizationId, integration: IntegrationId, account: string): Program<readonly GrantRow[]> {
  const found = yield* rows(
    `select ${GRANT_COLUMNS} from ${GRANT_TABLES} where k.integration_id = ? and k.account = ? and k.organization_id = ? ${LIVE_FIRST}`,
    integration,
    account,
    organization,
  )
  return found.map(toGrantRow)
}

/** Newest first. */
export function* list(dialect: Dialect, organization: OrganizationId, filter: ConnectionFilter, page: PageRequest): Program<Page<GrantRow>> {
  const limit = limitOf(page)
  const after = afterOf(page)
  const conditions = ['k.organization_id = ?']
  const params: SqlValue[] = [organization]
  const where = (condition: string, value: string | null | undefined) => {
    if (value === undefined || value === null) return
    conditions.push(condition)
    params.push(value)
  }
  where('k.integration_id = ?', filter.integration)
  where('k.owner = ?', filter.owner)
  where(dialect.holds('k.tags'), filter.tag)
  where(`${STATUS} = ?`, filter.status)
  where('k.id < ?', after)
  const found = yield* rows(
    `select ${GRANT_COLUMNS} from ${filter.status === undefined ? GRANT_TABLES : JOINED} where ${conditions.join(' and ')} order by k.id desc limit ?`,
    ...params,
    limit + 1,
  )
  return toPage(found.map(toGrantRow), limit, (item) => item.connection.id)
}

const NONE: Readonly<Record<ConnectionStatus, number>> = { active: 0, degraded: 0, needs_reauth: 0, blocked: 0, paused: 0, disconnected: 0 }

export function* counts(organization: OrganizationId): Program<Readonly<Record<ConnectionStatus, number>>> {
  const found = yield* rows(`select ${STATUS} as status, count(*) as n from ${JOINED} where k.organization_id = ? group by 1`, organization)
  return { ...NONE, ...Object.fromEntries(found.map((status) => [text(status, 'status'), integer(status, 'n')])) }
}
