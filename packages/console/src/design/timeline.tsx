import { CircleCheck, CircleDot, CircleX, type LucideIcon, RefreshCw, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { Time } from '../time/time.tsx'
import { classes } from './class-names.ts'
import type { Tone } from './state.tsx'
import styles from './timeline.module.css'

export interface TimelineItem {
  readonly id: string
  readonly at: string
  readonly title: ReactNode
  readonly detail?: ReactNode
  readonly tone?: Tone
  readonly icon?: LucideIcon
}

const ICONS: Readonly<Record<Tone, LucideIcon>> = { good: CircleCheck, warn: TriangleAlert, bad: CircleX, info: RefreshCw, quiet: CircleDot }

/** What happened, newest first, each with its time. A list to everybody who cannot see the line. */
export function Timeline({ items, label }: { readonly items: readonly TimelineItem[]; readonly label: string }): ReactNode {
  return (
    <ol className={styles['list']} aria-label={label}>
      {items.map(({ id, at, title, detail, tone = 'quiet', icon }) => {
        const Icon = icon ?? ICONS[tone]
        return (
          <li key={id} className={styles['item']}>
            <span className={classes(styles['dot'], styles[tone])}>
              <Icon size={15} aria-hidden />
            </span>
            <div className={styles['words']}>
              <p className={styles['title']}>{title}</p>
              {detail === undefined || detail === null ? null : <div className={styles['detail']}>{detail}</div>}
            </div>
            <p className={styles['time']}>
              <Time at={at} />
            </p>
          </li>
        )
      })}
    </ol>
  )
}
