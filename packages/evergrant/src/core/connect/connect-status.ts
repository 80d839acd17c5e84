import type { FaultCode } from '../fault/fault.ts'
import type { ConnectionId, ConnectSessionId, OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession, ConnectSessionState } from './connect-sessions.ts'
import { isToken } from './random-token.ts'
import { isStartable } from './startable.ts'

/** A backend asks by organization; whoever holds the link asks with it. */
export type StatusQuestion =
  | { readonly id: ConnectSessionId; readonly organization: OrganizationId }
  | { readonly id: ConnectSessionId; readonly token: string }

export interface ConnectStatus {
  readonly id: ConnectSessionId
  readonly owner: string
  /** As stored, and `expired` once the link has ended without success. */
  readonly state: ConnectSessionState | 'expired'
  /** The connection that came out. */
  readonly connection: ConnectionId | null
  /** What ended the latest try; gone with the next one. */
  readonly fault: FaultCode | null
  /** The same link can be used (again). */
  readonly startable: boolean
  readonly expiresAt: Instant
}

/** The truth about a flow, whatever became of its window. Undefined: no such session for whoever asks. */
export async function connectStatus(question: StatusQuestion, ports: ConnectPorts): Promise<ConnectStatus | undefined> {
  const session = await sessionOf(question, ports)
  if (session === undefined || session.mode === 'sign_in') return undefined
  const now = ports.clock.wall()
  const live = session.expiresAt > now
  const over = !live && session.state !== 'completed' && session.state !== 'burned'
  return {
    id: session.id,
    owner: session.owner,
    state: over ? 'expired' : session.state,
    connection: session.result,
    fault: session.fault?.code ?? null,
    startable: live && isStartable(session, now),
    expiresAt: session.expiresAt,
  }
}

async function sessionOf(question: StatusQuestion, ports: ConnectPorts): Promise<ConnectSession | undefined> {
  if ('organization' in question) return ports.sessions.get(question.organization, question.id)
  if (!isToken(question.token)) return undefined
  const session = await ports.sessions.byTokenHash(ports.seal.digest(question.token))
  return session?.id === question.id ? session : undefined
}
