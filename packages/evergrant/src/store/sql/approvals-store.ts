import type { Approval, Approvals } from '../../core/agent/approvals.ts'
import type { Actor, NewEvent } from '../../core/audit/event.ts'
import type { AgentId, ApprovalId, ConnectionId, InstallationId, OrganizationId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { type Database, type Dialect, type Program, type Row, row, rows, run, type SqlValue } from './program.ts'
import { integer, integerOrNull, json, jsonOrNull, text, textOrNull, toJson } from './rows.ts'

const COLUMNS = 'id, organization_id, kind, agent_id, installation_id, connection_id, attempt, status, shown, asked_at, decided_at, decided_by, expires_at'

function toApproval(found: Row): Approval {
  return {
    id: text(found, 'id') as ApprovalId,
    organization: text(found, 'organization_id') as OrganizationId,
    kind: text(found, 'kind') as Approval['kind'],
    agent: text(found, 'agent_id') as AgentId,
    installation: text(found, 'installation_id') as InstallationId,
    connection: textOrNull(found, 'connection_id') as ConnectionId | null,
    attempt: textOrNull(found, 'attempt'),
    status: text(found, 'status') as Approval['status'],
    shown: json<JsonObject>(found, 'shown'),
    askedAt: integer(found, 'asked_at'),
    decidedAt: integerOrNull(found, 'decided_at'),
    decidedBy: jsonOrNull<Actor>(found, 'decided_by'),
    expiresAt: integer(found, 'expires_at'),
  }
}

export function* insertApproval(approval: Approval): Program<void> {
  yield* run(
    `insert into agent_approval (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
    approval.id,
    approval.organization,
    approval.kind,
    approval.agent,
    approval.installation,
    approval.connection,
    approval.attempt,
    approval.status,
    JSON.stringify(approval.shown),
    approval.askedAt,
    approval.decidedAt,
    toJson(approval.decidedBy),
    approval.expiresAt,
  )
}

/** Those of recoveries that are open or approved, and those of this attempt, whatever was said about them; newest first. */
export function* recoveryApprovals(installation: InstallationId, attempt: string): Program<readonly Approval[]> {
  const found = yield* rows(
    `select ${COLUMNS} from agent_approval
     where installation_id = ? and connection_id is null and (attempt = ? or status in ('pending', 'approved')) order by id desc limit 100`,
    installation,
    attempt,
  )
  return found.map(toApproval)
}

/** Another attempt asks the same. */
export function* joinApproval(id: ApprovalId, attempt: string): Program<void> {
  yield* run("update agent_approval set attempt = ? where id = ? and status = 'pending'", attempt, id)
}

/** The recovery that it was for is done. */
export function* spendApproval(id: ApprovalId): Program<boolean> {
  return (yield* run("update agent_approval set status = 'used' where id = ? and status = 'approved'", id)) === 1
}

function* use(installation: InstallationId, connection: ConnectionId, statuses: string): Program<Approval | undefined> {
  const found = yield* row(
    `select ${COLUMNS} from agent_approval
     where installation_id = ? and connection_id = ? and status in (${statuses}) and expires_at > now_ms() order by id desc limit 1`,
    installation,
    connection,
  )
  return found === undefined ? undefined : toApproval(found)
}

/** The installation's row decides between two that ask at once. */
function* ask(dialect: Dialect, approval: Approval, event: NewEvent): Program<Approval> {
  const { installation, connection } = approval
  if (connection === null) throw new Error('only the use of a connection is asked for here')
  yield* row(`select i.id from installation i where i.id = ? ${dialect.forUpdate('i')}`, installation)
  const standing = yield* use(installation, connection, "'pending', 'approved'")
  if (standing !== undefined) return standing
  yield* insertApproval(approval)
  yield* append(event)
  return approval
}

function* get(organization: OrganizationId, id: ApprovalId): Program<Approval | undefined> {
  const found = yield* row(`select ${COLUMNS} from agent_approval where id = ? and organization_id = ?`, id, organization)
  return found === undefined ? undefined : toApproval(found)
}

/** A pending one whose time is over is no longer among the pending. */
function* list(organization: OrganizationId, { status, owner, limit, after }: Parameters<Approvals['list']>[1]): Program<readonly Approval[]> {
  const conditions = ['organization_id = ?']
  const params: SqlValue[] = [organization]
  if (status !== undefined) {
    conditions.push('status = ?', ...(status === 'pending' ? ['expires_at > now_ms()'] : []))
    params.push(status)
  }
  if (owner !== undefined) {
    conditions.push('agent_id in (select a.id from agent a where a.owner_id = ?)')
    params.push(owner)
  }
  if (after !== null) {
    conditions.push('id < ?')
    params.push(after)
  }
  const found = yield* rows(`select ${COLUMNS} from agent_approval where ${conditions.join(' and ')} order by id desc limit ?`, ...params, limit)
  return found.map(toApproval)
}

function* decide(
  organization: OrganizationId,
  id: ApprovalId,
  { status, by, expiresAt }: Parameters<Approvals['decide']>[2],
  event: NewEvent,
): Program<'decided' | 'already' | 'gone'> {
  const decided = yield* run(
    `update agent_approval set status = ?, decided_at = now_ms(), decided_by = ?, expires_at = ?
     where id = ? and organization_id = ? and status = 'pending' and expires_at > now_ms()`,
    status,
    JSON.stringify(by),
    expiresAt,
    id,
    organization,
  )
  if (decided === 1) {
    yield* append(event)
    return 'decided'
  }
  const found = yield* get(organization, id)
  return found === undefined || found.status === 'pending' ? 'gone' : 'already'
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select id from agent_approval where expires_at < ? order by expires_at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from agent_approval where ${dialect.among('id')}`, JSON.stringify(old.map((found) => found.id)))
}

export function approvalsStore(database: Database): Approvals {
  const { dialect } = database
  return {
    ask: (approval, event) => database.write(() => ask(dialect, approval, event)),
    get: (organization, id) => database.read(() => get(organization, id)),
    list: (organization, filter) => database.read(() => list(organization, filter)),
    decide: (organization, id, decision, event) => database.write(() => decide(organization, id, decision, event)),
    standing: (installation, connection) => database.read(() => use(installation, connection, "'approved'")),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
