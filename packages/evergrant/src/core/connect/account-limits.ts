import { SYSTEM_ACTOR } from '../audit/event.ts'
import type { Connection } from '../connection/connection.ts'
import type { ConnectionId } from '../ids.ts'
import { accountOfVariable } from '../provider/account.ts'
import { capIsNear } from '../provider/lifetimes.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { connectEvent } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import type { FlowContext } from './flow-context.ts'

type LimitPorts = Pick<ConnectPorts, 'connections' | 'events' | 'probe' | 'clock' | 'entropy' | 'log'>
type SessionOf = Pick<ConnectSession, 'organization' | 'integration' | 'owner' | 'connection'>

/** The account, where it is told before the flow (Shopify's shop); null while nobody knows it. */
export function accountTold({ account: [first] }: Pick<ProviderRecord, 'account'>, given: Readonly<Record<string, string>>): string | null {
  return first?.from === 'variable' ? accountOfVariable(first, given[first.name]) : null
}

/** Live connections of an account that the session's own grant would not repair. */
export async function heldByOthers(session: SessionOf, account: string, ports: Pick<ConnectPorts, 'connections'>): Promise<readonly Connection[]> {
  return (await live(session, account, ports)).filter((connection) => !isOwn(connection, session))
}

/**
 * Where a provider keeps one grant per account, a consent has ended the account's other grants by the time its code is exchanged,
 * whatever becomes of the session. That is written down, and the others are presented now, so that the provider says it
 * and nobody is surprised later: nothing is marked on our word. `own`: the connection that the session would have repaired.
 */
export async function tellSuperseded(flowing: FlowContext, account: string | null, which: 'others' | 'own', ports: LimitPorts): Promise<void> {
  const { session, context } = flowing
  if (account === null || !context.record.lifetimes.onePerAccount) return
  try {
    for (const connection of await live(session, account, ports)) {
      if (isOwn(connection, session) !== (which === 'own')) continue
      const event = {
        type: 'connection.superseded' as const,
        actor: SYSTEM_ACTOR,
        session,
        connection: connection.id,
        data: { account, owner: connection.owner },
      }
      await ports.events.append(connectEvent(event, ports))
      if (connection.state === 'active') ports.probe(connection.organization, connection.id)
    }
  } catch (error) {
    // A courtesy: the consent itself must not fail for it.
    ports.log.warn({ session: session.id, error: String(error) }, 'superseded connections could not be looked at; they are found when they are next renewed')
  }
}

/** How many live connections of the account there are now, when the provider's limit is near: the next consent ends one, or is refused. */
export async function warnNearCap(flowing: FlowContext, account: string | null, connection: ConnectionId, ports: LimitPorts): Promise<void> {
  const { session, context } = flowing
  const { cap } = context.record.lifetimes
  if (account === null || cap === null) return
  try {
    const count = (await live(session, account, ports)).length
    if (!capIsNear(cap, count)) return
    const data = { account, live: count, cap: cap.grants, next: cap.next }
    await ports.events.append(connectEvent({ type: 'connection.cap_near', actor: SYSTEM_ACTOR, session, connection, data }, ports))
  } catch (error) {
    ports.log.warn({ session: session.id, error: String(error) }, 'the connections of an account could not be counted')
  }
}

async function live({ organization, integration }: SessionOf, account: string, ports: Pick<ConnectPorts, 'connections'>): Promise<readonly Connection[]> {
  const rows = await ports.connections.byAccount(organization, integration, account)
  return rows.map((row) => row.connection).filter(({ state }) => state === 'active' || state === 'paused')
}

/** A new grant goes into the owner's connection of the same account; a reconnect into the one that it names. */
function isOwn(connection: Connection, session: SessionOf): boolean {
  return connection.id === session.connection || connection.owner === session.owner
}
