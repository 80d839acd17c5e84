import type { Tone } from '../../design/state.tsx'

interface KindWords {
  readonly text: string
  readonly explained: string
  /** What the number means, where the kind has one. */
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  readonly waits?: boolean
  readonly owners?: boolean
}

/** The kinds of alerts, in words. */
export const KINDS: Readonly<Record<string, KindWords>> = {
  connection_needs_reauth: { text: 'A connection needs its owner', explained: 'A grant is over; one alert for each cause.', owners: true },
  refresh_failing: { text: 'Refreshes fail', explained: 'A provider does not answer as it should for a while.', waits: true },
  integration_misconfigured: { text: 'An integration is misconfigured', explained: 'The provider refuses the client id, secret or redirect address.' },
  success_rate_low: {
    text: 'Too few refreshes succeed',
    explained: 'The share of refreshes that succeed is under a target.',
    unit: 'per cent',
    min: 1,
    max: 100,
    waits: true,
  },
  expires_soon: { text: 'Access ends soon', explained: 'An end that no renewal puts off comes nearer.', unit: 'days', min: 1, max: 30, owners: true },
  reuse_detected: { text: 'A session was used twice', explained: 'An old credential came back: the session is ended.' },
  clone_detected: { text: 'A credential was copied', explained: 'Two machines hold the credential of one installation.' },
  journal_not_empty: { text: 'Answers wait in a journal', explained: 'A node holds answers that the database does not have yet.', waits: true },
  seal_key_missing: { text: 'A master key is missing', explained: 'Stored values cannot be opened.' },
  delivery_failing: { text: 'A webhook takes nothing', explained: 'Deliveries fail for a while.', waits: true },
}

export const kindWords = (kind: string): string => KINDS[kind]?.text ?? kind.replaceAll('_', ' ')

export const SEVERITIES = [
  { value: 'info', text: 'Information' },
  { value: 'warning', text: 'Warning' },
  { value: 'critical', text: 'Critical' },
] as const
const TONES: Readonly<Record<string, Tone>> = { info: 'info', warning: 'warn', critical: 'bad' }
export const severityWords = (severity: string): string => SEVERITIES.find(({ value }) => value === severity)?.text ?? severity
export const severityTone = (severity: string): Tone => TONES[severity] ?? 'quiet'

export const WEBHOOK_STATES: Readonly<Record<string, { readonly text: string; readonly tone: Tone; readonly explained: string }>> = {
  active: { text: 'Works', tone: 'good', explained: 'The last delivery was taken.' },
  failing: { text: 'Failing', tone: 'warn', explained: 'The last tries were not taken; they are repeated.' },
  open: { text: 'Resting', tone: 'bad', explained: 'So many tries failed that deliveries wait. One careful try decides.' },
  off: { text: 'Off', tone: 'quiet', explained: 'Switched off by a person, or by the receiver with 410.' },
}
export const DELIVERY_STATES: Readonly<Record<string, { readonly text: string; readonly tone: Tone }>> = {
  waiting: { text: 'Waiting', tone: 'warn' },
  delivered: { text: 'Taken', tone: 'good' },
  failed: { text: 'Given up', tone: 'bad' },
}

/** `status=needs_reauth&code=x`, as search parameters. */
export const searchOf = (filter: string): Readonly<Record<string, string>> => Object.fromEntries(new URLSearchParams(filter))

/** What an application usually wants to hear of. */
export const TYPES = [
  'connection.*',
  'connection.needs_reauth',
  'connection.reconnected',
  'connection.expires_soon',
  'integration.*',
  'agent.*',
  'installation.*',
  'alert.*',
  '*',
] as const
