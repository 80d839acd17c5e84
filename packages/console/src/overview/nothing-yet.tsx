import type { ReactNode } from 'react'
import { buttonClass } from '../design/button.tsx'
import { Empty } from '../design/states.tsx'
import { To } from '../router/link.tsx'

/** No connection was ever made here. */
export function NothingYet(): ReactNode {
  return (
    <Empty
      title="No connections yet"
      action={
        <To to="/welcome" className={buttonClass({ look: 'primary' })}>
          Make the first one
        </To>
      }
    >
      <p>A connection is one grant of one person at one provider. Evergrant keeps it alive and says here when it cannot.</p>
    </Empty>
  )
}
