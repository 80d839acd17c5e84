import { Ban, CircleAlert, CircleCheck, CirclePause, type LucideIcon, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Overview } from '../api/console-operations.ts'
import { classes } from '../design/class-names.ts'
import { To } from '../router/link.tsx'
import { numberWords } from '../time/words.ts'
import styles from './overview.module.css'

interface Counter {
  readonly text: string
  readonly count: number
  readonly status: string
  readonly tone: string
  readonly icon: LucideIcon
  readonly hint: string
}

/** Five numbers, each leading to its list. */
export function Counters({ counts }: { readonly counts: Overview['counts'] }): ReactNode {
  const counters: readonly Counter[] = [
    { text: 'Healthy', count: counts.healthy, status: 'active', tone: 'good', icon: CircleCheck, hint: 'renewed on time' },
    { text: 'Need their owner', count: counts.needs_owner, status: 'needs_reauth', tone: 'bad', icon: CircleAlert, hint: 'the grant is over' },
    { text: 'Waiting', count: counts.waiting, status: 'degraded', tone: 'warn', icon: TriangleAlert, hint: 'heal by themselves' },
    { text: 'Blocked', count: counts.blocked, status: 'blocked', tone: 'bad', icon: Ban, hint: 'mend the integration' },
    { text: 'Paused', count: counts.paused, status: 'paused', tone: 'quiet', icon: CirclePause, hint: 'by somebody here' },
  ]
  return (
    <ul className={styles['counters']}>
      {counters.map(({ text, count, status, tone, icon: Icon, hint }) => (
        <li key={status}>
          <To to="/connections" search={{ status }} className={classes(styles['counter'], count > 0 && styles[tone])}>
            <span className={styles['name']}>
              <Icon size={15} aria-hidden />
              {text}
            </span>
            <strong>{numberWords(count)}</strong>
            <span className={styles['hint']}>{hint}</span>
          </To>
        </li>
      ))}
    </ul>
  )
}
