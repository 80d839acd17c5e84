import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { CheckField, SelectField, TextField } from '../../design/field.tsx'
import { tell } from '../../design/toasts.tsx'
import type { ChannelInput, ChannelRecord } from '../operate-operations.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import { subscribeHere } from './push-subscription.ts'

interface Draft {
  readonly kind: string
  readonly name: string
  readonly url: string
  readonly to: string
  /** Null: nobody chose, so the settings decide. */
  readonly digest: boolean | null
  readonly whenWell: boolean
  readonly webhook: string
  readonly quiet: boolean
  readonly from: string
  readonly until: string
  readonly zone: string
}

const NAMES: Readonly<Record<string, string>> = { slack: 'Slack', email: 'E-mail', push: 'Push to this browser', webhook: 'Webhook' }

const draftOf = (channel: ChannelRecord | null): Draft => ({
  kind: channel?.kind ?? 'slack',
  name: channel?.name ?? '',
  url: '',
  to: channel?.to.join(', ') ?? '',
  digest: channel?.digest ?? null,
  whenWell: channel?.digest_when_well ?? false,
  webhook: channel?.webhook_id ?? '',
  quiet: channel?.quiet_hours !== null && channel !== null,
  from: channel?.quiet_hours?.from ?? '22:00',
  until: channel?.quiet_hours?.to ?? '07:00',
  zone: channel?.quiet_hours?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
})

const addresses = (text: string): readonly string[] => text.split(/[\s,;]+/).filter(Boolean)

/** What the form says, for a new channel or a change of one. What is secret is sent only where it was typed. */
export function inputOf(draft: Draft, isNew: boolean): ChannelInput {
  const { kind, name, url, to, digest, whenWell, webhook, quiet, from, until, zone } = draft
  return {
    ...(isNew ? { kind } : {}),
    name: name.trim() === '' ? (NAMES[kind] ?? kind) : name.trim(),
    ...(kind === 'slack' && url !== '' ? { url: url.trim() } : {}),
    ...(kind === 'email' ? { to: addresses(to), ...(digest === null ? {} : { digest }), digest_when_well: whenWell && digest !== false } : {}),
    ...(kind === 'webhook' && isNew ? { webhook } : {}),
    quiet_hours: quiet ? { from, to: until, time_zone: zone } : null,
  }
}

/** A new channel, or one that is changed. */
export function ChannelDialog({ channel, onClose }: { readonly channel: ChannelRecord | null; readonly onClose: () => void }): ReactNode {
  const form = useId()
  const drafted = useDraft(channel, draftOf)
  const { draft, change } = drafted
  const [refused, setRefused] = useState<unknown>(null)
  const pushKey = useApi('GET /api/v1/console/push-key', {}, { enabled: draft.kind === 'push' })
  const done = {
    refreshes: ['GET /api/v1/channels'] as const,
    onDone: () => {
      onClose()
      tell('The channel is saved. Test it.')
    },
  }
  const create = useDeed('POST /api/v1/channels', done)
  const update = useDeed('PATCH /api/v1/channels/{id}', done)
  const save = async (): Promise<void> => {
    const body = inputOf(draft, channel === null)
    if (channel !== null) return update.mutate({ path: { id: channel.id }, body })
    try {
      const subscription = draft.kind === 'push' ? { subscription: await subscribeHere(pushKey.data?.public_key ?? '') } : {}
      create.mutate({ body: { ...body, ...subscription } })
    } catch (error) {
      setRefused(error)
    }
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setRefused(null)
    void save()
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={channel === null ? 'New channel' : `Change ${channel.name}`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            form={form}
            look="primary"
            busy={create.isPending || update.isPending}
            disabled={draft.kind === 'push' && channel === null && pushKey.data === undefined}
          >
            Save the channel
          </Button>
        </>
      }
    >
      <form id={form} className={parts['form']} onSubmit={submit}>
        <div className={parts['pair']}>
          <SelectField
            label="Kind"
            value={draft.kind}
            disabled={channel !== null}
            choices={Object.entries(NAMES).map(([value, text]) => ({ value, text }))}
            onChange={(kind) => change({ kind })}
          />
          <TextField label="Name" maxLength={100} placeholder={NAMES[draft.kind]} value={draft.name} onChange={(name) => change({ name })} />
        </div>
        <KindFields draft={draft} isNew={channel === null} change={change} />
        <CheckField
          label="Quiet hours"
          hint="Only what is critical is told then; the rest follows afterwards."
          checked={draft.quiet}
          onChange={(quiet) => change({ quiet })}
        />
        {draft.quiet ? (
          <div className={parts['pair']}>
            <TextField label="From" type="time" required value={draft.from} onChange={(from) => change({ from })} />
            <TextField label="Until" type="time" required value={draft.until} onChange={(until) => change({ until })} />
            <TextField label="Time zone" required value={draft.zone} onChange={(zone) => change({ zone })} />
          </div>
        ) : null}
        <Behind of={drafted} />
        <DeedProblem error={refused ?? create.error ?? update.error} />
      </form>
    </Dialog>
  )
}

function KindFields({ draft, isNew, change }: { readonly draft: Draft; readonly isNew: boolean; readonly change: (part: Partial<Draft>) => void }): ReactNode {
  const webhooks = useApi('GET /api/v1/webhooks', {}, { enabled: draft.kind === 'webhook' && isNew })
  const settings = useApi('GET /api/v1/settings', {}, { enabled: draft.kind === 'email' && isNew })
  if (draft.kind === 'slack')
    return (
      <TextField
        label="Address of the incoming webhook"
        type="url"
        autoComplete="off"
        required={isNew}
        placeholder="https://hooks.slack.com/services/…"
        hint={isNew ? 'Sealed when it arrives; it is never shown again.' : 'Empty: the stored one stays.'}
        value={draft.url}
        onChange={(url) => change({ url })}
      />
    )
  if (draft.kind === 'email')
    return (
      <>
        <TextField label="To" required hint="Several with commas between them." value={draft.to} onChange={(to) => change({ to })} />
        <CheckField
          label="One letter a day, with everything that is open"
          checked={draft.digest ?? settings.data?.digest ?? false}
          onChange={(digest) => change({ digest })}
        />
        {(draft.digest ?? settings.data?.digest ?? false) ? (
          <CheckField label="Also on days when all is well" checked={draft.whenWell} onChange={(whenWell) => change({ whenWell })} />
        ) : null}
      </>
    )
  if (draft.kind === 'webhook' && isNew)
    return (
      <SelectField
        label="Endpoint"
        required
        value={draft.webhook}
        hint="It hears of alerts, whatever its own types are."
        choices={[{ value: '', text: 'Choose' }, ...(webhooks.data?.items ?? []).map(({ id, name }) => ({ value: id, text: name }))]}
        onChange={(webhook) => change({ webhook })}
      />
    )
  if (draft.kind === 'push' && isNew)
    return <p className={parts['soft']}>The browser asks whether it may show messages. They say what is wrong and where, never anything secret.</p>
  return null
}
