import { Plus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { Badge } from '../../design/state.tsx'
import { Answered, Empty } from '../../design/states.tsx'
import { tell, tellProblem } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { Time } from '../../time/time.tsx'
import type { ChannelRecord } from '../operate-operations.ts'
import { Rows } from '../parts/rows.tsx'
import { ChannelDialog } from './channel-dialog.tsx'

const READS = ['GET /api/v1/channels'] as const
const KIND_WORDS: Readonly<Record<string, string>> = { slack: 'Slack', email: 'E-mail', push: 'This browser', webhook: 'Webhook' }

function Where({ channel: { kind, to, host, webhook_id: webhook } }: { readonly channel: ChannelRecord }): ReactNode {
  const webhooks = useApi('GET /api/v1/webhooks', {}, { enabled: webhook !== null })
  if (kind === 'email') return to.join(', ')
  if (webhook === null) return host ?? ''
  return <To to={`/alerts/webhooks/${webhook}`}>{webhooks.data?.items.find(({ id }) => id === webhook)?.name ?? webhook}</To>
}

/** Where people are told of alerts. */
export function Channels(): ReactNode {
  const query = useApi('GET /api/v1/channels')
  const [edited, setEdited] = useState<ChannelRecord | 'new' | null>(null)
  const [removing, setRemoving] = useState<ChannelRecord | null>(null)
  // One that a colleague removes stays in its dialog as it was: what was typed is nobody's to throw away, and saving it says that it is gone.
  const asItIs = (channel: ChannelRecord): ChannelRecord => query.data?.items.find(({ id }) => id === channel.id) ?? channel
  const add = (
    <Button small look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setEdited('new')}>
      New channel
    </Button>
  )
  return (
    <Card title="Channels" note="Addresses that give access are sealed and never shown again." flush actions={add}>
      <Answered query={query} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody is told yet" action={add}>
              <p>Slack, e-mail, a push message to this browser, or a webhook of yours.</p>
            </Empty>
          ) : (
            <ChannelRows channels={items} onEdit={setEdited} onRemove={setRemoving} />
          )
        }
      </Answered>
      {edited === null ? null : <ChannelDialog channel={edited === 'new' ? null : asItIs(edited)} onClose={() => setEdited(null)} />}
      {removing === null ? null : <RemoveChannel channel={removing} onClose={() => setRemoving(null)} />}
    </Card>
  )
}

interface ChannelRowsProps {
  readonly channels: readonly ChannelRecord[]
  readonly onEdit: (channel: ChannelRecord) => void
  readonly onRemove: (channel: ChannelRecord) => void
}

function ChannelRows({ channels, onEdit, onRemove }: ChannelRowsProps): ReactNode {
  return (
    <Rows
      label="Channels"
      items={channels}
      keyOf={({ id }) => id}
      columns={[
        { name: 'Channel', cell: ({ name }) => name },
        {
          name: 'Kind',
          cell: ({ kind, digest, digest_when_well: daily }) => `${KIND_WORDS[kind] ?? kind}${daily ? ', every day' : digest ? ', once a day' : ''}`,
        },
        { name: 'Where', cell: (channel) => <Where channel={channel} /> },
        { name: 'State', cell: (channel) => <ChannelState channel={channel} /> },
        { name: 'Quiet', cell: ({ quiet_hours: quiet }) => (quiet === null ? 'never' : `${quiet.from} to ${quiet.to}, ${quiet.time_zone}`) },
        { name: 'Last told', cell: ({ last_sent_at: at }) => <Time at={at} /> },
        { name: 'Deeds', deeds: true, cell: (channel) => <ChannelDeeds channel={channel} onEdit={onEdit} onRemove={onRemove} /> },
      ]}
    />
  )
}

function ChannelState({ channel: { enabled, last_error: error } }: { readonly channel: ChannelRecord }): ReactNode {
  if (!enabled) return <Badge tone="quiet">Off</Badge>
  if (error !== null)
    return (
      <Badge tone="bad" title={error}>
        Not taken: {error}
      </Badge>
    )
  return <Badge tone="good">Works</Badge>
}

function ChannelDeeds({ channel, onEdit, onRemove }: Omit<ChannelRowsProps, 'channels'> & { readonly channel: ChannelRecord }): ReactNode {
  const path = { id: channel.id }
  const test = useDeed('POST /api/v1/channels/{id}/test', {
    refreshes: READS,
    onDone: ({ ok, detail }) =>
      ok ? tell(`${channel.name} took a harmless word.`) : tellProblem(new Error(`${channel.name} did not take it: ${detail ?? 'no reason was given'}`)),
  })
  const change = useDeed('PATCH /api/v1/channels/{id}', { refreshes: READS, onDone: ({ enabled }) => tell(enabled ? 'It is on.' : 'It is off.') })
  return (
    <>
      <Button small busy={test.isPending} aria-label={`Test ${channel.name}`} onClick={() => test.mutate({ path }, { onError: tellProblem })}>
        Test
      </Button>
      <Button
        small
        aria-label={`${channel.enabled ? 'Switch off' : 'Switch on'} ${channel.name}`}
        onClick={() => change.mutate({ path, body: { enabled: !channel.enabled } }, { onError: tellProblem })}
      >
        {channel.enabled ? 'Off' : 'On'}
      </Button>
      <Button small aria-label={`Change ${channel.name}`} onClick={() => onEdit(channel)}>
        Change
      </Button>
      <Button small look="danger" aria-label={`Delete ${channel.name}`} onClick={() => onRemove(channel)}>
        Delete
      </Button>
    </>
  )
}

function RemoveChannel({ channel, onClose }: { readonly channel: ChannelRecord; readonly onClose: () => void }): ReactNode {
  const remove = useDeed('DELETE /api/v1/channels/{id}', {
    refreshes: READS,
    onDone: () => {
      onClose()
      tell('The channel is deleted.')
    },
  })
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Delete ${channel.name}?`}
      action="Delete the channel"
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ path: { id: channel.id } })}
    >
      <p>Nobody is told through it any more.</p>
    </Confirm>
  )
}
