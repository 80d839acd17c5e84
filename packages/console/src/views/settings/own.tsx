import type { FormEvent, ReactNode } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button, buttonClass } from '../../design/button.tsx'
import { Card, Facts } from '../../design/card.tsx'
import { Id } from '../../design/copy.tsx'
import { TextField } from '../../design/field.tsx'
import { Answered } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { serverUrl, session } from '../../session/client.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Behind, useDraft } from '../parts/draft.tsx'
import parts from '../parts/parts.module.css'
import { roleWords } from './roles.ts'

const PAGES = [
  { path: '/me/security', text: 'Password, passkeys and sessions' },
  { path: '/me', text: 'Your connections' },
  { path: '/me/programs', text: 'Your programs' },
  { path: '/me/data', text: 'Your data' },
] as const

/** Whoever is signed in: the name here, all that is about security on pages of their own. */
export function Own(): ReactNode {
  const query = useApi('GET /api/v1/users/profile')
  return (
    <Answered query={query}>
      {(user) => (
        <div className={parts['two']}>
          <Name user={user} />
          <Card title="You">
            <div className={parts['form']}>
              <Facts
                rows={[
                  ['E-mail', user.email],
                  ['Role', roleWords(user.role)],
                  user.owner === user.id ? null : ['Owner of connections as', <code key="owner">{user.owner}</code>],
                  ['Id', <Id key="id" id={user.id} />],
                ]}
              />
              <ul className={parts['actions']}>
                {PAGES.map(({ path, text }) => (
                  <li key={path}>
                    <a className={buttonClass({ small: true })} href={serverUrl() + path}>
                      {text}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          </Card>
        </div>
      )}
    </Answered>
  )
}

interface Named {
  readonly name: string | null
}

function Name({ user }: { readonly user: Named }): ReactNode {
  const drafted = useDraft(user, ({ name }: Named) => ({ text: name ?? '' }))
  const { text } = drafted.draft
  const save = useDeed('PATCH /api/v1/users/profile', {
    refreshes: ['GET /api/v1/users/profile', 'GET /api/v1/users'],
    onDone: (stored) => {
      drafted.saved(stored)
      tell('Your name is saved.')
      // It stands at the top, too, as the session says it.
      void session().refresh({ force: true })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate({ body: { name: text.trim() === '' ? null : text.trim() } })
  }
  return (
    <Card title="Your name">
      <form className={parts['form']} onSubmit={submit}>
        <TextField label="Name" autoComplete="name" maxLength={100} value={text} onChange={(typed) => drafted.change({ text: typed })} />
        <Behind of={drafted} />
        <DeedProblem error={save.error} />
        <div>
          <Button type="submit" look="primary" busy={save.isPending} disabled={text.trim() === (user.name ?? '')}>
            Save
          </Button>
        </div>
      </form>
    </Card>
  )
}
