import { useQueryClient } from '@tanstack/react-query'
import { Download, Pause, Play } from 'lucide-react'
import type { ReactNode } from 'react'
import { download } from '../../api/call.ts'
import { problemOf } from '../../api/problem.ts'
import { type ListResult, readAgainAsTold, useApi, useList } from '../../api/queries.ts'
import { Button, buttonClass } from '../../design/button.tsx'
import { Card, Page } from '../../design/card.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { Menu } from '../../design/menu.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Empty, Loading, NoResults, ProblemNote } from '../../design/states.tsx'
import { tellProblem } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { type Column, DataTable } from '../../table/data-table.tsx'
import { Time } from '../../time/time.tsx'
import { countWords } from '../../time/words.ts'
import parts from '../parts/parts.module.css'
import type { EventRecord } from '../program-operations.ts'
import { EventDetails } from './event-details.tsx'
import { actorWords, placeOf, seenIn, shortData, toneOf } from './event-words.ts'
import styles from './events.module.css'
import { QueryField } from './query-field.tsx'
import { withWord } from './query-words.ts'
import { useTail } from './use-tail.ts'

interface EventsSearch {
  readonly q?: string | undefined
  /** Id of the one that is open. */
  readonly event?: string | undefined
}

const PAGE = 100
const EVENTS = ['GET /api/v1/events'] as const
const ASKED_WRONGLY = 400

/** The record: searched with one line, live while nobody pauses it, each entry down to its JSON. */
export function EventsPage(): ReactNode {
  const [{ q, event: opened }, change] = usePageSearch<EventsSearch>()
  const list = useList('GET /api/v1/events', { query: { q, limit: PAGE } })
  const events = list.items ?? []
  const problem = list.error === null ? null : problemOf(list.error)
  const query = q === undefined ? '' : `?q=${encodeURIComponent(q)}`
  const open = (id: string | undefined): void => change({ event: id })
  const { event, error: lost } = useOpened(opened, events, list.items !== undefined)
  return (
    <Page title="Events" lead="Everything that happened, newest first. Nothing is ever changed or taken out of it." actions={<Taking query={query} />}>
      <Card title="Record" flush actions={<Tail q={q} />}>
        <div className={parts['bar']}>
          <QueryField
            value={q ?? ''}
            error={problem?.status === ASKED_WRONGLY ? problem.detail : null}
            known={seenIn(events)}
            onSearch={(next) => change({ q: next === '' ? undefined : next })}
          />
          <CopyAsCurl path={`/api/v1/events${query}`} />
        </div>
        {problem?.status === ASKED_WRONGLY ? null : <Record list={list} filtered={q !== undefined} onClear={() => change({ q: undefined })} onOpen={open} />}
      </Card>
      <Dialog open={lost !== undefined && lost !== null} onClose={() => open(undefined)} title="Event" size="side">
        <ProblemNote error={lost} />
      </Dialog>
      <EventDetails event={event} onClose={() => open(undefined)} onNarrow={(word) => change({ q: withWord(q ?? '', word), event: undefined })} />
    </Page>
  )
}

/** One that stands in no page that is loaded is asked for by itself: a link to an event opens it, however old it is. */
function useOpened(
  id: string | undefined,
  events: readonly EventRecord[],
  loaded: boolean,
): { readonly event?: EventRecord | undefined; readonly error?: Error | null } {
  const known = events.find((event) => event.id === id)
  const { data, error } = useApi('GET /api/v1/events/{id}', { path: { id: id ?? '' } }, { enabled: id !== undefined && loaded && known === undefined })
  if (id === undefined) return {}
  return known === undefined ? { event: data, error } : { event: known }
}

function Taking({ query }: { readonly query: string }): ReactNode {
  const take = (format: 'jsonl' | 'csv'): void =>
    void download(`/api/v1/events/export${query}${query === '' ? '?' : '&'}format=${format}`, `events.${format}`).catch(tellProblem)
  return (
    <Menu
      label="Export events"
      align="end"
      button={(props) => (
        <button {...props} type="button" className={buttonClass()}>
          <Download size={14} aria-hidden />
          Export
        </button>
      )}
      items={[
        { text: 'As JSON lines', onSelect: () => take('jsonl') },
        { text: 'As CSV', onSelect: () => take('csv') },
      ]}
    />
  )
}

/** New entries come in by themselves, or are only counted (WCAG 2.2.2). */
function Tail({ q }: { readonly q: string | undefined }): ReactNode {
  const client = useQueryClient()
  const { following, follow, pause, fresh, take } = useTail(() => readAgainAsTold(client, EVENTS))
  return (
    <div className={styles['tail']}>
      {fresh === 0 ? null : (
        <Button small look="primary" onClick={take}>
          {countWords(fresh, 'new event')}
          {q === undefined ? '' : ', filtered or not'}
        </Button>
      )}
      <Button small icon={following ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />} onClick={following ? pause : follow}>
        {following ? 'Pause the tail' : 'Follow live'}
      </Button>
    </div>
  )
}

interface RecordProps {
  readonly list: ListResult<EventRecord>
  readonly filtered: boolean
  readonly onClear: () => void
  readonly onOpen: (id: string) => void
}

function Record({ list, filtered, onClear, onOpen }: RecordProps): ReactNode {
  const { items } = list
  if (items === undefined) return list.error ? <ProblemNote error={list.error} onRetry={() => void list.refetch()} /> : <Loading rows={12} />
  if (items.length === 0 && !list.hasNextPage)
    return filtered ? (
      <NoResults onClear={onClear} />
    ) : (
      <Empty title="Nothing has happened yet">
        <p>Add a provider and connect an account: each step appears here the moment it happens.</p>
      </Empty>
    )
  return (
    <>
      {list.error ? <ProblemNote error={list.error} title="This may be out of date" onRetry={() => void list.refetch()} /> : null}
      {items.length === 0 ? (
        <Empty title="None among the latest events">
          <p>Each page looks at so many events and no more. Older ones were not looked at yet.</p>
        </Empty>
      ) : (
        <DataTable label="Events" columns={columnsFor(onOpen)} rows={items} rowId={({ id }) => id} dimmed={list.isPlaceholderData} />
      )}
      <Pager shown={items.length} what="event" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
    </>
  )
}

function columnsFor(onOpen: (id: string) => void): readonly Column<EventRecord>[] {
  return [
    {
      id: 'type',
      header: 'Kind',
      main: true,
      width: '17rem',
      cell: (event) => (
        <button type="button" className={styles['open']} aria-haspopup="dialog" onClick={() => onOpen(event.id)}>
          <Badge tone={toneOf(event)}>{event.type}</Badge>
        </button>
      ),
    },
    { id: 'at', header: 'When', width: '9rem', cell: ({ at }) => <Time at={at} /> },
    { id: 'about', header: 'About', width: '22%', cell: (event) => <About event={event} /> },
    { id: 'actor', header: 'Who', width: '16%', cell: ({ actor }) => actorWords(actor) },
    { id: 'data', header: 'Details', cell: (event) => <code>{shortData(event)}</code> },
  ]
}

function About({ event }: { readonly event: EventRecord }): ReactNode {
  const id = event.connection_id ?? event.subject
  const place = placeOf(id)
  if (id === null) return null
  return place === null ? <code>{id}</code> : <To to={place}>{id}</To>
}
