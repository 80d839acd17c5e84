import type { NewEvent } from '../../core/audit/event.ts'
import type { ConnectionStatus } from '../../core/connection/connection.ts'
import type {
  ConnectionFilter,
  ConnectionPatch,
  Connections,
  GrantReplacement,
  InsertOutcome,
  NewConnection,
  Page,
  PageRequest,
  ReplaceOutcome,
} from '../../core/connection/connections.ts'
import { statusOf } from '../../core/connection/status.ts'
import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import { NO_END } from '../../core/refresh/grant-lifetime.ts'
import type { Instant } from '../../core/time.ts'
import { afterOf, limitOf, toPage } from '../sql/paging.ts'
import { NO_FLIGHT } from './claims.ts'
import type { StoredConnection } from './connection-table.ts'
import { foreseeImport, importMany, markImported } from './imports.ts'
import { disconnect, purge } from './revocations.ts'
import type { Tables } from './tables.ts'

function own(tables: Tables, organization: OrganizationId, id: ConnectionId): StoredConnection | undefined {
  const row = tables.connections.get(id)
  return row?.grant.connection.organization === organization ? row : undefined
}

export function insertConnection(tables: Tables, { connection, credential, dueAt, end = NO_END, event, imported }: NewConnection): InsertOutcome {
  if (!tables.integrations.has(connection.integration)) throw new Error(`${connection.integration} is not stored`)
  if (tables.connections.get(connection.id) !== undefined) throw new Error(`${connection.id} is stored already`)
  if (connection.account !== null && connection.state !== 'disconnected') {
    const taken = tables.connections
      .ofAccount(connection.integration, connection.account)
      .find(({ grant }) => grant.connection.owner === connection.owner && grant.connection.state !== 'disconnected')
    if (taken !== undefined) return { kind: 'exists', connection: taken.grant.connection.id }
  }
  tables.connections.insert({
    grant: {
      connection,
      credential: { ...credential, connection: connection.id, generation: 1, epoch: 0, ...NO_FLIGHT, suspicion: null },
      health: { dueAt: connection.state === 'active' ? dueAt : null, nextAttemptAt: null, failures: 0, firstFailedAt: null, endsAt: end.at },
    },
    leasedBy: null,
    failedIntent: null,
    revokeRule: 'none',
    purged: false,
    warnAt: end.warnAt,
  })
  markImported(tables, imported, connection)
  tables.append(event)
  tables.changed({ kind: 'connection', connection: connection.id })
  return { kind: 'inserted' }
}

function patch(
  tables: Tables,
  organization: OrganizationId,
  id: ConnectionId,
  changes: ConnectionPatch,
  expectedVersion: number | null,
  event: NewEvent,
): 'patched' | 'moved' | 'gone' {
  const row = own(tables, organization, id)
  if (row === undefined) return 'gone'
  const { version } = row.grant.connection
  if (expectedVersion !== null && expectedVersion !== version) return 'moved'
  tables.connections.change(row, { connection: { ...changes, version: version + 1, updatedAt: event.at } })
  tables.append(event)
  tables.changed({ kind: 'connection', connection: id })
  return 'patched'
}

function setPaused(
  tables: Tables,
  organization: OrganizationId,
  id: ConnectionId,
  paused: boolean,
  dueAt: Instant | null,
  event: NewEvent,
): 'changed' | 'already' | 'refused' | 'gone' {
  const row = own(tables, organization, id)
  if (row === undefined) return 'gone'
  const wanted = paused ? 'paused' : 'active'
  const { state } = row.grant.connection
  if (state === wanted) return 'already'
  if (state !== 'active' && state !== 'paused') return 'refused'
  tables.connections.change(row, { connection: { state: wanted, updatedAt: event.at }, health: { dueAt: paused ? null : dueAt } })
  tables.append(event)
  tables.changed({ kind: 'connection', connection: id })
  return 'changed'
}

