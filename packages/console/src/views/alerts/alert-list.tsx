import type { ReactNode } from 'react'
import { useDeed, useList } from '../../api/queries.ts'
import { Button, buttonClass } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Segments } from '../../design/field.tsx'
import { Menu } from '../../design/menu.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Empty, Loading, ProblemNote } from '../../design/states.tsx'
import { tell, tellProblem } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { system } from '../../system.ts'
import { Time } from '../../time/time.tsx'
import { countWords } from '../../time/words.ts'
import { placeOf } from '../events/event-words.ts'
import type { AlertRecord } from '../operate-operations.ts'
import parts from '../parts/parts.module.css'
import { kindWords, searchOf, severityTone, severityWords } from './alert-words.ts'

const HOUR_MS = 3_600_000
const SNOOZES = [
  { text: 'For an hour', ms: HOUR_MS },
  { text: 'For four hours', ms: 4 * HOUR_MS },
  { text: 'For a day', ms: 24 * HOUR_MS },
  { text: 'For a week', ms: 168 * HOUR_MS },
] as const
const STATES: Readonly<Record<string, string>> = { acknowledged: 'Taken on', snoozed: 'Silent', resolved: 'Over' }
const READS = ['GET /api/v1/alerts', 'GET /api/v1/console/overview'] as const

/** Open alerts, and those that are over. They close by themselves when what they tell of heals. */
export function AlertList(): ReactNode {
  const [{ state = 'open' }, change] = usePageSearch<{ readonly state?: string | undefined }>()
  const list = useList('GET /api/v1/alerts', { query: { state, limit: 50 } })
  const { items } = list
  return (
    <Card title="Alerts" flush>
      <div className={parts['bar']}>
        <Segments
          label="Which alerts"
          value={state}
          choices={[
            { value: 'open', text: 'Open' },
            { value: 'resolved', text: 'Over' },
          ]}
          onChange={(value) => change({ state: value })}
        />
      </div>
      {items === undefined ? (
        list.error ? (
          <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <Loading rows={4} />
        )
      ) : items.length === 0 ? (
        <Empty title={state === 'open' ? 'Nothing is wrong' : 'No alert is over yet'}>
          <p>An alert opens when a rule holds, and closes by itself when its cause heals.</p>
        </Empty>
      ) : (
        <>
          <ul className={parts['list']}>
            {items.map((alert) => (
              <li key={alert.id}>
                <OneAlert alert={alert} />
              </li>
            ))}
          </ul>
          <Pager shown={items.length} what="alert" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
        </>
      )}
    </Card>
  )
}

function OneAlert({ alert }: { readonly alert: AlertRecord }): ReactNode {
  const over = alert.state === 'resolved'
  return (
    <div className={parts['form']}>
      <div className={parts['actions']}>
        <Badge tone={over ? 'quiet' : severityTone(alert.severity)}>{severityWords(alert.severity)}</Badge>
        <h3>{alert.title}</h3>
        {alert.state === 'open' ? null : <Badge tone="quiet">{STATES[alert.state] ?? alert.state}</Badge>}
      </div>
      <p>{alert.text}</p>
      <p className={parts['soft']}>
        {kindWords(alert.kind)}, since <Time at={alert.opened_at} />
        {over ? (
          <>
            , over <Time at={alert.resolved_at} /> ({alert.resolved_by === 'healed' ? 'it healed' : <By who={alert.resolved_by} />})
          </>
        ) : null}
        {alert.snoozed_until !== null && alert.state === 'snoozed' ? (
          <>
            , silent until <Time at={alert.snoozed_until} as="both" />
          </>
        ) : null}
        {alert.acknowledged_by === null ? null : (
          <>
            , taken on <By who={alert.acknowledged_by} />
          </>
        )}
      </p>
      <div className={parts['actions']}>
        <Behind alert={alert} />
        <a href={alert.runbook_url} target="_blank" rel="noreferrer">
          What to do
        </a>
        {over ? null : <Decide alert={alert} />}
      </div>
    </div>
  )
}

const ACTORS: Readonly<Record<string, string>> = { api_key: 'by an API key', cli: 'at the command line' }

/** Who decided: `user:usr_1`, `api_key:key_1`, `cli`. */
function By({ who }: { readonly who: string | null }): ReactNode {
  const [kind = '', id] = (who ?? '').split(':')
  if (kind === 'user' && id !== undefined)
    return (
      <>
        by{' '}
        <To to="/settings" search={{ user: id }}>
          a person
        </To>
      </>
    )
  return ACTORS[kind] ?? 'by somebody'
}

/** Every number leads to its list. */
function Behind({ alert: { filter, count, total, subject } }: { readonly alert: AlertRecord }): ReactNode {
  if (filter !== null)
    return (
      <To to="/connections" search={searchOf(filter)}>
        {count === 0 ? countWords(total, 'connection') : countWords(count, 'connection')}
      </To>
    )
  const place = placeOf(subject)
  if (place !== null) return <To to={place}>{subject}</To>
  return subject === null ? null : (
    <To to="/events" search={{ q: `subject:${subject}` }}>
      {subject}
    </To>
  )
}

function Decide({ alert }: { readonly alert: AlertRecord }): ReactNode {
  const path = { id: alert.id }
  const options = (text: string) => ({ refreshes: READS, onDone: () => tell(text) })
  const acknowledge = useDeed('POST /api/v1/alerts/{id}/acknowledge', options('You have taken it on. Nobody is told more of it.'))
  const snooze = useDeed('POST /api/v1/alerts/{id}/snooze', options('It is silent. You are reminded afterwards.'))
  const resolve = useDeed('POST /api/v1/alerts/{id}/resolve', options('It is over. It opens anew when something joins it.'))
  return (
    <>
      {alert.state === 'acknowledged' ? null : (
        <Button small busy={acknowledge.isPending} onClick={() => acknowledge.mutate({ path }, { onError: tellProblem })}>
          I take it on
        </Button>
      )}
      <Menu
        label="Snooze"
        button={(props) => (
          <button {...props} type="button" className={buttonClass({ small: true })}>
            Snooze
          </button>
        )}
        items={SNOOZES.map(({ text, ms }) => ({
          text,
          onSelect: () => snooze.mutate({ path, body: { until: new Date(system.now() + ms).toISOString() } }, { onError: tellProblem }),
        }))}
      />
      <Button small busy={resolve.isPending} onClick={() => resolve.mutate({ path }, { onError: tellProblem })}>
        It is over
      </Button>
    </>
  )
}
