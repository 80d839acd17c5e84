import { type ComponentType, type ElementType, type ReactElement, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { ConnectionReport } from '../browser/index.ts'
import type { Labels } from './labels.ts'
import { loadMessages } from './messages.ts'
import { type Actions, EvergrantContext, type ReactClient, type Setting } from './setting.ts'

/** Long enough to be read, short enough not to be in the way. */
const HEALED_MS = 6_000

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
  const [messages, setMessages] = useState<Setting['messages']>()
  const [healed, setHealed] = useState<ConnectionReport | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const heal = useCallback((connection: ConnectionReport) => {
    clearTimeout(timer.current)
    setHealed(connection)
    timer.current = setTimeout(setHealed, HEALED_MS, null)
  }, [])
  useEffect(() => () => clearTimeout(timer.current), [])
  // When the page stands, and not when they are needed: the words for "you are offline" cannot be fetched then.
  useEffect(() => loadMessages(setMessages), [])
  const setting = useMemo(
    () => ({ client, labels, actions, places: { App: app }, Link: linkComponent as ElementType, healed, heal, messages }),
    [client, labels, actions, app, linkComponent, healed, heal, messages],
  )
  return <EvergrantContext.Provider value={setting}>{children}</EvergrantContext.Provider>
}
