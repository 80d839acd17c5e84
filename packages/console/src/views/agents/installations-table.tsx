import type { ReactNode } from 'react'
import { useList } from '../../api/queries.ts'
import { Pager } from '../../design/pager.tsx'
import { Empty, Loading, NoResults, ProblemNote } from '../../design/states.tsx'
import { To } from '../../router/link.tsx'
import { type Column, DataTable } from '../../table/data-table.tsx'
import { Time } from '../../time/time.tsx'
import type { InstallationRecord } from '../program-operations.ts'
import { InstallationState } from './agent-words.tsx'

interface InstallationsTableProps {
  readonly agent?: string
  readonly status?: string | undefined
  readonly healedSince?: string | undefined
  readonly onClear?: () => void
}

const COLUMNS: readonly Column<InstallationRecord>[] = [
  { id: 'name', header: 'Installation', main: true, cell: (row) => <To to={`/agents/installations/${row.id}`}>{row.name}</To> },
  { id: 'status', header: 'State', width: '9.5rem', cell: ({ status }) => <InstallationState status={status} /> },
  { id: 'host', header: 'Machine', width: '16%', cell: ({ host, platform }) => host ?? platform ?? 'unknown' },
  { id: 'custody', header: 'Key lives in', width: '8rem', cell: ({ custody }) => custody },
  { id: 'generation', header: 'Generation', width: '7rem', align: 'end', cell: ({ generation }) => generation },
  { id: 'seen', header: 'Last seen', width: '9rem', cell: ({ last_seen_at: at }) => <Time at={at} /> },
  { id: 'token', header: 'Token ends', width: '9rem', cell: ({ token }) => <Time at={token.expires_at} /> },
]

/** Enrolled copies, newest first. */
export function InstallationsTable({ agent, status, healedSince, onClear }: InstallationsTableProps): ReactNode {
  const list = useList('GET /api/v1/installations', { query: { limit: 50, agent, status, healed_since: healedSince } })
  if (list.items === undefined) return list.error ? <ProblemNote error={list.error} onRetry={() => void list.refetch()} /> : <Loading />
  if (list.items.length === 0)
    return onClear !== undefined && (status !== undefined || healedSince !== undefined) ? (
      <NoResults onClear={onClear} />
    ) : (
      <Empty title="No machine is enrolled yet">
        <p>Open an agent and make an enrolment code, or run the SDK on a machine: it asks for a person.</p>
      </Empty>
    )
  return (
    <>
      <DataTable
        label="Installations"
        columns={COLUMNS}
        rows={list.items}
        rowId={({ id }) => id}
        rowName={({ name }) => name}
        dimmed={list.isPlaceholderData}
      />
      <Pager shown={list.items.length} what="installation" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
    </>
  )
}
