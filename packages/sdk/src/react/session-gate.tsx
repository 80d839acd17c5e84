import type { ReactNode } from 'react'
import { stateIncident, tell } from './incidents.ts'
import { Notice } from './notice.tsx'
import { useSetting } from './provider.tsx'
import { hasLeftHere, type SessionView, useSession } from './session.ts'
import { useNow } from './use-now.ts'

interface GateProps {
  /** While nobody knows yet. */
  readonly pending?: ReactNode
  /** Instead of the message with its button. */
  readonly signedOut?: ReactNode | ((session: SessionView) => ReactNode)
  /** For those who are signed in, whatever the network does. */
  readonly children?: ReactNode
}

/** Shows the application to those who are signed in. Trouble of the network is not a reason to take it away. */
export function SessionGate({ pending = null, signedOut, children }: GateProps): ReactNode {
  const { client, labels, places } = useSetting()
  const session = useSession()
  const now = useNow(session.retryAt)
  const told = { labels, now, places }
  if (session.status === 'signed_out') {
    if (typeof signedOut === 'function') return signedOut(session)
    const code = (!hasLeftHere(client) && session.code) || 'session_missing'
    return signedOut ?? <Notice incident={tell(code, told, { tone: 'info' })} />
  }
  if (session.user !== null) return children
  // Nobody was heard yet: without an answer, say so, and do not guess.
  const trouble = stateIncident(session, told)
  return session.degraded && trouble ? <Notice incident={trouble} /> : pending
}
