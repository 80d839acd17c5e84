import { tellSuperseded } from './account-limits.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { discardTokens } from './discard-tokens.ts'
import { failFlow } from './fail-flow.ts'
import { flowContext } from './flow-context.ts'
import { type HeldGrant, openHeldGrant } from './staged-grant.ts'

/** Nobody confirmed in time: the session can be tried again while it lives, and the grant goes back. */
export async function expireStaged(session: ConnectSession, ports: ConnectPorts): Promise<void> {
  await failFlow(session, 'connect_session_expired', { httpStatus: null, code: null, text: null }, ports)
  await discardStaged(session, ports)
}

/** Gives a staged grant back, unless a connection has it. Never rejects: a grant that cannot be given back ends by itself. */
export async function discardStaged(session: ConnectSession, ports: ConnectPorts): Promise<void> {
  if (session.staged === null) return
  try {
    const grant = openHeldGrant(session.staged.grant, session, ports.seal)
    if (await isCommitted(session, grant, ports)) return
    const flowing = await flowContext(session, ports, { facts: grant.facts })
    await discardTokens(flowing, grant.tokens, ports)
    await tellSuperseded(flowing, grant.account, 'own', ports)
  } catch (error) {
    ports.log.warn(
      { session: session.id, error: error instanceof Error ? error.name : 'unknown' },
      'a discarded grant could not be given back; it ends by itself',
    )
  }
}

/** Somebody completed the session while it was given up: the tokens are a connection's by now, and giving them back would end it. */
async function isCommitted({ organization, integration, owner }: ConnectSession, { obtainedAt }: HeldGrant, ports: ConnectPorts): Promise<boolean> {
  const rows = await ports.connections.byOwner(organization, integration, owner)
  return rows.some(({ connection }) => connection.state !== 'disconnected' && connection.consentedAt === obtainedAt)
}
