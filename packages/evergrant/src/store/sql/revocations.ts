import type { NewEvent } from '../../core/audit/event.ts'
import type { StoredFault } from '../../core/connection/connection.ts'
import type { DisconnectOutcome, DisconnectRequest, Revocation } from '../../core/connection/connections.ts'
import type { ConnectionId, IntegrationId, OrganizationId, RevocationId } from '../../core/ids.ts'
import type { GrantCommit } from '../../core/refresh/credentials.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { changed, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { bytesOrNull, CLEAR_FLIGHT, integer, integerOrNull, json, text, textOrNull } from './rows.ts'

/**
 * Integrations that are the same client at the same provider, this one included: two with different scopes, perhaps. What revokes a person's
 * grant for the client ends what each of them holds of that person.
 */
function* ofOneClient(integration: string): Program<readonly string[]> {
  const own = yield* row('select i.organization_id, i.provider, i.client_id, i.variables from integration i where i.id = ?', integration)
  if (own === undefined) return [integration]
  const shared = yield* rows(
    'select i.id from integration i where i.organization_id = ? and i.provider = ? and i.client_id = ? and i.variables = ?',
    text(own, 'organization_id'),
    text(own, 'provider'),
    text(own, 'client_id'),
    text(own, 'variables'),
  )
  return shared.map((one) => text(one, 'id'))
}

/** Locks the connection together with its siblings, in order of id, so that two disconnects cannot each count on the other. */
function* lockFamily(dialect: Dialect, request: DisconnectRequest): Program<readonly Row[]> {
  const own = yield* row('select integration_id, account from connection where id = ? and organization_id = ?', request.connection, request.organization)
  if (own === undefined) return []
  const integrations = yield* ofOneClient(text(own, 'integration_id'))
  return yield* rows(
    `select k.id, k.organization_id, k.state, k.fault, k.integration_id, k.account from connection k
     where k.id = ? or (${dialect.among('k.integration_id')} and k.account = ?) order by k.id ${dialect.forUpdate('k')}`,
    request.connection,
    JSON.stringify(integrations),
    textOrNull(own, 'account'),
  )
}

export function* disconnect(dialect: Dialect, request: DisconnectRequest): Program<DisconnectOutcome> {
  const { connection, at, revocation } = request
  const family = yield* lockFamily(dialect, request)
  const own = family.find((member) => member.id === connection)
  if (own === undefined) return { kind: 'gone' }
  if (own.state === 'disconnected') return { kind: 'already' }
  if (request.brokenAt !== undefined && (own.state !== 'needs_reauth' || json<StoredFault>(own, 'fault').at !== request.brokenAt)) return { kind: 'mended' }
  yield* run(
    "update connection set state = 'disconnected', disconnected_at = ?, updated_at = ?, revoke_rule = ? where id = ?",
    at,
    at,
    revocation === null ? 'none' : revocation.perToken ? 'token' : 'grant',
    connection,
  )
  yield* run('update health set due_at = null, next_attempt_at = null where connection_id = ?', connection)
  yield* append(request.event)
  yield* changed({ kind: 'connection', connection })
  if (revocation === null) return { kind: 'disconnected', revocation: 'unsupported' }
  const siblingLives = family.some((member) => member.id !== connection && member.state !== 'disconnected')
  if (siblingLives && !revocation.perToken) return { kind: 'disconnected', revocation: 'sibling_lives' }
  yield* run(
    `insert into revocation (id, organization_id, connection_id, integration_id, generation, attempts, due_at)
     select ?, ?, connection_id, ?, generation, 0, now_ms() from credential where connection_id = ?`,
    revocation.id,
    request.organization,
    text(own, 'integration_id'),
    connection,
  )
  return { kind: 'disconnected', revocation: 'queued' }
}

