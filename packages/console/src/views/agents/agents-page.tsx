import { Navigate } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useApi, useList } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Page } from '../../design/card.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { SelectField } from '../../design/field.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Empty, Loading, NoResults, ProblemNote } from '../../design/states.tsx'
import { type Tab, Tabs } from '../../design/tabs.tsx'
import { To } from '../../router/link.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { type Column, DataTable } from '../../table/data-table.tsx'
import { Time } from '../../time/time.tsx'
import parts from '../parts/parts.module.css'
import { AgentSettingsCard } from './agent-settings.tsx'
import { AgentState, type ListedAgent } from './agent-words.tsx'
import { Approvals } from './approvals.tsx'
import { InstallationsTable } from './installations-table.tsx'
import { NewAgent } from './new-agent.tsx'
import { PolicyWords } from './policy-words.tsx'

interface AgentsSearch {
  readonly tab?: string | undefined
  readonly status?: string | undefined
  readonly healed_since?: string | undefined
  /** A pasted id lands here. */
  readonly installation?: string | undefined
}

/** Programs that hold credentials of ours: who they are, what waits for a person, and where they run. */
export function AgentsPage(): ReactNode {
  const [{ tab = 'agents', installation }, change] = usePageSearch<AgentsSearch>()
  const [making, setMaking] = useState(false)
  // Another page size than the list below it asks for: one answer is a page, the other a list of pages, and they are kept by what was asked.
  const pending = useApi('GET /api/v1/approvals', { query: { status: 'pending', limit: 200 } })
  if (installation !== undefined) return <Navigate to={`/agents/installations/${installation}` as never} replace />
  const waiting = pending.data?.items.length ?? 0
  return (
    <Page
      title="Agents"
      lead="Programs with an identity of their own. Each machine proves a key that never leaves it."
      actions={<CopyAsCurl path="/api/v1/agents" />}
    >
      <Tabs
        label="Parts of the agents"
        value={tab}
        tabs={tabsOf(waiting, () => setMaking(true))}
        onChange={(value) => change({ tab: value, status: undefined, healed_since: undefined })}
      />
      {making ? <NewAgent onClose={() => setMaking(false)} /> : null}
    </Page>
  )
}

function tabsOf(waiting: number, onNew: () => void): readonly Tab[] {
  return [
    { value: 'agents', text: 'Agents', content: () => <Agents onNew={onNew} /> },
    { value: 'installations', text: 'Installations', content: () => <AllInstallations /> },
    {
      value: 'approvals',
      text: <>Approvals {waiting === 0 ? null : <Badge tone="warn">{waiting}</Badge>}</>,
      content: () => <Approvals />,
    },
    { value: 'healing', text: 'Healing', content: () => <AgentSettingsCard /> },
  ]
}

const COLUMNS: readonly Column<ListedAgent>[] = [
  { id: 'name', header: 'Agent', main: true, width: '22%', cell: (row) => <To to={`/agents/${row.id}`}>{row.name}</To> },
  { id: 'status', header: 'State', width: '9rem', cell: ({ status }) => <AgentState status={status} /> },
  { id: 'policy', header: 'What it may do', cell: ({ policy }) => <PolicyWords policy={policy} /> },
  { id: 'reviewed', header: 'Reviewed', width: '9rem', cell: ({ reviewed_at: at }) => <Time at={at} /> },
  { id: 'created', header: 'Made', width: '9rem', cell: ({ created_at: at }) => <Time at={at} /> },
]
const STATES = [
  { value: '', text: 'Every state' },
  { value: 'pending', text: 'Pending' },
  { value: 'verified', text: 'Verified' },
  { value: 'suspended', text: 'Suspended' },
  { value: 'revoked', text: 'Revoked' },
]

function Agents({ onNew }: { readonly onNew: () => void }): ReactNode {
  const [{ status }, change] = usePageSearch<AgentsSearch>()
  const list = useList('GET /api/v1/agents', { query: { limit: 50, ...(status === undefined ? {} : { status: status as 'pending' }) } })
  const make = (
    <Button look="primary" small icon={<Plus size={14} aria-hidden />} onClick={onNew}>
      New agent
    </Button>
  )
  return (
    <Card title="Agents" flush actions={make}>
      <div className={parts['bar']}>
        <SelectField label="State" quiet value={status ?? ''} choices={STATES} onChange={(value) => change({ status: value === '' ? undefined : value })} />
      </div>
      {list.items === undefined ? (
        list.error ? (
          <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <Loading />
        )
      ) : list.items.length > 0 ? (
        <>
          <DataTable label="Agents" columns={COLUMNS} rows={list.items} rowId={({ id }) => id} rowName={({ name }) => name} dimmed={list.isPlaceholderData} />
          <Pager shown={list.items.length} what="agent" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
        </>
      ) : status === undefined ? (
        <Empty title="No agent yet" action={make}>
          <p>An agent is a program that uses connections. Give it an identity, say what it may touch, and enrol a machine with a one-time code.</p>
        </Empty>
      ) : (
        <NoResults onClear={() => change({ status: undefined })} />
      )}
    </Card>
  )
}

function AllInstallations(): ReactNode {
  const [{ status, healed_since: healedSince }, change] = usePageSearch<AgentsSearch>()
  return (
    <Card title="Installations" note={healedSince === undefined ? undefined : 'Those that recovered lately.'} flush>
      <div className={parts['bar']}>
        <SelectField
          label="State"
          quiet
          value={status ?? ''}
          choices={[
            { value: '', text: 'Every state' },
            { value: 'active', text: 'Active' },
            { value: 'recovery_blocked', text: 'Healing is off' },
            { value: 'locked', text: 'Locked' },
            { value: 'retired', text: 'Cut off' },
          ]}
          onChange={(value) => change({ status: value === '' ? undefined : value })}
        />
      </div>
      <InstallationsTable status={status} healedSince={healedSince} onClear={() => change({ status: undefined, healed_since: undefined })} />
    </Card>
  )
}
