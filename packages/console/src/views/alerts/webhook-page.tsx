import { type FormEvent, type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Facts, Page } from '../../design/card.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { CopyAsCurl, Id } from '../../design/copy.tsx'
import { CheckField, TextField } from '../../design/field.tsx'
import { Answered, Note } from '../../design/states.tsx'
import { Tabs } from '../../design/tabs.tsx'
import { tell, tellProblem } from '../../design/toasts.tsx'
import { usePageParams, usePageSearch } from '../../router/page-search.ts'
import { Time } from '../../time/time.tsx'
import { countWords } from '../../time/words.ts'
import type { WebhookRecord } from '../operate-operations.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import { useGo } from '../parts/go.ts'
import { Once } from '../parts/once.tsx'
import parts from '../parts/parts.module.css'
import { Deliveries } from './deliveries.tsx'
import { ReplaySince } from './replay-since.tsx'
import { TypesField, typesIn } from './types-field.tsx'
import { WebhookState } from './webhooks.tsx'

const READS = ['GET /api/v1/webhooks', 'GET /api/v1/webhooks/{id}', 'GET /api/v1/webhooks/{id}/deliveries'] as const

/** One endpoint: whether it takes what is sent, each delivery with each try, and the way to send again. */
export function WebhookPage(): ReactNode {
  const { id = '' } = usePageParams()
  const [{ tab = 'deliveries' }, change] = usePageSearch<{ readonly tab?: string | undefined }>()
  const query = useApi('GET /api/v1/webhooks/{id}', { path: { id } })
  const { data } = query
  return (
    <Page
      title={data?.name ?? 'Webhook'}
      heading={
        data === undefined ? (
          'Webhook'
        ) : (
          <span className={parts['actions']}>
            {data.name} <WebhookState state={data.state} />
          </span>
        )
      }
      lead={data?.url}
      actions={
        <>
          <CopyAsCurl path={`/api/v1/webhooks/${id}/deliveries`} />
          {data === undefined ? null : <Deeds webhook={data} />}
        </>
      }
    >
      <Answered query={query}>
        {(webhook) => (
          <div className={parts['stack']}>
            <Trouble webhook={webhook} />
            <Tabs
              label="Parts of the webhook"
              value={tab}
              onChange={(value) => change({ tab: value })}
              tabs={[
                { value: 'deliveries', text: 'Deliveries', content: () => <Deliveries webhook={webhook.id} /> },
                { value: 'settings', text: 'Settings', content: () => <Settings key={webhook.id} webhook={webhook} /> },
              ]}
            />
          </div>
        )}
      </Answered>
    </Page>
  )
}

function Trouble({ webhook }: { readonly webhook: WebhookRecord }): ReactNode {
  const enable = useDeed('POST /api/v1/webhooks/{id}/enable', { refreshes: READS, onDone: () => tell('It is on. What waits is sent now.') })
  if (webhook.state === 'active') return null
  return (
    <Note
      tone={webhook.state === 'failing' ? 'warn' : 'bad'}
      title={webhook.state === 'off' ? 'It is off' : `${countWords(webhook.failures, 'try was', 'tries in a row were')} not taken`}
      action={
        <Button small busy={enable.isPending} onClick={() => enable.mutate({ path: { id: webhook.id } }, { onError: tellProblem })}>
          {webhook.state === 'off' ? 'Switch it on' : 'Try now'}
        </Button>
      }
    >
      <p>
        {webhook.failing_since === null ? null : (
          <>
            Since <Time at={webhook.failing_since} />.{' '}
          </>
        )}
        {webhook.open_until === null ? (
          'Deliveries wait and are tried for three days.'
        ) : (
          <>
            Nothing is sent until <Time at={webhook.open_until} as="both" />; then one try decides.
          </>
        )}
      </p>
    </Note>
  )
}

function Deeds({ webhook }: { readonly webhook: WebhookRecord }): ReactNode {
  const [replaying, setReplaying] = useState(false)
  const test = useDeed('POST /api/v1/webhooks/{id}/test', {
    refreshes: READS,
    onDone: ({ state, tries }) => {
      const last = tries.at(-1)
      if (state === 'delivered') tell(`It took a test in ${last?.duration_ms ?? '?'} ms.`)
      else tellProblem(new Error(`It did not take the test: ${last?.status ?? last?.error ?? 'no answer'}.`))
    },
  })
  return (
    <>
      <Button busy={test.isPending} onClick={() => test.mutate({ path: { id: webhook.id } }, { onError: tellProblem })}>
        Send a test
      </Button>
      <Button onClick={() => setReplaying(true)}>Replay</Button>
      {replaying ? <ReplaySince webhook={webhook} onClose={() => setReplaying(false)} /> : null}
    </>
  )
}

