import {
  type InfiniteData,
  type Query,
  type QueryClient,
  type UseInfiniteQueryResult,
  type UseMutationResult,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { system } from '../system.ts'
import { call, type Input } from './call.ts'
import type { Answer, Name } from './operations.ts'
import { withTold } from './told-rows.ts'

type Key<Op extends Name> = readonly [Op, Pick<Input<Op>, 'path' | 'query'>]

/** Kept apart from one answer to the same question: it has another shape. */
type ListKey<Op extends Name> = readonly [...Key<Op>, 'list']

/** Where an answer is kept: the operation, and what was asked. Live changes find it by the operation. */
export const keyOf = <Op extends Name>(operation: Op, { path, query }: Input<Op> = {}): Key<Op> => [
  operation,
  { ...(path === undefined ? {} : { path }), ...(query === undefined ? {} : { query }) },
]

async function read<Op extends Name>(operation: Op, input: Input<Op>): Promise<Answer<Op>> {
  return withTold(operation, await call(operation, input))
}

interface Reading {
  readonly enabled?: boolean
  /** Read again after so many milliseconds, for what the stream does not tell. */
  readonly every?: number
}

/** One question to the server. */
export function useApi<Op extends Name>(operation: Op, input: Input<Op> = {}, { enabled = true, every }: Reading = {}): UseQueryResult<Answer<Op>> {
  return useQuery({
    queryKey: keyOf(operation, input),
    queryFn: ({ signal }) => read(operation, { ...input, signal }),
    enabled,
    ...(every === undefined ? {} : { refetchInterval: every }),
  })
}

interface PageOf<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
}
type ItemOf<Page> = Page extends PageOf<infer Item> ? Item : never

export type ListResult<Item> = Pick<
  UseInfiniteQueryResult,
  'error' | 'isFetching' | 'isFetchingNextPage' | 'hasNextPage' | 'dataUpdatedAt' | 'refetch' | 'isPending' | 'isPlaceholderData'
> & {
  readonly items: readonly Item[] | undefined
  readonly more: () => void
}

/** A list behind a cursor, page by page. While other filters are asked for, the former rows stay; those of something else do not. */
export function useList<Op extends Name>(operation: Op, input: Input<Op> = {}, { enabled = true }: Reading = {}): ListResult<ItemOf<Answer<Op>>> {
  type Page = PageOf<ItemOf<Answer<Op>>>
  const result = useInfiniteQuery<Page, Error, InfiniteData<Page>, ListKey<Op>, string | null>({
    queryKey: [...keyOf(operation, input), 'list'],
    queryFn: async ({ pageParam, signal }) =>
      (await read(operation, {
        ...input,
        query: { ...(input.query as object | undefined), ...(pageParam === null ? {} : { cursor: pageParam }) } as never,
        signal,
      })) as unknown as Page,
    initialPageParam: null,
    getNextPageParam: (last) => last.cursor,
    placeholderData: (before, query) => (JSON.stringify(query?.queryKey[1].path) === JSON.stringify(input.path) ? before : undefined),
    enabled,
  })
  const { data, error, isFetching, isFetchingNextPage, hasNextPage, dataUpdatedAt, refetch, isPending, isPlaceholderData } = result
  return {
    items: data === undefined ? undefined : rowsOf(data.pages),
    // What is being read again is read to its end first: it may have been told to be old.
    more: () => void (isFetching ? refetch({ cancelRefetch: false }) : Promise.resolve()).then(() => result.fetchNextPage({ cancelRefetch: false })),
    error,
    isFetching,
    isFetchingNextPage,
    hasNextPage,
    dataUpdatedAt,
    refetch: refetch as UseInfiniteQueryResult['refetch'],
    isPending,
    isPlaceholderData,
  }
}

/** A row that moved on after its page was read comes with a later one, too: it stands where it was, as it is now. */
function rowsOf<Item>(pages: readonly PageOf<Item>[]): readonly Item[] {
  const rows = new Map<unknown, Item>()
  for (const item of pages.flatMap(({ items }) => items)) rows.set((item as { readonly id?: string }).id ?? item, item)
  return [...rows.values()]
}

interface Deed<Op extends Name> {
  /** Operations whose answers are read again afterwards. */
  readonly refreshes?: readonly Name[]
  readonly onDone?: (answer: Answer<Op>, input: Input<Op>) => void
}

/** Something that changes the server. What it changes is read again, also where it was refused, or done and its answer lost: either says that the page may be wrong. */
export function useDeed<Op extends Name>(operation: Op, { refreshes = [], onDone }: Deed<Op> = {}): UseMutationResult<Answer<Op>, Error, Input<Op>> {
  const client = useQueryClient()
  return useMutation<Answer<Op>, Error, Input<Op>>({
    mutationFn: (input) => call(operation, input),
    onSuccess: (answer, input) => {
      readAgain(client, refreshes)
      onDone?.(answer, input)
    },
    onError: () => readAgain(client, refreshes),
  })
}

const OVERVIEW: Name = 'GET /api/v1/console/overview'
/** The server gives one overview to all who ask within two seconds: that of a moment before the deed, too. */
const SHARED_MS = 2_500

/** What is not on the screen is read when it is shown again: there is little that no deed changes. */
export function readAgain(client: QueryClient, operations: readonly Name[]): void {
  void client.invalidateQueries({ type: 'inactive', refetchType: 'none' })
  if (operations.includes(OVERVIEW)) system.after(SHARED_MS, () => readAgainAsTold(client, [OVERVIEW]))
  for (const operation of operations) void client.invalidateQueries({ queryKey: [operation] })
}

/** Busy organizations tell of the same thing every second, and many windows may be open: after a reading that was told, the next one waits. */
const PAUSE_MS = 3_000
/** When each question was last asked because something was told. */
const toldAt = new WeakMap<object, number>()
/** Questions that will be asked again: after the answer that is on its way, or after the pause. */
const onceMore = new WeakSet<object>()

/**
 * The same for what the stream tells, as often as it tells it. What is being read is not broken off, or a busy server would never be heard to the end; it is
 * read once more afterwards, since the answer may be older than what was told. With a path, only answers about that one; without operations, everything.
 */
export function readAgainAsTold(client: QueryClient, operations?: readonly Name[], path?: { readonly id: string }): void {
  const keys = operations?.map((operation) => (path === undefined ? [operation] : [operation, { path }])) ?? [[]]
  for (const query of keys.flatMap((queryKey) => client.getQueryCache().findAll({ queryKey }))) readOneAsTold(client, query)
}

function readOneAsTold(client: QueryClient, query: Query): void {
  // Whatever comes of it: nobody is shown it later as if it were new.
  query.invalidate()
  if (!query.isActive() || onceMore.has(query)) return
  const again = (): Promise<void> => {
    onceMore.delete(query)
    toldAt.set(query, system.now())
    return client.invalidateQueries({ queryKey: query.queryKey, exact: true }, { cancelRefetch: false })
  }
  const isBeingRead = query.state.fetchStatus !== 'idle'
  // A clock that was set tells nothing: then it is read at once.
  const waitMs = PAUSE_MS - Math.abs(system.now() - (toldAt.get(query) ?? Number.NEGATIVE_INFINITY))
  if (!isBeingRead && waitMs <= 0) return void again()
  onceMore.add(query)
  if (isBeingRead) void client.refetchQueries({ queryKey: query.queryKey, exact: true }, { cancelRefetch: false }).then(again)
  else system.after(waitMs, () => void again())
}
