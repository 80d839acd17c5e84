import type { ReactNode } from 'react'
import type { Answer } from '../../api/operations.ts'
import { useDeed, useList } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Facts } from '../../design/card.tsx'
import { Segments } from '../../design/field.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Empty, Loading, ProblemNote } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'

type Approval = Answer<'GET /api/v1/approvals'>['items'][number]

/** What waits for a person, and what people decided. */
export function Approvals(): ReactNode {
  const [{ status = 'pending' }, change] = usePageSearch<{ readonly status?: string | undefined }>()
  const list = useList('GET /api/v1/approvals', { query: { limit: 50, status: status as 'pending' } })
  const { items } = list
  return (
    <Card title="Approvals" flush>
      <div className={parts['bar']}>
        <Segments
          label="Which approvals"
          value={status}
          choices={[
            { value: 'pending', text: 'Waiting' },
            { value: 'approved', text: 'Approved' },
            { value: 'denied', text: 'Denied' },
            { value: 'used', text: 'Used' },
          ]}
          onChange={(value) => change({ status: value })}
        />
      </div>
      {items === undefined ? (
        list.error ? (
          <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <Loading rows={3} />
        )
      ) : items.length === 0 ? (
        <Empty title={status === 'pending' ? 'Nothing waits for a person' : 'Nothing here'}>
          <p>A machine that wants to recover where a person decides, and uses of sensitive connections, wait here.</p>
        </Empty>
      ) : (
        <>
          <ul className={parts['list']}>
            {items.map((approval) => (
              <li key={approval.id}>
                <OneApproval approval={approval} />
              </li>
            ))}
          </ul>
          <Pager shown={items.length} what="approval" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
        </>
      )}
    </Card>
  )
}

function OneApproval({ approval }: { readonly approval: Approval }): ReactNode {
  const refreshes = ['GET /api/v1/approvals', 'GET /api/v1/installations/{id}/timeline'] as const
  const input = { path: { id: approval.id } }
  const approve = useDeed('POST /api/v1/approvals/{id}/approve', { refreshes, onDone: () => tell('Approved.') })
  const deny = useDeed('POST /api/v1/approvals/{id}/deny', { refreshes, onDone: () => tell('Denied.') })
  const shown = Object.entries(approval.shown).filter(([, value]) => value !== null && typeof value !== 'object')
  return (
    <div className={parts['form']}>
      <div className={parts['actions']}>
        <strong>{approval.kind === 'recovery' ? 'A machine wants a new token' : 'A program wants a sensitive connection'}</strong>
        <Badge tone={approval.status === 'pending' ? 'warn' : 'quiet'}>{approval.status}</Badge>
        <span className={parts['soft']}>
          asked <Time at={approval.asked_at} />, over <Time at={approval.expires_at} />
        </span>
      </div>
      <Facts
        rows={[
          [
            'Installation',
            <To key="ins" to={`/agents/installations/${approval.installation}`}>
              {approval.installation}
            </To>,
          ],
          [
            'Agent',
            <To key="agt" to={`/agents/${approval.agent}`}>
              {approval.agent}
            </To>,
          ],
          approval.connection === null
            ? null
            : [
                'Connection',
                <To key="con" to={`/connections/${approval.connection}`}>
                  {approval.connection}
                </To>,
              ],
          ...shown.map(([name, value]) => [name.replaceAll('_', ' '), String(value)] as const),
        ]}
      />
      {approval.status === 'pending' ? (
        <div className={parts['actions']}>
          <Button look="primary" small busy={approve.isPending} onClick={() => approve.mutate(input)}>
            Approve
          </Button>
          <Button look="danger" small busy={deny.isPending} onClick={() => deny.mutate(input)}>
            Deny
          </Button>
        </div>
      ) : null}
      <DeedProblem error={approve.error ?? deny.error} />
    </div>
  )
}
