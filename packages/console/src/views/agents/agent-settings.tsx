import type { FormEvent, ReactNode } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { CheckField, SelectField, TextField } from '../../design/field.tsx'
import { Answered, Note } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import type { AgentSettings } from '../program-operations.ts'
import { MODES } from './agent-words.tsx'

/** What the organization says about the healing of all its agents. */
export function AgentSettingsCard(): ReactNode {
  const query = useApi('GET /api/v1/agent-settings')
  return <Answered query={query}>{(settings) => <Form settings={settings} />}</Answered>
}

const fieldsOf = ({ recovery_enabled: enabled, recovery }: AgentSettings) => ({
  enabled,
  mode: recovery.mode,
  limit: String(recovery.limit),
  window: String(recovery.window_days),
  offline: String(recovery.max_offline_days),
  clone: recovery.on_clone,
})

const READS = ['GET /api/v1/agent-settings'] as const

function Form({ settings }: { readonly settings: AgentSettings }): ReactNode {
  const drafted = useDraft(settings, fieldsOf)
  const { draft, change } = drafted
  const release = useDeed('PUT /api/v1/agent-settings', { refreshes: READS, onDone: () => tell('Machines recover again.') })
  const save = useDeed('PUT /api/v1/agent-settings', {
    refreshes: READS,
    onDone: (stored) => {
      drafted.saved(stored)
      tell('The settings are saved. They count for the next recovery.')
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const limits = { limit: Number(draft.limit), window_days: Number(draft.window), max_offline_days: Number(draft.offline) }
    save.mutate({ body: { recovery_enabled: draft.enabled, recovery: { mode: draft.mode, on_clone: draft.clone, ...limits } } })
  }
  return (
    <div className={parts['stack']}>
      {settings.off_because === 'EVERGRANT_RECOVERY' ? (
        <Note tone="warn" title="Healing is off on this server">
          <p>EVERGRANT_RECOVERY of its configuration says so; the switch below cannot turn it on.</p>
        </Note>
      ) : null}
      {settings.breaker_until === null ? null : (
        <Note
          tone="bad"
          title="Unusually many machines asked to recover at once"
          action={
            <Button small busy={release.isPending} onClick={() => release.mutate({ body: { close_breaker: true } })}>
              Let them recover
            </Button>
          }
        >
          <p>
            Every recovery waits for a person until <Time at={settings.breaker_until} as="both" />.
          </p>
          <DeedProblem error={release.error} />
        </Note>
      )}
      <Card title="How machines heal" note="Where an agent or an installation says nothing else.">
        <form className={parts['form']} onSubmit={submit}>
          <CheckField
            asSwitch
            label="Machines recover by themselves"
            checked={draft.enabled}
            onChange={(enabled) => change({ enabled })}
            hint="Off: an expired token needs a new enrolment."
          />
          <div className={parts['pair']}>
            <SelectField label="Recovery" value={draft.mode} choices={MODES} onChange={(mode) => change({ mode })} />
            <SelectField
              label="When a copied credential shows itself"
              value={draft.clone}
              choices={[
                { value: 'lock', text: 'Lock the installation' },
                { value: 'refuse_and_alert', text: 'Refuse it and raise an alert' },
              ]}
              onChange={(clone) => change({ clone })}
            />
          </div>
          <div className={parts['pair']}>
            <TextField label="Recoveries in a window" type="number" min={0} max={1_000} required value={draft.limit} onChange={(limit) => change({ limit })} />
            <TextField label="Window in days" type="number" min={1} max={365} required value={draft.window} onChange={(window) => change({ window })} />
            <TextField
              label="Longest silence in days"
              type="number"
              min={1}
              max={365}
              required
              hint="After a longer one a person is asked."
              value={draft.offline}
              onChange={(offline) => change({ offline })}
            />
          </div>
          <Behind of={drafted} />
          <DeedProblem error={save.error} />
          <div>
            <Button type="submit" look="primary" busy={save.isPending}>
              Save
            </Button>
          </div>
        </form>
      </Card>
    </div>
  )
}
