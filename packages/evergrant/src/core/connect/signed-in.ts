import type { Actor } from '../audit/event.ts'
import { commitGrant } from './commit-grant.ts'
import { connectEvent, sessionFault } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { BrowserPerson, ConnectSession } from './connect-sessions.ts'
import { targetOf } from './connect-target.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import { discardStaged, expireStaged } from './expire-staged.ts'
import type { FlowOutcome } from './fail-flow.ts'
import { flowContext } from './flow-context.ts'
import { missingScopes, scopesOfFlow } from './granted-scopes.ts'
import { returnTo } from './return-url.ts'
import { openHeldGrant } from './staged-grant.ts'

/** The person is the one that the session was made for. */
export function isOwnerOf({ owner, organization }: Pick<BrowserPerson, 'owner' | 'organization'>, session: ConnectSession): boolean {
  return owner === session.owner && organization === session.organization
}

/**
 * Mode `signed_in`: the browser's own person confirms. Nobody there: the grant waits for them. Somebody else: the session is burned, and its grant goes
 * back. `sibling`: what to do about an account of another connection of theirs. @throws Fault `connection_disconnected`
 */
export async function finishSignedIn(
  session: ConnectSession,
  person: BrowserPerson | null,
  sibling: 'offer' | 'accept',
  ports: ConnectPorts,
): Promise<FlowOutcome> {
  if (session.staged === null) return { kind: 'page', session: session.id }
  if (person !== null && !isOwnerOf(person, session)) return burn(session, person, ports)
  if (session.staged.stagedAt + CONNECT_TIMES.completionMs <= ports.clock.wall()) {
    await expireStaged(session, ports)
    return { kind: 'page', session: session.id }
  }
  if (person === null) return { kind: 'sign_in_first', session: session.id }
  const grant = openHeldGrant(session.staged.grant, session, ports.seal)
  const target = await targetOf(session, grant.account, ports)
  // Refused before it was staged; between then and now somebody may have changed what it belongs to.
  if (target.kind === 'other' || target.kind === 'gone') return { kind: 'page', session: session.id }
  if (target.kind === 'sibling' && sibling === 'offer') return { kind: 'page', session: session.id }
  const flowing = await flowContext(session, ports, { facts: grant.facts })
  const actor: Actor = { kind: 'user', id: person.user }
  const connection = await commitGrant({ flowing, grant, target: target.kind === 'create' ? null : target.connection.id, actor }, ports)
  const data = {
    missing_scopes: [...missingScopes(scopesOfFlow(session, flowing.integration, flowing.context.record), grant.scopes)],
    sibling: target.kind === 'sibling',
  }
  await ports.sessions.complete(session.id, connection, connectEvent({ type: 'connect.completed', actor, session, connection, data }, ports))
  return signedInReturn(session)
}

/** To the application, which learns nothing but that it is done; without an address of it, our own page. */
export function signedInReturn({ id, returnUrl }: ConnectSession): FlowOutcome {
  return returnUrl === null ? { kind: 'page', session: id } : { kind: 'return', url: returnTo(returnUrl, { session: id }) }
}

/** Somebody else's browser came back with this flow: no second try for anybody. */
export async function burn(session: ConnectSession, person: BrowserPerson | null, ports: ConnectPorts): Promise<FlowOutcome> {
  const code = 'connect_owner_mismatch'
  const actor: Actor = person === null ? { kind: 'browser', id: null } : { kind: 'user', id: person.user }
  const event = connectEvent({ type: 'connect.refused', actor, session, data: { code, why: 'other_person' } }, ports)
  if (await ports.sessions.burn(session.id, sessionFault(code, ports.clock.wall()), event)) await discardStaged(session, ports)
  return { kind: 'refused', code }
}
