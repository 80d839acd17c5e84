import { type FormEvent, type ReactNode, useState } from 'react'
import { useApi, useDeed, useList } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { TextField } from '../../design/field.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge, type Tone } from '../../design/state.tsx'
import { Answered, Note, ProblemNote } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { Time } from '../../time/time.tsx'
import { countWords } from '../../time/words.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import type { Incident, Trust, TrustFactor } from '../program-operations.ts'
import styles from './trust.module.css'

const TONES: Readonly<Record<string, Tone>> = {
  High: 'good',
  Good: 'good',
  Fair: 'info',
  Low: 'warn',
  Suspended: 'quiet',
  Blocked: 'bad',
  'Not rated yet': 'quiet',
}
const READS = ['GET /api/v1/agents/{id}/trust', 'GET /api/v1/agents/{id}/incidents'] as const

/** How far an agent may be trusted: the number, what it could be, and every point with its facts. */
export function TrustPanel({ agent }: { readonly agent: string }): ReactNode {
  const query = useApi('GET /api/v1/agents/{id}/trust', { path: { id: agent } })
  return (
    <div className={parts['stack']}>
      <Card title="Trust score" note="It informs people. No request is let in or refused because of it.">
        <Answered query={query}>{(trust) => <Explained trust={trust} />}</Answered>
      </Card>
      <Incidents agent={agent} />
      <Notes agent={agent} notes={query.data?.notes ?? []} />
    </div>
  )
}

function Explained({ trust }: { readonly trust: Trust }): ReactNode {
  const { score, ceiling, band, headline, caps, delta, factors } = trust
  return (
    <div className={parts['form']}>
      <div className={styles['score']}>
        <p className={styles['number']}>
          {score} <span className={parts['soft']}>of 100</span>
        </p>
        <Badge tone={TONES[band] ?? 'info'}>{band}</Badge>
        <Scale label={`${score} of 100 is certain; ${ceiling} if all that is unknown turned out well`} earned={score} known={ceiling} available={100} />
      </div>
      <p className={parts['strong']}>{headline}</p>
      {ceiling > score ? <p>It could be {ceiling}, if all that is not known yet turned out well.</p> : null}
      {delta === null ? null : (
        <p className={parts['soft']}>
          {delta.points === 0 ? 'As many points as' : `${countWords(Math.abs(delta.points), 'point')} ${delta.points > 0 ? 'more' : 'less'} than`}{' '}
          <Time at={delta.since} />.
        </p>
      )}
      {caps.map(({ id, max, takes, because }) => (
        <Note key={id} tone="warn" title={`No more than ${max}`}>
          <p>
            {because} This takes {countWords(takes, 'point')}.
          </p>
        </Note>
      ))}
      <ul className={styles['factors']}>
        {factors.map((factor) => (
          <Factor key={factor.id} factor={factor} />
        ))}
      </ul>
    </div>
  )
}

const nameOf = (id: string): string => id.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase())

function Factor({ factor }: { readonly factor: TrustFactor }): ReactNode {
  const { id, earned, available, known, facts, advice } = factor
  const open = Math.round((available - known) * 100) / 100
  return (
    <li>
      <details>
        <summary>
          <span className={styles['factor']}>
            <span>{nameOf(id)}</span>
            <span>
              {earned} of {available}
              {open > 0 ? `, ${open} not known yet` : ''}
            </span>
          </span>
          <Scale label={`${nameOf(id)}: ${earned} of ${available} points, ${known} decided`} earned={earned} known={known} available={available} />
        </summary>
        <dl className={styles['facts']}>
          {facts.map(({ name, value, source, event_id: event }) => (
            <div key={`${name}${source}`}>
              <dt>{nameOf(name)}</dt>
              <dd>
                {value === null ? 'unknown' : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)}{' '}
                <span className={parts['soft']}>{source}</span>
                {event === null ? null : (
                  <>
                    {' '}
                    <To to="/events" search={{ event }}>
                      event
                    </To>
                  </>
                )}
              </dd>
            </div>
          ))}
        </dl>
        {advice === null ? null : <p className={styles['advice']}>{advice}</p>}
      </details>
    </li>
  )
}

