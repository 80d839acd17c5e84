import { type FormEvent, type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Page } from '../../design/card.tsx'
import { CopyBox } from '../../design/copy.tsx'
import { SelectField, TextField } from '../../design/field.tsx'
import { Answered, Note } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { To } from '../../router/link.tsx'
import { serverUrl } from '../../session/client.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { useGo } from '../parts/go.ts'
import parts from '../parts/parts.module.css'
import { ProviderFacts } from './provider-facts.tsx'
import { callbackUrlOf, freeSlug, needsBrowser, type Provider, scopesIn } from './provider-words.ts'

interface Draft {
  readonly slug: string
  readonly name: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: string
  readonly variables: Readonly<Record<string, string>>
}

/** One provider, set up in three steps: register there, paste the client here, connect an account to try it. */
export function SetUp({ id }: { readonly id: string }): ReactNode {
  const provider = useApi('GET /api/v1/providers/{id}', { path: { id } })
  const integrations = useApi('GET /api/v1/integrations', { query: { limit: 200 } })
  return (
    <Page
      title={`Set up ${provider.data?.name ?? 'a provider'}`}
      lead="Three steps. Nothing is sent to the provider before somebody connects an account."
      actions={<To to="/providers/new">Another provider</To>}
    >
      <Answered query={provider}>
        {(record) => (
          <div className={parts['two']}>
            <Answered query={integrations}>
              {({ items }) => <Steps provider={record} taken={items.map(({ slug }) => slug)} known={items[0]?.callback_url} />}
            </Answered>
            <ProviderFacts provider={record} />
          </div>
        )}
      </Answered>
    </Page>
  )
}

const firstDraft = (provider: Provider, taken: readonly string[]): Draft => ({
  slug: freeSlug(provider.id, taken),
  name: provider.name,
  clientId: '',
  clientSecret: '',
  scopes: [...new Set([...provider.required_scopes, ...provider.default_scopes])].join(' '),
  variables: Object.fromEntries(provider.variables.filter((each) => each.asked_of === 'integration').map((each) => [each.name, each.default ?? ''])),
})

function Steps({ provider, taken, known }: { readonly provider: Provider; readonly taken: readonly string[]; readonly known: string | undefined }): ReactNode {
  const go = useGo()
  const [draft, setDraft] = useState(() => firstDraft(provider, taken))
  const create = useDeed('POST /api/v1/integrations', {
    refreshes: ['GET /api/v1/integrations', 'GET /api/v1/console/overview'],
    onDone: ({ id, name }) => {
      tell(`${name} is set up. Connect an account to try it.`)
      go(`/providers/${id}`)
    },
  })
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    create.mutate({ body: bodyOf(provider, draft) })
  }
  const clash = taken.includes(draft.slug) ? 'Another integration has this name in its addresses.' : null
  return (
    <form className={parts['stack']} onSubmit={submit}>
      <Card title="1. Register at the provider">
        <div className={parts['form']}>
          <TextField
            label="Name in addresses"
            value={draft.slug}
            error={clash}
            required
            pattern="[a-z0-9]([a-z0-9\-]{0,62}[a-z0-9])?"
            hint="Lower-case letters, digits and dashes. It is part of the address below."
            onChange={(slug) => change({ slug })}
          />
          {needsBrowser(provider.grant) ? (
            <>
              <p>
                Create an application at{' '}
                {provider.docs === null ? (
                  provider.name
                ) : (
                  <a href={provider.docs} target="_blank" rel="noreferrer">
                    {provider.name}
                  </a>
                )}{' '}
                and register exactly this redirect address, to the letter:
              </p>
              <CopyBox text={callbackUrlOf(draft.slug, serverUrl(), known)} label="the redirect address" />
            </>
          ) : (
            <p>This provider needs no redirect address: its connections bring credentials of their own.</p>
          )}
        </div>
      </Card>
      <Card title="2. Your client">
        <ClientFields provider={provider} draft={draft} change={change} />
      </Card>
      <Card title="3. Save, then try it">
        <div className={parts['form']}>
          <p>After saving you can connect an account of your own and see it refresh.</p>
          <DeedProblem error={create.error} />
          <div>
            <Button type="submit" look="primary" busy={create.isPending} disabled={clash !== null}>
              Save {draft.name}
            </Button>
          </div>
        </div>
      </Card>
    </form>
  )
}

interface ClientFieldsProps {
  readonly provider: Provider
  readonly draft: Draft
  readonly change: (part: Partial<Draft>) => void
}

function ClientFields({ provider, draft, change }: ClientFieldsProps): ReactNode {
  const own = needsBrowser(provider.grant)
  return (
    <div className={parts['form']}>
      <TextField label="Name" value={draft.name} required maxLength={100} hint="People see it where they connect." onChange={(name) => change({ name })} />
      <div className={parts['pair']}>
        <TextField label="Client id" value={draft.clientId} required={own} autoComplete="off" onChange={(clientId) => change({ clientId })} />
        <TextField
          label="Client secret"
          type="password"
          value={draft.clientSecret}
          autoComplete="off"
          hint="Sealed when it arrives; it is never shown again."
          onChange={(clientSecret) => change({ clientSecret })}
        />
      </div>
      <TextField
        label="Scopes"
        multiline
        value={draft.scopes}
        hint={`Separated by blanks.${provider.required_scopes.length === 0 ? '' : ` Needed: ${provider.required_scopes.join(' ')}.`}`}
        onChange={(scopes) => change({ scopes })}
      />
      {provider.variables
        .filter((each) => each.asked_of === 'integration')
        .map((variable) => (
          <VariableField
            key={variable.name}
            variable={variable}
            value={draft.variables[variable.name] ?? ''}
            onChange={(value) => change({ variables: { ...draft.variables, [variable.name]: value } })}
          />
        ))}
      {provider.variables.some((each) => each.asked_of === 'connection') ? (
        <Note>
          <p>
            Whoever connects is asked for{' '}
            {provider.variables
              .filter((each) => each.asked_of === 'connection')
              .map(({ label }) => label)
              .join(', ')}
            .
          </p>
        </Note>
      ) : null}
    </div>
  )
}

function VariableField({
  variable,
  value,
  onChange,
}: {
  readonly variable: Provider['variables'][number]
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { label, choices, example, pattern } = variable
  if (choices !== null)
    return (
      <SelectField
        label={label}
        value={value}
        required
        choices={[{ value: '', text: 'Choose' }, ...choices.map((choice) => ({ value: choice.value, text: choice.label }))]}
        onChange={onChange}
      />
    )
  const fits = value === '' || matches(pattern, value)
  return (
    <TextField
      label={label}
      value={value}
      required
      hint={`For example ${example}`}
      error={fits ? null : `This does not look like ${example}.`}
      onChange={onChange}
    />
  )
}

/** A pattern of the catalogue that this browser cannot read refuses nothing: the server decides. */
export function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(value)
  } catch {
    return true
  }
}

function bodyOf(provider: Provider, { slug, name, clientId, clientSecret, scopes, variables }: Draft) {
  const filled = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  return {
    provider: provider.id,
    slug,
    name,
    ...(clientId === '' ? {} : { client_id: clientId.trim() }),
    ...(clientSecret === '' ? {} : { client_secret: clientSecret.trim() }),
    scopes: scopesIn(scopes),
    ...(Object.keys(filled).length === 0 ? {} : { variables: filled }),
  }
}
