import type { Actor } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import { reuseOf } from '../provider/reuse-of.ts'
import type { ConnectionPorts } from './connection-ports.ts'
import { checkGrant, type Import, type ImportedGrant, identityOf, newImported, storeInto } from './imported-grant.ts'
import type { Integration } from './integration.ts'

/** Takes over a grant. @throws Fault `invalid_request`, `already_exists` naming the connection */
export async function importGrant(
  ports: ConnectionPorts,
  organization: OrganizationId,
  integration: Integration,
  grant: ImportedGrant,
  actor: Actor,
): Promise<{ readonly connection: ConnectionId; readonly replaced: boolean }> {
  const record = ports.providers.get(integration.provider)
  if (record === undefined) throw new Fault('conflict', { detail: `The provider ${integration.provider} is not in the catalogue any more.` })
  const job: Import = { organization, integration, record, grant, actor, now: ports.clock.wall(), spreadMs: null }
  checkGrant(job)
  const holder = await holderOf(job, ports)
  if (holder !== undefined)
    return intoExisting(job, ports, holder, `${holder} holds this refresh token already, and two connections that spend one token end its grant.`)
  const fresh = newImported(job, ports, identityOf(job, ports).fingerprint)
  const outcome = await ports.connections.insert(fresh)
  if (outcome.kind === 'inserted') return { connection: fresh.connection.id, replaced: false }
  return intoExisting(job, ports, outcome.connection, `This owner has this account at ${integration.slug} already: ${outcome.connection}.`)
}

/** The live connection of this owner that spends the same refresh token: a repeated import, told without an account. */
async function holderOf({ organization, integration, record, grant }: Import, ports: ConnectionPorts): Promise<ConnectionId | undefined> {
  if (grant.refreshToken === null || reuseOf(record, integration.settings).class === 'P0') return undefined
  const fingerprint = ports.seal.fingerprint(grant.refreshToken)
  const rows = await ports.connections.byOwner(organization, integration.id, grant.owner)
  return rows.find((row) => row.connection.state !== 'disconnected' && row.credential.fingerprint === fingerprint)?.connection.id
}

async function intoExisting(
  job: Import,
  ports: ConnectionPorts,
  id: ConnectionId,
  why: string,
): Promise<{ readonly connection: ConnectionId; readonly replaced: true }> {
  if (!job.grant.replace) throw new Fault('already_exists', { field: '/owner', detail: `${why} Send \`replace: true\` to store the grant into it.` })
  await storeInto(job, ports, id)
  return { connection: id, replaced: true }
}
