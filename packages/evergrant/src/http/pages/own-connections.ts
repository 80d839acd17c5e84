import type { ConnectionDetails } from '../../core/connection/connection-service.ts'
import { connectionNotFound } from '../../core/connection/connection-service.ts'
import { type ConnectionId, idPattern, type OrganizationId } from '../../core/ids.ts'
import { connectionReport } from '../../core/session/connection-report.ts'
import type { ShownConnection } from './connections-page.ts'
import type { PageDesk } from './page-desk.ts'

/** Whose connections a page shows. */
export interface Whose {
  readonly organization: OrganizationId
  readonly owner: string
}

const LOOKED_AT = 200
const CONNECTION_ID = new RegExp(idPattern('con'))

/** Newest first; at most 200. */
export async function connectionsOf({ parts }: PageDesk, { organization, owner }: Whose): Promise<readonly ShownConnection[]> {
  const { items } = await parts.services.connections.list(organization, { owner }, { limit: LOOKED_AT, cursor: null })
  return items.map((details) => shown(details, parts.services))
}

/** One of them. @throws Fault `not_found`, the same for somebody else's and for none */
export async function ownConnection({ parts }: PageDesk, { organization, owner }: Whose, id: string): Promise<ShownConnection> {
  if (!isConnectionId(id) || (await parts.services.connections.ownerOf(organization, id)) !== owner) throw connectionNotFound(id)
  return shown(await parts.services.connections.get(organization, id), parts.services)
}

function shown(details: ConnectionDetails, { repairLink, clock, providers }: PageDesk['parts']['services']): ShownConnection {
  return { details, report: connectionReport(details, repairLink(details), clock.wall()), record: providers.get(details.integration.provider) }
}

function isConnectionId(text: string): text is ConnectionId {
  return CONNECTION_ID.test(text)
}
