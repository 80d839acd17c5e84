import type { Connection } from '@evergrant/sdk/wire'
import { Sparkline } from '../design/charts/sparkline.tsx'
import { ConnectionState } from '../design/state.tsx'
import { To } from '../router/link.tsx'
import type { Column } from '../table/data-table.tsx'
import { Time } from '../time/time.tsx'
import { countWords, numberWords } from '../time/words.ts'
import { nameOf } from './connection-words.ts'
import styles from './connections.module.css'
import type { PageUse } from './page-uses.ts'

/** Room for more columns, as long as nobody chose. */
const WIDE = window.innerWidth >= 1_500

const FIRST: readonly Column<Connection>[] = [
  {
    id: 'account',
    header: 'Account',
    sort: 'account',
    main: true,
    width: '22%',
    cell: (row) => (
      <To to={`/connections/${row.id}`} title={row.id}>
        {nameOf(row)}
      </To>
    ),
  },
  { id: 'status', header: 'State', sort: 'status', cell: (row) => <StateAndReason row={row} /> },
  { id: 'integration', header: 'Integration', width: '12%', cell: (row) => <span title={row.provider}>{row.integration}</span> },
  { id: 'owner', header: 'Owner', width: '13%', cell: (row) => <Owner row={row} /> },
  { id: 'expires', header: 'Token ends', extra: true, sort: 'expires', width: '6.25rem', cell: (row) => <Time at={row.expires_at} none="-" /> },
  { id: 'last_success', header: 'Last success', extra: !WIDE, sort: 'last_success', width: '6.75rem', cell: (row) => <Time at={row.last_refreshed_at} /> },
  { id: 'next', header: 'Next refresh', sort: 'next', width: '6.75rem', cell: (row) => <Time at={row.next_attempt_at ?? row.due_at} none="-" past="due" /> },
  { id: 'ends', header: 'Grant ends', extra: true, width: '7rem', cell: (row) => <Time at={row.ends_at} none="-" /> },
  { id: 'read', header: 'Last read', extra: true, width: '7rem', cell: (row) => <Time at={row.last_read_at} /> },
  { id: 'tags', header: 'Tags', extra: true, width: '10%', cell: (row) => row.tags.join(', ') || <span className={styles['none']}>-</span> },
  { id: 'created', header: 'Created', extra: true, sort: 'created', width: '7rem', cell: (row) => <Time at={row.created_at} /> },
]

/** With what the answer to `GET console/uses` says of each. */
export function columnsWith(uses: ReadonlyMap<string, PageUse>): readonly Column<Connection>[] {
  return [
    ...FIRST,
    { id: 'requests', header: 'Requests 24 h', width: '7.75rem', cell: (row) => <Requests use={uses.get(row.id)} row={row} /> },
    { id: 'used_by', header: 'Used by', extra: !WIDE, width: '13%', cell: (row) => <UsedBy use={uses.get(row.id)} /> },
  ]
}

export const COLUMNS: readonly Column<Connection>[] = columnsWith(new Map())

/** What is wrong stands below the state, in the whole width of its column: beside it there is room for a word or two. */
function StateAndReason({ row: { status, fault } }: { readonly row: Connection }) {
  return (
    <div className={fault === null ? undefined : styles['explained']}>
      <ConnectionState status={status} />
      {fault === null ? null : (
        <span className={styles['reason']} title={fault.operator_text}>
          {fault.title}
        </span>
      )}
    </div>
  )
}

function Requests({ use, row }: { readonly use: PageUse | undefined; readonly row: Connection }) {
  if (use === undefined) return <span className={styles['none']}>-</span>
  return (
    <To to={`/connections/${row.id}`} search={{ tab: 'uses' }} className={styles['requests']}>
      <Sparkline values={use.hours} label={`${countWords(use.requests, 'request')} in 24 hours`} />
      <span aria-hidden>{numberWords(use.requests)}</span>
    </To>
  )
}

const KINDS: Readonly<Record<string, string>> = { api_key: 'an API key', installation: 'a machine', user: 'a person', cli: 'command line' }

function UsedBy({ use }: { readonly use: PageUse | undefined }) {
  if (use === undefined) return <span className={styles['none']}>-</span>
  const names = use.used_by.map(({ kind, name }) => name ?? KINDS[kind] ?? kind)
  const more = use.actors - use.used_by.length
  return (
    <span
      title={use.used_by.map(({ id, count }) => `${id}: ${count}`).join('\n')}
    >{`${[...new Set(names)].join(', ')}${more > 0 ? ` and ${more} more` : ''}`}</span>
  )
}

function Owner({ row }: { readonly row: Connection }) {
  return (
    <To to="/connections" search={{ owner: row.owner }} className={styles['owner']} title={row.owner}>
      {row.owner}
    </To>
  )
}

/** Columns that are hidden until somebody chooses otherwise. */
export const HIDDEN_AT_FIRST: readonly string[] = COLUMNS.flatMap(({ id, extra }) => (extra === true ? [id] : []))
