import type { Connection } from '../connection/connection.ts'
import type { FaultCode } from '../fault/fault.ts'
import { isNamedByBrowser } from '../provider/account.ts'
import type { Instant } from '../time.ts'
import { BROWSER } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { type ConnectView, connectView } from './connect-view.ts'
import { prepareSession, type SessionRequest, storeSession } from './create-session.ts'
import { randomToken } from './random-token.ts'
import { isGenuine, isRepairable, linkEnd, readRepairLink, repairLink, repairSessionToken } from './repair-link.ts'
import { isStartable } from './startable.ts'

/**
 * What is behind a repair link. `broken`: its button would start the repair; `url` is today's link to the same, which works until `until`. `repaired`: the grant works again. `gone`:
 * the connection was disconnected. `unknown`: not a link of ours, too old, or of an earlier break.
 */
export type Repair =
  | {
      readonly kind: 'broken'
      readonly connection: Connection
      readonly why: FaultCode
      readonly view: ConnectView
      readonly url: string
      readonly until: Instant
    }
  | { readonly kind: 'repaired'; readonly view: ConnectView }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' }

/** Looks at a repair link; changes nothing. @throws Fault `client_rejected` when the provider left the catalogue */
export async function lookAtRepair(text: string, ports: ConnectPorts): Promise<Repair> {
  const link = readRepairLink(text)
  const connection = link === null ? undefined : (await ports.credentials.read(link.connection))?.connection
  if (link === null || connection === undefined || !isGenuine(link, connection.organization, ports)) return { kind: 'unknown' }
  if (connection.state === 'disconnected') return { kind: 'gone' }
  if (await isUnproven(connection, ports)) return { kind: 'unknown' }
  if (connection.state === 'needs_reauth' && (!isRepairable(connection) || connection.fault.at !== link.brokenAt)) return { kind: 'unknown' }
  const { session } = await prepareSession(requestOf(connection), ports)
  const view = await connectView(session, ports)
  return isRepairable(connection)
    ? {
        kind: 'broken',
        connection,
        why: connection.fault.code,
        view,
        url: repairLink(connection, ports.publicUrl, ports) ?? '',
        until: linkEnd(ports.clock.wall()),
      }
    : { kind: 'repaired', view }
}

/** Links of an earlier version may still be in somebody's mail. */
async function isUnproven({ organization, integration }: Connection, ports: ConnectPorts): Promise<boolean> {
  const provider = (await ports.integrations.get(organization, integration))?.provider ?? ''
  const record = ports.providers.get(provider)
  return record !== undefined && isNamedByBrowser(record)
}

/** The connect session of a repair: the one of today, while it can be started. @throws Fault as `prepareSession` */
export async function openRepair(connection: Connection, ports: ConnectPorts): Promise<ConnectSession> {
  const token = repairSessionToken(connection, connection.fault?.at ?? 0, ports)
  const known = await ports.sessions.byTokenHash(ports.seal.digest(token))
  if (known !== undefined && isStartable(known, ports.clock.wall())) return known
  // Today's was spent without repairing this connection (on a sibling), or is being finished in another window.
  const request = requestOf(connection)
  const prepared = await prepareSession(request, ports, known === undefined ? token : randomToken(ports.entropy))
  try {
    await storeSession(prepared.session, request.actor, ports)
    return prepared.session
  } catch (error) {
    // The same button in two windows: whoever came first has stored it.
    const first = await ports.sessions.byTokenHash(prepared.session.tokenHash)
    if (first === undefined) throw error
    return first
  }
}

function requestOf(connection: Connection): SessionRequest {
  return {
    organization: connection.organization,
    actor: BROWSER,
    integration: null,
    owner: null,
    mode: 'link',
    returnUrl: null,
    scopes: null,
    variables: {},
    connection: connection.id,
  }
}
