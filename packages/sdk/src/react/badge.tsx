import type { ReactNode } from 'react'
import { type ClassNames, classOf } from './class-names.ts'
import { type ConnectionView, useConnection } from './connections.ts'
import { Icon } from './icons.tsx'
import { useSetting } from './setting.ts'

interface Props {
  readonly connectionId: string
  readonly classNames?: ClassNames
  readonly children?: (connection: ConnectionView) => ReactNode
}

/** The state of one connection: an icon and its word, so that nothing depends on colour. */
export function ConnectionBadge({ connectionId, classNames, children }: Props): ReactNode {
  const { labels } = useSetting()
  const connection = useConnection(connectionId)
  if (children) return children(connection)
  return (
    <span className={classOf('badge', classNames)} data-status={connection.status}>
      <Icon name={connection.status} className={classOf('icon', classNames)} />
      {labels.status[connection.status]}
    </span>
  )
}
