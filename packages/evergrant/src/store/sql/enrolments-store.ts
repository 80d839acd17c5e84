import { afterProof } from '../../core/agent/agent-status.ts'
import { ENROLMENT_REPEAT_MS, type Enrolling, type Enrolment, type Enrolments, type EnrolRequest } from '../../core/agent/enrolments.ts'
import type { Actor, NewEvent } from '../../core/audit/event.ts'
import type { AgentId, EnrolmentId, InstallationId, OrganizationId } from '../../core/ids.ts'
import { type Instant, SECOND } from '../../core/time.ts'
import { AGENT, toAgent } from './agent-rows.ts'
import { swapAgent } from './agents-store.ts'
import { append } from './event-rows.ts'
import { insertInstallation, insertSdkToken, SDK_TOKEN, STANDING, STANDING_TABLES, toSdkToken, toStanding } from './installation-rows.ts'
import { type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, json, text, textOrNull } from './rows.ts'

const COLUMNS = [
  'id',
  'hash',
  'door',
  'organization_id',
  'agent_id',
  'name',
  'user_code',
  'status',
  'asked',
  'created_by',
  'created_at',
  'expires_at',
  'next_poll_at',
  'interval_ms',
  'used_by',
  'used_attempt',
  'installation_id',
] as const
const ENROLMENT = COLUMNS.map((column) => `e.${column}`).join(', ')
/** RFC 8628 section 3.5. */
const SLOWER_MS = 5 * SECOND

function toEnrolment(found: Row): Enrolment {
  return {
    id: text(found, 'id') as EnrolmentId,
    hash: text(found, 'hash'),
    door: text(found, 'door') as Enrolment['door'],
    organization: textOrNull(found, 'organization_id') as OrganizationId | null,
    agent: textOrNull(found, 'agent_id') as AgentId | null,
    name: textOrNull(found, 'name'),
    userCode: textOrNull(found, 'user_code'),
    status: text(found, 'status') as Enrolment['status'],
    asked: json<Enrolment['asked']>(found, 'asked'),
    createdBy: json<Actor>(found, 'created_by'),
    createdAt: integer(found, 'created_at'),
    expiresAt: integer(found, 'expires_at'),
    nextPollAt: integerOrNull(found, 'next_poll_at'),
    intervalMs: integer(found, 'interval_ms'),
    usedBy: textOrNull(found, 'used_by'),
    usedAttempt: textOrNull(found, 'used_attempt'),
    installation: textOrNull(found, 'installation_id') as InstallationId | null,
  }
}

function* insert(enrolment: Enrolment, event: NewEvent | null): Program<void> {
  yield* run(
    `insert into enrolment (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`,
    enrolment.id,
    enrolment.hash,
    enrolment.door,
    enrolment.organization,
    enrolment.agent,
    enrolment.name,
    enrolment.userCode,
    enrolment.status,
    JSON.stringify(enrolment.asked),
    JSON.stringify(enrolment.createdBy),
    enrolment.createdAt,
    enrolment.expiresAt,
    enrolment.nextPollAt,
    enrolment.intervalMs,
    enrolment.usedBy,
    enrolment.usedAttempt,
    enrolment.installation,
  )
  if (event !== null) yield* append(event)
}

function* find(column: 'hash' | 'user_code', value: string): Program<Enrolment | undefined> {
  const found = yield* row(`select ${ENROLMENT} from enrolment e where e.${column} = ?`, value)
  return found === undefined ? undefined : toEnrolment(found)
}

function* openOf(organization: OrganizationId, agent: AgentId): Program<readonly Enrolment[]> {
  const found = yield* rows(
    `select ${ENROLMENT} from enrolment e
     where e.agent_id = ? and e.status = 'open' and e.organization_id = ? and e.expires_at > now_ms() order by e.id desc limit 100`,
    agent,
    organization,
  )
  return found.map(toEnrolment)
}

function* decide(id: EnrolmentId, { status, organization, agent, name }: Parameters<Enrolments['decide']>[1], event: NewEvent): Program<'decided' | 'gone'> {
  const decided = yield* run(
    `update enrolment set status = ?, organization_id = ?, agent_id = ?, name = coalesce(?, name)
     where id = ? and door = 'device' and status = 'open' and expires_at > now_ms()`,
    status,
    organization,
    agent,
    name,
    id,
  )
  if (decided === 0) return 'gone'
  yield* append(event)
  return 'decided'
}

/** The next one is counted from this one, in time or not: who asks in a loop never gets through. */
function* poll(id: EnrolmentId, at: Instant): Program<boolean> {
  const inTime = yield* run(
    'update enrolment set next_poll_at = cast(? as bigint) + interval_ms where id = ? and (next_poll_at is null or next_poll_at <= ?)',
    at,
    id,
    at,
  )
  if (inTime === 1) return true
  yield* run(
    `update enrolment set interval_ms = interval_ms + ${SLOWER_MS}, next_poll_at = cast(? as bigint) + interval_ms + ${SLOWER_MS} where id = ?`,
    at,
    id,
  )
  return false
}

function* withdraw(organization: OrganizationId, id: EnrolmentId, event: NewEvent): Program<'withdrawn' | 'gone'> {
  const done = yield* run(
    "update enrolment set status = 'withdrawn' where id = ? and organization_id = ? and status = 'open' and expires_at > now_ms()",
    id,
    organization,
  )
  if (done === 0) return 'gone'
  yield* append(event)
  return 'withdrawn'
}

