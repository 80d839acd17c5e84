import type { ReactNode } from 'react'
import { useApi } from '../api/queries.ts'
import { Card } from '../design/card.tsx'
import { Answered, Empty } from '../design/states.tsx'
import { Timeline } from '../design/timeline.tsx'
import { To } from '../router/link.tsx'
import { countWords } from '../time/words.ts'

/** Who read the token or called through the proxy, by minute. */
export function Uses({ id }: { readonly id: string }): ReactNode {
  const query = useApi('GET /api/v1/connections/{id}/uses', { path: { id }, query: { days: 7, limit: 100 } })
  return (
    <Card title="Who used it" note="last 7 days, counted by minute">
      <Answered query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody used it in the last 7 days">
              <p>Reads of the token and calls through the proxy appear here, each with the key, person or agent that made them.</p>
            </Empty>
          ) : (
            <Timeline
              label="Uses"
              items={items.map(({ minute, access, actor, count }) => ({
                id: `${minute} ${access} ${actor.id}`,
                at: minute,
                title: `${countWords(count, access === 'proxy' ? 'call' : 'read')} by ${actor.kind.replaceAll('_', ' ')}`,
                detail: actor.kind === 'agent' || actor.kind === 'installation' ? <To to={`/agents/${actor.id}`}>{actor.id}</To> : <code>{actor.id}</code>,
              }))}
            />
          )
        }
      </Answered>
    </Card>
  )
}
