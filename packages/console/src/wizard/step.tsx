import { Check } from 'lucide-react'
import type { ReactNode } from 'react'
import { classes } from '../design/class-names.ts'
import styles from './wizard.module.css'

interface StepProps {
  readonly number: number
  readonly title: string
  readonly done: boolean
  readonly current: boolean
  readonly children: ReactNode
}

/** One step: open while it is its turn. */
export function Step({ number, title, done, current, children }: StepProps): ReactNode {
  return (
    <li className={classes(styles['step'], current && styles['current'], done && styles['done'])} aria-current={current ? 'step' : undefined}>
      <span className={styles['number']} aria-hidden>
        {done ? <Check size={14} strokeWidth={3} /> : number}
      </span>
      <div>
        <h2>
          {title}
          {done ? <span className="unseen"> (done)</span> : null}
        </h2>
        {current || (done && number === 1) ? <div className={styles['body']}>{children}</div> : null}
      </div>
    </li>
  )
}
