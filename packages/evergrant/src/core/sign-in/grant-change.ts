import { atRest, firstGrant, type GrantToCommit, overtaken, replacement } from '../connect/commit-grant.ts'
import type { ConnectPorts } from '../connect/connect-ports.ts'
import { connectionOf } from '../connect/connect-target.ts'
import type { ConnectionId } from '../ids.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import type { GrantChange } from './sign-ins.ts'

/** Where the grant of a sign-in belongs: into the person's live connection of the same account, else into a new one. Writes nothing. @throws Fault `refresh_in_progress` */
export async function grantChange(
  signIn: Omit<GrantToCommit, 'target'>,
  ports: ConnectPorts,
): Promise<{ readonly change: GrantChange; readonly connection: ConnectionId }> {
  const { session } = signIn.flowing
  const held = async (): Promise<GrantRow | undefined> => {
    const rows = await ports.connections.byOwner(session.organization, session.integration, session.owner)
    return rows.find(({ connection }) => connection.state !== 'disconnected' && connection.account === signIn.grant.account)
  }
  const row = await atRest(signIn, held, ports)
  if (row === undefined) {
    const connection = connectionOf(session)
    return { connection, change: { kind: 'insert', connection: firstGrant({ ...signIn, target: null }, connection, ports) } }
  }
  const connection = row.connection.id
  if (overtaken(row.connection.consentedAt, signIn.grant.obtainedAt, ports.clock.wall())) return { connection, change: { kind: 'keep', connection } }
  return { connection, change: { kind: 'replace', replacement: replacement({ ...signIn, target: connection }, row, ports) } }
}
