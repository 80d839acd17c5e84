import {
  type ComponentType,
  createContext,
  type ElementType,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import type { ConnectionReport, Evergrant } from '../browser/index.ts'
import { createDismissals, type Dismissals } from './dismissals.ts'
import type { Incident, OutsideStep } from './incidents.ts'
import type { Labels } from './labels.ts'
import type { Places } from './words.ts'

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
  readonly dismissals: Dismissals
  /** The connection that was reconnected here just now. */
  readonly healed: ConnectionReport | null
  readonly heal: (connection: ConnectionReport) => void
}

/** Long enough to be read, short enough not to be in the way. */
const HEALED_MS = 6_000

export const EvergrantContext = createContext<Setting | null>(null)

interface Props {
  readonly client: ReactClient
  /** The language: `en` of `@evergrant/sdk/react/labels/en`, and so on, or your own. */
  readonly labels: Labels
  /** The name of your application, for texts that name it. */
  readonly app?: string
  readonly actions?: Actions
  /** Renders links, with `href` and `className`; `a` by default. */
  readonly linkComponent?: ElementType | ComponentType<{ readonly href: string }>
  readonly children?: ReactNode
}

const NO_ACTIONS: Actions = {}

export function EvergrantProvider({ client, labels, app, actions = NO_ACTIONS, linkComponent = 'a', children }: Props): ReactElement {
  const [dismissals] = useState(createDismissals)
  const [healed, setHealed] = useState<ConnectionReport | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const heal = useCallback((connection: ConnectionReport) => {
    clearTimeout(timer.current)
    setHealed(connection)
    timer.current = setTimeout(setHealed, HEALED_MS, null)
  }, [])
  useEffect(() => () => clearTimeout(timer.current), [])
  const setting = useMemo(
    () => ({ client, labels, actions, places: { App: app }, Link: linkComponent as ElementType, dismissals, healed, heal }),
    [client, labels, actions, app, linkComponent, dismissals, healed, heal],
  )
  return <EvergrantContext.Provider value={setting}>{children}</EvergrantContext.Provider>
}

export function useSetting(): Setting {
  const setting = useContext(EvergrantContext)
  if (setting === null) throw new Error('Put an EvergrantProvider around your application.')
  return setting
}
