import { Fault } from '../fault/fault.ts'
import { commitGrant } from './commit-grant.ts'
import { BROWSER, connectEvent } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { BrowserPerson, ConnectSession } from './connect-sessions.ts'
import { targetOf } from './connect-target.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import type { FlowOutcome } from './fail-flow.ts'
import { flowContext } from './flow-context.ts'
import { applicationUrl } from './flow-outcome.ts'
import { finishSignedIn } from './signed-in.ts'
import { openHeldGrant } from './staged-grant.ts'

/**
 * The end user signed in with the account of another connection of the same owner, and pressed the button that repairs
 * that one. `verified` still asks the application for the owner; `link` commits, because the account is a stored one.
 * @throws Fault `connect_session_used`, `connect_session_expired`
 */
export async function acceptSibling(session: ConnectSession, person: BrowserPerson | null, ports: ConnectPorts): Promise<FlowOutcome> {
  if (session.state === 'completed') return { kind: 'page', session: session.id }
  if (session.state !== 'staged' || session.staged === null) throw new Fault('connect_session_used')
  if (session.staged.stagedAt + CONNECT_TIMES.completionMs <= ports.clock.wall()) throw new Fault('connect_session_expired')
  if (session.mode === 'signed_in') return finishSignedIn(session, person, 'accept', ports)
  const grant = openHeldGrant(session.staged.grant, session, ports.seal)
  const target = await targetOf(session, grant.account, ports)
  if (target.kind !== 'sibling') throw new Fault('connect_session_used')
  if (session.mode === 'verified') return { kind: 'return', url: applicationUrl(session, ports) }
  const flowing = await flowContext(session, ports, { facts: grant.facts })
  const connection = await commitGrant({ flowing, grant, target: target.connection.id, actor: BROWSER }, ports)
  await ports.sessions.complete(
    session.id,
    connection,
    connectEvent({ type: 'connect.completed', actor: BROWSER, session, connection, data: { sibling: true } }, ports),
  )
  return { kind: 'page', session: session.id }
}
