import { CircleUser, ExternalLink, LogOut } from 'lucide-react'
import { type ReactNode, useSyncExternalStore } from 'react'
import { IconButton } from '../design/button.tsx'
import { Menu } from '../design/menu.tsx'
import { tellProblem } from '../design/toasts.tsx'
import { serverUrl, session } from '../session/client.ts'

/** Who is signed in, their own page, and the way out. */
export function Me(): ReactNode {
  const { user } = useSyncExternalStore(session().subscribe, session().getState)
  if (user === null) return null
  return (
    <Menu
      label="You"
      align="end"
      button={(props) => (
        <IconButton {...props} label={`You: ${user.name ?? user.email}`}>
          <CircleUser size={17} aria-hidden />
        </IconButton>
      )}
      items={[
        { heading: `${user.name ?? user.email} · ${user.role}` },
        { text: 'Your account', icon: <ExternalLink size={14} aria-hidden />, onSelect: () => location.assign(`${serverUrl()}/me`) },
        { text: 'Sign out', icon: <LogOut size={14} aria-hidden />, onSelect: () => void session().signOut().catch(tellProblem) },
      ]}
    />
  )
}
