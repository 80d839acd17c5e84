import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import { type ConnectionSearch, folded, type Span } from '../../core/observe/connection-search.ts'
import { type Dialect, type Program, rows, type SqlValue } from './program.ts'
import { text } from './rows.ts'

/** Sorts after every continuation of a text. */
const LAST = '\u{10ffff}'
/** More than so many that begin so are found sooner in the order of the list than by their beginning. */
const FEW = 1_000

/** Conditions over the alias `k`, and over nothing else. */
export interface Where {
  readonly conditions: readonly string[]
  readonly params: readonly SqlValue[]
  /** They leave few of many: whoever sorts starts from these. */
  readonly selective: boolean
  /** The ids of all that begin with a text that too many begin with to name them: nobody knows how many of the next ones do, a database least of all. */
  readonly broad: Ids | null
}

/** A query for ids, which stands within another one. */
export interface Ids {
  readonly sql: string
  readonly params: readonly SqlValue[]
}

/** What `text` may be the beginning of. */
const beginnings = ({ folded: fold }: Dialect): readonly string[] => [fold('k.owner'), fold('k.account'), fold("coalesce(k.account_label, k.account, '')")]

/** Looks the text up first: what a few match is then asked for by id, and what many match by its condition. */
export function* whereOf(dialect: Dialect, organization: OrganizationId, search: ConnectionSearch, aside: 'ends' | 'renews' | null): Program<Where> {
  const conditions = ['k.organization_id = ?']
  const params: SqlValue[] = [organization]
  const add = (condition: string, ...values: readonly SqlValue[]) => {
    conditions.push(condition)
    params.push(...values)
  }
  if (search.integrations !== undefined) add(dialect.among('k.integration_id'), JSON.stringify(search.integrations))
  if (search.owner !== undefined) add('k.owner = ?', search.owner)
  if (search.code !== undefined) add(`k.fault is not null and ${dialect.member('k.fault', 'code')} = ?`, search.code)
  if (search.tag !== undefined)
    add('k.id in (select t.connection_id from connection_tag t where t.organization_id = ? and t.tag = ?)', organization, search.tag)
  if (search.ends !== undefined && aside !== 'ends') addSpan(add, 'ends_at', search.ends)
  if (search.renews !== undefined && aside !== 'renews') addSpan(add, 'due_at', search.renews)
  let few = false
  if (search.text !== undefined) {
    const ids = yield* found(dialect, organization, search.text)
    few = ids !== null
    if (ids !== null) add(dialect.among('k.id'), JSON.stringify(ids))
    else addText(add, dialect, organization, search.text)
  }
  return {
    conditions,
    params,
    broad: search.text === undefined || few ? null : matching(dialect, organization, search.text),
    selective: few || search.owner !== undefined || search.code !== undefined || search.tag !== undefined,
  }
}

type Add = (condition: string, ...values: readonly SqlValue[]) => void

/** What is due after its end is looked at then, and renewed by nobody. */
export const RENEWED_IN_TIME = '(h.ends_at is null or h.due_at < h.ends_at)'

function addSpan(add: Add, column: string, span: Span): void {
  const { sql, params } = spanOf(`h.${column}`, span)
  add(`k.id in (select h.connection_id from health h where h.${column} is not null${sql}${column === 'due_at' ? ` and ${RENEWED_IN_TIME}` : ''})`, ...params)
}

export function spanOf(column: string, { from, to }: Span): { readonly sql: string; readonly params: readonly SqlValue[] } {
  return {
    sql: `${from === null ? '' : ` and ${column} >= ?`}${to === null ? '' : ` and ${column} < ?`}`,
    params: [...(from === null ? [] : [from]), ...(to === null ? [] : [to])],
  }
}

/** Written so that no index serves it: the order of the list does, and ends as soon as the page is full. */
function addText(add: Add, dialect: Dialect, organization: OrganizationId, wanted: string): void {
  const from = folded(wanted)
  const alternatives = beginnings(dialect).map((expression) => `(${expression} || '' >= ? and ${expression} || '' < ?)`)
  const tagged = 'k.id in (select t.connection_id from connection_tag t where t.organization_id = ? and t.tag = ?)'
  add(`(${[...alternatives, tagged].join(' or ')})`, ...alternatives.flatMap(() => [from, from + LAST]), organization, wanted)
}

/** The ids of all that match; null when there are too many to name. */
function* found(dialect: Dialect, organization: OrganizationId, wanted: string): Program<readonly ConnectionId[] | null> {
  const ids = new Set<string>()
  const whole = yield* rows('select k.id from connection k where k.id = ? and k.organization_id = ?', wanted, organization)
  for (const row of whole) ids.add(text(row, 'id'))
  for (const { sql, params } of alternatives(dialect, organization, wanted)) {
    const some = yield* rows(`${sql} limit ?`, ...params, FEW + 1)
    for (const row of some) ids.add(text(row, 'id'))
    if (some.length > FEW) return null
  }
  return [...ids] as ConnectionId[]
}

/** Each by an index of its own. */
function alternatives(dialect: Dialect, organization: OrganizationId, wanted: string): readonly Ids[] {
  const from = folded(wanted)
  const begin = beginnings(dialect).map((expression) => {
    const known = expression === dialect.folded('k.account') ? 'k.account is not null and ' : ''
    const sql = `select k.id from connection k where ${known}k.organization_id = ? and ${expression} >= ? and ${expression} < ?`
    return { sql, params: [organization, from, from + LAST] }
  })
  return [...begin, { sql: 'select t.connection_id as id from connection_tag t where t.organization_id = ? and t.tag = ?', params: [organization, wanted] }]
}

function matching(dialect: Dialect, organization: OrganizationId, wanted: string): Ids {
  const all = alternatives(dialect, organization, wanted)
  return { sql: all.map(({ sql }) => sql).join(' union '), params: all.flatMap(({ params }) => params) }
}
