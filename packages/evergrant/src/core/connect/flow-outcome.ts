import type { ConnectSessionId } from '../ids.ts'
import { isNamedByBrowser } from '../provider/account.ts'
import { commitGrant } from './commit-grant.ts'
import { BROWSER, connectEvent } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { BrowserPerson, ConnectSession } from './connect-sessions.ts'
import { targetOf } from './connect-target.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import { discardTokens } from './discard-tokens.ts'
import { type FlowOutcome, failFlow } from './fail-flow.ts'
import { flowContext } from './flow-context.ts'
import { completionCode } from './flow-secret.ts'
import { returnTo } from './return-url.ts'
import { finishSignedIn, signedInReturn } from './signed-in.ts'
import { openHeldGrant } from './staged-grant.ts'

/** The same callback again, or a twin of it: waits for the first to end and answers what it answered. */
export async function settledOutcome(session: ConnectSession, person: BrowserPerson | null, ports: ConnectPorts): Promise<FlowOutcome> {
  const until = ports.clock.mono() + CONNECT_TIMES.twinWaitMs
  let current = await ports.sessions.load(session.id)
  while (current?.state === 'exchanging' && ports.clock.mono() < until) {
    await ports.timers.sleep(CONNECT_TIMES.twinPollMs)
    current = await ports.sessions.load(session.id)
  }
  return flowOutcome(session.id, person, ports)
}

/** What this session's own browser sees, from what is stored. */
export async function flowOutcome(id: ConnectSessionId, person: BrowserPerson | null, ports: ConnectPorts): Promise<FlowOutcome> {
  const session = await ports.sessions.load(id)
  if (session === undefined || session.state === 'burned') return { kind: 'refused', code: 'connect_session_used' }
  if (session.mode === 'sign_in' && (session.state === 'staged' || session.state === 'completed')) return { kind: 'signing_in', session: id }
  if (session.state === 'staged') return stagedOutcome(session, person, ports)
  if (session.state === 'completed' && session.mode === 'verified') return repeatedReturn(session, ports)
  if (session.state === 'completed' && session.mode === 'signed_in') return signedInReturn(session)
  return { kind: 'page', session: id }
}

async function stagedOutcome(session: ConnectSession, person: BrowserPerson | null, ports: ConnectPorts): Promise<FlowOutcome> {
  if (session.mode === 'signed_in') return finishSignedIn(session, person, 'offer', ports)
  const target = await targetOf(session, session.staged?.account ?? null, ports)
  if (target.kind === 'sibling') return { kind: 'page', session: session.id }
  return session.mode === 'link' ? commitLink(session, ports) : { kind: 'return', url: applicationUrl(session, ports) }
}

/** The same redirect again for as long as connect/complete would repeat its answer. */
function repeatedReturn(session: ConnectSession, ports: ConnectPorts): FlowOutcome {
  const until = (session.flow?.expiresAt ?? 0) + CONNECT_TIMES.repeatMs
  return ports.clock.wall() < until ? { kind: 'return', url: applicationUrl(session, ports) } : { kind: 'refused', code: 'connect_session_used' }
}

/** Where the browser delivers the completion code: the only place where it ever appears. */
export function applicationUrl(session: ConnectSession, ports: Pick<ConnectPorts, 'seal'>): string {
  const code = completionCode(session, session.flow?.stateHash ?? '', ports.seal)
  return returnTo(session.returnUrl ?? '', { session: session.id, code })
}

/** Mode `link`: the account is the stored one, so the browser's own success completes it. */
async function commitLink(session: ConnectSession, ports: ConnectPorts): Promise<FlowOutcome> {
  if (session.staged === null) return { kind: 'page', session: session.id }
  const grant = openHeldGrant(session.staged.grant, session, ports.seal)
  const flowing = await flowContext(session, ports, { facts: grant.facts })
  const target = await targetOf(session, grant.account, ports)
  // The account is known at creation; what is not certainly the same account never commits without an owner's word.
  if (
    isNamedByBrowser(flowing.context.record) ||
    target.kind !== 'repair' ||
    target.connection.account === null ||
    target.connection.account !== grant.account
  ) {
    await discardTokens(flowing, grant.tokens, ports)
    return failFlow(session, 'account_mismatch', { httpStatus: null, code: null, text: null }, ports)
  }
  const connection = await commitGrant({ flowing, grant, target: target.connection.id, actor: BROWSER }, ports)
  await ports.sessions.complete(session.id, connection, connectEvent({ type: 'connect.completed', actor: BROWSER, session, connection }, ports))
  return { kind: 'page', session: session.id }
}
