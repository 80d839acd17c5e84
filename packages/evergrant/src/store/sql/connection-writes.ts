import type { NewEvent } from '../../core/audit/event.ts'
import type { Connection } from '../../core/connection/connection.ts'
import type { ConnectionPatch, GrantReplacement, InsertOutcome, NewConnection, ReplaceOutcome } from '../../core/connection/connections.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import { NO_END } from '../../core/refresh/grant-lifetime.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { changed, type Dialect, type Program, row, run, type SqlValue } from './program.ts'
import { CLEAR_FLIGHT, integer, SET_TOKENS, TOKEN_COLUMNS, text, toJson, tokenValues } from './rows.ts'

export function* insert(fresh: NewConnection): Program<InsertOutcome> {
  const { connection } = fresh
  if (connection.account !== null && connection.state !== 'disconnected') {
    const taken = yield* row(
      "select id from connection where integration_id = ? and owner = ? and account = ? and state <> 'disconnected'",
      connection.integration,
      connection.owner,
      connection.account,
    )
    if (taken !== undefined) return { kind: 'exists', connection: text(taken, 'id') as ConnectionId }
  }
  yield* store(fresh)
  yield* markImported(fresh.imported, fresh.event.at, connection)
  return { kind: 'inserted' }
}

/** All rows of a connection that nothing stands in the way of, but for the mark of its import. */
export function* store({ connection, credential, dueAt, end = NO_END, event }: NewConnection): Program<void> {
  yield* run(
    `insert into connection (id, organization_id, integration_id, owner, account, account_label, state, fault, metadata, tags, scopes, variables, facts,
       consented_at, created_at, updated_at, disconnected_at, version) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    connection.id,
    connection.organization,
    connection.integration,
    connection.owner,
    connection.account,
    connection.accountLabel,
    connection.state,
    toJson(connection.fault),
    JSON.stringify(connection.metadata),
    JSON.stringify(connection.tags),
    toJson(connection.scopes),
    JSON.stringify(connection.variables),
    JSON.stringify(connection.facts),
    connection.consentedAt,
    connection.createdAt,
    connection.updatedAt,
    connection.disconnectedAt,
    connection.version,
  )
  yield* run(
    'insert into health (connection_id, due_at, failures, last_read_at, last_refreshed_at, ends_at, warn_at) values (?, ?, 0, ?, ?, ?, ?)',
    connection.id,
    connection.state === 'active' ? dueAt : null,
    connection.lastReadAt,
    connection.lastRefreshedAt,
    end.at,
    end.warnAt,
  )
  yield* run(
    `insert into credential (connection_id, generation, lease_epoch, ${TOKEN_COLUMNS.join(', ')}) values (?, 1, 0, ${TOKEN_COLUMNS.map(() => '?').join(', ')})`,
    connection.id,
    ...tokenValues(credential),
  )
  yield* append(event)
  yield* changed({ kind: 'connection', connection: connection.id })
}

/** A person who imports one grant by hand may do so again, after a disconnect for example: the mark then names the newest connection. */
function* markImported(fingerprint: string | undefined, at: Instant, of: Pick<Connection, 'id' | 'integration' | 'owner'>): Program<void> {
  if (fingerprint === undefined) return
  yield* run(
    `insert into imported_grant (integration_id, fingerprint, owner, connection_id, imported_at) values (?, ?, ?, ?, ?)
     on conflict (integration_id, fingerprint, owner) do update set connection_id = excluded.connection_id, imported_at = excluded.imported_at`,
    of.integration,
    fingerprint,
    of.owner,
    of.id,
    at,
  )
}

export function* patch(
  organization: OrganizationId,
  id: ConnectionId,
  changes: ConnectionPatch,
  expectedVersion: number | null,
  event: NewEvent,
): Program<'patched' | 'moved' | 'gone'> {
  const columns: string[] = ['version = version + 1', 'updated_at = ?']
  const params: SqlValue[] = [event.at]
  const set = (column: string, value: SqlValue | undefined) => {
    if (value === undefined) return
    columns.push(`${column} = ?`)
    params.push(value)
  }
  set('metadata', changes.metadata === undefined ? undefined : JSON.stringify(changes.metadata))
  set('tags', changes.tags === undefined ? undefined : JSON.stringify(changes.tags))
  set('account_label', changes.accountLabel)
  const guard = expectedVersion === null ? '' : 'and version = ?'
  const patched = yield* run(
    `update connection set ${columns.join(', ')} where id = ? and organization_id = ? ${guard}`,
    ...params,
    id,
    organization,
    ...(expectedVersion === null ? [] : [expectedVersion]),
  )
  if (patched === 0) {
    const found = yield* row('select id from connection where id = ? and organization_id = ?', id, organization)
    return found === undefined ? 'gone' : 'moved'
  }
  yield* append(event)
  yield* changed({ kind: 'connection', connection: id })
  return 'patched'
}

export function* setPaused(
  dialect: Dialect,
  organization: OrganizationId,
  id: ConnectionId,
  paused: boolean,
  dueAt: Instant | null,
  event: NewEvent,
): Program<'changed' | 'already' | 'refused' | 'gone'> {
  const found = yield* row(`select k.state from connection k where k.id = ? and k.organization_id = ? ${dialect.forUpdate('k')}`, id, organization)
  if (found === undefined) return 'gone'
  const wanted = paused ? 'paused' : 'active'
  if (found.state === wanted) return 'already'
  if (found.state !== 'active' && found.state !== 'paused') return 'refused'
  yield* run('update connection set state = ?, updated_at = ? where id = ?', wanted, event.at, id)
  yield* run('update health set due_at = ? where connection_id = ?', paused ? null : dueAt, id)
  yield* append(event)
  yield* changed({ kind: 'connection', connection: id })
  return 'changed'
}

export function* replaceGrant(dialect: Dialect, replacement: GrantReplacement): Program<ReplaceOutcome> {
  const { connection, organization, expectedGeneration, onlyAtEpoch, end = NO_END } = replacement
  const found = yield* row(
    `select k.state, k.integration_id, k.owner from connection k where k.id = ? and k.organization_id = ? ${dialect.forUpdate('k')}`,
    connection,
    organization,
  )
  if (found === undefined || found.state === 'disconnected') return { kind: 'gone' }
  const current = yield* row('select generation, lease_epoch from credential where connection_id = ?', connection)
  if (current === undefined) return { kind: 'gone' }
  const generation = integer(current, 'generation')
  const claimed = onlyAtEpoch !== undefined && integer(current, 'lease_epoch') !== onlyAtEpoch
  if (generation !== expectedGeneration || claimed) return { kind: 'moved', generation }
  yield* run(
    `update credential set generation = generation + 1, ${SET_TOKENS}, ${CLEAR_FLIGHT} where connection_id = ?`,
    ...tokenValues(replacement.credential),
    connection,
  )
  yield* run(
    `update health set due_at = ?, next_attempt_at = null, failures = 0, first_failed_at = null, failed_intent = null, leased_by = null,
       ends_at = ?, warn_at = ? where connection_id = ?`,
    replacement.dueAt,
    end.at,
    end.warnAt,
    connection,
  )
  yield* run(
    `update connection set state = 'active', fault = null, account = ?, account_label = ?, scopes = ?, variables = ?, facts = ?, consented_at = ?,
       updated_at = ? where id = ?`,
    replacement.account,
    replacement.accountLabel,
    toJson(replacement.scopes),
    JSON.stringify(replacement.variables),
    JSON.stringify(replacement.facts),
    replacement.consentedAt,
    replacement.event.at,
    connection,
  )
  const of = { id: connection, integration: text(found, 'integration_id') as IntegrationId, owner: text(found, 'owner') }
  yield* markImported(replacement.imported, replacement.event.at, of)
  yield* append(replacement.event)
  yield* changed({ kind: 'connection', connection })
  return { kind: 'replaced', generation: generation + 1 }
}
