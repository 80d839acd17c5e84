import type { ReactNode } from 'react'
import { Dialog } from '../design/dialog.tsx'
import { CheckField } from '../design/field.tsx'
import { prefer, usePreferences } from '../preferences/preferences.ts'
import { useKnownShortcuts } from '../shortcuts/shortcuts.ts'
import styles from './keyboard-sheet.module.css'

/** Every key that does something on this page, and the switch for those of one letter. */
export function KeyboardSheet({ onClose }: { readonly onClose: () => void }): ReactNode {
  const known = useKnownShortcuts()
  const { shortcuts } = usePreferences()
  const groups = [...new Set(known.map(({ group }) => group))]
  return (
    <Dialog open onClose={onClose} title="Keyboard" size="wide">
      <CheckField
        asSwitch
        label="Keys of one letter"
        checked={shortcuts}
        onChange={(on) => prefer({ shortcuts: on })}
        hint="Off, only those with Ctrl or Cmd work."
      />
      <div className={styles['groups']}>
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {known
                .filter((shortcut) => shortcut.group === group)
                .map(({ keys, text }) => (
                  <div key={keys + text}>
                    <dt>
                      {keys.split(' ').map((key) => (
                        <kbd key={key}>{key.replace('Mod', /Mac/.test(navigator.userAgent) ? '⌘' : 'Ctrl')}</kbd>
                      ))}
                    </dt>
                    <dd>{text}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
