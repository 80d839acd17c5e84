import type { Connection } from '@evergrant/sdk/wire'
import { useNavigate } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { download } from '../api/call.ts'
import type { ConnectionFilter } from '../api/console-operations.ts'
import { type ListResult, useApi, useList } from '../api/queries.ts'
import { Button } from '../design/button.tsx'
import cards from '../design/card.module.css'
import { Page } from '../design/card.tsx'
import { CopyAsCurl } from '../design/copy.tsx'
import { Pager } from '../design/pager.tsx'
import { Loading, NoResults, ProblemNote } from '../design/states.tsx'
import { tellProblem } from '../design/toasts.tsx'
import { pathOfId } from '../frame/id-path.ts'
import { useLive } from '../live/live-context.ts'
import { NothingYet } from '../overview/nothing-yet.tsx'
import { usePreferences } from '../preferences/preferences.ts'
import { usePageSearch, without } from '../router/page-search.ts'
import { DataTable } from '../table/data-table.tsx'
import { numberWords } from '../time/words.ts'
import { BulkBar } from './bulk-bar.tsx'
import { COLUMNS, columnsWith, HIDDEN_AT_FIRST } from './columns.tsx'
import { isNarrowed } from './connection-search.ts'
import { nameOf } from './connection-words.ts'
import { FilterBar } from './filter-bar.tsx'
import { ColumnMenu, SavedViews } from './list-menus.tsx'
import { usePageUses } from './page-uses.ts'
import { stillShown } from './still-shown.ts'

const PAGE_SIZE = 50
const NOTHING: ReadonlySet<string> = new Set()

/** All connections: filtered, sorted and searched by the server, and acted on by the handful or by the filter. */
export function ConnectionsPage(): ReactNode {
  const [search, change] = usePageSearch<ConnectionFilter>()
  const list = useList('GET /api/v1/connections', { query: { ...search, limit: PAGE_SIZE } })
  const facets = useApi('GET /api/v1/connections/facets', { query: filterOf(search) })
  const [chosen, setSelected] = useState<ReadonlySet<string>>(NOTHING)
  const selected = stillShown(chosen, list.items)
  const filterKey = JSON.stringify(search)
  // biome-ignore lint/correctness/useExhaustiveDependencies: other rows, another choice
  useEffect(() => setSelected(NOTHING), [filterKey])
  useLanding(search.q)
  const clear = (): void =>
    change({
      q: undefined,
      status: undefined,
      provider: undefined,
      integration: undefined,
      owner: undefined,
      tag: undefined,
      code: undefined,
      expires_before: undefined,
      expires_after: undefined,
    })
  const query = new URLSearchParams(without(search) as Record<string, string>).toString()
  const suffix = query === '' ? '' : `?${query}`
  return (
    <Page
      title="Connections"
      lead="One grant of one person at one provider, each."
      actions={
        <>
          <SavedViews list="connections" search={search} />
          <ColumnMenu table="connections" columns={COLUMNS} />
          <Button
            icon={<Download size={14} aria-hidden />}
            onClick={() => void download(`/api/v1/connections/export${suffix}`, 'connections.csv').catch(tellProblem)}
          >
            Export CSV
          </Button>
          <CopyAsCurl path={`/api/v1/connections${suffix}`} />
        </>
      }
    >
      <section className={cards['card']} aria-label="Connections">
        <FilterBar search={search} facets={facets.data} onChange={change} onClear={clear} />
        {chosen.size === 0 ? null : <BulkBar selected={selected} filter={filterOf(search)} total={totalOf(facets.data)} onDone={() => setSelected(NOTHING)} />}
        <Fresh list={list} />
        <Rows
          list={list}
          search={search}
          selected={selected}
          onSelect={setSelected}
          onSort={(sort) => change({ sort })}
          onClear={clear}
          total={totalOf(facets.data)}
        />
      </section>
    </Page>
  )
}

const filterOf = ({ sort: _sort, ...filter }: ConnectionFilter): ConnectionFilter => filter

function totalOf(facets: { readonly total?: number; readonly status: readonly { readonly count: number }[] } | undefined): number | undefined {
  return facets?.total ?? facets?.status.reduce((sum, { count }) => sum + count, 0)
}

/** A pasted id is not a search: it lands. */
function useLanding(q: string | undefined): void {
  const navigate = useNavigate()
  useEffect(() => {
    const path = q === undefined || !q.trim().startsWith('con_') ? null : pathOfId(q)
    if (path !== null) void navigate({ to: path as never, replace: true })
  }, [q, navigate])
}

/** New rows are counted, not put under the pointer. */
function Fresh({ list }: { readonly list: ListResult<Connection> }): ReactNode {
  const { fresh, live } = useLive()
  const isRead = list.isFetching && !list.isFetchingNextPage
  // Whatever is read from now on holds what was counted until now.
  useEffect(() => {
    if (isRead) live.seen()
  }, [isRead, live])
  if (fresh === 0) return null
  return (
    <p className={cards['head']} role="status">
      <span>{`${numberWords(fresh)} changed that may belong here`}</span>
      <Button small look="primary" onClick={() => void list.refetch()}>
        Show
      </Button>
    </p>
  )
}

interface RowsProps {
  readonly list: ListResult<Connection>
  readonly search: ConnectionFilter
  readonly selected: ReadonlySet<string>
  readonly onSelect: (ids: ReadonlySet<string>) => void
  readonly onSort: (sort: string | undefined) => void
  readonly onClear: () => void
  readonly total: number | undefined
}

function Rows({ list, search, selected, onSelect, onSort, onClear, total }: RowsProps): ReactNode {
  const { hiddenColumns } = usePreferences()
  const { items, error } = list
  const uses = usePageUses((items ?? []).map(({ id }) => id))
  const columns = useMemo(() => columnsWith(uses), [uses])
  if (items === undefined) return error === null ? <Loading rows={12} /> : <ProblemNote error={error} onRetry={() => void list.refetch()} />
  if (items.length === 0) return isNarrowed(search) ? <NoResults onClear={onClear} /> : <NothingYet />
  return (
    <>
      {error === null ? null : <ProblemNote error={error} onRetry={() => void list.refetch()} />}
      <DataTable
        label="Connections"
        columns={columns}
        rows={items}
        rowId={rowId}
        rowName={nameOf}
        hidden={hiddenColumns['connections'] ?? HIDDEN_AT_FIRST}
        sort={search.sort}
        onSort={onSort}
        selected={selected}
        onSelect={onSelect}
        dimmed={list.isPlaceholderData}
      />
      <Pager shown={items.length} what="connection" total={total} hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
    </>
  )
}

const rowId = ({ id }: Connection): string => id
