import { Plus, Trash2 } from 'lucide-react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button, IconButton } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { CheckField, SelectField, TextField } from '../../design/field.tsx'
import { Note } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import type { Agent, Selector } from './agent-words.tsx'
import styles from './policy.module.css'
import { PolicyWords } from './policy-words.tsx'

const policyOf = ({ policy }: Agent): Agent['policy'] => policy
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const DOORS = [
  { value: 'code', text: 'One-time code' },
  { value: 'device', text: 'A person who confirms on a page' },
  { value: 'workload', text: 'Identity of its platform' },
] as const

const toggled = (list: readonly string[], value: string, on: boolean): readonly string[] => (on ? [...list, value] : list.filter((each) => each !== value))

/** What an agent may do. The sentence at its head says at any time what the form means. */
export function PolicyEditor({ agent }: { readonly agent: Agent }): ReactNode {
  const draft = useDraft(agent, policyOf)
  const { draft: policy, change } = draft
  const save = useDeed('PUT /api/v1/agents/{id}/policy', {
    refreshes: ['GET /api/v1/agents/{id}', 'GET /api/v1/agents', 'GET /api/v1/agents/{id}/trust'],
    onDone: (stored) => {
      draft.saved(stored)
      tell('The policy is saved. It counts for the next request.')
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate({ path: { id: agent.id }, body: policy as never })
  }
  return (
    <form className={parts['stack']} onSubmit={submit}>
      <Note title="What this means">
        <p>
          <PolicyWords policy={policy} />
        </p>
      </Note>
      <Card title="How it uses connections">
        <div className={parts['form']}>
          <CheckField
            label="Sends requests through the proxy, and never sees a token"
            checked={policy.access.includes('proxy')}
            onChange={(on) => change({ access: toggled(policy.access, 'proxy', on) })}
          />
          <CheckField
            label="Reads access tokens"
            checked={policy.access.includes('token')}
            onChange={(on) => change({ access: toggled(policy.access, 'token', on) })}
          />
          <CheckField
            label="Gets tokens that are not bound to its key, where it asks for them"
            hint="Costs trust: whoever copies such a token can use it."
            checked={policy.bearer}
            onChange={(bearer) => change({ bearer })}
          />
          <Methods methods={policy.methods} onChange={(methods) => change({ methods })} />
        </div>
      </Card>
      <Selectors
        title="Which connections"
        none="None: it may use no connection."
        selectors={policy.connections}
        onChange={(connections) => change({ connections })}
      />
      <Selectors
        title="Which of them a person approves first"
        none="None: nobody is asked."
        selectors={policy.approval}
        onChange={(approval) => change({ approval })}
      />
      <Card title="Enrolment">
        <div className={parts['pair']}>
          <fieldset className={parts['group']}>
            <legend>Machines that need no acceptance by the owner</legend>
            {DOORS.map(({ value, text }) => (
              <CheckField
                key={value}
                label={text}
                checked={policy.auto_accept.includes(value)}
                onChange={(on) => change({ auto_accept: toggled(policy.auto_accept, value, on) })}
              />
            ))}
          </fieldset>
          <Hours seconds={policy.approval_seconds} onChange={(approval_seconds) => change({ approval_seconds })} />
        </div>
      </Card>
      <Behind of={draft} />
      <DeedProblem error={save.error} />
      <div className={parts['actions']}>
        <Button type="submit" look="primary" busy={save.isPending}>
          Save the policy
        </Button>
        <CopyAsCurl method="PUT" path={`/api/v1/agents/${agent.id}/policy`} body={policy} />
      </div>
    </form>
  )
}

const HOUR_SECONDS = 3_600

/** A field that is being emptied for another number is no number yet. */
function Hours({ seconds, onChange }: { readonly seconds: number; readonly onChange: (seconds: number) => void }): ReactNode {
  const [typed, setTyped] = useState<string | null>(null)
  return (
    <TextField
      label="An approval holds for so many hours"
      type="number"
      min={1}
      max={720}
      required
      value={typed ?? String(Math.round(seconds / HOUR_SECONDS))}
      onBlur={() => setTyped(null)}
      onChange={(hours) => {
        setTyped(hours)
        if (Number(hours) > 0) onChange(Number(hours) * HOUR_SECONDS)
      }}
    />
  )
}

function Methods({
  methods,
  onChange,
}: {
  readonly methods: readonly string[] | null
  readonly onChange: (methods: readonly string[] | null) => void
}): ReactNode {
  return (
    <fieldset className={parts['group']}>
      <legend>Methods that the proxy lets through</legend>
      <CheckField label="Every method" checked={methods === null} onChange={(every) => onChange(every ? null : ['GET', 'HEAD'])} />
      {methods === null ? null : (
        <div className={styles['methods']}>
          {METHODS.map((method) => (
            <CheckField key={method} label={method} checked={methods.includes(method)} onChange={(on) => onChange(toggled(methods, method, on))} />
          ))}
        </div>
      )}
    </fieldset>
  )
}

interface SelectorsProps {
  readonly title: string
  readonly none: string
  readonly selectors: readonly Selector[]
  readonly onChange: (selectors: readonly Selector[]) => void
}

/** Any of the lines selects a connection; in a line all that is said must hold. */
function Selectors({ title, none, selectors, onChange }: SelectorsProps): ReactNode {
  const integrations = useApi('GET /api/v1/integrations', { query: { limit: 200 } })
  const choices = [{ value: '', text: 'Any integration' }, ...(integrations.data?.items ?? []).map(({ id, name }) => ({ value: id, text: name }))]
  const put = (at: number, next: Selector): void => onChange(selectors.map((each, index) => (index === at ? next : each)))
  return (
    <Card
      title={title}
      note="Any line selects; in a line all must hold."
      actions={
        <Button small icon={<Plus size={14} aria-hidden />} onClick={() => onChange([...selectors, {}])}>
          Add a line
        </Button>
      }
    >
      {selectors.length === 0 ? <p className={parts['soft']}>{none}</p> : null}
      <ul className={styles['lines']}>
        {selectors.map((selector, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line has no name of its own
          <li key={at}>
            <SelectField
              label="Integration"
              value={selector.integration ?? ''}
              choices={choices}
              onChange={(value) => put(at, said(selector, 'integration', value))}
            />
            <TextField label="Owner" value={selector.owner ?? ''} placeholder="any" onChange={(value) => put(at, said(selector, 'owner', value))} />
            <TextField label="Tag" value={selector.tag ?? ''} placeholder="any" onChange={(value) => put(at, said(selector, 'tag', value))} />
            <TextField
              label="Connection"
              value={selector.connection ?? ''}
              placeholder="any"
              pattern="con_.+"
              onChange={(value) => put(at, said(selector, 'connection', value.trim()))}
            />
            <IconButton label={`Remove line ${at + 1}`} onClick={() => onChange(selectors.filter((_, index) => index !== at))}>
              <Trash2 size={15} aria-hidden />
            </IconButton>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function said(selector: Selector, name: keyof Selector, value: string): Selector {
  const { [name]: _, ...rest } = selector
  return value === '' ? rest : { ...rest, [name]: value }
}