export function replaceGrant(tables: Tables, replacement: GrantReplacement): ReplaceOutcome {
  const row = own(tables, replacement.organization, replacement.connection)
  if (row === undefined || row.grant.connection.state === 'disconnected') return { kind: 'gone' }
  const { generation, epoch } = row.grant.credential
  const claimed = replacement.onlyAtEpoch !== undefined && replacement.onlyAtEpoch !== epoch
  if (generation !== replacement.expectedGeneration || claimed) return { kind: 'moved', generation }
  const { account, accountLabel, scopes, variables, facts, consentedAt, credential, dueAt, end = NO_END, event } = replacement
  tables.connections.change(row, {
    connection: { state: 'active', fault: null, account, accountLabel, scopes, variables, facts, consentedAt, updatedAt: event.at },
    credential: { ...credential, ...NO_FLIGHT, suspicion: null, generation: generation + 1 },
    health: { dueAt, nextAttemptAt: null, failures: 0, firstFailedAt: null, endsAt: end.at },
    failedIntent: null,
    leasedBy: null,
    warnAt: end.warnAt,
  })
  markImported(tables, replacement.imported, row.grant.connection)
  tables.append(event)
  tables.changed({ kind: 'connection', connection: replacement.connection })
  return { kind: 'replaced', generation: generation + 1 }
}

function status(tables: Tables, grant: GrantRow): ConnectionStatus {
  const integration = tables.integrations.get(grant.connection.integration)?.integration
  return statusOf(grant, { blocked: integration?.blocked ?? null }, tables.now())
}

/** Newest first. */
function list(tables: Tables, organization: OrganizationId, filter: ConnectionFilter, page: PageRequest): Page<GrantRow> {
  const limit = limitOf(page)
  const after = afterOf(page)
  const found = tables.connections
    .ofOrganization(organization)
    .map((row) => row.grant)
    .filter(
      ({ connection, ...grant }) =>
        (after === null || connection.id < after) &&
        (filter.integration === undefined || connection.integration === filter.integration) &&
        (filter.owner === undefined || connection.owner === filter.owner) &&
        (filter.tag === undefined || connection.tags.includes(filter.tag)) &&
        (filter.status === undefined || status(tables, { connection, ...grant }) === filter.status),
    )
    .sort((left, right) => (left.connection.id < right.connection.id ? 1 : -1))
  return toPage(found.slice(0, limit + 1), limit, (item) => item.connection.id)
}

/** Live connections first, then by id. */
function liveFirst(rows: readonly StoredConnection[], organization: OrganizationId): GrantRow[] {
  const ended = ({ connection }: GrantRow) => (connection.state === 'disconnected' ? 1 : 0)
  return rows
    .map((row) => row.grant)
    .filter((grant) => grant.connection.organization === organization)
    .sort((left, right) => ended(left) - ended(right) || (left.connection.id < right.connection.id ? -1 : 1))
}

function counts(tables: Tables, organization: OrganizationId): Readonly<Record<ConnectionStatus, number>> {
  const all: Record<ConnectionStatus, number> = { active: 0, degraded: 0, needs_reauth: 0, blocked: 0, paused: 0, disconnected: 0 }
  for (const row of tables.connections.ofOrganization(organization)) all[status(tables, row.grant)] += 1
  return all
}

export function connectionsPart(tables: Tables): Connections {
  return {
    insert: async (connection) => insertConnection(tables, connection),
    importMany: async (batch) => importMany(tables, batch, insertConnection),
    foreseeImport: async (batch) => foreseeImport(tables, batch),
    get: async (organization, id) => own(tables, organization, id)?.grant,
    byOwner: async (organization, integration, owner) => liveFirst(tables.connections.ofOwner(integration, owner), organization),
    byAccount: async (organization, integration, account) => liveFirst(tables.connections.ofAccount(integration, account), organization),
    list: async (organization, filter, page) => list(tables, organization, filter, page),
    patch: async (organization, id, changes, version, event) => patch(tables, organization, id, changes, version, event),
    setPaused: async (organization, id, paused, dueAt, event) => setPaused(tables, organization, id, paused, dueAt, event),
    replaceGrant: async (replacement) => replaceGrant(tables, replacement),
    disconnect: async (request) => disconnect(tables, request),
    takeDueRevocations: async (limit, visibilityMs) => tables.revocations.takeDue(tables.now(), limit, visibilityMs),
    finishRevocation: async (id, event) => {
      if (tables.revocations.finish(id)) tables.append(event)
    },
    retryRevocation: async (id, dueAt) => tables.revocations.retry(id, dueAt),
    counts: async (organization) => counts(tables, organization),
    purge: async (before, limit) => purge(tables, before, limit),
  }
}
