import { UserPlus, X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { Answer } from '../../api/operations.ts'
import { useApi, useDeed, useList } from '../../api/queries.ts'
import { Button, buttonClass } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { SelectField } from '../../design/field.tsx'
import { Menu } from '../../design/menu.tsx'
import { Pager } from '../../design/pager.tsx'
import { Badge } from '../../design/state.tsx'
import { Answered, Loading, ProblemNote } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { tellRefusal } from '../../session/confirm.ts'
import { Time } from '../../time/time.tsx'
import { countWords } from '../../time/words.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Once } from '../parts/once.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { Invitations, Invite } from './invitations.tsx'
import { ROLES, type Role } from './roles.ts'

type User = Answer<'GET /api/v1/users'>['items'][number]
const READS = ['GET /api/v1/users', 'GET /api/v1/users/{id}'] as const
const nameOf = ({ name, email, id }: User): string => name ?? email ?? id

/** Who belongs here, as what, and who is invited. */
export function Team(): ReactNode {
  const [{ user: landed }, change] = usePageSearch<{ readonly user?: string | undefined }>()
  const list = useList('GET /api/v1/users', { query: { limit: 100 } })
  const one = useApi('GET /api/v1/users/{id}', { path: { id: landed ?? '' } }, { enabled: landed !== undefined })
  const [inviting, setInviting] = useState(false)
  return (
    <div className={parts['stack']}>
      <Card
        title="Members"
        flush
        actions={
          <Button small look="primary" icon={<UserPlus size={14} aria-hidden />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        }
      >
        {landed === undefined ? null : (
          <div className={parts['bar']}>
            <Button small icon={<X size={13} aria-hidden />} onClick={() => change({ user: undefined })}>
              person: {one.data === undefined ? landed : nameOf(one.data)}
            </Button>
          </div>
        )}
        {landed !== undefined ? (
          <Answered query={one} rows={1}>
            {(user) => <Members users={[user]} />}
          </Answered>
        ) : list.items === undefined ? (
          list.error ? (
            <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
          ) : (
            <Loading rows={4} />
          )
        ) : (
          <>
            <Members users={list.items} />
            <Pager shown={list.items.length} what="member" hasMore={list.hasNextPage} busy={list.isFetchingNextPage} onMore={list.more} />
          </>
        )}
      </Card>
      <Invitations />
      <Invite open={inviting} onClose={() => setInviting(false)} />
    </div>
  )
}

function Members({ users }: { readonly users: readonly User[] }): ReactNode {
  const organization = useApi('GET /api/v1/organizations/current')
  const [removing, setRemoving] = useState<User | null>(null)
  const [link, setLink] = useState<string | null>(null)
  return (
    <>
      <Rows
        label="Members"
        items={users}
        keyOf={({ id }) => id}
        columns={[
          { name: 'Person', cell: nameOf },
          {
            name: 'E-mail',
            cell: ({ email, email_verified: verified }) => (
              <>
                {email ?? 'none'} {email === null || verified ? null : <Badge tone="warn">not confirmed</Badge>}
              </>
            ),
          },
          { name: 'State', cell: ({ disabled_at: at }) => <Badge tone={at === null ? 'good' : 'quiet'}>{at === null ? 'Active' : 'Disabled'}</Badge> },
          { name: 'Role', cell: (user) => <RoleField user={user} organization={organization.data?.id} /> },
          { name: 'Member since', cell: ({ member_since: at }) => <Time at={at} /> },
          { name: 'Deeds', deeds: true, cell: (user) => <UserMenu user={user} onRemove={setRemoving} onLink={setLink} /> },
        ]}
      />
      {removing === null ? null : <RemoveMember user={removing} organization={organization.data?.id} onClose={() => setRemoving(null)} />}
      <Once title="The link for a new password" lead="Hand it to the person yourself: no letter was sent." secret={link} onClose={() => setLink(null)} />
    </>
  )
}

function RoleField({ user, organization }: { readonly user: User; readonly organization: string | undefined }): ReactNode {
  const change = useDeed('PATCH /api/v1/organizations/{id}/members/{user}', { refreshes: READS, onDone: ({ role }) => tell(`${nameOf(user)} is ${role} now.`) })
  return (
    <SelectField
      label={`Role of ${nameOf(user)}`}
      quiet
      value={user.role}
      disabled={organization === undefined || change.isPending}
      choices={ROLES}
      onChange={(role) => change.mutate({ path: { id: organization ?? '', user: user.id }, body: { role: role as Role } }, { onError: tellRefusal })}
    />
  )
}

function UserMenu({
  user,
  onRemove,
  onLink,
}: {
  readonly user: User
  readonly onRemove: (user: User) => void
  readonly onLink: (link: string) => void
}): ReactNode {
  const path = { id: user.id }
  const change = useDeed('PATCH /api/v1/users/{id}', {
    refreshes: READS,
    onDone: ({ disabled_at: at }) => tell(at === null ? `${nameOf(user)} may sign in again.` : `${nameOf(user)} is disabled and signed out.`),
  })
  const reset = useDeed('POST /api/v1/users/{id}/password-reset', {
    onDone: ({ link }) => (link === null ? tell('A letter with a link is on its way.') : onLink(link)),
  })
  const end = useDeed('DELETE /api/v1/users/{id}/sessions', { onDone: ({ signed_out: count }) => tell(`${countWords(count, 'session')} ended.`) })
  const disabled = user.disabled_at !== null
  return (
    <Menu
      label={`Deeds for ${nameOf(user)}`}
      align="end"
      button={(props) => (
        <button {...props} type="button" className={buttonClass({ small: true })} aria-label={`More for ${nameOf(user)}`}>
          More
        </button>
      )}
      items={[
        { text: 'Let them choose a new password', onSelect: () => reset.mutate({ path }, { onError: tellRefusal }) },
        { text: 'End all their sessions', onSelect: () => end.mutate({ path }, { onError: tellRefusal }) },
        { text: disabled ? 'Enable' : 'Disable', onSelect: () => change.mutate({ path, body: { disabled: !disabled } }, { onError: tellRefusal }) },
        { text: 'Remove from the organization', danger: true, onSelect: () => onRemove(user) },
      ]}
    />
  )
}

function RemoveMember({
  user,
  organization,
  onClose,
}: {
  readonly user: User
  readonly organization: string | undefined
  readonly onClose: () => void
}): ReactNode {
  const remove = useDeed('DELETE /api/v1/organizations/{id}/members/{user}', {
    refreshes: READS,
    onDone: () => {
      onClose()
      tell('They are no member any more.')
    },
  })
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Remove ${nameOf(user)}?`}
      action="Remove the member"
      danger
      busy={remove.isPending}
      onConfirm={() => remove.mutate({ path: { id: organization ?? '', user: user.id } })}
    >
      <p>They are signed out at once. Their connections and agents stay; agents do nothing without an owner.</p>
      <DeedProblem error={remove.error} />
    </Confirm>
  )
}
