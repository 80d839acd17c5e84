import type { ConnectionReport, EvergrantState } from '../browser/index.ts'
import type { EvergrantError } from '../evergrant-error.ts'
import type { Action, Incident, Places, ReconnectState, Step, Telling, Told, Tone } from './incident.ts'
import type { Labels, MessageCode } from './labels.ts'
import { fromNow, onDate, say } from './words.ts'

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

const CODES: Partial<Record<ReconnectState, string>> = {
  opening: 'reconnect_waiting',
  waiting: 'reconnect_waiting',
  blocked: 'popup_blocked',
  cancelled: 'reconnect_cancelled',
  expired: 'reconnect_cancelled',
  wrong_account: 'account_mismatch',
  scope_missing: 'scope_missing',
  failed: 'unknown',
}

/** How a reconnect goes; `code`: why it could not begin. */
export function reconnectIncident(state: ReconnectState, code: string | null, connection: ConnectionReport | null, told: Told): Incident | null {
  const known = code !== null && code in told.labels.messages ? code : CODES[state]
  if (known === undefined) return null
  const tone: Tone = state === 'waiting' || state === 'opening' ? 'info' : 'warning'
  const incident = tell(known, told, { tone, connection })
  return state === 'failed' && incident.primary ? { ...incident, primary: { ...incident.primary, step: 'reconnect' } } : incident
}

/** What an error of the client means to a person. */
export function errorIncident(error: EvergrantError, { labels, now, places }: Told): Incident {
  const code = error.code === 'refresh_unavailable' ? 'service_unreachable' : error.code in labels.messages ? error.code : 'unknown'
  const told = { labels, now, places: { ...places, requestId: error.requestId } }
  return tell(code, told, { tone: error.action === 'wait' ? 'info' : 'warning', at: error.retryAt?.getTime() })
}
