import { type ReactNode, useId } from 'react'
import { type ClassNames, classOf } from './class-names.ts'
import { useConnection } from './connections.ts'
import type { Incident } from './incidents.ts'
import { Notice } from './notice.tsx'
import { useSetting } from './provider.tsx'
import { type ReconnectView, useReconnect } from './reconnect.ts'
import { say } from './words.ts'

interface Props {
  readonly connectionId: string
  readonly classNames?: ClassNames
  /** Another text, or a function that renders it all. */
  readonly children?: string | ((reconnect: ReconnectView) => ReactNode)
}

/** Opens the provider's window in the click, and says beside itself how it goes. The button stays where it is, so that the focus does, too. */
export function ReconnectButton({ connectionId, classNames, children }: Props): ReactNode {
  const { labels } = useSetting()
  const reconnect = useReconnect(connectionId)
  const { incident, provider } = useConnection(connectionId)
  const id = useId()
  if (typeof children === 'function') return children(reconnect)
  const told = reconnect.incident
  const usual = children ?? labelOf(incident) ?? say(labels, labels.messages.connection_expired.primary ?? '', { P: provider })
  return (
    <div className={classOf('reconnect', classNames)}>
      <button type="button" className={classOf('primary', classNames)} onClick={() => reconnect.reconnect()} {...(told && { 'aria-describedby': id })}>
        {labelOf(told) ?? usual}
      </button>
      {told && <Notice id={id} incident={withoutReconnect(told)} reconnect={reconnect} classNames={classNames} alert={told.tone === 'warning'} />}
    </div>
  )
}

function labelOf(incident: Incident | null): string | undefined {
  return incident?.primary?.step === 'reconnect' ? incident.primary.label : undefined
}

/** The button itself does it. */
function withoutReconnect(incident: Incident): Incident {
  return incident.primary?.step === 'reconnect' ? { ...incident, primary: null } : incident
}
