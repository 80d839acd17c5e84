import type { InfiniteData, Query, QueryClient } from '@tanstack/react-query'
import type { Name } from '../api/operations.ts'
import { ApiError } from '../api/problem.ts'
import { readAgainAsTold } from '../api/queries.ts'
import { noteTold } from '../api/told-rows.ts'
import { system } from '../system.ts'
import type { StreamMessage } from './stream-reader.ts'

interface Listed {
  readonly id: string
  readonly updated_at: string
}
interface Page {
  readonly items: readonly Listed[]
  readonly cursor: string | null
}

const LIST: Name = 'GET /api/v1/connections'
/** What explains one connection is read again when that connection changed. */
const EXPLAINED_BY: readonly Name[] = ['GET /api/v1/connections/{id}/why', 'GET /api/v1/connections/{id}/timeline']
/** Counts and sentences, read again at most every few seconds after something changed. */
const SUMMARIES: readonly Name[] = ['GET /api/v1/console/overview', 'GET /api/v1/connections/facets']

/** Puts what the stream says into the answers that are kept. Rows keep their places: nothing moves under the pointer. */
export function patch(client: QueryClient, { event, data }: StreamMessage): 'row' | 'again' | 'nothing' {
  if (event === 'reset') {
    readAgainAsTold(client)
    return 'again'
  }
  if (event === 'event') {
    const { connection_id: id } = JSON.parse(data) as { readonly connection_id: string | null }
    // A change that was made past this server, as by its command line, is told by the record alone.
    if (id !== null) readAgainAsTold(client, ['GET /api/v1/connections/{id}', ...EXPLAINED_BY], { id })
    return 'nothing'
  }
  const value = JSON.parse(data) as Listed
  if (event === 'connection_gone') {
    for (const query of listsOf(client)) changeRows(client, query, value.id, () => [])
    return 'row'
  }
  if (event !== 'connection') return 'nothing'
  noteTold(value)
  client.setQueryData(['GET /api/v1/connections/{id}', { path: { id: value.id } }], (before: Listed | undefined) => (before === undefined ? undefined : value))
  readAgainAsTold(client, EXPLAINED_BY, { id: value.id })
  const found = replaceRow(client, value)
  // What is not on the screen is read when it is shown again: the row may be new to it, or not belong there any more.
  void client.invalidateQueries({ queryKey: [LIST], type: 'inactive', refetchType: 'none' })
  return found ? 'row' : 'nothing'
}

/** Answers that are no lists have other shapes. */
const listsOf = (client: QueryClient): readonly Query[] =>
  client.getQueryCache().findAll({ queryKey: [LIST], predicate: ({ queryKey }) => queryKey.at(-1) === 'list' })

/** Says whether every list on the screen has the row: those that are not are no comfort to who looks at another. */
function replaceRow(client: QueryClient, row: Listed): boolean {
  const lists = listsOf(client)
  const having = lists.filter((query) => changeRows(client, query, row.id, () => [row]))
  const shown = lists.filter((query) => query.isActive())
  return shown.length === 0 ? having.length > 0 : shown.every((query) => having.includes(query))
}

/** One row that is new makes no answer new: it stays as old as it was, and what was to be read again still is. */
function changeRows(client: QueryClient, query: Query, about: string, change: () => readonly Listed[]): boolean {
  const { dataUpdatedAt, isInvalidated } = query.state
  const before = client.getQueryData<InfiniteData<Page>>(query.queryKey)
  if (before?.pages.some((page) => page.items.some(({ id }) => id === about)) !== true) return false
  const pages = before.pages.map((page) => ({ ...page, items: page.items.flatMap((item) => (item.id === about ? change() : [item])) }))
  client.setQueryData(query.queryKey, { ...before, pages }, { updatedAt: dataUpdatedAt })
  if (isInvalidated) query.invalidate()
  return true
}

export const readSummaries = (client: QueryClient): void => readAgainAsTold(client, SUMMARIES)

/** Counts move with the time, too, and not everything that is used or tried is told. */
const OLD_MS = 60_000
/** Their rows are patched, or followed by whoever looks at them; what is new is counted, and nothing moves under the pointer. */
const KEPT_STILL: readonly unknown[] = [LIST, 'GET /api/v1/events']

/** What was asked wrongly, or is not there, is so a minute later, too: to ask again would take the sentence away that says it, and have it read aloud once more. */
const STAYS: readonly number[] = [400, 404]
const staysRefused = (error: unknown): boolean => error instanceof ApiError && STAYS.includes(error.problem.status) && error.problem.code !== 'foreign_answer'

/** What is on the screen, and neither answer nor failure is of the last minute. */
export function readWhatIsOld(client: QueryClient): void {
  const now = system.now()
  const isOld = ({ queryKey, state: { status, error, dataUpdatedAt, errorUpdatedAt } }: Pick<Query, 'queryKey' | 'state'>): boolean =>
    !staysRefused(error) &&
    // A reading that failed shows nothing that could move, or says that it is old.
    (status === 'error' || queryKey.at(-1) !== 'list' || !KEPT_STILL.includes(queryKey[0])) &&
    Math.abs(now - Math.max(dataUpdatedAt, errorUpdatedAt)) >= OLD_MS
  void client.refetchQueries({ type: 'active', predicate: isOld }, { cancelRefetch: false })
}
