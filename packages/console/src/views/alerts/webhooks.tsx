import { Plus } from 'lucide-react'
import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { TextField } from '../../design/field.tsx'
import { Badge } from '../../design/state.tsx'
import { Answered, Empty } from '../../design/states.tsx'
import { To } from '../../router/link.tsx'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Once } from '../parts/once.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { WEBHOOK_STATES } from './alert-words.ts'
import { TypesField, typesIn } from './types-field.tsx'

/** Where applications hear of events. */
export function Webhooks(): ReactNode {
  const query = useApi('GET /api/v1/webhooks')
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const add = (
    <Button small look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      New webhook
    </Button>
  )
  return (
    <Card title="Webhooks" note="Signed as the Standard Webhooks specification says." flush actions={add}>
      <Answered query={query} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No application is told yet" action={add}>
              <p>A webhook tells your backend the moment a connection needs its owner, heals, or ends.</p>
            </Empty>
          ) : (
            <Rows
              label="Webhooks"
              items={items}
              keyOf={({ id }) => id}
              columns={[
                { name: 'Webhook', cell: ({ id, name }) => <To to={`/alerts/webhooks/${id}`}>{name}</To> },
                { name: 'Address', cell: ({ url }) => url },
                { name: 'State', cell: ({ state }) => <WebhookState state={state} /> },
                { name: 'Hears of', cell: ({ types }) => types.join(', ') },
                { name: 'Last taken', cell: ({ last_delivered_at: at }) => <Time at={at} /> },
              ]}
            />
          )
        }
      </Answered>
      {making ? <NewWebhook onClose={() => setMaking(false)} onMade={setSecret} /> : null}
      <Once title="The secret of the webhook" lead="Your receiver verifies each delivery with it." secret={secret} onClose={() => setSecret(null)} />
    </Card>
  )
}

export function WebhookState({ state }: { readonly state: string }): ReactNode {
  const words = WEBHOOK_STATES[state]
  return (
    <Badge tone={words?.tone ?? 'quiet'} {...(words === undefined ? {} : { title: words.explained })}>
      {words?.text ?? state}
    </Badge>
  )
}

function NewWebhook({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: (secret: string) => void }): ReactNode {
  const form = useId()
  const [name, setName] = useState('')
  const [url, setUrl] = useState('')
  const [types, setTypes] = useState('')
  const make = useDeed('POST /api/v1/webhooks', {
    refreshes: ['GET /api/v1/webhooks'],
    onDone: (answer) => {
      onClose()
      onMade(answer.secret)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    make.mutate({ body: { name: name.trim(), url: url.trim(), ...(types.trim() === '' ? {} : { types: typesIn(types) }) } })
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="New webhook"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" busy={make.isPending}>
            Make the webhook
          </Button>
        </>
      }
    >
      <form id={form} className={parts['form']} onSubmit={submit}>
        <TextField label="Name" required maxLength={100} value={name} onChange={setName} />
        <TextField
          label="Address"
          type="url"
          required
          placeholder="https://app.example.com/hooks/evergrant"
          hint="https. Redirects are not followed."
          value={url}
          onChange={setUrl}
        />
        <TypesField value={types} onChange={setTypes} />
        <DeedProblem error={make.error} />
      </form>
    </Dialog>
  )
}
