import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { SelectField, TextField } from '../../design/field.tsx'
import { Answered, Empty } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Once } from '../parts/once.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { ROLES, type Role, roleWords } from './roles.ts'

const READS = ['GET /api/v1/users/invitations'] as const

/** Who was invited and has not come yet. */
export function Invitations(): ReactNode {
  const query = useApi('GET /api/v1/users/invitations')
  const withdraw = useDeed('DELETE /api/v1/users/invitations/{id}', { refreshes: READS, onDone: () => tell('The invitation is withdrawn.') })
  return (
    <Card title="Invitations" flush>
      <Answered query={query} rows={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody is invited">
              <p>Whoever is invited stands here until they come, or the invitation ends.</p>
            </Empty>
          ) : (
            <Rows
              label="Invitations"
              items={items}
              keyOf={({ id }) => id}
              columns={[
                { name: 'E-mail', cell: ({ email }) => email },
                { name: 'Role', cell: ({ role }) => roleWords(role) },
                { name: 'Sent', cell: ({ created_at: at }) => <Time at={at} /> },
                { name: 'Ends', cell: ({ expires_at: at }) => <Time at={at} /> },
                {
                  name: 'Deeds',
                  deeds: true,
                  cell: ({ id, email }) => (
                    <Button small look="danger" aria-label={`Withdraw the invitation of ${email}`} onClick={() => withdraw.mutate({ path: { id } })}>
                      Withdraw
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Answered>
      <DeedProblem error={withdraw.error} />
    </Card>
  )
}

/** By letter, or with a link that somebody hands over. */
export function Invite({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }): ReactNode {
  const [link, setLink] = useState<string | null>(null)
  return (
    <>
      {open ? <Asking onClose={onClose} onLink={setLink} /> : null}
      <Once title="The invitation" lead="Hand it to the person yourself. Whoever opens it becomes the member." secret={link} onClose={() => setLink(null)} />
    </>
  )
}

function Asking({ onClose, onLink }: { readonly onClose: () => void; readonly onLink: (link: string) => void }): ReactNode {
  const form = useId()
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('operator')
  const body = { email: email.trim(), role, ...(name.trim() === '' ? {} : { name: name.trim() }) }
  const send = useDeed('POST /api/v1/users/invitations', {
    refreshes: READS,
    onDone: () => {
      onClose()
      tell('The invitation is on its way.')
    },
  })
  const make = useDeed('POST /api/v1/users/invitation-links', {
    refreshes: READS,
    onDone: (answer) => {
      onClose()
      onLink(answer.link)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    send.mutate({ body })
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="Invite somebody"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={make.isPending} disabled={email.trim() === ''} onClick={() => make.mutate({ body })}>
            Make a link instead
          </Button>
          <Button type="submit" form={form} look="primary" busy={send.isPending}>
            Send the invitation
          </Button>
        </>
      }
    >
      <form id={form} className={parts['form']} onSubmit={submit}>
        <TextField label="E-mail" type="email" required value={email} onChange={setEmail} />
        <TextField label="Name" value={name} onChange={setName} />
        <SelectField
          label="Role"
          value={role}
          hint={ROLES.find(({ value }) => value === role)?.explained}
          choices={ROLES}
          onChange={(value) => setRole(value as Role)}
        />
        <DeedProblem error={send.error ?? make.error} />
      </form>
    </Dialog>
  )
}
