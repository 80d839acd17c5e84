import type { Connection } from '../../core/connection/connection.ts'
import type { DisconnectOutcome, DisconnectRequest } from '../../core/connection/connections.ts'
import type { Integration } from '../../core/connection/integration.ts'
import type { IntegrationId } from '../../core/ids.ts'
import type { GrantCommit } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { NO_FLIGHT } from './claims.ts'
import type { StoredConnection } from './connection-table.ts'
import type { Tables } from './tables.ts'

export function disconnect(tables: Tables, request: DisconnectRequest): DisconnectOutcome {
  const { at, revocation } = request
  const row = tables.connections.get(request.connection)
  if (row === undefined || row.grant.connection.organization !== request.organization) return { kind: 'gone' }
  const { connection, credential } = row.grant
  if (connection.state === 'disconnected') return { kind: 'already' }
  if (request.brokenAt !== undefined && (connection.state !== 'needs_reauth' || connection.fault?.at !== request.brokenAt)) return { kind: 'mended' }
  tables.connections.change(row, {
    connection: { state: 'disconnected', disconnectedAt: at, updatedAt: at },
    health: { dueAt: null, nextAttemptAt: null },
    revokeRule: revocation === null ? 'none' : revocation.perToken ? 'token' : 'grant',
  })
  tables.append(request.event)
  tables.changed({ kind: 'connection', connection: connection.id })
  if (revocation === null) return { kind: 'disconnected', revocation: 'unsupported' }
  if (!revocation.perToken && siblingLives(tables, connection)) return { kind: 'disconnected', revocation: 'sibling_lives' }
  tables.revocations.insert({
    id: revocation.id,
    organization: request.organization,
    connection: connection.id,
    integration: connection.integration,
    generation: credential.generation,
    staged: null,
    attempts: 0,
    dueAt: tables.now(),
    done: false,
  })
  return { kind: 'disconnected', revocation: 'queued' }
}

/** An answer that came after the disconnect holds tokens that nobody will use: they are revoked by the rule of that disconnect. */
export function queueLateRevocation(tables: Tables, row: StoredConnection, commit: GrantCommit): void {
  if (row.revokeRule === 'none') return
  if (row.revokeRule === 'grant' && siblingLives(tables, row.grant.connection)) return
  const { accessToken, refreshToken } = commit.credential
  tables.revocations.insert({
    id: `rev_${commit.intent.slice('itn_'.length)}`,
    organization: commit.organization,
    connection: commit.connection,
    integration: row.grant.connection.integration,
    generation: null,
    staged: { generation: commit.presentedGeneration + 1, accessToken, refreshToken },
    attempts: 0,
    dueAt: tables.now(),
    done: false,
  })
}

function siblingLives(tables: Tables, { id, integration, account }: Connection): boolean {
  if (account === null) return false
  return oneClient(tables, integration).some((shared) =>
    tables.connections.ofAccount(shared, account).some(({ grant: { connection } }) => connection.id !== id && connection.state !== 'disconnected'),
  )
}

/** Integrations that are this very client at their provider, itself included. */
function oneClient(tables: Tables, integration: IntegrationId): readonly IntegrationId[] {
  const client = ({ organization, provider, clientId, variables }: Integration) => JSON.stringify([organization, provider, clientId, variables])
  const own = tables.integrations.get(integration)
  if (own === undefined) return [integration]
  return [...tables.integrations].flatMap(([id, other]) => (client(other.integration) === client(own.integration) ? [id] : []))
}

/** Removes ciphertext of long disconnected connections, once nothing waits to be revoked with it. */
export function purge(tables: Tables, before: Instant, limit: number): number {
  const old = [...tables.connections.all()].filter((row) => isOver(tables, row, before)).sort((left, right) => endOf(left) - endOf(right))
  for (const row of old.slice(0, limit)) {
    tables.connections.change(row, {
      credential: { accessToken: null, refreshToken: null, ...NO_FLIGHT, suspicion: null },
      purged: true,
    })
    tables.answers.forgetUnapplied(row.grant.connection.id)
  }
  return Math.min(old.length, limit)
}

const endOf = (row: StoredConnection): Instant => row.grant.connection.disconnectedAt ?? 0

function isOver(tables: Tables, row: StoredConnection, before: Instant): boolean {
  const { id, state, disconnectedAt } = row.grant.connection
  return state === 'disconnected' && !row.purged && disconnectedAt !== null && disconnectedAt < before && !tables.revocations.isOpen(id)
}
