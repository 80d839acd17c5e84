import type { AuditEvent } from '../../core/audit/event.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import { idFrom, type OrganizationId } from '../../core/ids.ts'
import type { EventQuery, EventTerm } from '../../core/observe/event-query.ts'
import type { Instant } from '../../core/time.ts'
import { toEvent } from './event-rows.ts'
import { afterOf, limitOf } from './paging.ts'
import { type Dialect, type Program, rows, type SqlValue } from './program.ts'
import { integer, text } from './rows.ts'

const COLUMNS = 'id, organization_id, type, at, actor_kind, actor_id, connection_id, subject, data'
/** Events that are looked at for one page: so many cost a thirtieth of a second, and a rare word must not hold the database for a second. */
const LOOKED_AT = 10_000
/** Sorts after every continuation of a text. */
const LAST = '\u{10ffff}'

interface Condition {
  readonly sql: string
  readonly params: readonly SqlValue[]
}

/** Newest first. The innermost select walks an index and ends; only what it found is held against the other words. */
export function* searchEvents(dialect: Dialect, organization: OrganizationId, query: EventQuery, page: PageRequest): Program<Page<AuditEvent>> {
  const limit = limitOf(page)
  const { driving, others } = split(query.terms)
  const place: Condition[] = [{ sql: 'organization_id = ?', params: [organization] }, ...driving.map((term) => driver(organization, term))]
  const after = afterOf(page)
  if (after !== null) place.push({ sql: 'id < ?', params: [after] })
  if (query.from !== null) place.push({ sql: 'id >= ?', params: [idFrom('evt', query.from)] })
  if (query.to !== null) place.push({ sql: 'id < ?', params: [idFrom('evt', query.to)] })
  const filters = grouped(dialect, organization, others)
  const looked = `select ${COLUMNS} from event where ${place.map(({ sql }) => sql).join(' and ')} order by id desc limit ?`
  const params = place.flatMap((condition) => condition.params)
  if (filters.length === 0) {
    const found = yield* rows(looked, ...params, limit + 1)
    const items = found.slice(0, limit).map(toEvent)
    return { items, cursor: found.length > limit ? cursorOf(items.at(-1)?.id) : null }
  }
  const found = yield* rows(
    `select e.* from (${looked}) e where ${filters.map(({ sql }) => sql).join(' and ')} order by e.id desc limit ?`,
    ...params,
    LOOKED_AT,
    ...filters.flatMap((condition) => condition.params),
    limit + 1,
  )
  const items = found.slice(0, limit).map(toEvent)
  if (found.length > limit) return { items, cursor: cursorOf(items.at(-1)?.id) }
  const [end] = yield* rows(`select id from (${looked}) e order by e.id desc limit 1 offset ?`, ...params, LOOKED_AT, LOOKED_AT - 1)
  return { items, cursor: end === undefined ? null : cursorOf(text(end, 'id')) }
}

function cursorOf(id: string | undefined): string | null {
  return id === undefined ? null : Buffer.from(id, 'utf8').toString('base64url')
}

/** One word at most drives: that by which an index finds the fewest. */
function split(terms: readonly EventTerm[]): { readonly driving: readonly EventTerm[]; readonly others: readonly EventTerm[] } {
  const alone = (field: EventTerm['field']) => {
    const [first, ...more] = terms.filter((term) => term.field === field && !term.negated)
    return first !== undefined && more.length === 0 && !first.prefix && !(field === 'type' && first.value === 'connection.refreshed') ? first : undefined
  }
  const driver = alone('connection') ?? alone('subject') ?? alone('owner') ?? alone('type')
  return driver === undefined ? { driving: [], others: terms } : { driving: [driver], others: terms.filter((term) => term !== driver) }
}

function driver(organization: OrganizationId, { field, value }: EventTerm): Condition {
  if (field === 'connection') return { sql: 'connection_id = ?', params: [value] }
  if (field === 'owner')
    return { sql: 'connection_id in (select k.id from connection k where k.organization_id = ? and k.owner = ?)', params: [organization, value] }
  if (field === 'subject') return { sql: 'subject = ?', params: [value] }
  // The second half is what the partial index asks for, in its own words.
  return { sql: "type = ? and type <> 'connection.refreshed'", params: [value] }
}