/** Earned, decided and possible points on one line. */
function Scale({
  label,
  earned,
  known,
  available,
}: {
  readonly label: string
  readonly earned: number
  readonly known: number
  readonly available: number
}): ReactNode {
  const share = (points: number): number => (available === 0 ? 0 : Math.max(0, Math.min(100, (points / available) * 100)))
  return (
    <svg viewBox="0 0 100 4" preserveAspectRatio="none" className={parts['meter']} role="img" aria-label={label}>
      <rect width={100} height={4} className={styles['all']} />
      <rect width={share(known)} height={4} className={styles['known']} />
      <rect width={share(earned)} height={4} className={styles['earned']} />
    </svg>
  )
}

function Incidents({ agent }: { readonly agent: string }): ReactNode {
  const list = useList('GET /api/v1/agents/{id}/incidents', { path: { id: agent } })
  const [closing, setClosing] = useState<Incident | null>(null)
  // What could not be read is not nothing.
  if (list.items === undefined)
    return list.error === null ? null : <ProblemNote title="Incidents could not be read" error={list.error} onRetry={() => void list.refetch()} />
  if (list.items.length === 0) return null
  return (
    <Card title="Incidents" flush>
      <Rows
        label="Incidents"
        items={list.items}
        keyOf={({ id }) => id}
        columns={[
          {
            name: 'What',
            cell: ({ kind, message }) => (
              <>
                <Badge tone="bad">{kind}</Badge> {message}
              </>
            ),
          },
          { name: 'When', cell: ({ at }) => <Time at={at} /> },
          {
            name: 'Closed',
            cell: ({ closed_at: at, note }) =>
              at === null ? (
                'open'
              ) : (
                <>
                  <Time at={at} /> {note}
                </>
              ),
          },
          {
            name: 'Deeds',
            deeds: true,
            cell: (incident) =>
              incident.closed_at === null ? (
                <Button small onClick={() => setClosing(incident)}>
                  Close
                </Button>
              ) : null,
          },
        ]}
      />
      {list.hasNextPage ? <Pager shown={list.items.length} what="incident" hasMore busy={list.isFetchingNextPage} onMore={list.more} /> : null}
      {closing === null ? null : <CloseIncident incident={closing} onClose={() => setClosing(null)} />}
    </Card>
  )
}

function CloseIncident({ incident, onClose }: { readonly incident: Incident; readonly onClose: () => void }): ReactNode {
  const [note, setNote] = useState('')
  const close = useDeed('POST /api/v1/incidents/{id}/close', {
    refreshes: READS,
    onDone: () => {
      onClose()
      tell('The incident is closed.')
    },
  })
  return (
    <Dialog
      open
      onClose={onClose}
      size="small"
      title="Close the incident"
      lead="Says that somebody looked at it and that its cause is gone. It unlocks nothing."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            disabled={note.trim() === ''}
            busy={close.isPending}
            onClick={() => close.mutate({ path: { id: incident.id }, body: { note: note.trim() } })}
          >
            Close the incident
          </Button>
        </>
      }
    >
      <TextField label="What it was" multiline value={note} onChange={setNote} />
      <DeedProblem error={close.error} />
    </Dialog>
  )
}

function Notes({ agent, notes }: { readonly agent: string; readonly notes: Trust['notes'] }): ReactNode {
  const [text, setText] = useState('')
  const write = useDeed('POST /api/v1/agents/{id}/notes', { refreshes: READS, onDone: () => setText('') })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '') write.mutate({ path: { id: agent }, body: { note: text.trim() } })
  }
  return (
    <Card title="Notes" note="They move no number and are never changed.">
      <form className={parts['form']} onSubmit={submit}>
        {notes.map(({ id, at, by, note }) => (
          <p key={id}>
            {note}{' '}
            <span className={parts['soft']}>
              {by.id ?? by.kind}, <Time at={at} />
            </span>
          </p>
        ))}
        <TextField label="New note" multiline value={text} onChange={setText} />
        <DeedProblem error={write.error} />
        <div>
          <Button type="submit" busy={write.isPending} disabled={text.trim() === ''}>
            Write the note
          </Button>
        </div>
      </form>
    </Card>
  )
}
