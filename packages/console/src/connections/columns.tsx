import type { Connection } from '@evergrant/sdk/wire'
import { ConnectionState } from '../design/state.tsx'
import { To } from '../router/link.tsx'
import type { Column } from '../table/data-table.tsx'
import { Time } from '../time/time.tsx'
import { nameOf } from './connection-words.ts'
import styles from './connections.module.css'

export const COLUMNS: readonly Column<Connection>[] = [
  {
    id: 'account',
    header: 'Account',
    sort: 'account',
    main: true,
    width: '17%',
    cell: (row) => (
      <To to={`/connections/${row.id}`} title={row.id}>
        {nameOf(row)}
      </To>
    ),
  },
  { id: 'status', header: 'State', sort: 'status', width: '9.25rem', cell: (row) => <ConnectionState status={row.status} /> },
  { id: 'integration', header: 'Integration', width: '10.5%', cell: (row) => <span title={row.provider}>{row.integration}</span> },
  { id: 'owner', header: 'Owner', width: '11%', cell: (row) => <Owner row={row} /> },
  {
    id: 'reason',
    header: 'Reason',
    cell: (row) => (row.fault === null ? <span className={styles['none']}>-</span> : <span title={row.fault.operator_text}>{row.fault.title}</span>),
  },
  { id: 'expires', header: 'Token ends', sort: 'expires', width: '6.25rem', cell: (row) => <Time at={row.expires_at} none="-" /> },
  { id: 'last_success', header: 'Last success', sort: 'last_success', width: '6.75rem', cell: (row) => <Time at={row.last_refreshed_at} /> },
  { id: 'next', header: 'Next refresh', sort: 'next', width: '6.75rem', cell: (row) => <Time at={row.next_attempt_at ?? row.due_at} none="-" /> },
  { id: 'ends', header: 'Grant ends', extra: true, width: '7rem', cell: (row) => <Time at={row.ends_at} none="-" /> },
  { id: 'read', header: 'Last read', extra: true, width: '7rem', cell: (row) => <Time at={row.last_read_at} /> },
  { id: 'tags', header: 'Tags', extra: true, width: '10%', cell: (row) => row.tags.join(', ') || <span className={styles['none']}>-</span> },
  { id: 'created', header: 'Created', extra: true, sort: 'created', width: '7rem', cell: (row) => <Time at={row.created_at} /> },
]

function Owner({ row }: { readonly row: Connection }) {
  return (
    <To to="/connections" search={{ owner: row.owner }} className={styles['owner']} title={row.owner}>
      {row.owner}
    </To>
  )
}

/** Columns that are hidden until somebody chooses otherwise. */
export const HIDDEN_AT_FIRST: readonly string[] = COLUMNS.flatMap(({ id, extra }) => (extra === true ? [id] : []))
