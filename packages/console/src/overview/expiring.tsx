import type { ReactNode } from 'react'
import type { Overview } from '../api/console-operations.ts'
import { Card } from '../design/card.tsx'
import { To } from '../router/link.tsx'
import { numberWords } from '../time/words.ts'
import type { RangeName } from '../views/expiry/expiry-plan.ts'
import styles from './overview.module.css'

/** What ends soon and cannot be renewed by us. */
export function Expiring({ expiring }: { readonly expiring: Overview['expiring'] }): ReactNode {
  const spans = [
    ['24 hours', expiring.day, 'day'],
    ['7 days', expiring.week, 'week'],
    ['30 days', expiring.month, 'month'],
    ['90 days', expiring.quarter, 'quarter'],
  ] as const satisfies readonly (readonly [text: string, count: number, range: RangeName])[]
  const most = Math.max(1, expiring.quarter)
  return (
    <Card title="Ends without its owner" note="within">
      <ul className={styles['strip']}>
        {spans.map(([text, count, range]) => (
          <li key={range}>
            <To to="/expiry" search={{ range }}>
              <span>{text}</span>
              <span className={styles['track']} aria-hidden>
                <span style={{ width: `${(count / most) * 100}%` }} />
              </span>
              <strong>{numberWords(count)}</strong>
            </To>
          </li>
        ))}
      </ul>
    </Card>
  )
}
