import type { ReactNode } from 'react'
import type { MessageCode } from './labels.ts'
import { hasLeftHere, type SessionView, useSession } from './session.ts'
import { useSetting } from './setting.ts'
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
  const { client, labels, places, messages } = useSetting()
  const session = useSession()
  const now = useNow(session.retryAt)
  const told = { labels, now, places }
  if (session.status === 'signed_out') {
    if (typeof signedOut === 'function') return signedOut(session)
    const code = (!hasLeftHere(client) && session.code) || 'session_missing'
    if (signedOut !== undefined) return signedOut
    if (messages) return <messages.Notice incident={messages.tell(code, told, { tone: 'info' })} />
    return messages === null ? <Bare code={code} /> : pending
  }
  if (session.user !== null) return children
  // Nobody was heard yet: without an answer, say so, and do not guess.
  const trouble = session.degraded && messages?.stateIncident(session, told)
  return messages && trouble ? <messages.Notice incident={trouble} /> : pending
}

/** When the looks could not be loaded: what it is about, and the way to sign in where that is an address. */
function Bare({ code }: { readonly code: string }): ReactNode {
  const { labels, actions, Link } = useSetting()
  const { title, primary } = labels.messages[code as MessageCode] ?? labels.messages.session_missing
  return <p>{typeof actions.sign_in === 'string' ? <Link href={actions.sign_in}>{`${title}: ${primary}`}</Link> : title}</p>
}
