import { Fault } from '../fault/fault.ts'
import type { Instant } from '../time.ts'
import { BROWSER } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { prepareSession, type SessionRequest, storeSession } from './create-session.ts'
import { randomToken } from './random-token.ts'
import { isStartable } from './startable.ts'

/**
 * A reconnect ended at another account, and that account may become a connection of its own: somebody vouches for the owner at the end, as for every new
 * connection. Mode `link` has nobody who could, and repairs only.
 */
export function mayConnectAsNew(session: ConnectSession, now: Instant): boolean {
  const vouched = session.mode === 'verified' || session.mode === 'signed_in'
  return vouched && session.connection !== null && session.fault?.code === 'account_mismatch' && session.state === 'open' && session.expiresAt > now
}

/**
 * The link token of a session for a new connection of the same owner, in place of the reconnect; that one stays as it was. Pressed twice it is the same one
 * while that can be started. @throws Fault `connect_session_used`, and as `createSession`
 */
export async function connectAsNew(session: ConnectSession, ports: ConnectPorts): Promise<string> {
  if (!mayConnectAsNew(session, ports.clock.wall())) throw new Fault('connect_session_used')
  const derived = ports.seal.mac('connect as new', `${session.id}.${session.flow?.stateHash ?? ''}`)
  const known = await ports.sessions.byTokenHash(ports.seal.digest(derived))
  const now = ports.clock.wall()
  // It lives half an hour, and the reconnect that leads to it for days.
  if (known !== undefined && known.expiresAt > now && isStartable(known, now)) return derived
  const token = known === undefined ? derived : randomToken(ports.entropy)
  const prepared = await prepareSession(requestOf(session), ports, token)
  try {
    await storeSession(prepared.session, BROWSER, ports)
  } catch (error) {
    // The same button in two windows: whoever came first has stored it.
    if ((await ports.sessions.byTokenHash(prepared.session.tokenHash)) === undefined) throw error
  }
  return token
}

function requestOf(session: ConnectSession): SessionRequest {
  const { organization, integration, owner, mode, returnUrl, scopes } = session
  // What the other account was asked for (its shop, its region) may be different for this one.
  return { organization, actor: BROWSER, integration, owner, mode, returnUrl, scopes, variables: {}, connection: null }
}
