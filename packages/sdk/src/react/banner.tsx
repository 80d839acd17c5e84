import { type ReactNode, useRef, useSyncExternalStore } from 'react'
import { type ClassNames, classOf } from './class-names.ts'
import { useConnections } from './connections.ts'
import { connectionIncident, type Incident, stateIncident, tell, worstFirst } from './incidents.ts'
import { Notice } from './notice.tsx'
import { useSetting } from './provider.tsx'
import { useReconnect } from './reconnect.ts'
import { useEvergrantState } from './session.ts'
import { useNow } from './use-now.ts'
import { count } from './words.ts'

interface Props {
  readonly classNames?: ClassNames
  /** How many are shown at once; 3. The others are counted. */
  readonly max?: number
  /** Renders them your way; the worst is the first. */
  readonly children?: (incidents: readonly Incident[], dismiss: (incident: Incident) => void) => ReactNode
}

/**
 * Everything that needs attention, the worst first, each with its next step. One for the whole application: it is its live region for screen readers,
 * so it stays in the page, empty, while all is well.
 */
export function ConnectionStatusBanner({ classNames, max = 3, children }: Props): ReactNode {
  const { labels, dismissals } = useSetting()
  const region = useRef<HTMLDivElement>(null)
  const incidents = useIncidents()
  const dismiss = (incident: Incident): void => {
    dismissals.dismiss(incident.key, incident.dismissedUntil)
    // The button that was pressed goes away: the focus stays in its place instead of falling to the top of the page.
    region.current?.focus()
  }
  const hidden = incidents.length - max
  return (
    <div ref={region} tabIndex={-1} role="status" aria-label={labels.region} className={classOf('banner', classNames)}>
      {children ? (
        children(incidents, dismiss)
      ) : (
        <>
          {incidents.length > 0 && (
            <ul className={classOf('list', classNames)}>
              {incidents.slice(0, max).map((incident) => (
                <Item key={incident.connection?.id ?? incident.key} incident={incident} classNames={classNames} onDismiss={() => dismiss(incident)} />
              ))}
            </ul>
          )}
          {hidden > 0 && <p className={classOf('more', classNames)}>{count(labels, labels.more, hidden)}</p>}
        </>
      )}
    </div>
  )
}

interface ItemProps {
  readonly incident: Incident
  readonly classNames: ClassNames | undefined
  readonly onDismiss: () => void
}

function Item({ incident, ...rest }: ItemProps): ReactNode {
  // Something between device and server, or what went well, needs no reconnect.
  if (incident.connection === null || incident.tone === 'success') return <Notice as="li" incident={incident} {...rest} />
  return <ConnectionItem incident={incident} id={incident.connection.id} {...rest} />
}

function ConnectionItem({ incident, id, ...rest }: ItemProps & { readonly id: string }): ReactNode {
  const reconnect = useReconnect(id)
  const failed = reconnect.incident?.tone === 'warning'
  return <Notice as="li" incident={reconnect.incident ?? incident} reconnect={reconnect} alert={failed} {...rest} />
}

/** All incidents that were not put away, the worst first. */
function useIncidents(): Incident[] {
  const { labels, places, dismissals, healed } = useSetting()
  const state = useEvergrantState()
  const connections = useConnections()
  useSyncExternalStore(dismissals.subscribe, dismissals.snapshot, dismissals.snapshot)
  const now = useNow(state, connections) + state.clockSkewMs
  const told = { labels, now, places }
  const all = [
    ...(healed ? [tell('reconnected', told, { tone: 'success', connection: healed })] : []),
    stateIncident(state, told),
    ...(connections ?? []).map((connection) => connectionIncident(connection, told)),
  ]
  return worstFirst(all.filter((incident) => incident !== null && dismissals.until(incident.key) <= now) as Incident[])
}
