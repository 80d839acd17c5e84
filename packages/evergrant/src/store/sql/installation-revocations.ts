import type { Incident } from '../../core/agent/incident.ts'
import { HEALING_CLASSES } from '../../core/agent/installation.ts'
import type { InstallationTarget, SdkRevocation } from '../../core/agent/installations.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { AgentId, InstallationId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { changed, type Database, type Dialect, type Program, type Row, rows, run, type SqlValue } from './program.ts'
import { text, toJson } from './rows.ts'
import { insertIncident } from './sdk-presentations.ts'

/** Installations of one transaction. */
const BATCH = 1_000

interface Revoking {
  readonly organization: OrganizationId
  readonly target: InstallationTarget
  readonly revocation: SdkRevocation
  readonly at: Instant
  readonly event: NewEvent
}

/** Batch by batch: who is interrupted begins again, and those that are done are not found again. */
export async function revokeAll(database: Database, revoking: Revoking): Promise<readonly InstallationId[]> {
  const ended: InstallationId[] = []
  for (let after: string | null = ''; after !== null; ) {
    const from: string = after
    const batch = await database.write(() => revokeBatch(database.dialect, revoking, from), { repeatable: true })
    ended.push(...batch.ended)
    after = batch.next
  }
  return ended
}

interface Batch {
  readonly ended: readonly InstallationId[]
  /** Where the next one begins; null after the last. */
  readonly next: string | null
}

/** The rows are locked first, and their newest tokens looked at afterwards: one that is being replaced at this moment is not missed. */
function* revokeBatch(dialect: Dialect, { organization, target, revocation, at, event }: Revoking, after: string): Program<Batch> {
  const [condition, ...params] = targeted(target)
  const locked = yield* rows(
    `select i.id, i.agent_id, i.head_id from installation i
     where i.organization_id = ? and ${condition} and ${STATUSES[revocation.status]} and i.id > ? order by i.id limit ${BATCH} ${dialect.forUpdate('i')}`,
    organization,
    ...params,
    after,
  )
  const next = locked.length < BATCH ? null : text(locked.at(-1) as Row, 'id')
  const found = HEALING_CLASSES.has(revocation.class) ? yield* withLiveToken(dialect, locked) : locked
  if (found.length === 0) return { ended: [], next }
  const ids = found.map((one) => text(one, 'id') as InstallationId)
  const { class: revokeClass, reason, by, ticket, status, lock, stopper = null } = revocation
  yield* run(
    `update sdk_token set state = 'revoked', revoke_class = ?, revoke_reason = ?, revoked_by = ?, revoked_at = ?, ticket = ? where ${dialect.among('id')}`,
    revokeClass,
    reason,
    by,
    at,
    ticket ? 1 : 0,
    JSON.stringify(found.map((one) => text(one, 'head_id'))),
  )
  if (status === 'active') yield* run(`update installation set min_generation = generation + 1 where ${dialect.among('id')}`, JSON.stringify(ids))
  else
    yield* run(
      `update installation set status = ?, "lock" = ?, min_generation = generation + 1, rekey_until = null,
       stopped_by = case when stopped_by like '%"whole":true}'${stopper === null ? " or status = 'locked'" : ''} then stopped_by else ? end where ${dialect.among('id')}`,
      status,
      toJson(lock),
      toJson(stopper),
      JSON.stringify(ids),
    )
  const incident = incidentOf({ organization, revocation, at, event }, found)
  if (incident !== null) yield* insertIncident(incident)
  for (const installation of ids) yield* changed({ kind: 'installation', installation })
  yield* append(event)
  return { ended: ids, next }
}

/** A rotation is for those whose newest token lives; a cut-off also for those that were rotated, and could still heal. */
function* withLiveToken(dialect: Dialect, locked: readonly Row[]): Program<readonly Row[]> {
  if (locked.length === 0) return []
  const live = yield* rows(
    `select t.id from sdk_token t where t.state = 'active' and ${dialect.among('t.id')}`,
    JSON.stringify(locked.map((one) => text(one, 'head_id'))),
  )
  const heads = new Set(live.map((one) => text(one, 'id')))
  return locked.filter((one) => heads.has(text(one, 'head_id')))
}

const STATUSES: Readonly<Record<SdkRevocation['status'], string>> = {
  active: "i.status in ('active', 'recovery_blocked')",
  locked: "i.status in ('active', 'recovery_blocked')",
  retired: "i.status <> 'retired'",
}

function targeted(target: InstallationTarget): readonly [string, ...SqlValue[]] {
  if ('installation' in target) return ['i.id = ?', target.installation]
  if ('agent' in target) return ['i.agent_id = ?', target.agent]
  if ('owner' in target) return ['i.agent_id in (select a.id from agent a where a.owner_id = ?)', target.owner]
  return ['1 = 1']
}

/** About the agent of the first: whoever marks a machine as compromised names that machine. */
function incidentOf({ organization, revocation: { lock }, at, event }: Omit<Revoking, 'target'>, found: readonly Row[]): Incident | null {
  const [first] = found
  if (lock === null || lock.incident === null || first === undefined) return null
  const installation = found.length === 1 ? (text(first, 'id') as InstallationId) : null
  const kind = lock.code === 'clone' ? 'clone' : 'compromise'
  return { id: lock.incident, organization, agent: text(first, 'agent_id') as AgentId, installation, kind, at, message: lock.message, event: event.id }
}
