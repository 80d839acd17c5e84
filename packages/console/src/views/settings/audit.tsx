import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { download } from '../../api/call.ts'
import { readAgainAsTold, useList } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Empty, Loading, ProblemNote } from '../../design/states.tsx'
import { tellProblem } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { Time } from '../../time/time.tsx'
import { actorWords, shortData, toneOf } from '../events/event-words.ts'
import { useTail } from '../events/use-tail.ts'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'

/** What people decide: members, keys, integrations, rules. What happens by itself is in the events. */
const DECIDED = ['user.', 'organization.', 'api_key.', 'integration.', 'alert_rules.', 'channel.', 'webhook.', 'settings.', 'agent.', 'signing_key.']
const QUERY = DECIDED.map((prefix) => `type:${prefix}*`).join(' ')

/** Who changed what. */
export function Audit(): ReactNode {
  const client = useQueryClient()
  const list = useList('GET /api/v1/events', { query: { q: QUERY, limit: 50 } })
  useTail(() => readAgainAsTold(client, ['GET /api/v1/events']), DECIDED)
  const { items } = list
  return (
    <Card
      title="Audit log"
      note="What people and keys changed."
      flush
      actions={
        <div className={parts['actions']}>
          <To to="/events" search={{ q: QUERY }}>
            Search in events
          </To>
          <Button small onClick={() => void download(`/api/v1/events/export?q=${encodeURIComponent(QUERY)}&format=csv`, 'audit.csv').catch(tellProblem)}>
            Export CSV
          </Button>
        </div>
      }
    >
      {items === undefined ? (
        list.error ? (
          <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <Loading />
        )
      ) : items.length === 0 ? (
        <Empty title="Nobody changed anything yet" />
      ) : (
        <>
          <Rows
            label="Audit log"
            items={items}
            keyOf={({ id }) => id}
            columns={[
              {
                name: 'What',
                cell: (event) => (
                  <To to="/events" search={{ q: QUERY, event: event.id }}>
                    <Badge tone={toneOf(event)}>{event.type}</Badge>
                  </To>
                ),
              },
              { name: 'Who', cell: ({ actor }) => actorWords(actor) },
              { name: 'About', cell: ({ subject, connection_id: connection }) => <ShortId id={subject ?? connection} /> },
              { name: 'Details', cell: (event) => <code>{shortData(event)}</code> },
              { name: 'When', cell: ({ at }) => <Time at={at} /> },
            ]}
          />
          <Pager shown={items.length} what="event" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
        </>
      )}
    </Card>
  )
}

const WHOLE = 22

/** Its beginning and its end; the whole id is in the title and in the event. */
function ShortId({ id }: { readonly id: string | null }): ReactNode {
  if (id === null) return null
  return <code title={id}>{id.length <= WHOLE ? id : `${id.slice(0, 12)}…${id.slice(-6)}`}</code>
}