function grouped(dialect: Dialect, organization: OrganizationId, terms: readonly EventTerm[]): readonly Condition[] {
  const conditions: Condition[] = []
  for (const field of new Set(terms.map((term) => term.field))) {
    const of = terms.filter((term) => term.field === field)
    const wanted = of.filter((term) => !term.negated).map((term) => conditionOf(dialect, organization, term))
    if (wanted.length > 0) conditions.push({ sql: `(${wanted.map(({ sql }) => sql).join(' or ')})`, params: wanted.flatMap(({ params }) => params) })
    for (const term of of.filter(({ negated }) => negated)) {
      const { sql, params } = conditionOf(dialect, organization, term)
      // What is not known is not so: a null must not hide an event.
      conditions.push({ sql: `coalesce(${sql}, false) = false`, params })
    }
  }
  return conditions
}

/** Equal, or begins so. */
function matches(expression: string, { value, prefix }: EventTerm): Condition {
  if (!prefix) return { sql: `${expression} = ?`, params: [value] }
  if (value === '') return { sql: `${expression} is not null`, params: [] }
  return { sql: `(${expression} >= ? and ${expression} < ?)`, params: [value, value + LAST] }
}

function conditionOf(dialect: Dialect, organization: OrganizationId, term: EventTerm): Condition {
  const bytes = dialect.bytewise
  const of = (expression: string, inner: Condition): Condition => ({ sql: expression.replace('$', () => inner.sql), params: inner.params })
  switch (term.field) {
    case 'connection':
      return matches(bytes('e.connection_id'), term)
    case 'subject':
      return matches(bytes('e.subject'), term)
    case 'type':
      return matches(bytes('e.type'), term)
    case 'code':
      return matches(bytes(dialect.member('e.data', 'code')), term)
    case 'actor': {
      const [kind, id] = [matches(bytes('e.actor_kind'), term), matches(bytes('e.actor_id'), term)]
      return { sql: `(${kind.sql} or coalesce(${id.sql}, false))`, params: [...kind.params, ...id.params] }
    }
    case 'owner':
      return of('exists (select 1 from connection k where k.id = e.connection_id and $)', matches(bytes('k.owner'), term))
    case 'provider':
      return providerOf(organization, matches(bytes('i.provider'), term))
    case 'agent':
      return agentOf(organization, term, matches(bytes('n.agent_id'), term))
  }
}

/** The provider of the connection, or of the integration that the event is about. */
function providerOf(organization: OrganizationId, inner: Condition): Condition {
  return {
    sql: `(exists (select 1 from connection k join integration i on i.id = k.integration_id where k.id = e.connection_id and ${inner.sql})
      or exists (select 1 from integration i where i.id = e.subject and i.organization_id = ? and ${inner.sql}))`,
    params: [...inner.params, organization, ...inner.params],
  }
}

/** Done by an installation of the agent, about one, or about the agent itself. */
function agentOf(organization: OrganizationId, { value, prefix }: EventTerm, inner: Condition): Condition {
  if (prefix && value === '') return { sql: "e.actor_kind = 'installation'", params: [] }
  const installation = `exists (select 1 from installation n where n.id = $ and n.organization_id = ? and ${inner.sql})`
  return {
    sql: `(coalesce(e.subject = ?, false) or ${installation.replace('$', 'e.actor_id')} or ${installation.replace('$', 'e.subject')})`,
    params: [value, organization, ...inner.params, organization, ...inner.params],
  }
}

/** The newest of those after `after`, oldest first. */
export function* eventsSince(organization: OrganizationId, after: string, limit: number): Program<readonly AuditEvent[]> {
  const found = yield* rows(`select ${COLUMNS} from event where organization_id = ? and id > ? order by id desc limit ?`, organization, after, limit)
  return found.map(toEvent).reverse()
}

/** Each type by the index of its own: few of each, however many lie between them. */
export function* eventsOfTypes(organization: OrganizationId, types: readonly string[], limit: number): Program<readonly AuditEvent[]> {
  const found: AuditEvent[] = []
  for (const type of types) {
    const some = yield* rows(
      `select ${COLUMNS} from event where organization_id = ? and type = ? and type <> 'connection.refreshed' order by id desc limit ?`,
      organization,
      type,
      limit,
    )
    found.push(...some.map(toEvent))
  }
  return found.sort((left, right) => (left.id < right.id ? 1 : -1)).slice(0, limit)
}

/** Each type by its index: what was renewed in that time is not looked at. */
export function* countEvents(organization: OrganizationId, types: readonly string[], from: Instant, to: Instant): Program<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (const type of types) {
    const [found] = yield* rows(
      "select count(*) as n from event where organization_id = ? and type = ? and type <> 'connection.refreshed' and id >= ? and id < ?",
      organization,
      type,
      idFrom('evt', from),
      idFrom('evt', to),
    )
    if (found !== undefined) counts[type] = integer(found, 'n')
  }
  return counts
}
