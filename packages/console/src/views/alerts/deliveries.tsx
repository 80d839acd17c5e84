import { type ReactNode, useState } from 'react'
import { useApi, useDeed, useList } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Facts } from '../../design/card.tsx'
import { CopyBox, Id } from '../../design/copy.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { Segments } from '../../design/field.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Answered, Empty, Loading, NoResults, ProblemNote } from '../../design/states.tsx'
import { tell, tellProblem } from '../../design/toasts.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { Time } from '../../time/time.tsx'
import { durationWords } from '../../time/words.ts'
import type { DeliveryDetails, DeliveryRecord, DeliveryTry } from '../operate-operations.ts'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { DELIVERY_STATES } from './alert-words.ts'

const READS = ['GET /api/v1/webhooks/{id}/deliveries', 'GET /api/v1/deliveries/{id}'] as const

/** What came of a try, in words. */
const tryWords = (tried: DeliveryTry | undefined): string =>
  tried === undefined ? 'not tried yet' : `${tried.status ?? tried.error ?? 'no answer'} in ${durationWords(tried.duration_ms)}`

/** Each event on its way to one endpoint, newest first. */
export function Deliveries({ webhook }: { readonly webhook: string }): ReactNode {
  const [{ state }, change] = usePageSearch<{ readonly state?: string | undefined }>()
  const [opened, setOpened] = useState<string | null>(null)
  const list = useList('GET /api/v1/webhooks/{id}/deliveries', { path: { id: webhook }, query: { state, limit: 50 } })
  const { items } = list
  return (
    <Card title="Delivery log" note="Finished ones are kept for 30 days." flush>
      <div className={parts['bar']}>
        <Segments
          label="Which deliveries"
          value={state ?? ''}
          choices={[
            { value: '', text: 'All' },
            { value: 'waiting', text: 'Waiting' },
            { value: 'delivered', text: 'Taken' },
            { value: 'failed', text: 'Given up' },
          ]}
          onChange={(value) => change({ state: value === '' ? undefined : value })}
        />
      </div>
      {items === undefined ? (
        list.error ? (
          <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <Loading />
        )
      ) : items.length > 0 ? (
        <>
          <DeliveryRows deliveries={items} onOpen={setOpened} />
          <Pager shown={items.length} what="delivery" many="deliveries" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
        </>
      ) : state === undefined ? (
        <Empty title="Nothing was sent yet">
          <p>Send a test, or wait for the first event.</p>
        </Empty>
      ) : (
        <NoResults onClear={() => change({ state: undefined })} />
      )}
      {opened === null ? null : <OneDelivery id={opened} onClose={() => setOpened(null)} />}
    </Card>
  )
}

function DeliveryState({ state }: { readonly state: string }): ReactNode {
  const { text, tone } = DELIVERY_STATES[state] ?? { text: state, tone: 'quiet' as const }
  return <Badge tone={tone}>{text}</Badge>
}

function DeliveryRows({ deliveries, onOpen }: { readonly deliveries: readonly DeliveryRecord[]; readonly onOpen: (id: string) => void }): ReactNode {
  return (
    <Rows
      label="Deliveries"
      items={deliveries}
      keyOf={({ id }) => id}
      columns={[
        { name: 'Event', cell: ({ type }) => <code>{type}</code> },
        { name: 'State', cell: ({ state }) => <DeliveryState state={state} /> },
        { name: 'Tries', number: true, cell: ({ attempts }) => attempts },
        { name: 'Last answer', cell: ({ tries }) => tryWords(tries.at(-1)) },
        { name: 'Made', cell: ({ created_at: at }) => <Time at={at} /> },
        { name: 'Next try', cell: ({ next_at: at }) => <Time at={at} none="none" past="due" /> },
        { name: 'Deeds', deeds: true, cell: (delivery) => <DeliveryDeeds delivery={delivery} onOpen={onOpen} /> },
      ]}
    />
  )
}

function DeliveryDeeds({ delivery, onOpen }: { readonly delivery: DeliveryRecord; readonly onOpen: (id: string) => void }): ReactNode {
  return (
    <>
      <Button small aria-label={`Look at the delivery of ${delivery.type}`} onClick={() => onOpen(delivery.id)}>
        Look
      </Button>
      <ReplayButton delivery={delivery} />
    </>
  )
}

function ReplayButton({ delivery }: { readonly delivery: DeliveryRecord }): ReactNode {
  const replay = useDeed('POST /api/v1/deliveries/{id}/replay', { refreshes: READS, onDone: () => tell('It is sent again, under the same id.') })
  return (
    <Button
      small
      busy={replay.isPending}
      aria-label={`Replay the delivery of ${delivery.type}`}
      onClick={() => replay.mutate({ path: { id: delivery.id } }, { onError: tellProblem })}
    >
      Replay
    </Button>
  )
}

function OneDelivery({ id, onClose }: { readonly id: string; readonly onClose: () => void }): ReactNode {
  const query = useApi('GET /api/v1/deliveries/{id}', { path: { id } })
  return (
    <Dialog open onClose={onClose} title={query.data?.type ?? 'Delivery'} size="side">
      <Answered query={query}>{(delivery) => <Tries delivery={delivery} />}</Answered>
    </Dialog>
  )
}

function Tries({ delivery }: { readonly delivery: DeliveryDetails }): ReactNode {
  return (
    <div className={parts['stack']}>
      <Facts
        rows={[
          ['State', <DeliveryState key="state" state={delivery.state} />],
          ['Sent as', <Id key="event" id={delivery.event_id} />],
          ['Made', <Time key="made" at={delivery.created_at} as="both" />],
          ['Next try', <Time key="next" at={delivery.next_at} as="both" none="none" past="due" />],
        ]}
      />
      <div>
        <ReplayButton delivery={delivery} />
      </div>
      <ol className={parts['stack']}>
        {[...delivery.tries].reverse().map((tried) => (
          <li key={tried.at}>
            <p>
              <Time at={tried.at} as="both" />: {tryWords(tried)}
            </p>
            {tried.answer === null || tried.answer === '' ? null : <CopyBox text={tried.answer} label="the answer" />}
          </li>
        ))}
      </ol>
      {delivery.event === null ? null : <CopyBox text={JSON.stringify(delivery.event, null, 2)} label="the event" />}
    </div>
  )
}
