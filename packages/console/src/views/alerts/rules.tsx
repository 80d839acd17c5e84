import { type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { CheckField, SelectField, TextField } from '../../design/field.tsx'
import { Badge } from '../../design/state.tsx'
import { Answered } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { countWords } from '../../time/words.ts'
import type { AlertRule, ChannelRecord } from '../operate-operations.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { KINDS, kindWords, SEVERITIES, severityTone, severityWords } from './alert-words.ts'

/** When a rule holds, in words. */
function whenWords({ kind, threshold, minutes }: AlertRule): string {
  const known = KINDS[kind]
  const number = threshold === null ? '' : kind === 'expires_soon' ? `within ${countWords(threshold, 'day')}` : `under ${threshold} ${known?.unit ?? ''}`
  const time = minutes === null ? '' : `for ${countWords(minutes, 'minute')}`
  return [number, time].filter(Boolean).join(', ') || 'at once'
}

const toldWords = (rule: AlertRule, channels: readonly ChannelRecord[]): string =>
  rule.channels === null
    ? 'every channel'
    : rule.channels.length === 0
      ? 'nobody'
      : rule.channels.map((id) => channels.find((channel) => channel.id === id)?.name ?? id).join(', ')

/** One rule for each kind of trouble; each has a sensible default. */
export function Rules(): ReactNode {
  const query = useApi('GET /api/v1/alert-rules')
  const channels = useApi('GET /api/v1/channels')
  const [kind, setKind] = useState<string | null>(null)
  const editing = query.data?.items.find((rule) => rule.kind === kind)
  const known = channels.data?.items ?? []
  return (
    <Card title="Rules" note="What is worth telling somebody." flush>
      <Answered query={query} rows={10}>
        {({ items }) => (
          <Rows
            label="Alert rules"
            items={items}
            keyOf={({ kind }) => kind}
            columns={[
              { name: 'Rule', cell: ({ kind }) => <span title={KINDS[kind]?.explained}>{kindWords(kind)}</span> },
              { name: 'On', cell: ({ enabled }) => <Badge tone={enabled ? 'good' : 'quiet'}>{enabled ? 'On' : 'Off'}</Badge> },
              { name: 'When', cell: whenWords },
              { name: 'Severity', cell: ({ severity }) => <Badge tone={severityTone(severity)}>{severityWords(severity)}</Badge> },
              { name: 'Told', cell: (rule) => `${toldWords(rule, known)}${rule.notify_owner ? ', and the owner' : ''}` },
              {
                name: 'Deeds',
                deeds: true,
                cell: (rule) => (
                  <Button small aria-label={`Change the rule: ${kindWords(rule.kind)}`} onClick={() => setKind(rule.kind)}>
                    Change
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Answered>
      {editing === undefined ? null : <EditRule key={editing.kind} rule={editing} channels={known} onClose={() => setKind(null)} />}
    </Card>
  )
}

function EditRule({
  rule,
  channels,
  onClose,
}: {
  readonly rule: AlertRule
  readonly channels: readonly ChannelRecord[]
  readonly onClose: () => void
}): ReactNode {
  const drafted = useDraft(rule, (stored) => stored)
  const { draft, change } = drafted
  const known = KINDS[rule.kind]
  const save = useDeed('PUT /api/v1/alert-rules', {
    refreshes: ['GET /api/v1/alert-rules'],
    onDone: () => {
      onClose()
      tell('The rule is saved.')
    },
  })
  const number = (text: string): number | null => (text === '' ? null : Number(text))
  return (
    <Dialog
      open
      onClose={onClose}
      title={kindWords(rule.kind)}
      lead={known?.explained}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={save.isPending} onClick={() => save.mutate({ body: { items: [draft] } })}>
            Save the rule
          </Button>
        </>
      }
    >
      <div className={parts['form']}>
        <CheckField asSwitch label="The rule is on" checked={draft.enabled} onChange={(enabled) => change({ enabled })} />
        <div className={parts['pair']}>
          <SelectField label="Severity" value={draft.severity} choices={SEVERITIES} onChange={(severity) => change({ severity })} />
          {known?.unit === undefined ? null : (
            <TextField
              label={`Threshold in ${known.unit}`}
              type="number"
              min={known.min}
              max={known.max}
              value={String(draft.threshold ?? '')}
              onChange={(text) => change({ threshold: number(text) })}
            />
          )}
          {known?.waits === true ? (
            <TextField
              label="For so many minutes"
              type="number"
              min={1}
              max={10_080}
              value={String(draft.minutes ?? '')}
              onChange={(text) => change({ minutes: number(text) })}
            />
          ) : null}
          <TextField
            label="Told together within minutes"
            type="number"
            min={1}
            max={10_080}
            value={String(draft.group_minutes)}
            onChange={(text) => change({ group_minutes: Number(text) })}
          />
        </div>
        <CheckField label="Every channel is told" checked={draft.channels === null} onChange={(every) => change({ channels: every ? null : [] })} />
        {draft.channels === null ? null : (
          <fieldset className={parts['group']}>
            <legend>Channels that are told</legend>
            {channels.length === 0 ? <p className={parts['soft']}>There is no channel yet.</p> : null}
            {channels.map(({ id, name }) => (
              <CheckField
                key={id}
                label={name}
                checked={draft.channels?.includes(id) ?? false}
                onChange={(on) => change({ channels: on ? [...(draft.channels ?? []), id] : (draft.channels ?? []).filter((each) => each !== id) })}
              />
            ))}
          </fieldset>
        )}
        {known?.owners === true ? (
          <CheckField
            label="Evergrant writes to the owner, too"
            hint="Where the settings let it write to end users."
            checked={draft.notify_owner}
            onChange={(owner) => change({ notify_owner: owner })}
          />
        ) : null}
        <Behind of={drafted} />
        <DeedProblem error={save.error} />
      </div>
    </Dialog>
  )
}
