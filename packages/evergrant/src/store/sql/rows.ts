import type { Connection, ConnectionState, Health, StoredFault } from '../../core/connection/connection.ts'
import type { Credential, NewCredential } from '../../core/connection/credential.ts'
import type { ConnectionId, IntegrationId, IntentId, OrganizationId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import type { Row, SqlValue } from './program.ts'

export const text = (row: Row, column: string): string => row[column] as string
export const textOrNull = (row: Row, column: string): string | null => row[column] as string | null
export const integer = (row: Row, column: string): number => Number(row[column])
export const integerOrNull = (row: Row, column: string): number | null => (row[column] === null ? null : Number(row[column]))
/** A plain view: one driver answers with a subclass of its own. */
export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column] as Uint8Array
  return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

export const bytesOrNull = (row: Row, column: string): Uint8Array | null => (row[column] === null ? null : bytes(row, column))

/** Reads a JSON column that this store wrote itself. */
export function json<Value>(row: Row, column: string): Value {
  return JSON.parse(row[column] as string) as Value
}

export function jsonOrNull<Value>(row: Row, column: string): Value | null {
  return row[column] === null ? null : json<Value>(row, column)
}

export const toJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

/** Every column of a {@link GrantRow}; `k` connection, `h` health, `d` credential. */
export const GRANT_COLUMNS = `k.id, k.organization_id, k.integration_id, k.owner, k.account, k.account_label, k.state, k.fault, k.metadata, k.tags,
  k.scopes, k.variables, k.facts, k.consented_at, k.created_at, k.updated_at, k.disconnected_at, k.version,
  h.due_at, h.next_attempt_at, h.failures, h.first_failed_at, h.ends_at, h.last_read_at, h.last_refreshed_at,
  d.generation, d.access_token, d.refresh_token, d.fingerprint, d.token_type, d.obtained_at, d.access_expires_at, d.refresh_expires_at, d.soft_at,
  d.hard_at, d.lease_owner, d.lease_incarnation, d.lease_epoch, d.lease_until, d.intent_id, d.intent_generation, d.intent_at,
  d.suspect_intent, d.suspect_at, d.suspect_answered`

export const GRANT_TABLES = 'connection k join health h on h.connection_id = k.id join credential d on d.connection_id = k.id'

export function toGrantRow(row: Row): GrantRow {
  return { connection: toConnection(row), credential: toCredential(row), health: toHealth(row) }
}

function toConnection(row: Row): Connection {
  return {
    id: text(row, 'id') as ConnectionId,
    organization: text(row, 'organization_id') as OrganizationId,
    integration: text(row, 'integration_id') as IntegrationId,
    owner: text(row, 'owner'),
    account: textOrNull(row, 'account'),
    accountLabel: textOrNull(row, 'account_label'),
    state: text(row, 'state') as ConnectionState,
    fault: jsonOrNull<StoredFault>(row, 'fault'),
    metadata: json<JsonObject>(row, 'metadata'),
    tags: json<readonly string[]>(row, 'tags'),
    scopes: jsonOrNull<readonly string[]>(row, 'scopes'),
    variables: json<Readonly<Record<string, string>>>(row, 'variables'),
    facts: json<Readonly<Record<string, string>>>(row, 'facts'),
    consentedAt: integerOrNull(row, 'consented_at'),
    createdAt: integer(row, 'created_at'),
    updatedAt: integer(row, 'updated_at'),
    lastReadAt: integerOrNull(row, 'last_read_at'),
    lastRefreshedAt: integerOrNull(row, 'last_refreshed_at'),
    disconnectedAt: integerOrNull(row, 'disconnected_at'),
    version: integer(row, 'version'),
  }
}

function toHealth(row: Row): Health {
  return {
    dueAt: integerOrNull(row, 'due_at'),
    nextAttemptAt: integerOrNull(row, 'next_attempt_at'),
    failures: integer(row, 'failures'),
    firstFailedAt: integerOrNull(row, 'first_failed_at'),
    endsAt: integerOrNull(row, 'ends_at'),
  }
}

function toCredential(row: Row): Credential {
  const leaseOwner = textOrNull(row, 'lease_owner')
  const intent = textOrNull(row, 'intent_id')
  const suspect = textOrNull(row, 'suspect_intent')
  return {
    connection: text(row, 'id') as ConnectionId,
    generation: integer(row, 'generation'),
    accessToken: bytesOrNull(row, 'access_token'),
    refreshToken: bytesOrNull(row, 'refresh_token'),
    fingerprint: textOrNull(row, 'fingerprint'),
    tokenType: text(row, 'token_type'),
    obtainedAt: integer(row, 'obtained_at'),
    accessExpiresAt: integerOrNull(row, 'access_expires_at'),
    refreshExpiresAt: integerOrNull(row, 'refresh_expires_at'),
    softAt: integerOrNull(row, 'soft_at'),
    hardAt: integerOrNull(row, 'hard_at'),
    epoch: integer(row, 'lease_epoch'),
    lease:
      leaseOwner === null
        ? null
        : { owner: leaseOwner, incarnation: text(row, 'lease_incarnation'), epoch: integer(row, 'lease_epoch'), until: integer(row, 'lease_until') },
    intent: intent === null ? null : { id: intent as IntentId, generation: integer(row, 'intent_generation'), at: integer(row, 'intent_at') },
    suspicion: suspect === null ? null : { intent: suspect as IntentId, at: integer(row, 'suspect_at'), answered: integer(row, 'suspect_answered') === 1 },
  }
}

/** The token columns in the order of {@link TOKEN_COLUMNS}. */
export function tokenValues(credential: NewCredential): readonly SqlValue[] {
  return [
    credential.accessToken,
    credential.refreshToken,
    credential.fingerprint,
    credential.tokenType,
    credential.obtainedAt,
    credential.accessExpiresAt,
    credential.refreshExpiresAt,
    credential.softAt,
    credential.hardAt,
  ]
}

export const TOKEN_COLUMNS = [
  'access_token',
  'refresh_token',
  'fingerprint',
  'token_type',
  'obtained_at',
  'access_expires_at',
  'refresh_expires_at',
  'soft_at',
  'hard_at',
] as const

export const SET_TOKENS = TOKEN_COLUMNS.map((column) => `${column} = ?`).join(', ')

/** A new or committed credential has no lease, no intent and no suspicion. `lease_epoch` stays: it only ever grows. */
export const CLEAR_FLIGHT = `lease_owner = null, lease_incarnation = null, lease_until = null, intent_id = null, intent_generation = null, intent_at = null,
  suspect_intent = null, suspect_at = null, suspect_answered = null`
