import { Clock, Keyboard, Monitor, Moon, Sun } from 'lucide-react'
import type { ReactNode } from 'react'
import { IconButton } from '../design/button.tsx'
import { Menu } from '../design/menu.tsx'
import { prefer, usePreferences } from '../preferences/preferences.ts'
import { zoneName } from '../time/words.ts'

/** Light, dark, as the system; rows; keys of one letter. */
export function ThemeMenu({ onKeys }: { readonly onKeys: () => void }): ReactNode {
  const { theme, density, shortcuts } = usePreferences()
  const Icon = theme === 'light' ? Sun : theme === 'dark' ? Moon : Monitor
  return (
    <Menu
      label="Appearance"
      align="end"
      button={(props) => (
        <IconButton {...props} label="Appearance and keys">
          <Icon size={16} aria-hidden />
        </IconButton>
      )}
      items={[
        { heading: 'Theme' },
        { text: 'As the system', checked: theme === 'system', onSelect: () => prefer({ theme: 'system' }) },
        { text: 'Light', checked: theme === 'light', onSelect: () => prefer({ theme: 'light' }) },
        { text: 'Dark', checked: theme === 'dark', onSelect: () => prefer({ theme: 'dark' }) },
        { heading: 'Rows' },
        { text: 'Compact rows', checked: density === 'compact', onSelect: () => prefer({ density: density === 'compact' ? 'comfortable' : 'compact' }) },
        { heading: 'Keyboard' },
        { text: 'Keys of one letter', checked: shortcuts, onSelect: () => prefer({ shortcuts: !shortcuts }) },
        { text: 'Show all keys', icon: <Keyboard size={14} aria-hidden />, onSelect: onKeys },
      ]}
    />
  )
}

/** Times of this device, or UTC. */
export function ZoneMenu(): ReactNode {
  const { zone } = usePreferences()
  return (
    <Menu
      label="Time zone"
      align="end"
      button={(props) => (
        <IconButton {...props} label={`Times are ${zone === 'utc' ? 'UTC' : `local, ${zoneName('local')}`}`}>
          <Clock size={16} aria-hidden />
        </IconButton>
      )}
      items={[
        { heading: 'Show times in' },
        { text: 'This device', hint: zoneName('local'), checked: zone === 'local', onSelect: () => prefer({ zone: 'local' }) },
        { text: 'UTC', checked: zone === 'utc', onSelect: () => prefer({ zone: 'utc' }) },
      ]}
    />
  )
}
