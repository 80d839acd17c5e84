import type { ReactElement } from 'react'
import type { Tone } from './incident.ts'
import type { BadgeStatus } from './labels.ts'

const ROUND = 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z'
/** Each has its own outline: they are told apart without colour. Drawn in the colour of the text. */
const SHAPES: Readonly<Record<Tone, string>> = {
  success: `${ROUND}M4.5 8.2 7 10.7l4.5-5`,
  danger: 'M5 1h6l4 4v6l-4 4H5l-4-4V5ZM5.6 5.6l4.8 4.8m0-4.8-4.8 4.8',
  warning: 'M8 1.5 15 14H1ZM8 6v4m0 2v.2',
  info: `${ROUND}m0 3v4l2.5 2`,
}
const TONES: Partial<Record<string, Tone>> = { valid: 'success', needs_reauth: 'danger', expiring: 'warning', refreshing: 'info', unknown: 'info' }

export function Icon({ name, className }: { readonly name: Tone | BadgeStatus; readonly className: string }): ReactElement {
  return (
    <svg className={className} width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path
        d={SHAPES[TONES[name] ?? (name as Tone)] ?? `${ROUND}M5 8h6`}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}
