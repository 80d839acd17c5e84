import { Pause, Radio, RefreshCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { buttonClass } from '../design/button.tsx'
import { useLive } from '../live/live-context.ts'
import { prefer, usePreferences } from '../preferences/preferences.ts'
import { absoluteWords } from '../time/words.ts'
import styles from './live-switch.module.css'

const WORDS = { live: 'Live', connecting: 'Connecting', polling: 'Every 10 s', paused: 'Paused', hidden: 'Live' } as const

/** Live or paused (WCAG 2.2.2), and of when the data is. */
export function LiveSwitch(): ReactNode {
  const { status, heardAt } = useLive()
  const { live: wanted, zone } = usePreferences()
  const at = absoluteWords(heardAt, zone).slice(11)
  return (
    <button
      type="button"
      className={buttonClass({ look: 'quiet' }, styles['switch'])}
      aria-pressed={wanted}
      title={wanted ? `Data as of ${at}. Press to pause.` : `Paused at ${at}. Press to go on.`}
      onClick={() => prefer({ live: !wanted })}
    >
      {status === 'paused' ? (
        <Pause size={14} aria-hidden />
      ) : status === 'polling' ? (
        <RefreshCw size={14} aria-hidden />
      ) : (
        <Radio size={14} aria-hidden className={styles['on']} />
      )}
      <span className={styles['words']}>{WORDS[status]}</span>
      <span className={styles['at']}>as of {at}</span>
    </button>
  )
}
