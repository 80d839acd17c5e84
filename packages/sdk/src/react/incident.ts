import type { ConnectionReport, ReconnectOptions, ReconnectStep } from '../browser/index.ts'
import type { Labels } from './labels.ts'

/** What the places of a text stand for. Absent and null mean unknown. */
export type Places = Readonly<Record<string, string | number | null | undefined>>

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

export interface Told {
  readonly labels: Labels
  /** Milliseconds since 1970, by the server's clock. */
  readonly now: number
  readonly places?: Places
}

export interface Telling {
  readonly tone?: Tone
  readonly key?: string
  readonly connection?: ConnectionReport | null
  readonly places?: Places
  /** The instant that the text counts to. */
  readonly at?: number | undefined
}

export type ReconnectState = 'idle' | ReconnectStep | 'wrong_account' | 'scope_missing' | 'failed'

export interface ReconnectView {
  readonly state: ReconnectState
  /** Call it in the click: a window that is opened later is blocked. Calling it again opens the window again. */
  readonly reconnect: (options?: Pick<ReconnectOptions, 'target' | 'returnUrl'>) => void
  /** Ends the wait. The window stays, and a success in it still counts. */
  readonly cancel: () => void
  /** Where to go when the browser blocked the window. */
  readonly url: string | null
  /** What to tell the person meanwhile, or null. */
  readonly incident: Incident | null
}
