import type { InfiniteData, QueryClient } from '@tanstack/react-query'
import type { Name } from '../api/operations.ts'
import { readAgainAsTold } from '../api/queries.ts'
import { noteTold } from '../api/told-rows.ts'
import type { StreamMessage } from './stream-reader.ts'

interface Listed {
  readonly id: string
  readonly updated_at: string
}
interface Page {
  readonly items: readonly Listed[]
  readonly cursor: string | null
}

/** Lists whose rows are replaced in place, by the event that carries the row. */
const LISTS: Readonly<Record<string, readonly Name[]>> = {
  connection: ['GET /api/v1/connections'],
}
/** Counts and sentences, read again at most every few seconds after something changed. */
const SUMMARIES: readonly Name[] = ['GET /api/v1/console/overview', 'GET /api/v1/connections/facets']

/** Puts what the stream says into the answers that are kept. Rows keep their places: nothing moves under the pointer. */
export function patch(client: QueryClient, { event, data }: StreamMessage): 'row' | 'again' | 'nothing' {
  if (event === 'reset') {
    void client.invalidateQueries()
    return 'again'
  }
  const value = JSON.parse(data) as Listed
  if (event === 'connection') {
    noteTold(value)
    client.setQueryData(['GET /api/v1/connections/{id}', { path: { id: value.id } }], (before: Listed | undefined) =>
      before === undefined ? undefined : value,
    )
    readOf(client, value.id)
    return replaceRow(client, LISTS['connection'] ?? [], value) ? 'row' : 'nothing'
  }
  if (event === 'connection_gone') {
    removeRow(client, LISTS['connection'] ?? [], value.id)
    return 'row'
  }
  return 'nothing'
}

/** What explains one connection is read again when that connection changed. */
function readOf(client: QueryClient, id: string): void {
  for (const operation of ['GET /api/v1/connections/{id}/why', 'GET /api/v1/connections/{id}/timeline'] as const)
    void client.invalidateQueries({ queryKey: [operation, { path: { id } }] })
}

/** Answers that are no lists have other shapes. */
const listsOf = (operation: Name) => ({
  queryKey: [operation],
  predicate: ({ queryKey }: { readonly queryKey: readonly unknown[] }) => queryKey.at(-1) === 'list',
})

function replaceRow(client: QueryClient, operations: readonly Name[], row: Listed): boolean {
  let found = false
  for (const operation of operations)
    client.setQueriesData<InfiniteData<Page>>(listsOf(operation), (before) => {
      if (before?.pages.some((page) => page.items.some(({ id }) => id === row.id)) !== true) return before
      found = true
      return { ...before, pages: before.pages.map((page) => ({ ...page, items: page.items.map((item) => (item.id === row.id ? row : item)) })) }
    })
  return found
}

function removeRow(client: QueryClient, operations: readonly Name[], gone: string): void {
  for (const operation of operations)
    client.setQueriesData<InfiniteData<Page>>(listsOf(operation), (before) =>
      before === undefined ? before : { ...before, pages: before.pages.map((page) => ({ ...page, items: page.items.filter(({ id }) => id !== gone) })) },
    )
}

export const readSummaries = (client: QueryClient): void => readAgainAsTold(client, SUMMARIES)
