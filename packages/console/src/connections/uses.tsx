import type { ReactNode } from 'react'
import { useApi } from '../api/queries.ts'
import { Card } from '../design/card.tsx'
import { Answered, Empty } from '../design/states.tsx'
import { Timeline } from '../design/timeline.tsx'
import { To } from '../router/link.tsx'
import { countWords } from '../time/words.ts'
import styles from './connections.module.css'
import { actorWords } from './life-words.ts'

const MOST = 100
/** Where a program is shown; everybody else has no page. */
const PLACES: Readonly<Record<string, string>> = { agent: '/agents', installation: '/agents/installations' }

function Actor({ actor: { kind, id } }: { readonly actor: { readonly kind: string; readonly id: string } }): ReactNode {
  const place = PLACES[kind]
  return place === undefined ? <code>{id}</code> : <To to={`${place}/${id}`}>{id}</To>
}

/** Who read the token or called through the proxy, by minute. */
export function Uses({ id }: { readonly id: string }): ReactNode {
  const query = useApi('GET /api/v1/connections/{id}/uses', { path: { id }, query: { days: 7, limit: MOST } })
  return (
    <Card title="Who used it" note="last 7 days, counted by minute">
      <Answered query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody used it in the last 7 days">
              <p>Reads of the token and calls through the proxy appear here, each with the key, person or agent that made them.</p>
            </Empty>
          ) : (
            <>
              <Timeline
                label="Uses"
                items={items.map(({ minute, access, actor, count }) => ({
                  id: `${minute} ${access} ${actor.id}`,
                  at: minute,
                  title: `${countWords(count, access === 'proxy' ? 'call' : 'read')} by ${actorWords(actor.kind)}`,
                  detail: actor.id === actor.kind ? null : <Actor actor={actor} />,
                }))}
              />
              {items.length < MOST ? null : <p className={styles['small']}>There may be more before these: the latest {MOST} are shown.</p>}
            </>
          )
        }
      </Answered>
    </Card>
  )
}
