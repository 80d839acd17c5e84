import { type ReactNode, useId } from 'react'
import { type ClassNames, classOf } from './class-names.ts'
import { useConnection } from './connections.ts'
import type { Incident, ReconnectView } from './incident.ts'
import type { Labels } from './labels.ts'
import { useReconnect } from './reconnect.ts'
import { useSetting } from './setting.ts'

interface Props {
  readonly connectionId: string
  readonly classNames?: ClassNames
  /** Another text, or a function that renders it all. */
  readonly children?: string | ((reconnect: ReconnectView) => ReactNode)
}

/** Opens the provider's window in the click, and says beside itself how it goes. The button stays where it is, so that the focus does, too. */
export function ReconnectButton({ connectionId, classNames, children }: Props): ReactNode {
  const { labels, messages } = useSetting()
  const reconnect = useReconnect(connectionId)
  const { incident, provider } = useConnection(connectionId)
  const id = useId()
  if (typeof children === 'function') return children(reconnect)
  const told = reconnect.incident
  const usual = children ?? labelOf(incident) ?? firstLabel(labels, provider)
  return (
    <div className={classOf('reconnect', classNames)}>
      <button type="button" className={classOf('primary', classNames)} onClick={() => reconnect.reconnect()} {...(told && { 'aria-describedby': id })}>
        {labelOf(told) ?? usual}
      </button>
      {messages && told && (
        <messages.Notice id={id} incident={withoutReconnect(told)} reconnect={reconnect} classNames={classNames} alert={told.tone === 'warning'} />
      )}
    </div>
  )
}

/** Before anything is known of the connection, and before the words are loaded: they fill in more than this one place. */
function firstLabel({ messages, provider, locale }: Labels, name: string | null): string {
  const standIn = (at: number): string => (at > 0 ? provider : provider.charAt(0).toLocaleUpperCase(locale) + provider.slice(1))
  return (messages.connection_expired.primary ?? '').replace('{P}', (_place, at: number) => name ?? standIn(at))
}

function labelOf(incident: Incident | null): string | undefined {
  return incident?.primary?.step === 'reconnect' ? incident.primary.label : undefined
}

/** The button itself does it. */
function withoutReconnect(incident: Incident): Incident {
  return incident.primary?.step === 'reconnect' ? { ...incident, primary: null } : incident
}
