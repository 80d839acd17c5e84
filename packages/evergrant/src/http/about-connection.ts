import type { FastifyRequest } from 'fastify'
import type { ConnectionDetails } from '../core/connection/connection-service.ts'
import { Fault } from '../core/fault/fault.ts'
import type { ConnectionId } from '../core/ids.ts'
import { isMachineGrant } from '../core/provider/grant-kind.ts'
import { callerOf } from './authentication.ts'
import { wordsOf } from './connection-view.ts'
import { NEEDS_REAUTH } from './problem.ts'
import type { Services } from './services.ts'

type Ports = Pick<Services, 'connections' | 'repairLink'>

/**
 * Runs the work about one connection; when it fails, the problem gets the names of provider and account and, where only
 * its owner can help, the link that repairs it. @throws what the work throws
 */
export async function aboutConnection<Result>(request: FastifyRequest, ports: Ports, connection: ConnectionId, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Fault) || error.definition.class === 'local') throw error
    // Read after the failure: the link follows from what the failure wrote.
    const details = await ports.connections.get(callerOf(request).organization, connection).catch(() => null)
    if (details === null) throw error
    request.words = wordsOf(details)
    if (error.code === 'new_credentials_needed') throw withNewCredentials(error, details)
    throw NEEDS_REAUTH.has(error.code) ? withRepair(error, details, ports.repairLink(details)) : error
  }
}

/** No link repairs it: whoever holds the connection gives new credentials. */
function withNewCredentials(fault: Fault, { row, grant }: ConnectionDetails): Fault {
  const what = grant === null || !isMachineGrant(grant) ? 'The credentials are' : REFUSED[grant]
  const said = fault.details.detail === undefined ? '' : ` (${fault.details.detail})`
  const remedy = `Give a new one with PUT /api/v1/connections/${row.connection.id}/credentials; the connection keeps its id.`
  return new Fault(fault.code, { ...fault.details, cause: fault, detail: `${what} refused${said}, or over. ${remedy}` })
}

const REFUSED = {
  client_credentials: 'The client id and secret of this connection are',
  jwt_bearer: 'The signed request for this subject was',
  installation: 'The installation of the app was',
  api_key: 'The API key was',
  basic: 'The user name and password were',
} as const

function withRepair(fault: Fault, { row }: ConnectionDetails, reconnectUrl: string | null): Fault {
  if (reconnectUrl !== null) return new Fault(fault.code, { ...fault.details, cause: fault, reconnectUrl })
  const said = fault.details.detail === undefined ? fault.definition.operator : `${fault.details.detail}.`
  const remedy = `Make a reconnect link with POST /api/v1/connections/${row.connection.id}/reconnect and send its owner there.`
  return new Fault(fault.code, { ...fault.details, cause: fault, detail: `${said} ${remedy}` })
}
