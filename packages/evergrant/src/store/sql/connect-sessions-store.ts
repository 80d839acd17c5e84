import type { NewEvent } from '../../core/audit/event.ts'
import type { ConnectFlow, ConnectSession, ConnectSessions, KeptCode, SessionAnswer, StagedGrant } from '../../core/connect/connect-sessions.ts'
import type { StoredFault } from '../../core/connection/connection.ts'
import { type ConnectionId, type ConnectSessionId, type IntegrationId, type IntentId, idFrom, type OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { keepAnswer } from './answers.ts'
import { append } from './event-rows.ts'
import { type Database, type Dialect, type Program, row, rows, run, type SqlValue } from './program.ts'
import { bytes, integer, json, text } from './rows.ts'
import { FLOW_COLUMNS, flowValues, SESSION_COLUMNS, STAGED_COLUMNS, sessionValues, stagedValues, toSession } from './session-rows.ts'

const set = (columns: readonly string[]) => columns.map((column) => `${column} = ?`).join(', ')
const clear = (columns: readonly string[]) => columns.map((column) => `${column} = null`).join(', ')

function* insert(session: ConnectSession, event: NewEvent): Program<void> {
  yield* run(`insert into connect_session (${SESSION_COLUMNS.join(', ')}) values (${SESSION_COLUMNS.map(() => '?').join(', ')})`, ...sessionValues(session))
  yield* append(event)
}

function* find(condition: string, ...params: readonly SqlValue[]): Program<ConnectSession | undefined> {
  const found = yield* row(`select ${SESSION_COLUMNS.join(', ')} from connect_session where ${condition}`, ...params)
  return found === undefined ? undefined : toSession(found)
}

function* start(
  id: ConnectSessionId,
  flow: ConnectFlow,
  variables: Readonly<Record<string, string>>,
  event: NewEvent,
  chosen?: IntegrationId,
): Program<boolean> {
  const integration: readonly SqlValue[] = chosen === undefined ? [] : [chosen]
  const started = yield* run(
    `update connect_session set state = 'started', fault = null, variables = ?, ${set(FLOW_COLUMNS)}${chosen === undefined ? '' : ', integration_id = ?'}
     where id = ? and state in ('open', 'started')`,
    JSON.stringify(variables),
    ...flowValues(flow),
    ...integration,
    id,
  )
  if (started === 1) yield* append(event)
  return started === 1
}

function* beginExchange(id: ConnectSessionId, stateHash: string, intent: IntentId): Program<boolean> {
  const begun = yield* run(
    "update connect_session set state = 'exchanging', flow_intent = ? where id = ? and state = 'started' and flow_state_hash = ?",
    intent,
    id,
    stateHash,
  )
  return begun === 1
}

function* stage(id: ConnectSessionId, intent: IntentId, staged: StagedGrant, answer: SessionAnswer, event: NewEvent | null): Program<boolean> {
  const done = yield* run(
    `update connect_session set state = 'staged', ${set(STAGED_COLUMNS)} where id = ? and state = 'exchanging' and flow_intent = ?`,
    ...stagedValues(staged),
    id,
    intent,
  )
  const session = yield* row('select organization_id, state, flow_intent from connect_session where id = ?', id)
  if (session === undefined) return false
  yield* keepAnswer({
    organization: text(session, 'organization_id') as OrganizationId,
    connection: null,
    session: id,
    generation: 0,
    answer,
    applied: done === 1,
  })
  if (done === 1 && event !== null) yield* append(event)
  return session.flow_intent === intent && (session.state === 'staged' || session.state === 'completed')
}

function* fail({ id, flow }: Pick<ConnectSession, 'id' | 'flow'>, fault: StoredFault, event: NewEvent): Program<void> {
  const failed = yield* run(
    `update connect_session set state = 'open', fault = ?, ${clear(STAGED_COLUMNS)} where id = ? and state in ('exchanging', 'started', 'staged')
       and flow_state_hash = ? and flow_intent is not distinct from ?`,
    JSON.stringify(fault),
    id,
    flow?.stateHash ?? null,
    flow?.intent ?? null,
  )
  if (failed === 1) yield* append(event)
}

function* complete(id: ConnectSessionId, result: ConnectionId, event: NewEvent): Program<boolean> {
  const completed = yield* run(
    "update connect_session set state = 'completed', result = ?, fault = null, staged = null where id = ? and state = 'staged'",
    result,
    id,
  )
  if (completed === 1) yield* append(event)
  return completed === 1
}

function* burn(id: ConnectSessionId, fault: StoredFault, event: NewEvent): Program<boolean> {
  const burned = yield* run(
    `update connect_session set state = 'burned', fault = ?, ${clear(STAGED_COLUMNS)} where id = ? and state not in ('completed', 'burned')`,
    JSON.stringify(fault),
    id,
  )
  if (burned === 1) yield* append(event)
  return burned === 1
}

/** While nothing is staged, `staged_at` says when a node last had the answer. */
function* noteKept(dialect: Dialect, intents: readonly string[], at: Instant): Program<void> {
  yield* run(
    `update connect_session set staged_at = ? where state = 'exchanging' and flow_started_at <= ? and ${dialect.among('flow_intent')}`,
    at,
    at,
    JSON.stringify(intents),
  )
}

function* reopenInterrupted(before: Instant, fault: StoredFault): Program<number> {
  // The intent says when the exchange began; the flow began before its end user was at the provider, perhaps long before.
  return yield* run(
    `update connect_session set state = 'open', fault = ?, staged_at = null
     where state = 'exchanging' and flow_started_at < ? and flow_intent < ? and (staged_at is null or staged_at < ?)`,
    JSON.stringify(fault),
    before,
    idFrom('itn', before),
    before,
  )
}

function* keepPushed({ integration, key, code, facts, receivedAt, until }: KeptCode): Program<void> {
  yield* run('delete from pushed_code where integration_id = ? and until_at < ?', integration, receivedAt)
  yield* run(
    `insert into pushed_code (integration_id, code_key, code, facts, received_at, until_at) values (?, ?, ?, ?, ?, ?)
     on conflict (integration_id, code_key) do update
       set code = excluded.code, facts = excluded.facts, received_at = excluded.received_at, until_at = excluded.until_at`,
    integration,
    key,
    code,
    JSON.stringify(facts),
    receivedAt,
    until,
  )
}

function* pushed(integration: IntegrationId, key: string): Program<KeptCode | undefined> {
  const found = yield* row('select code, facts, received_at, until_at from pushed_code where integration_id = ? and code_key = ?', integration, key)
  if (found === undefined) return undefined
  const facts = json<Readonly<Record<string, string>>>(found, 'facts')
  return { integration, key, code: bytes(found, 'code'), facts, receivedAt: integer(found, 'received_at'), until: integer(found, 'until_at') }
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const codes = yield* rows('select integration_id, code_key from pushed_code where until_at < ? order by until_at limit ?', before, limit)
  for (const code of codes)
    yield* run('delete from pushed_code where integration_id = ? and code_key = ?', text(code, 'integration_id'), text(code, 'code_key'))
  const ended = yield* rows('select id from connect_session where expires_at < ? order by expires_at limit ?', before, limit)
  return yield* run(`delete from connect_session where ${dialect.among('id')}`, JSON.stringify(ended.map((session) => session.id)))
}

export function connectSessionsStore(database: Database): ConnectSessions {
  return {
    insert: (session, event) => database.write(() => insert(session, event)),
    get: (organization, id) => database.read(() => find('id = ? and organization_id = ?', id, organization)),
    load: (id) => database.read(() => find('id = ?', id)),
    byTokenHash: (tokenHash) => database.read(() => find('token_hash = ?', tokenHash)),
    byStateHash: (stateHash) => database.read(() => find('flow_state_hash = ?', stateHash)),
    start: (id, flow, variables, event, chosen) => database.write(() => start(id, flow, variables, event, chosen)),
    beginExchange: (id, stateHash, intent) => database.write(() => beginExchange(id, stateHash, intent)),
    stage: (id, intent, staged, answer, event) => database.write(() => stage(id, intent, staged, answer, event)),
    fail: (seen, fault, event) => database.write(() => fail(seen, fault, event)),
    complete: (id, result, event) => database.write(() => complete(id, result, event)),
    burn: (id, fault, event) => database.write(() => burn(id, fault, event)),
    noteKept: (intents, at) => database.write(() => noteKept(database.dialect, intents, at), { repeatable: true }),
    reopenInterrupted: (before, fault) => database.write(() => reopenInterrupted(before, fault)),
    keepPushed: (kept) => database.write(() => keepPushed(kept), { repeatable: true }),
    pushed: (integration, key) => database.read(() => pushed(integration, key)),
    purge: (before, limit) => database.write(() => purge(database.dialect, before, limit)),
  }
}
