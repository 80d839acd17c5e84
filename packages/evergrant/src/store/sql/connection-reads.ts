import type { ConnectionStatus } from '../../core/connection/connection.ts'
import type { ConnectionFilter, Page, PageRequest } from '../../core/connection/connections.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import { IN_TROUBLE, STATUS, TROUBLED } from './connection-status.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { type Dialect, type Program, row, rows, type SqlValue } from './program.ts'
import { GRANT_COLUMNS, GRANT_TABLES, integer, text, toGrantRow } from './rows.ts'

const JOINED = `${GRANT_TABLES} join integration i on i.id = k.integration_id`

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

/** Where to look for connections of one status, so that the many that are well are not read to find the few that are not. */
function lookFor(status: ConnectionStatus | undefined): { readonly from: string; readonly conditions: readonly string[]; readonly is: string } {
  switch (status) {
    case undefined:
      return { from: 'connection k', conditions: [], is: '' }
    case 'needs_reauth':
    case 'paused':
    case 'disconnected':
      return { from: 'connection k', conditions: ["k.state <> 'active'"], is: 'k.state = ?' }
    case 'degraded':
      return { from: TROUBLED, conditions: [IN_TROUBLE], is: `${STATUS} = ?` }
    case 'active':
    case 'blocked':
      return { from: JOINED, conditions: [], is: `${STATUS} = ?` }
  }
}

/** Newest first. The page is cut before anything is joined to it, or the joins would be made for all that come after the cursor. */
export function* list(dialect: Dialect, organization: OrganizationId, filter: ConnectionFilter, page: PageRequest): Program<Page<GrantRow>> {
  const limit = limitOf(page)
  const after = afterOf(page)
  const look = lookFor(filter.status)
  const conditions = [...look.conditions, 'k.organization_id = ?']
  const params: SqlValue[] = [organization]
  const where = (condition: string, value: string | null | undefined) => {
    if (value === undefined || value === null) return
    conditions.push(condition)
    params.push(value)
  }
  where(look.is, filter.status)
  where('k.integration_id = ?', filter.integration)
  where('k.owner = ?', filter.owner)
  where(dialect.holds('k.tags'), filter.tag)
  where('k.id < ?', after)
  const cut = `select k.id as page_id from ${look.from} where ${conditions.join(' and ')} order by k.id desc limit ?`
  const found = yield* rows(
    `select ${GRANT_COLUMNS} from (${cut}) page join connection k on k.id = page.page_id join health h on h.connection_id = page.page_id
       join credential d on d.connection_id = page.page_id order by page.page_id desc`,
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
