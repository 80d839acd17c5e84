import { Keyboard } from 'lucide-react'
import type { ReactNode } from 'react'
import { useApi } from '../api/queries.ts'
import { To } from '../router/link.tsx'
import { numberWords } from '../time/words.ts'
import styles from './navigation.module.css'
import { SECTIONS } from './sections.ts'

/** The ten places, with a count where somebody is needed. */
export function Navigation({ path, onKeys }: { readonly path: string; readonly onKeys: () => void }): ReactNode {
  const { data } = useApi('GET /api/v1/console/overview')
  const counts: Readonly<Record<string, number>> = {
    '/connections': (data?.counts.needs_owner ?? 0) + (data?.counts.blocked ?? 0),
    '/alerts': data?.alerts.length ?? 0,
  }
  return (
    <>
      <ul className={styles['list']}>
        {SECTIONS.map(({ path: to, text, icon: Icon }) => {
          const current = to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
          const count = counts[to] ?? 0
          return (
            <li key={to}>
              <To to={to} className={current ? styles['current'] : styles['link']}>
                <Icon size={16} aria-hidden />
                <span>{text}</span>
                {count > 0 ? (
                  <span className={styles['count']}>
                    {numberWords(count)}
                    <span className="unseen"> need attention</span>
                  </span>
                ) : null}
              </To>
            </li>
          )
        })}
      </ul>
      <div className={styles['foot']}>
        <button type="button" className={styles['link']} onClick={onKeys}>
          <Keyboard size={16} aria-hidden />
          <span>Keyboard</span>
          <kbd>?</kbd>
        </button>
      </div>
    </>
  )
}
