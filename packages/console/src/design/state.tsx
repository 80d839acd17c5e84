import { Ban, CircleAlert, CircleCheck, CircleDashed, CirclePause, type LucideIcon, TriangleAlert, Unplug } from 'lucide-react'
import type { ReactNode } from 'react'
import { classes } from './class-names.ts'
import styles from './state.module.css'

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet'

/** Icon, words and colour together: no meaning stands in colour alone (WCAG 1.4.1). */
export function Badge({
  tone,
  icon: Icon,
  children,
  title,
}: {
  readonly tone: Tone
  readonly icon?: LucideIcon
  readonly children: ReactNode
  readonly title?: string
}): ReactNode {
  return (
    <span className={classes(styles['badge'], styles[tone])} title={title}>
      {Icon === undefined ? null : <Icon size={13} strokeWidth={2.25} aria-hidden />}
      {children}
    </span>
  )
}

interface StateWords {
  readonly text: string
  readonly tone: Tone
  readonly icon: LucideIcon
  readonly explained: string
}

/** How the status of a connection is said. */
export const CONNECTION_STATES: Readonly<Record<string, StateWords>> = {
  active: { text: 'Active', tone: 'good', icon: CircleCheck, explained: 'Tokens are renewed on time.' },
  degraded: { text: 'Waiting', tone: 'warn', icon: TriangleAlert, explained: 'The provider does not answer as it should. It heals by itself when that ends.' },
  needs_reauth: { text: 'Needs its owner', tone: 'bad', icon: CircleAlert, explained: 'The grant is over. Its owner must connect again.' },
  blocked: {
    text: 'Blocked',
    tone: 'bad',
    icon: Ban,
    explained: 'The provider refuses our client credentials. An operator must mend the integration; the grant is untouched.',
  },
  paused: { text: 'Paused', tone: 'quiet', icon: CirclePause, explained: 'Somebody paused it. Nothing is refreshed.' },
  disconnected: { text: 'Disconnected', tone: 'quiet', icon: Unplug, explained: 'It was ended on purpose.' },
}

/** The status of a connection. One that a newer server knows is shown as it is written. */
export function ConnectionState({ status }: { readonly status: string }): ReactNode {
  const { text, tone, icon, explained } = CONNECTION_STATES[status] ?? { text: status, tone: 'quiet' as const, icon: CircleDashed, explained: status }
  return (
    <Badge tone={tone} icon={icon} title={explained}>
      {text}
    </Badge>
  )
}
