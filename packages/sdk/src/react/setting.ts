import { type ComponentType, createContext, type ElementType, type ReactNode, type RefObject, useContext } from 'react'
import type { ConnectionReport, Evergrant, EvergrantState } from '../browser/index.ts'
import type { EvergrantError } from '../evergrant-error.ts'
import type { ClassNames } from './class-names.ts'
import type { Incident, OutsideStep, Places, ReconnectState, ReconnectView, Telling, Told } from './incident.ts'
import type { Labels } from './labels.ts'

/** What is asked of a client. */
export type ReactClient = Pick<Evergrant, 'getState' | 'subscribe' | 'on' | 'refresh' | 'signOut' | 'connections'>

/** What a step does that only the application knows: an address, or a function. Steps without one are not offered. */
export type Actions = Partial<Record<OutsideStep, string | ((incident: Incident) => void)>>

export interface Setting {
  readonly client: ReactClient
  readonly labels: Labels
  readonly actions: Actions
  /** What is known for the places of all texts. */
  readonly places: Places
  readonly Link: ElementType
  /** The connection that was reconnected here just now. */
  readonly healed: ConnectionReport | null
  readonly heal: (connection: ConnectionReport) => void
  /** Words and looks; undefined while they are loaded, null when that failed: it is tried again. */
  readonly messages: MessagesPart | null | undefined
}

export interface NoticeProps {
  readonly incident: Incident
  readonly reconnect?: ReconnectView | undefined
  /** Where to reconnect when there is no `reconnect`. */
  readonly link?: string | null | undefined
  readonly onDismiss?: (() => void) | undefined
  readonly classNames?: ClassNames | undefined
  readonly as?: 'div' | 'li'
  readonly id?: string
  /** What the person just did has failed: said at once, instead of when there is a pause. */
  readonly alert?: boolean
}

export interface BannerProps {
  readonly classNames?: ClassNames
  /** How many are shown at once; 3. The others are counted. */
  readonly max?: number
  /** Renders them your way; the worst is the first. */
  readonly children?: (incidents: readonly Incident[], dismiss: (incident: Incident) => void) => ReactNode
}

/** Everything that is only needed to tell a person that something is wrong. */
export interface MessagesPart {
  tell(code: string, told: Told, telling: Telling): Incident
  connectionIncident(report: ConnectionReport, told: Told): Incident | null
  stateIncident(state: EvergrantState, told: Told): Incident | null
  reconnectIncident(state: ReconnectState, code: string | null, connection: ConnectionReport | null, told: Told): Incident | null
  errorIncident(error: EvergrantError, told: Told): Incident
  /** One incident: icon, what it means, and the one next step. */
  readonly Notice: ComponentType<NoticeProps>
  /** What is in the banner. */
  readonly Incidents: ComponentType<BannerProps & { readonly region: RefObject<HTMLElement | null> }>
}

export const EvergrantContext = createContext<Setting | null>(null)

export function useSetting(): Setting {
  const setting = useContext(EvergrantContext)
  if (setting === null) throw new Error('Put an EvergrantProvider around your application.')
  return setting
}
