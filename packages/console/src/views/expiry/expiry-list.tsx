import type { Connection } from '@evergrant/sdk/wire'
import type { ReactNode } from 'react'
import { useList } from '../../api/queries.ts'
import { Pager } from '../../design/pager.tsx'
import { ConnectionState } from '../../design/state.tsx'
import { Empty, Loading, NoResults, ProblemNote } from '../../design/states.tsx'
import { To } from '../../router/link.tsx'
import { type Column, DataTable } from '../../table/data-table.tsx'
import { Time } from '../../time/time.tsx'

interface ExpiryListProps {
  readonly kind: 'human' | 'automatic'
  readonly provider: string | undefined
  readonly span: { readonly from: string; readonly to: string }
  readonly onClear: () => void
}

const nameOf = ({ account, owner }: Connection): string => account.label ?? account.id ?? owner

const COLUMNS: readonly Column<Connection>[] = [
  { id: 'account', header: 'Account', main: true, cell: (row) => <To to={`/connections/${row.id}`}>{nameOf(row)}</To> },
  { id: 'provider', header: 'Provider', width: '9rem', cell: ({ provider }) => provider },
  { id: 'owner', header: 'Owner', width: '16%', cell: ({ owner }) => owner },
  { id: 'status', header: 'State', width: '9.5rem', cell: ({ status }) => <ConnectionState status={status} /> },
]
const ENDS: Column<Connection> = {
  id: 'ends',
  header: 'Ends',
  width: '18rem',
  cell: ({ ends_at: at, expires_at: expires }) => <Time at={at ?? expires} as="both" />,
}
const RENEWS: Column<Connection> = {
  id: 'due',
  header: 'Renewed',
  width: '18rem',
  cell: ({ due_at: at }) => <Time at={at} as="both" none="on use" past="due" />,
}

/** The connections behind the lanes, soonest first. */
export function ExpiryList({ kind, provider, span, onClear }: ExpiryListProps): ReactNode {
  const list = useList('GET /api/v1/expiries/list', { query: { ...span, kind, provider, limit: 50 } })
  if (list.items === undefined) return list.error ? <ProblemNote error={list.error} onRetry={() => void list.refetch()} /> : <Loading />
  if (list.items.length === 0) {
    if (provider !== undefined) return <NoResults onClear={onClear} />
    return <Empty title={kind === 'human' ? 'Nobody has to act in this time' : 'Nothing is renewed in this time'} />
  }
  return (
    <>
      <DataTable
        label="Connections that end in this time"
        columns={[...COLUMNS, kind === 'human' ? ENDS : RENEWS]}
        rows={list.items}
        rowId={({ id }) => id}
        rowName={nameOf}
        dimmed={list.isPlaceholderData}
      />
      <Pager shown={list.items.length} what="connection" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
    </>
  )
}
