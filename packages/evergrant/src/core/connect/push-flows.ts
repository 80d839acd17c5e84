import { Fault } from '../fault/fault.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import type { FlowContext } from './flow-context.ts'
import { pushState } from './flow-secret.ts'
import { randomToken } from './random-token.ts'

/** Flows of one integration that one browser has begun; whoever has more has not come back from any. */
const MOST_FLOWS = 100

/**
 * The state of a new flow. A provider that pushes its code does not repeat the state in the browser, so it is derived from the
 * browser's own id, and whoever comes back with that finds it again. @throws Fault `connect_session_used` when this browser began too many
 */
export async function newState({ session, integration, context }: FlowContext, redirectUri: string, browserId: string, ports: ConnectPorts): Promise<string> {
  if (context.record.authorize.callback.by === 'redirect') return randomToken(ports.entropy)
  const where = redirectUri === `${ports.publicUrl}/connect/callback/${integration.slug}` ? integration.slug : null
  for (let nth = 0; nth < MOST_FLOWS; nth += 1) {
    const state = pushState(browserId, where, nth, ports.seal)
    const other = await ports.sessions.byStateHash(ports.seal.digest(state))
    if (other === undefined || other.id === session.id) return state
  }
  throw new Fault('connect_session_used', { detail: 'This browser has begun too many sign-ins that it did not finish.' })
}

/** The flow of a browser that comes back without a state: the latest that waits, else the latest that ended. */
export async function flowOfBrowser(browserId: string, slug: string | null, ports: ConnectPorts): Promise<ConnectSession | undefined> {
  const now = ports.clock.wall()
  let found: ConnectSession | undefined
  for (let nth = 0; nth < MOST_FLOWS; nth += 1) {
    const session = await ports.sessions.byStateHash(ports.seal.digest(pushState(browserId, slug, nth, ports.seal)))
    if (session === undefined) break
    if (found === undefined || rank(session, now) > rank(found, now)) found = session
  }
  return found
}

function rank({ state, flow }: ConnectSession, now: number): number {
  const waits = state === 'started' && flow !== null && flow.expiresAt > now
  return (flow?.startedAt ?? 0) + (waits ? now : 0)
}
