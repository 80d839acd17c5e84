import { ChevronDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { countWords } from '../time/words.ts'
import { Button } from './button.tsx'
import styles from './pager.module.css'

interface PagerProps {
  /** How many are on the screen. */
  readonly shown: number
  /** What they are: `connection`. */
  readonly what: string
  readonly many?: string
  /** How many there are, where the server knows. */
  readonly total?: number | undefined
  readonly hasMore: boolean
  readonly busy: boolean
  readonly onMore: () => void
}

/** The foot of a list that goes on behind a cursor: how much is shown, and the button for more. */
export function Pager({ shown, what, many, total, hasMore, busy, onMore }: PagerProps): ReactNode {
  return (
    <div className={styles['pager']}>
      <p role="status">
        {countWords(shown, what, many)}
        {total === undefined ? (hasMore ? ' shown' : '') : ` of ${countWords(total, '', '').trim()}`}
      </p>
      {hasMore ? (
        <Button small icon={<ChevronDown size={14} aria-hidden />} busy={busy} onClick={onMore}>
          Load more
        </Button>
      ) : null}
    </div>
  )
}
