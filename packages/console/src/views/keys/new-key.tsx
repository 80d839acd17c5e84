import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { CheckField, SelectField, TextField } from '../../design/field.tsx'
import { system } from '../../system.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'

/** What a key may do, in the order of how often it is needed. */
const SCOPES = [
  { value: 'tokens:read', text: 'Read access tokens of connections' },
  { value: 'proxy', text: 'Send requests through the proxy, and see no token' },
  { value: 'connect', text: 'Start connect and reconnect flows' },
  { value: 'connections:read', text: 'See connections' },
  { value: 'connections:write', text: 'Change connections' },
  { value: 'integrations:read', text: 'See integrations' },
  { value: 'integrations:write', text: 'Change integrations' },
  { value: 'events:read', text: 'Read events, figures and alerts' },
  { value: 'agents:read', text: 'See agents' },
  { value: 'agents:write', text: 'Change agents' },
  { value: 'api_keys:write', text: 'Make and revoke keys' },
  { value: 'admin', text: 'Everything of the organization' },
] as const
type Scope = (typeof SCOPES)[number]['value']

const DAY_MS = 86_400_000
const ENDS = [
  { value: '', text: 'Never' },
  { value: '30', text: 'In 30 days' },
  { value: '90', text: 'In 90 days' },
  { value: '365', text: 'In a year' },
]

interface NewKeyProps {
  readonly onClose: () => void
  readonly onMade: (key: string) => void
}

/** A key with no more rights than it needs. */
export function NewKey({ onClose, onMade }: NewKeyProps): ReactNode {
  const form = useId()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly Scope[]>(['tokens:read', 'connect'])
  const [days, setDays] = useState('')
  const make = useDeed('POST /api/v1/api-keys', {
    refreshes: ['GET /api/v1/api-keys'],
    onDone: ({ key }) => {
      onClose()
      onMade(key)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const ends = days === '' ? {} : { expires_at: new Date(system.now() + Number(days) * DAY_MS).toISOString() }
    make.mutate({ body: { name: name.trim(), scopes: [...scopes], ...ends } })
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="New API key"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" busy={make.isPending} disabled={name.trim() === '' || scopes.length === 0}>
            Make the key
          </Button>
        </>
      }
    >
      <form id={form} className={parts['form']} onSubmit={submit}>
        <div className={parts['pair']}>
          <TextField label="Name" required maxLength={100} hint="Which program uses it, and where." value={name} onChange={setName} />
          <SelectField label="Ends" value={days} choices={ENDS} onChange={setDays} />
        </div>
        <fieldset className={parts['group']}>
          <legend>What it may do</legend>
          <div className={parts['columns']}>
            {SCOPES.map(({ value, text }) => (
              <CheckField
                key={value}
                label={text}
                hint={value}
                checked={scopes.includes(value)}
                onChange={(on) => setScopes(on ? [...scopes, value] : scopes.filter((scope) => scope !== value))}
              />
            ))}
          </div>
        </fieldset>
        <DeedProblem error={make.error} />
      </form>
    </Dialog>
  )
}
