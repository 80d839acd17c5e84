import type { Connections } from '../connection/connections.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { GrantContexts } from './grant-contexts.ts'
import type { Trust } from './high-water.ts'

interface MarkingPorts {
  readonly contexts: Pick<GrantContexts, 'of'>
  readonly trust: Pick<Trust, 'stored'>
  readonly log: Log
}

/** Marks the grants that come by a connect, a reconnect or an import, as the engine marks those that it renews. */
export function markingConnections(connections: Connections, ports: MarkingPorts): Connections {
  const mark = async (organization: OrganizationId, id: ConnectionId): Promise<void> => {
    const row = await connections.get(organization, id)
    if (row === undefined) return
    const { reuse } = await ports.contexts.of(row.connection.integration)
    const { generation, fingerprint } = row.credential
    ports.trust.stored({ connection: id, generation, fingerprint }, reuse)
  }
  /** A mark is evidence for another day: what it is about has succeeded already. */
  const later = (organization: OrganizationId, id: ConnectionId) => {
    mark(organization, id).catch((error: unknown) => ports.log.warn({ connection: id, error: String(error) }, 'a new grant was not marked'))
  }
  return {
    ...connections,
    insert: async (made) => {
      const outcome = await connections.insert(made)
      if (outcome.kind === 'inserted') later(made.connection.organization, made.connection.id)
      return outcome
    },
    replaceGrant: async (replacement) => {
      const outcome = await connections.replaceGrant(replacement)
      if (outcome.kind === 'replaced') later(replacement.organization, replacement.connection)
      return outcome
    },
  }
}