const fieldsOf = ({ name, url, types, enabled }: WebhookRecord) => ({ name, url, types: types.join(' '), enabled })

/** Only what was changed is sent: whoever corrects a name does not switch on what was switched off meanwhile. */
function changesOf(draft: ReturnType<typeof fieldsOf>, base: WebhookRecord) {
  const before = fieldsOf(base)
  return {
    ...(draft.name === before.name ? {} : { name: draft.name }),
    ...(draft.url === before.url ? {} : { url: draft.url }),
    ...(draft.types === before.types ? {} : { types: typesIn(draft.types) }),
    ...(draft.enabled === before.enabled ? {} : { enabled: draft.enabled }),
  }
}

function Settings({ webhook }: { readonly webhook: WebhookRecord }): ReactNode {
  const drafted = useDraft(webhook, fieldsOf)
  const { draft, change, base } = drafted
  const save = useDeed('PATCH /api/v1/webhooks/{id}', {
    refreshes: READS,
    onDone: (stored) => {
      drafted.saved(stored)
      tell('The webhook is saved.')
    },
  })
  const changes = changesOf(draft, base)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate({ path: { id: webhook.id }, body: changes })
  }
  return (
    <div className={parts['two']}>
      <Card title="Endpoint">
        <form className={parts['form']} onSubmit={submit}>
          <TextField label="Name" required maxLength={100} value={draft.name} onChange={(name) => change({ name })} />
          <TextField label="Address" type="url" required value={draft.url} onChange={(url) => change({ url })} />
          <TypesField value={draft.types} onChange={(types) => change({ types })} />
          <CheckField asSwitch label="Deliveries are sent" checked={draft.enabled} onChange={(enabled) => change({ enabled })} />
          <Behind of={drafted} />
          <DeedProblem error={save.error} />
          <div>
            <Button type="submit" look="primary" busy={save.isPending} disabled={Object.keys(changes).length === 0}>
              Save
            </Button>
          </div>
        </form>
      </Card>
      <div className={parts['stack']}>
        <Secret webhook={webhook} />
        <Remove webhook={webhook} />
      </div>
    </div>
  )
}

function Secret({ webhook }: { readonly webhook: WebhookRecord }): ReactNode {
  const [secret, setSecret] = useState<string | null>(null)
  const rotate = useDeed('POST /api/v1/webhooks/{id}/rotate-secret', { refreshes: READS, onDone: (answer) => setSecret(answer.secret) })
  return (
    <Card title="Secret">
      <div className={parts['form']}>
        <Facts
          rows={[
            ['Id', <Id key="id" id={webhook.id} />],
            [
              'The secret before',
              webhook.previous_secret_until === null ? (
                'signs no more'
              ) : (
                <span key="before">
                  signs, too, until <Time at={webhook.previous_secret_until} as="both" />
                </span>
              ),
            ],
          ]}
        />
        <p>The old secret signs beside the new one for a day, so that the receiver changes over without losing anything.</p>
        <DeedProblem error={rotate.error} />
        <div>
          <Button busy={rotate.isPending} onClick={() => rotate.mutate({ path: { id: webhook.id }, body: {} })}>
            Rotate the secret
          </Button>
        </div>
      </div>
      <Once title="The new secret" lead="Give it to the receiver within a day." secret={secret} onClose={() => setSecret(null)} />
    </Card>
  )
}

function Remove({ webhook }: { readonly webhook: WebhookRecord }): ReactNode {
  const [asking, setAsking] = useState(false)
  const go = useGo()
  const remove = useDeed('DELETE /api/v1/webhooks/{id}', {
    refreshes: ['GET /api/v1/webhooks'],
    onDone: () => {
      tell('The webhook is deleted.')
      go('/alerts', { tab: 'webhooks' })
    },
  })
  return (
    <Card title="Delete">
      <div className={parts['form']}>
        <p>With its delivery log. What waits is not sent.</p>
        <div>
          <Button look="danger" onClick={() => setAsking(true)}>
            Delete the webhook
          </Button>
        </div>
      </div>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={`Delete ${webhook.name}?`}
        action="Delete the webhook"
        danger
        typed={webhook.name}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ path: { id: webhook.id } })}
      >
        <p>The application hears of nothing any more.</p>
      </Confirm>
    </Card>
  )
}
