import type { FormEvent, ReactNode } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { CheckField, SelectField, TextField } from '../../design/field.tsx'
import { tell } from '../../design/toasts.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import type { IntegrationDetails } from './integration.ts'
import { scopesIn } from './provider-words.ts'

interface Draft {
  readonly name: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: string
  readonly renewal: string
  readonly margin: string
  readonly concurrency: string
  readonly returnUrls: string
  readonly signIn: boolean
  readonly createUsers: boolean
}

const draftOf = ({ name, client_id: clientId, scopes, settings }: IntegrationDetails): Draft => ({
  name,
  clientId,
  clientSecret: '',
  scopes: scopes.join(' '),
  renewal: settings.renewal,
  margin: settings.margin_seconds === null ? '' : String(settings.margin_seconds),
  concurrency: String(settings.concurrency),
  returnUrls: settings.return_urls.join('\n'),
  signIn: settings.sign_in !== null,
  createUsers: settings.sign_in?.create_users ?? false,
})

/** Only what was changed is sent, with the version that was read: a change of somebody else in between is not overwritten. */
function changesOf(draft: Draft, integration: IntegrationDetails) {
  const before = draftOf(integration)
  const is = (field: keyof Draft): boolean => draft[field] !== before[field]
  const settings = {
    ...(is('renewal') ? { renewal: draft.renewal as 'auto' | 'ahead' | 'on_use' } : {}),
    ...(is('margin') ? { margin_seconds: draft.margin === '' ? null : Number(draft.margin) } : {}),
    ...(is('concurrency') ? { concurrency: Number(draft.concurrency) } : {}),
    ...(is('returnUrls') ? { return_urls: draft.returnUrls.split(/\s+/).filter(Boolean) } : {}),
    ...(is('signIn') || is('createUsers') ? { sign_in: draft.signIn ? { create_users: draft.createUsers } : null } : {}),
  }
  return {
    ...(is('name') ? { name: draft.name } : {}),
    ...(is('clientId') ? { client_id: draft.clientId.trim() } : {}),
    ...(draft.clientSecret === '' ? {} : { client_secret: draft.clientSecret.trim() }),
    ...(is('scopes') ? { scopes: scopesIn(draft.scopes) } : {}),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
  }
}

/** The settings of an integration. New client credentials lift a block at once. */
export function IntegrationEdit({ integration }: { readonly integration: IntegrationDetails }): ReactNode {
  const drafted = useDraft(integration, draftOf)
  const { draft, change, base } = drafted
  const save = useDeed('PATCH /api/v1/integrations/{id}', {
    refreshes: ['GET /api/v1/integrations', 'GET /api/v1/integrations/{id}', 'GET /api/v1/connections/facets', 'GET /api/v1/console/overview'],
    onDone: (stored) => {
      drafted.saved({ ...integration, ...stored })
      tell('The settings are saved.')
    },
  })
  const changes = changesOf(draft, base)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate({ path: { id: integration.id }, body: { ...changes, version: base.version } })
  }
  return (
    <form className={parts['stack']} onSubmit={submit}>
      <Card title="Client">
        <div className={parts['form']}>
          <TextField label="Name" required maxLength={100} value={draft.name} onChange={(name) => change({ name })} />
          <div className={parts['pair']}>
            <TextField label="Client id" autoComplete="off" value={draft.clientId} onChange={(clientId) => change({ clientId })} />
            <TextField
              label="New client secret"
              type="password"
              autoComplete="off"
              hint="Empty: the stored one stays."
              value={draft.clientSecret}
              onChange={(clientSecret) => change({ clientSecret })}
            />
          </div>
          <TextField
            label="Scopes"
            multiline
            value={draft.scopes}
            hint="More scopes count for the next reconnect of each owner."
            onChange={(scopes) => change({ scopes })}
          />
          <TextField
            label="Return addresses"
            multiline
            value={draft.returnUrls}
            hint="Where people may be sent back to, one on each line: https, or http on localhost."
            onChange={(returnUrls) => change({ returnUrls })}
          />
        </div>
      </Card>
      <Renewal draft={draft} change={change} />
      <Behind of={drafted} />
      <DeedProblem error={save.error} />
      <div>
        <Button type="submit" look="primary" busy={save.isPending} disabled={Object.keys(changes).length === 0}>
          Save changes
        </Button>
      </div>
    </form>
  )
}

function Renewal({ draft, change }: { readonly draft: Draft; readonly change: (part: Partial<Draft>) => void }): ReactNode {
  return (
    <Card title="Renewal and sign-in">
      <div className={parts['form']}>
        <div className={parts['pair']}>
          <SelectField
            label="When tokens are renewed"
            value={draft.renewal}
            choices={[
              { value: 'auto', text: 'By interest: ahead while somebody reads them' },
              { value: 'ahead', text: 'Always ahead of their end' },
              { value: 'on_use', text: 'Only when somebody asks' },
            ]}
            onChange={(renewal) => change({ renewal })}
          />
          <TextField
            label="Margin in seconds"
            type="number"
            min={0}
            max={2_592_000}
            hint="Empty: fifteen minutes."
            value={draft.margin}
            onChange={(margin) => change({ margin })}
          />
          <TextField
            label="Requests at a time"
            type="number"
            min={1}
            max={100}
            required
            value={draft.concurrency}
            onChange={(concurrency) => change({ concurrency })}
          />
        </div>
        <CheckField label="People sign in to Evergrant through it" checked={draft.signIn} onChange={(signIn) => change({ signIn })} />
        {draft.signIn ? (
          <CheckField
            label="Somebody whom nobody knows yet becomes a member"
            checked={draft.createUsers}
            hint="Off: only those who added this way to themselves come in."
            onChange={(createUsers) => change({ createUsers })}
          />
        ) : null}
      </div>
    </Card>
  )
}
