import type { Actor } from '../audit/event.ts'
import type { Connection } from '../connection/connection.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId, ConnectSessionId, OrganizationId } from '../ids.ts'
import { commitGrant } from './commit-grant.ts'
import { connectEvent, sessionFault } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { connectionOf, targetOf } from './connect-target.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import { discardStaged, expireStaged } from './expire-staged.ts'
import { failFlow } from './fail-flow.ts'
import { flowContext } from './flow-context.ts'
import { completionCode } from './flow-secret.ts'
import { missingScopes, scopesOfFlow } from './granted-scopes.ts'
import { sameSecret } from './random-token.ts'
import { openHeldGrant } from './staged-grant.ts'

export interface CompletionRequest {
  readonly organization: OrganizationId
  readonly actor: Actor
  readonly session: ConnectSessionId
  /** From the query of the application's return URL. */
  readonly code: string
  /** Whom the application's own sign-in says this browser belongs to. */
  readonly owner: string
}

export interface Completion {
  readonly connection: Connection
  /** False: an existing connection was repaired. */
  readonly created: boolean
  /** Asked for and not granted, as far as the provider tells. */
  readonly missingScopes: readonly string[]
}

/**
 * The application vouches for the owner, and only now does the grant become a connection. The same request gets the same
 * answer for ten minutes. @throws Fault `not_found`, `connect_code_invalid`, `connect_owner_mismatch`, `connect_session_used`,
 * `connect_session_expired`, `account_mismatch`, `connection_disconnected`, `refresh_in_progress`
 */
export async function complete(request: CompletionRequest, ports: ConnectPorts): Promise<Completion> {
  const session = await ports.sessions.get(request.organization, request.session)
  if (session === undefined) throw new Fault('not_found', { field: '/session', detail: `There is no connect session ${request.session} in this organization.` })
  if (session.mode !== 'verified')
    throw new Fault('connect_code_invalid', {
      field: '/session',
      detail: `A session of mode \`${session.mode}\` completes by itself; there is nothing to complete.`,
    })
  const code = session.flow === null ? null : completionCode(session, session.flow.stateHash, ports.seal)
  if (session.state === 'burned') throw new Fault('connect_session_used', { detail: 'This connect session was ended by an owner mismatch. Create a new one.' })
  if (code === null || !sameSecret(code, request.code)) throw new Fault('connect_code_invalid', { field: '/code' })
  if (session.owner !== request.owner) return burn(session, request, ports)
  if (session.state === 'completed') return repeatAnswer(session, ports)
  if (session.state !== 'staged' || session.staged === null)
    throw new Fault('connect_code_invalid', { field: '/code', detail: 'Nothing waits for this code: the sign-in has to be done again.' })
  if (session.staged.stagedAt + CONNECT_TIMES.completionMs <= ports.clock.wall()) return expire(session, ports)
  return commitStaged(session, request.actor, ports)
}

async function burn(session: ConnectSession, request: CompletionRequest, ports: ConnectPorts): Promise<never> {
  const fault = sessionFault('connect_owner_mismatch', ports.clock.wall())
  const event = connectEvent(
    { type: 'connect.refused', actor: request.actor, session, data: { code: 'connect_owner_mismatch', named: request.owner.slice(0, 255) } },
    ports,
  )
  const burned = await ports.sessions.burn(session.id, fault, event)
  if (burned) await discardStaged(session, ports)
  throw new Fault('connect_owner_mismatch', {
    field: '/owner',
    detail: 'The owner is not the one this connect session was made for. The session is ended and its grant discarded; create a new one.',
  })
}

async function expire(session: ConnectSession, ports: ConnectPorts): Promise<never> {
  await expireStaged(session, ports)
  throw new Fault('connect_session_expired', {
    field: '/code',
    detail: 'The completion code is older than ten minutes. Its grant was discarded; let the end user connect again.',
  })
}

async function commitStaged(session: ConnectSession, actor: Actor, ports: ConnectPorts): Promise<Completion> {
  if (session.staged === null) throw new Fault('connect_code_invalid', { field: '/code' })
  const grant = openHeldGrant(session.staged.grant, session, ports.seal)
  const flowing = await flowContext(session, ports, { facts: grant.facts })
  const target = await targetOf(session, grant.account, ports)
  if (target.kind === 'gone') throw new Fault('connection_disconnected')
  if (target.kind === 'other') {
    await failFlow(session, 'account_mismatch', { httpStatus: null, code: null, text: grant.accountLabel ?? grant.account }, ports)
    await discardStaged(session, ports)
    throw new Fault('account_mismatch')
  }
  // A sibling's code is only delivered after the end user pressed the button that names it.
  const connection = await commitGrant({ flowing, grant, target: target.kind === 'create' ? null : target.connection.id, actor }, ports)
  const missing = missingScopes(scopesOfFlow(session, flowing.integration, flowing.context.record), grant.scopes)
  const event = connectEvent({ type: 'connect.completed', actor, session, connection, data: { missing_scopes: missing } }, ports)
  await ports.sessions.complete(session.id, connection, event)
  return describe(session, connection, ports)
}

async function repeatAnswer(session: ConnectSession, ports: ConnectPorts): Promise<Completion> {
  const until = (session.flow?.expiresAt ?? 0) + CONNECT_TIMES.repeatMs
  if (session.result === null || ports.clock.wall() >= until) throw new Fault('connect_session_used')
  return describe(session, session.result, ports)
}

async function describe(session: ConnectSession, id: ConnectionId, ports: ConnectPorts): Promise<Completion> {
  const row = await ports.connections.get(session.organization, id)
  if (row === undefined) throw new Fault('connect_session_used')
  const integration = await ports.integrations.load(session.integration)
  const asked = scopesOfFlow(session, integration, integration === undefined ? undefined : ports.providers.get(integration.provider))
  return { connection: row.connection, created: id === connectionOf(session), missingScopes: missingScopes(asked, row.connection.scopes) }
}
