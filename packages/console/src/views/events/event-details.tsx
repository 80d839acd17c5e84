import type { ReactNode } from 'react'
import { Button } from '../../design/button.tsx'
import { Facts } from '../../design/card.tsx'
import { CopyBox, Id } from '../../design/copy.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { Badge } from '../../design/state.tsx'
import { To } from '../../router/link.tsx'
import { Time } from '../../time/time.tsx'
import parts from '../parts/parts.module.css'
import type { EventRecord } from '../program-operations.ts'
import { actorWords, placeOf, toneOf } from './event-words.ts'

interface EventDetailsProps {
  readonly event: EventRecord | undefined
  readonly onClose: () => void
  /** Narrows the list by one more word. */
  readonly onNarrow: (word: string) => void
}

/** One entry of the record: who, what, when, and all of it as JSON. */
export function EventDetails({ event, onClose, onNarrow }: EventDetailsProps): ReactNode {
  if (event === undefined) return null
  const request = event.data['request_id'] ?? event.data['request']
  return (
    <Dialog open onClose={onClose} title={event.type} size="side">
      <Facts
        rows={[
          [
            'Kind',
            <Badge key="kind" tone={toneOf(event)}>
              {event.type}
            </Badge>,
          ],
          ['When', <Time key="at" at={event.at} as="both" />],
          ['Who', actorWords(event.actor)],
          event.connection_id === null ? null : ['Connection', <Linked key="connection" id={event.connection_id} />],
          event.subject === null || event.subject === event.connection_id ? null : ['About', <Linked key="subject" id={event.subject} />],
          typeof request === 'string' ? ['Request', <Id key="request" id={request} />] : null,
          ['Event', <Id key="id" id={event.id} />],
        ]}
      />
      <div className={parts['actions']}>
        <Button small onClick={() => onNarrow(`type:${event.type}`)}>
          Only this kind
        </Button>
        <Button small onClick={() => onNarrow(`-type:${event.type}`)}>
          Leave this kind out
        </Button>
        {event.connection_id === null ? null : (
          <Button small onClick={() => onNarrow(`connection:${event.connection_id}`)}>
            Only this connection
          </Button>
        )}
      </div>
      <CopyBox text={JSON.stringify(event, null, 2)} label="the event as JSON" />
    </Dialog>
  )
}

function Linked({ id }: { readonly id: string }): ReactNode {
  const place = placeOf(id)
  return place === null ? <Id id={id} /> : <To to={place}>{id}</To>
}
