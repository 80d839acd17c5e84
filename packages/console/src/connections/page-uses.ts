import { useQueries } from '@tanstack/react-query'
import { call } from '../api/call.ts'
import type { Answer } from '../api/operations.ts'
import { keyOf } from '../api/queries.ts'

export type PageUse = Answer<'GET /api/v1/console/uses'>['items'][number]

const OPERATION = 'GET /api/v1/console/uses'
/** As many as a page of the list has: a page that is loaded later asks for its own, and no question grows. */
const AT_ONCE = 50
const OLD_AFTER_MS = 60_000

/** Who used these connections today, as far as it is known yet. */
export function usePageUses(ids: readonly string[]): ReadonlyMap<string, PageUse> {
  const pages = Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, at) => ids.slice(at * AT_ONCE, (at + 1) * AT_ONCE).join(','))
  return useQueries({
    queries: pages.map((page) => ({
      queryKey: keyOf(OPERATION, { query: { ids: page } }),
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => call(OPERATION, { query: { ids: page }, signal }),
      staleTime: OLD_AFTER_MS,
    })),
    combine,
  })
}

/** Outside of the hook: the same answers then give the same map. */
function combine(answers: readonly { readonly data: Answer<typeof OPERATION> | undefined }[]): ReadonlyMap<string, PageUse> {
  return new Map(answers.flatMap(({ data }) => data?.items ?? []).map((use) => [use.connection_id, use]))
}
