import { useQueryClient } from '@tanstack/react-query'
import { ChevronsUpDown } from 'lucide-react'
import { type ReactNode, useSyncExternalStore } from 'react'
import { call } from '../api/call.ts'
import { useApi } from '../api/queries.ts'
import { buttonClass } from '../design/button.tsx'
import { Menu } from '../design/menu.tsx'
import { session } from '../session/client.ts'
import { tellRefusal } from '../session/confirm.ts'
import styles from './organization-switcher.module.css'

/** Which organization all of this is about. Nothing on the screen crosses it. */
export function OrganizationSwitcher(): ReactNode {
  const { user } = useSyncExternalStore(session().subscribe, session().getState)
  const { data } = useApi('GET /api/v1/organizations')
  const client = useQueryClient()
  const name = user?.organization.name ?? 'Evergrant'
  const go = async (id: string): Promise<void> => {
    await call('POST /api/v1/auth/organization', { body: { organization: id } })
    await session().refresh({ force: true })
    client.clear()
    location.assign(document.baseURI)
  }
  const mark = <img src="icon.svg" alt="" width={22} height={22} />
  const items = data?.items ?? []
  if (items.length < 2)
    return (
      <p className={styles['alone']}>
        {mark}
        <span>{name}</span>
      </p>
    )
  return (
    <Menu
      label="Organizations"
      button={(props) => (
        <button {...props} type="button" className={buttonClass({ look: 'quiet' }, styles['switch'])}>
          {mark}
          <span>{name}</span>
          <ChevronsUpDown size={14} aria-hidden />
          <span className="unseen">Change the organization</span>
        </button>
      )}
      items={[
        { heading: 'Organizations' },
        ...items.map(({ id, name: text, role }) => ({
          text,
          checked: id === user?.organization.id,
          ...(role === null ? {} : { hint: role }),
          onSelect: () => void go(id).catch(tellRefusal),
        })),
      ]}
    />
  )
}