const REFUSED: Enrolling = { kind: 'refused' }

/** Everything that may refuse comes before the first write. */
function* enrol(dialect: Dialect, request: EnrolRequest): Program<Enrolling> {
  const { installation, token } = request
  if (request.enrolment !== null) {
    const found = yield* row(`select ${ENROLMENT}, now_ms() as now from enrolment e where e.id = ? ${dialect.forUpdate('e')}`, request.enrolment)
    if (found === undefined) return REFUSED
    const enrolment = toEnrolment(found)
    if (enrolment.status === 'used') return yield* again(enrolment.installation, request, integer(found, 'now'))
    const open = enrolment.status === (enrolment.door === 'code' ? 'open' : 'approved')
    if (!open || integer(found, 'now') >= enrolment.expiresAt || enrolment.agent !== installation.agent) return REFUSED
  }
  const found = yield* row(
    `select ${AGENT}, now_ms() as now from agent a where a.id = ? and a.organization_id = ? ${dialect.forUpdate('a')}`,
    installation.agent,
    installation.organization,
  )
  if (found === undefined) return REFUSED
  const agent = toAgent(found)
  if (agent.status === 'revoked') return REFUSED
  const stopped = yield* stoppedWorkload(installation)
  if (stopped !== null) return { kind: 'kept_out', installation: stopped }
  if (request.enrolment === null) {
    const same = yield* sameWorkload(request)
    if (same !== null) return yield* again(same, request, integer(found, 'now'))
  }
  yield* insertInstallation(installation)
  yield* insertSdkToken(token)
  if (request.enrolment !== null)
    yield* run(
      "update enrolment set status = 'used', used_by = ?, used_attempt = ?, installation_id = ? where id = ?",
      installation.keyThumbprint,
      token.attempt,
      installation.id,
      request.enrolment,
    )
  yield* append(request.enrolled)
  const proven = afterProof(agent, installation.enrolledVia, integer(found, 'now'))
  if (proven !== null) yield* swapAgent(proven)
  if (proven !== null && proven.status === 'verified' && agent.status !== 'verified') yield* append(request.verified)
  const standing = yield* row(`select ${STANDING} from ${STANDING_TABLES} where i.id = ?`, installation.id)
  return standing === undefined ? REFUSED : { kind: 'enrolled', standing: toStanding(standing), token, again: false }
}

/** The installation as which somebody stopped this workload. */
function* stoppedWorkload({ agent, workload }: EnrolRequest['installation']): Program<InstallationId | null> {
  if (workload === null) return null
  const found = yield* row(
    `select i.id from installation i
     where i.agent_id = ? and i.workload_subject = ? and i.status in ('retired', 'locked') and i.stopped_by is not null order by i.id desc limit 1`,
    agent,
    workload.subject,
  )
  return found === undefined ? null : (text(found, 'id') as InstallationId)
}

/** A workload has no permission that was spent: its key and its attempt are known. */
function* sameWorkload({ installation, token }: EnrolRequest): Program<InstallationId | null> {
  const found = yield* row(
    `select i.id from installation i join sdk_token t on t.installation_id = i.id and t.generation = 1
     where i.key_thumbprint = ? and i.agent_id = ? and i.enrolled_via = 'workload' and t.attempt = ?`,
    installation.keyThumbprint,
    installation.agent,
    token.attempt,
  )
  return found === undefined ? null : (text(found, 'id') as InstallationId)
}

/** The same key with the same attempt: the same bytes, as long as nobody has gone on with them. */
function* again(id: InstallationId | null, { installation, token }: EnrolRequest, at: Instant): Program<Enrolling> {
  const found = yield* row(
    `select ${STANDING}, ${SDK_TOKEN} from ${STANDING_TABLES.replace('installation i', 'installation i join sdk_token t on t.id = i.head_id')} where i.id = ?`,
    id,
  )
  if (found === undefined) return REFUSED
  const [standing, first] = [toStanding(found), toSdkToken(found)]
  const same = standing.installation.keyThumbprint === installation.keyThumbprint && first.attempt === token.attempt && first.generation === 1
  if (!same || standing.installation.status !== 'active' || first.state !== 'active') return REFUSED
  if (at - standing.installation.createdAt >= ENROLMENT_REPEAT_MS) return REFUSED
  return { kind: 'enrolled', standing, token: first, again: true }
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select id from enrolment where expires_at < ? order by expires_at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from enrolment where ${dialect.among('id')}`, JSON.stringify(old.map((found) => found.id)))
}

export function enrolmentsStore(database: Database): Enrolments {
  const { dialect } = database
  return {
    insert: (enrolment, event) => database.write(() => insert(enrolment, event)),
    find: (hash) => database.read(() => find('hash', hash)),
    byUserCode: (userCode) => database.read(() => find('user_code', userCode)),
    openOf: (organization, agent) => database.read(() => openOf(organization, agent)),
    decide: (id, decision, event) => database.write(() => decide(id, decision, event)),
    poll: (id, at) => database.write(() => poll(id, at)),
    withdraw: (organization, id, event) => database.write(() => withdraw(organization, id, event)),
    enrol: (request) => database.write(() => enrol(dialect, request)),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
