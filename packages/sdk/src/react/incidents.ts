import type { ConnectionReport, EvergrantState } from '../browser/index.ts'
import type { Labels, MessageCode } from './labels.ts'
import { fromNow, onDate, type Places, say } from './words.ts'

export type Tone = 'danger' | 'warning' | 'info' | 'success'

/** Steps that the application defines; one that it does not define is not offered. */
export type OutsideStep = 'sign_in' | 'disconnect' | 'connect_other' | 'support' | 'status_page' | 'review_activity' | 'how_to_allow' | 'how_to_fix'
export type Step = OutsideStep | 'reconnect' | 'retry' | 'same_tab' | 'cancel' | 'dismiss' | 'details' | 'copy_link' | 'copy_details'

export interface Action {
  readonly step: Step
  readonly label: string
}

/** One thing that is wrong, told to a person. */
export interface Incident {
  /** The same as long as it is the same incident: what a dismissal remembers. */
  readonly key: string
  /** A code of the labels, or one of the server that they do not have. */
  readonly code: string
  readonly tone: Tone
  readonly title: string
  /** Empty when the title says it all. */
  readonly body: string
  /** Whether the texts count time: they change by themselves. */
  readonly timed: boolean
  readonly primary: Action | null
  readonly secondary: Action | null
  /** Milliseconds since 1970 until which putting it away keeps it away. */
  readonly dismissedUntil: number
  readonly connection: ConnectionReport | null
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** A clock that is off by less does not hinder anybody. */
const SKEW_MS = 10 * MINUTE_MS

/** What the first button of a message does, where it is not to reconnect or to sign in. */
const PRIMARY: Partial<Record<string, Step>> = {
  admin_approval_required: 'copy_link',
  client_offline: 'retry',
  service_unreachable: 'retry',
  unknown: 'retry',
  popup_blocked: 'same_tab',
  clock_skew: 'how_to_fix',
}
/** What the second does, where it is not to put the message away. */
const SECONDARY: Partial<Record<string, Step>> = {
  connection_revoked: 'disconnect',
  admin_approval_required: 'reconnect',
  account_mismatch: 'connect_other',
  client_rejected: 'support',
  provider_rate_limited: 'details',
  provider_unavailable: 'status_page',
  service_unreachable: 'status_page',
  reconnect_waiting: 'cancel',
  reconnect_cancelled: 'cancel',
  popup_blocked: 'how_to_allow',
  session_reuse_detected: 'review_activity',
  unknown: 'copy_details',
}
/** Trouble that mends itself is worth a line only while it keeps somebody from working. */
const TONES: Partial<Record<string, Tone>> = { needs_reauth: 'danger', expiring: 'info', refreshing: 'info', unavailable: 'info' }
const RANK: readonly Tone[] = ['danger', 'warning', 'info', 'success']

export interface Told {
  readonly labels: Labels
  /** Milliseconds since 1970, by the server's clock. */
  readonly now: number
  readonly places?: Places
}

/** What is wrong with a connection, or null when nothing is that its owner should hear of. */
export function connectionIncident(report: ConnectionReport, told: Told): Incident | null {
  const { id, status, expires_at } = report
  const code = status === 'expiring' ? 'connection_expiring' : report.code
  if (code === null || status === 'disconnected' || code === 'connection_paused') return null
  const ends = expires_at === null ? told.now : Date.parse(expires_at)
  const soon = status === 'expiring' && ends - told.now < DAY_MS
  const tone = soon ? 'warning' : (TONES[status] ?? (report.action === 'wait' ? 'info' : 'warning'))
  const incident = tell(code, told, { tone, connection: report, key: `${id}:${code}:${soon ? 'soon' : ''}` })
  if (status !== 'expiring') return incident
  // The quiet notice of the last week can be put away until the last day; that of the last day, for that day.
  return soon ? { ...incident, secondary: null } : { ...incident, dismissedUntil: ends - DAY_MS }
}

/** What is wrong between this device and the server; never more than one thing. */
export function stateIncident(state: EvergrantState, told: Told): Incident | null {
  const { status, retryAt, clockSkewMs } = state
  const trouble = { tone: 'info' as const, key: status }
  if (status === 'offline') return tell('client_offline', told, trouble)
  if (status === 'degraded') return tell('service_unreachable', told, { ...trouble, at: retryAt?.getTime() })
  if (Math.abs(clockSkewMs) <= SKEW_MS) return null
  return tell('clock_skew', told, { tone: 'warning', key: 'clock_skew', places: { n: Math.round(Math.abs(clockSkewMs) / MINUTE_MS) } })
}

/** The worst first; among equals the order in which they came. */
export function worstFirst(incidents: readonly Incident[]): Incident[] {
  return [...incidents].sort((one, other) => RANK.indexOf(one.tone) - RANK.indexOf(other.tone))
}

interface Telling {
  readonly tone?: Tone
  readonly key?: string
  readonly connection?: ConnectionReport | null
  readonly places?: Places
  /** The instant that the text counts to. */
  readonly at?: number | undefined
}

/** Puts a code into the words of the labels; one that they do not have keeps the words of the server. */
export function tell(code: string, { labels, now, places: own }: Told, { tone = 'danger', key = code, connection = null, places, at }: Telling): Incident {
  const message = labels.messages[code as MessageCode] ?? {
    title: connection?.title ?? labels.messages.unknown.title,
    body: connection?.message ?? labels.messages.unknown.body,
    ...(connection?.action === 'reconnect' && { primary: labels.messages.connection_expired.primary }),
  }
  const known = { ...own, ...placesOf(connection, labels, now, at), ...places }
  const action = (step: Step, text: string | undefined): Action | null => {
    const label = text === undefined ? '' : say(labels, text, known)
    return label === '' ? null : { step, label }
  }
  return {
    key,
    code,
    tone,
    title: say(labels, message.title, known),
    body: say(labels, message.body, known),
    timed: 'T' in known,
    primary: action(PRIMARY[code] ?? (code.startsWith('session') ? 'sign_in' : 'reconnect'), message.primary),
    secondary: action(SECONDARY[code] ?? 'dismiss', message.secondary),
    dismissedUntil: now + DAY_MS,
    connection,
  }
}

function placesOf(connection: ConnectionReport | null, labels: Labels, now: number, at: number | undefined): Places {
  const ends = instant(connection?.expires_at)
  const counted = at ?? instant(connection?.retry_at) ?? ends
  return {
    ...(connection !== null && { P: connection.provider, A: connection.account }),
    ...(ends !== undefined && { date: onDate(labels, ends) }),
    ...(counted !== undefined && { T: fromNow(labels, counted, now) }),
  }
}

const instant = (text: string | null | undefined): number | undefined => (text == null ? undefined : Date.parse(text))
