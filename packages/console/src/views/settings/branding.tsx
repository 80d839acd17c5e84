import type { FormEvent, ReactNode } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { CheckField, TextField } from '../../design/field.tsx'
import { Answered } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import type { OrganizationSettings } from '../operate-operations.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import { ConnectPreview } from './connect-preview.tsx'
import { LogoField } from './logo-field.tsx'

type Draft = { readonly [Name in keyof OrganizationSettings]: OrganizationSettings[Name] }

/** How the pages look that end users see, beside a preview that follows every letter. */
export function BrandingForm(): ReactNode {
  const query = useApi('GET /api/v1/settings')
  const organization = useApi('GET /api/v1/organizations/current')
  return <Answered query={query}>{(settings) => <Form settings={settings} organization={organization.data?.name ?? 'Your application'} />}</Answered>
}

/** Only what was changed is sent; a text that was emptied is taken away. */
export function changesOf(before: Draft, after: Draft): Partial<OrganizationSettings> {
  const plain = (value: Draft[keyof Draft]): Draft[keyof Draft] => (typeof value === 'string' && value.trim() === '' ? null : value)
  return Object.fromEntries(
    Object.entries(after)
      .filter(([name, value]) => plain(value) !== before[name as keyof Draft])
      .map(([name, value]) => [name, plain(value)]),
  )
}

const asDraft = (settings: OrganizationSettings): Draft => settings

function Form({ settings, organization }: { readonly settings: OrganizationSettings; readonly organization: string }): ReactNode {
  const drafted = useDraft(settings, asDraft)
  const { draft, change } = drafted
  const save = useDeed('PATCH /api/v1/settings', {
    refreshes: ['GET /api/v1/settings'],
    onDone: (stored) => {
      drafted.saved(stored)
      tell('Saved. It counts for the next page that is opened.')
    },
  })
  const changes = changesOf(drafted.base, draft)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate({ body: changes })
  }
  return (
    <div className={parts['two']}>
      <form className={parts['stack']} onSubmit={submit}>
        <Look draft={draft} organization={organization} change={change} />
        <Said draft={draft} change={change} />
        <Behind of={drafted} />
        <DeedProblem error={save.error} />
        <div>
          <Button type="submit" look="primary" busy={save.isPending} disabled={Object.keys(changes).length === 0}>
            Save
          </Button>
        </div>
      </form>
      <ConnectPreview draft={draft} organization={organization} />
    </div>
  )
}

interface PartProps {
  readonly draft: Draft
  readonly change: (part: Partial<Draft>) => void
}

function Look({ draft, organization, change }: PartProps & { readonly organization: string }): ReactNode {
  return (
    <Card title="Branding">
      <div className={parts['form']}>
        <TextField
          label="Name of the application"
          maxLength={100}
          placeholder={organization}
          value={draft.application_name ?? ''}
          onChange={(text) => change({ application_name: text })}
        />
        <LogoField logo={draft.logo} onChange={(logo) => change({ logo })} />
        <TextField
          label="Accent colour"
          pattern="#[0-9a-fA-F]{6}"
          placeholder="#0b5fbf"
          hint="As #rrggbb, dark enough for links on white. Dark mode makes it lighter by itself."
          value={draft.accent ?? ''}
          onChange={(accent) => change({ accent })}
        />
        <div className={parts['pair']}>
          <TextField label="Support e-mail" type="email" value={draft.support_email ?? ''} onChange={(text) => change({ support_email: text })} />
          <TextField label="Support page" type="url" value={draft.support_url ?? ''} onChange={(text) => change({ support_url: text })} />
        </div>
        <TextField label="Privacy page" type="url" value={draft.privacy_url ?? ''} onChange={(text) => change({ privacy_url: text })} />
      </div>
    </Card>
  )
}

function Said({ draft, change }: PartProps): ReactNode {
  return (
    <Card title="What end users are told">
      <div className={parts['form']}>
        <TextField
          label="Line while something is down"
          maxLength={500}
          hint="Shown on every connect page. Empty: nothing."
          value={draft.status_text ?? ''}
          onChange={(text) => change({ status_text: text })}
        />
        <CheckField
          asSwitch
          label="Evergrant writes to end users itself"
          hint="A letter with the reconnect link, where a connection needs its owner and the rule says so."
          checked={draft.owner_mail}
          onChange={(mail) => change({ owner_mail: mail })}
        />
        <CheckField asSwitch label="New mail channels send one letter a day" checked={draft.digest} onChange={(digest) => change({ digest })} />
      </div>
    </Card>
  )
}
