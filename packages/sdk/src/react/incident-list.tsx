import { type ReactNode, type RefObject, useSyncExternalStore } from 'react'
import type { ClassNames } from './class-names.ts'
import type { Dismissals } from './dismissals.ts'
import type { Incident } from './incident.ts'
import { connectionIncident, stateIncident, tell, worstFirst } from './incidents.ts'
import type { Kit } from './kit.ts'
import { Notice } from './notice.tsx'
import type { BannerProps } from './setting.ts'
import { count } from './words.ts'

interface Props extends BannerProps {
  readonly kit: Kit
  readonly dismissals: Dismissals
  readonly region: RefObject<HTMLElement | null>
}

/** All incidents that were not put away, the worst first. */
export function IncidentList({ kit, dismissals, region, classNames, max = 3, children }: Props): ReactNode {
  const { classOf, useSetting } = kit
  const { labels } = useSetting()
  const incidents = useIncidents(kit, dismissals)
  const dismiss = (incident: Incident): void => {
    dismissals.dismiss(incident.key, incident.dismissedUntil)
    // The button that was pressed goes away: the focus stays in its place instead of falling to the top of the page.
    region.current?.focus()
  }
  if (children) return children(incidents, dismiss)
  const hidden = incidents.length - max
  return (
    <>
      {incidents.length > 0 && (
        <ul className={classOf('list', classNames)}>
          {incidents.slice(0, max).map((incident) => (
            <Item key={incident.connection?.id ?? incident.key} kit={kit} incident={incident} classNames={classNames} onDismiss={() => dismiss(incident)} />
          ))}
        </ul>
      )}
      {hidden > 0 && <p className={classOf('more', classNames)}>{count(labels, labels.more, hidden)}</p>}
    </>
  )
}

interface ItemProps {
  readonly kit: Kit
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
  const { useReconnect } = rest.kit
  const reconnect = useReconnect(id)
  const failed = reconnect.incident?.tone === 'warning'
  return <Notice as="li" incident={reconnect.incident ?? incident} reconnect={reconnect} alert={failed} {...rest} />
}

function useIncidents({ useSetting, useEvergrantState, useConnections, useNow }: Kit, dismissals: Dismissals): Incident[] {
  const { labels, places, healed } = useSetting()
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
