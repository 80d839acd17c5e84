import type { ReactNode } from 'react'
import { usePreferences } from '../preferences/preferences.ts'
import styles from './time.module.css'
import { useNow } from './use-now.ts'
import { absoluteWords, type Instant, millisecondsOf, relativeWords, zoneName } from './words.ts'

/** Rows of a long table need not be drawn anew every second. */
const STEP_MS = 5_000
const HOUR_MS = 3_600_000

interface TimeProps {
  readonly at: Instant | null | undefined
  /** `relative` with the exact time as its title (default), `absolute`, or `both`. */
  readonly as?: 'relative' | 'absolute' | 'both'
  /** What stands where there is no time. */
  readonly none?: string
  /** What is said of a plan whose time has come and that still waits for its turn: it is not over, as `5 min. ago` would say. */
  readonly past?: string
}

/** An instant: relative and absolute, in the zone that was chosen. */
export function Time({ at, as = 'relative', none = 'never', past }: TimeProps): ReactNode {
  const { zone } = usePreferences()
  const now = useNow(as === 'absolute' ? HOUR_MS : STEP_MS)
  if (at === null || at === undefined) return <span className={styles['none']}>{none}</span>
  const exact = absoluteWords(at, zone)
  const words = past !== undefined && millisecondsOf(at) <= now ? past : relativeWords(at, now)
  const iso = Number.isNaN(millisecondsOf(at)) ? undefined : new Date(at).toISOString()
  return (
    <time dateTime={iso} title={`${exact} ${zoneName(zone)} (${words})`} className={as === 'both' ? undefined : styles['time']}>
      {as === 'absolute' ? exact : words}
      {/* A blank, which is gone where the line breaks: what comes next begins where the line does. */}
      {as === 'both' ? (
        <>
          {' '}
          <span className={styles['exact']}>{exact}</span>
        </>
      ) : null}
    </time>
  )
}
