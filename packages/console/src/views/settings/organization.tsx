import { type FormEvent, type ReactNode, useState } from 'react'
import type { Answer } from '../../api/operations.ts'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Facts } from '../../design/card.tsx'
import { Id } from '../../design/copy.tsx'
import { CheckField, TextField } from '../../design/field.tsx'
import { Answered } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import { ROLES, type Role, roleWords } from './roles.ts'

type Organization = Answer<'GET /api/v1/organizations/current'>

/** The organization, who of it needs a second factor, and more organizations. */
export function OrganizationCard(): ReactNode {
  const query = useApi('GET /api/v1/organizations/current')
  return (
    <Answered query={query}>
      {(organization) => (
        <div className={parts['two']}>
          <div className={parts['stack']}>
            <SecondFactor key={organization.id} organization={organization} />
            <NewOrganization />
          </div>
          <Card title="Organization">
            <Facts
              rows={[
                ['Name', organization.name],
                ['Name in addresses', <code key="slug">{organization.slug}</code>],
                ['Your role', organization.role === null ? null : roleWords(organization.role)],
                ['Made', <Time key="made" at={organization.created_at} as="both" />],
                ['Id', <Id key="id" id={organization.id} />],
              ]}
            />
          </Card>
        </div>
      )}
    </Answered>
  )
}

/** In the order in which they are shown: the same roles are the same draft. */
const rolesOf = (required: readonly string[]): { readonly roles: readonly string[] } => ({
  roles: ROLES.flatMap(({ value }) => (required.includes(value) ? value : [])),
})

function SecondFactor({ organization }: { readonly organization: Organization }): ReactNode {
  const drafted = useDraft<readonly string[], ReturnType<typeof rolesOf>>(organization.require_second_factor, rolesOf)
  const { roles } = drafted.draft
  const save = useDeed('PATCH /api/v1/organizations/{id}', {
    refreshes: ['GET /api/v1/organizations/current'],
    onDone: (stored) => {
      drafted.saved(stored.require_second_factor)
      tell('Saved. Who lacks one is asked for it at the next request.')
    },
  })
  return (
    <Card title="Second factor" note="A passkey or an authenticator app.">
      <div className={parts['form']}>
        <fieldset className={parts['group']}>
          <legend>Roles that need one</legend>
          {ROLES.map(({ value, text, explained }) => (
            <CheckField
              key={value}
              label={text}
              hint={explained}
              checked={roles.includes(value)}
              onChange={(on) =>
                drafted.change({ roles: ROLES.flatMap((role) => ((role.value === value ? on : roles.includes(role.value)) ? role.value : [])) })
              }
            />
          ))}
        </fieldset>
        <Behind of={drafted} />
        <DeedProblem error={save.error} />
        <div>
          <Button
            look="primary"
            busy={save.isPending}
            onClick={() => save.mutate({ path: { id: organization.id }, body: { require_second_factor: roles as readonly Role[] } })}
          >
            Save
          </Button>
        </div>
      </div>
    </Card>
  )
}

function NewOrganization(): ReactNode {
  const [name, setName] = useState('')
  const [slug, setSlug] = useState('')
  const make = useDeed('POST /api/v1/organizations', {
    refreshes: ['GET /api/v1/organizations'],
    onDone: (organization) => {
      setName('')
      setSlug('')
      tell(`${organization.name} is there. Switch to it at the top.`)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    make.mutate({ body: { name: name.trim(), slug: slug.trim() } })
  }
  return (
    <Card title="Another organization" note="For example one for development. Nothing crosses between them.">
      <form className={parts['form']} onSubmit={submit}>
        <div className={parts['pair']}>
          <TextField label="Name" required maxLength={100} value={name} onChange={setName} />
          <TextField
            label="Name in addresses"
            required
            pattern="[a-z0-9]([a-z0-9\-]{0,62}[a-z0-9])?"
            hint="Lower-case letters, digits and dashes."
            value={slug}
            onChange={setSlug}
          />
        </div>
        <DeedProblem error={make.error} />
        <div>
          <Button type="submit" busy={make.isPending}>
            Make the organization
          </Button>
        </div>
      </form>
    </Card>
  )
}
