import type { AuditEvent, NewEvent } from '../../core/audit/event.ts'
import type { EventFilter, Events } from '../../core/audit/events.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import { idFrom, type OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { append, toEvent } from './event-rows.ts'
import { afterOf, limitOf, toPage } from './paging.ts'
import { type Database, type Dialect, type Program, rows, run, type SqlValue } from './program.ts'
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

function* appendOnce(key: string, event: NewEvent): Program<boolean> {
  const first = (yield* run('insert into event_key (event_key, at) values (?, now_ms()) on conflict do nothing', key)) === 1
  if (first) yield* append(event)
  return first
}

/** The type stands in the statement itself: only then does the partial index serve it. */
function* drift(organization: OrganizationId, provider: string | null, limit: number): Program<readonly AuditEvent[]> {
  const found = yield* rows(
    `select id, organization_id, type, at, actor_kind, actor_id, connection_id, subject, data from event
     where organization_id = ? and type = 'provider.drift_detected' ${provider === null ? '' : 'and subject = ?'} order by id desc limit ?`,
    ...(provider === null ? [organization] : [organization, provider]),
    limit,
  )
  return found.map(toEvent)
}

function* forgetKeys(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select event_key from event_key where at < ? order by at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from event_key where ${dialect.among('event_key')}`, JSON.stringify(old.map((found) => found.event_key)))
}

export function eventsStore(database: Database): Events {
  return {
    append: (event) => database.write(() => append(event)),
    appendOnce: (key, event) => database.write(() => appendOnce(key, event)),
    forgetKeys: (before, limit) => database.write(() => forgetKeys(database.dialect, before, limit), { repeatable: true }),
    forgetRefreshes: (organization, before, limit) => database.write(() => forgetRefreshes(database.dialect, organization, idFrom('evt', before), limit)),
    drift: (organization, provider, limit) => database.read(() => drift(organization, provider, limit)),
    list: (organization, filter, page) => database.read(() => list(organization, filter, page)),
  }
}
