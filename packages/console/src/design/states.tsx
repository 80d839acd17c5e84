import { CircleAlert, Inbox, type LucideIcon, SearchX } from 'lucide-react'
import type { ReactNode } from 'react'
import { problemOf } from '../api/problem.ts'
import { Time } from '../time/time.tsx'
import { Button } from './button.tsx'
import { classes } from './class-names.ts'
import { CopyButton } from './copy.tsx'
import styles from './states.module.css'

interface EmptyProps {
  readonly title: string
  /** What this place is for, or why nothing is here. */
  readonly children?: ReactNode
  /** The one thing to do now. */
  readonly action?: ReactNode
  readonly icon?: LucideIcon
}

/** Nothing is here yet: says what would be, and the one step towards it. */
export function Empty({ title, children, action, icon: Icon = Inbox }: EmptyProps): ReactNode {
  return (
    <div className={styles['empty']}>
      <Icon size={28} strokeWidth={1.5} aria-hidden />
      <p className={styles['title']}>{title}</p>
      {children === undefined ? null : <div className={styles['text']}>{children}</div>}
      {action}
    </div>
  )
}

/** The filter found nothing, which is not the same as nothing being there. */
export function NoResults({ onClear }: { readonly onClear: () => void }): ReactNode {
  return (
    <Empty title="Nothing matches these filters" icon={SearchX} action={<Button onClick={onClear}>Clear filters</Button>}>
      <p>Something may be there that the filters leave out.</p>
    </Empty>
  )
}

/** Grey lines in the place of what comes. Screen readers hear that it is loading. */
export function Loading({ rows = 6, label = 'Loading' }: { readonly rows?: number; readonly label?: string }): ReactNode {
  return (
    <div className={styles['loading']} role="status">
      <span className="unseen">{label}…</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all the same
        <div key={row} className={styles['bone']} aria-hidden />
      ))}
    </div>
  )
}

/** What went wrong, in the server's words, with the number that its log has. */
export function ProblemNote({ error, onRetry, title }: { readonly error: unknown; readonly onRetry?: () => void; readonly title?: string }): ReactNode {
  const problem = problemOf(error)
  return (
    <div className={classes(styles['note'], styles['bad'])} role="alert">
      <CircleAlert size={16} aria-hidden />
      <div>
        <p className={styles['title']}>{title ?? problem.title}</p>
        <p>{problem.detail}</p>
        {problem.requestId === null ? null : (
          <p className={styles['request']}>
            Request <code>{problem.requestId}</code>
            <CopyButton text={problem.requestId} label="Copy the request id" />
          </p>
        )}
      </div>
      {onRetry === undefined ? null : (
        <Button small onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** A remark between things. */
export function Note({
  tone = 'info',
  title,
  action,
  children,
}: {
  readonly tone?: 'info' | 'good' | 'warn' | 'bad'
  readonly title?: string
  readonly action?: ReactNode
  readonly children?: ReactNode
}): ReactNode {
  return (
    <div className={classes(styles['note'], styles[tone])}>
      <CircleAlert size={16} aria-hidden />
      <div>
        {title === undefined ? null : <p className={styles['title']}>{title}</p>}
        {children}
      </div>
      {action}
    </div>
  )
}

interface Readable<Answer> {
  readonly data: Answer | undefined
  readonly error: unknown
  readonly dataUpdatedAt: number
  readonly refetch: () => unknown
}

/**
 * One question to the server on the screen: bones while it is asked, the problem when it failed, and the answer. When a later reading fails, the last
 * good answer stays, with its age.
 */
export function Answered<Answer>({
  query,
  rows,
  children,
}: {
  readonly query: Readable<Answer>
  readonly rows?: number
  readonly children: (answer: Answer) => ReactNode
}): ReactNode {
  const { data, error } = query
  const retry = (): void => void query.refetch()
  if (data === undefined) {
    if (error) return <ProblemNote error={error} onRetry={retry} />
    return rows === undefined ? <Loading /> : <Loading rows={rows} />
  }
  return (
    <>
      {error ? <StaleNote error={error} at={query.dataUpdatedAt} onRetry={retry} /> : null}
      {children(data)}
    </>
  )
}

function StaleNote({ error, at, onRetry }: { readonly error: unknown; readonly at: number; readonly onRetry: () => void }): ReactNode {
  const { detail } = problemOf(error)
  return (
    <div className={styles['stale']}>
      <Note
        tone="warn"
        title="This may be out of date"
        action={
          <Button small onClick={onRetry}>
            Try again
          </Button>
        }
      >
        <p>
          {detail} Shown is what was known <Time at={at} />.
        </p>
      </Note>
    </div>
  )
}
