import type { AuditEvent } from '../../core/audit/event.ts'
import type { EventFilter, Events } from '../../core/audit/events.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import { idFrom, type OrganizationId } from '../../core/ids.ts'
import { append, toEvent } from './event-rows.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { type Database, type Program, rows, type SqlValue } from './program.ts'
import { forgetRefreshes } from './retention.ts'

function* list(organization: OrganizationId, filter: EventFilter, page: PageRequest): Program<Page<AuditEvent>> {
  const limit = limitOf(page)
  const conditions = ['organization_id = ?']
  const params: SqlValue[] = [organization]
  const where = (condition: string, value: string | null | undefined) => {
    if (value === undefined || value === null) return
    conditions.push(condition)
    params.push(value)
  }
  where('connection_id = ?', filter.connection)
  where('subject = ?', filter.subject)
  where('type = ?', filter.type)
  where('id < ?', afterOf(page))
  const found = yield* rows(
    `select id, organization_id, type, at, actor_kind, actor_id, connection_id, subject, data from event
     where ${conditions.join(' and ')} order by id desc limit ?`,
    ...params,
    limit + 1,
  )
  return toPage(found.map(toEvent), limit, (item) => item.id)
}

export function eventsStore(database: Database): Events {
  return {
    append: (event) => database.write(() => append(event)),
    forgetRefreshes: (organization, before, limit) => database.write(() => forgetRefreshes(database.dialect, organization, idFrom('evt', before), limit)),
    list: (organization, filter, page) => database.read(() => list(organization, filter, page)),
  }
}
