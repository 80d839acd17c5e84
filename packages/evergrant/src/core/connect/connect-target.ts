import type { Connection } from '../connection/connection.ts'
import type { ConnectionId } from '../ids.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'

/**
 * Where a grant of this account belongs. `create`: a new connection (or the owner's existing one of this account).
 * `repair`: the session's own connection. `sibling`: another connection of the same owner has this account; it is
 * offered, never taken silently. `other`: a different account, nothing to repair. `gone`: the connection ended meanwhile.
 */
type ConnectTarget =
  | { readonly kind: 'create' }
  | { readonly kind: 'repair'; readonly connection: Connection }
  | { readonly kind: 'sibling'; readonly connection: Connection; readonly wanted: Connection }
  | { readonly kind: 'other'; readonly wanted: Connection }
  | { readonly kind: 'gone' }

type TargetSession = Pick<ConnectSession, 'organization' | 'integration' | 'owner' | 'connection'>

export async function targetOf(session: TargetSession, account: string | null, ports: Pick<ConnectPorts, 'connections'>): Promise<ConnectTarget> {
  if (session.connection === null) return { kind: 'create' }
  const wanted = (await ports.connections.get(session.organization, session.connection))?.connection
  if (wanted === undefined || wanted.state === 'disconnected') return { kind: 'gone' }
  if (account !== null && wanted.account === account) return { kind: 'repair', connection: wanted }
  const sibling = await siblingOf(session, account, ports)
  if (sibling !== undefined) return { kind: 'sibling', connection: sibling, wanted }
  return wanted.account === null ? { kind: 'repair', connection: wanted } : { kind: 'other', wanted }
}

async function siblingOf(session: TargetSession, account: string | null, ports: Pick<ConnectPorts, 'connections'>): Promise<Connection | undefined> {
  if (account === null) return undefined
  const rows = await ports.connections.byOwner(session.organization, session.integration, session.owner)
  return rows.map((row) => row.connection).find((one) => one.account === account && one.id !== session.connection && one.state !== 'disconnected')
}

/** The id a session's new connection gets: decided beforehand, so that repeating the last step cannot make a second one. */
export function connectionOf(session: Pick<ConnectSession, 'id'>): ConnectionId {
  return `con_${session.id.slice('cs_'.length)}`
}