/** An answer that came after the disconnect holds tokens that nobody will use: they are revoked by the rule of that disconnect. */
export function* queueLateRevocation(found: Row, commit: GrantCommit): Program<void> {
  if (found.revoke_rule === 'none') return
  if (found.revoke_rule === 'grant' && (yield* siblingLives(found))) return
  yield* run(
    `insert into revocation (id, organization_id, connection_id, integration_id, staged_generation, staged_access_token, staged_refresh_token, attempts, due_at)
     values (?, ?, ?, ?, ?, ?, ?, 0, now_ms()) on conflict (id) do nothing`,
    `rev_${commit.intent.slice('itn_'.length)}`,
    commit.organization,
    commit.connection,
    text(found, 'integration_id'),
    commit.presentedGeneration + 1,
    commit.credential.accessToken,
    commit.credential.refreshToken,
  )
}

function* siblingLives(found: Row): Program<boolean> {
  for (const integration of yield* ofOneClient(text(found, 'integration_id'))) {
    const sibling = yield* row(
      "select id from connection where integration_id = ? and account = ? and state <> 'disconnected' and id <> ? limit 1",
      integration,
      textOrNull(found, 'account'),
      text(found, 'id'),
    )
    if (sibling !== undefined) return true
  }
  return false
}

export const REVOCATION_COLUMNS = `r.id, r.organization_id, r.connection_id, r.integration_id, r.generation, r.staged_generation, r.staged_access_token,
  r.staged_refresh_token, r.attempts, r.due_at`

export function* takeDueRevocations(dialect: Dialect, limit: number, visibilityMs: number): Program<readonly Revocation[]> {
  const due = yield* rows(
    `select ${REVOCATION_COLUMNS} from revocation r where r.due_at <= (select now_ms()) order by r.due_at limit ? ${dialect.skipLocked('r')}`,
    limit,
  )
  yield* run(
    `update revocation set due_at = now_ms() + ?, attempts = attempts + 1 where ${dialect.among('id')}`,
    visibilityMs,
    JSON.stringify(due.map((found) => found.id)),
  )
  return due.map(toRevocation)
}

export function toRevocation(found: Row): Revocation {
  const staged = integerOrNull(found, 'staged_generation')
  return {
    id: text(found, 'id') as RevocationId,
    organization: text(found, 'organization_id') as OrganizationId,
    connection: text(found, 'connection_id') as ConnectionId,
    integration: text(found, 'integration_id') as IntegrationId,
    generation: integerOrNull(found, 'generation'),
    staged:
      staged === null
        ? null
        : { generation: staged, accessToken: bytesOrNull(found, 'staged_access_token'), refreshToken: bytesOrNull(found, 'staged_refresh_token') },
    attempts: integer(found, 'attempts'),
    dueAt: integer(found, 'due_at'),
  }
}

export function* finishRevocation(id: RevocationId, event: NewEvent): Program<void> {
  const finished = yield* run(
    'update revocation set due_at = null, done_at = now_ms(), staged_access_token = null, staged_refresh_token = null where id = ? and done_at is null',
    id,
  )
  if (finished === 1) yield* append(event)
}

export function* retryRevocation(id: RevocationId, dueAt: Instant): Program<void> {
  yield* run('update revocation set due_at = ? where id = ? and done_at is null', dueAt, id)
}

/** Removes ciphertext of long disconnected connections, once nothing waits to be revoked with it. */
export function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows(
    `select k.id from connection k where k.disconnected_at < ? and k.disconnected_at is not null and k.purged_at is null and k.state = 'disconnected'
       and not exists (select 1 from revocation r where r.connection_id = k.id and r.done_at is null)
     order by k.disconnected_at limit ? ${dialect.skipLocked('k')}`,
    before,
    limit,
  )
  const ids = JSON.stringify(old.map((found) => found.id))
  yield* run(`update credential set access_token = null, refresh_token = null, ${CLEAR_FLIGHT} where ${dialect.among('connection_id')}`, ids)
  yield* run(`update answer set body = null where applied = 0 and ${dialect.among('connection_id')}`, ids)
  yield* run(`update connection set purged_at = now_ms() where ${dialect.among('id')}`, ids)
  return old.length
}
