import type { InstallationChanges, InstallationFilter, InstallationStanding, Installations, RecoveryAttempt, SeenMark } from '../../core/agent/installations.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import type { Stopper } from '../../core/agent/stopper.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { InstallationId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { forgetEnded, purgeTokens } from './installation-purge.ts'
import { revokeAll } from './installation-revocations.ts'
import { INSTALLATION, SDK_TOKEN, STANDING, STANDING_TABLES, toInstallation, toSdkToken, toStanding } from './installation-rows.ts'
import { changed, type Database, type Dialect, type Program, type Row, row, rows, run, type SqlValue } from './program.ts'
import { RECOVERY_ATTEMPT, toRecoveryAttempt } from './recovery-attempt-rows.ts'
import { integer, json, text, textOrNull, toJson } from './rows.ts'
import { PRESSING, present } from './sdk-presentations.ts'

function* get(id: InstallationId): Program<InstallationStanding | undefined> {
  const found = yield* row(`select ${STANDING} from ${STANDING_TABLES} where i.id = ?`, id)
  return found === undefined ? undefined : toStanding(found)
}

/** Newest first. */
function* list(organization: OrganizationId, filter: InstallationFilter): Program<Awaited<ReturnType<Installations['list']>>> {
  const conditions = ['i.organization_id = ?']
  const params: SqlValue[] = [organization]
  const where = (condition: string, value: SqlValue | undefined) => {
    if (value === undefined || value === null) return
    conditions.push(condition)
    params.push(value)
  }
  where('i.agent_id = ?', filter.agent)
  where('i.status = ?', filter.status)
  where('i.agent_id in (select a.id from agent a where a.owner_id = ?)', filter.owner)
  where('i.last_recovery_at >= ?', filter.healedSince)
  where('i.id < ?', filter.after)
  const found = yield* rows(
    `select ${INSTALLATION}, ${SDK_TOKEN} from installation i join sdk_token t on t.id = i.head_id
     where ${conditions.join(' and ')} order by i.id desc limit ?`,
    ...params,
    filter.limit,
  )
  return found.map((one) => ({ installation: toInstallation(one), head: toSdkToken(one) }))
}

/** The installation first, as in every other transaction, and in one order: two that mark the same ones do not wait for each other in a circle. */
function* markSeen(marks: readonly SeenMark[]): Program<void> {
  const ordered = [...marks].sort((left, right) => (left.installation < right.installation ? -1 : 1))
  for (const { installation, generation, at, address } of ordered) {
    yield* run('update installation set last_seen_at = ?, address = coalesce(?, address) where id = ?', at, address, installation)
    yield* run(
      `update sdk_token set activated_at = ?
       where id = (select i.head_id from installation i where i.id = ? and i.generation = ?) and activated_at is null`,
      at,
      installation,
      generation,
    )
  }
}

function* unlock(
  dialect: Dialect,
  organization: OrganizationId,
  id: InstallationId,
  { whole, rekeyUntil }: { readonly whole: boolean; readonly rekeyUntil: Instant },
  event: NewEvent,
): Program<'unlocked' | 'not_locked' | 'held' | 'gone'> {
  const found = yield* row(
    `select i.status, i.stopped_by from installation i where i.id = ? and i.organization_id = ? ${dialect.forUpdate('i')}`,
    id,
    organization,
  )
  if (found === undefined) return 'gone'
  if (found.status !== 'locked') return 'not_locked'
  if (!whole && isStoppedByWhole(found)) return 'held'
  yield* run(`update installation set status = 'active', "lock" = null, stopped_by = null, rekey_until = ? where id = ?`, rekeyUntil, id)
  yield* append(event)
  yield* changed({ kind: 'installation', installation: id })
  return 'unlocked'
}

/** Looked at under the lock: it may have happened since the caller decided. */
function isStoppedByWhole(found: Row): boolean {
  return found['stopped_by'] !== null && json<Stopper>(found, 'stopped_by').whole
}

/** All that keep the subject out of the agent, in one order. */
function* lift(
  dialect: Dialect,
  organization: OrganizationId,
  id: InstallationId,
  whole: boolean,
  event: NewEvent,
): Program<'lifted' | 'not_kept_out' | 'held' | 'gone'> {
  const found = yield* row('select i.agent_id, i.workload_subject from installation i where i.id = ? and i.organization_id = ?', id, organization)
  if (found === undefined) return 'gone'
  const barring = yield* rows(
    `select i.id, i.stopped_by from installation i
     where i.agent_id = ? and i.workload_subject = ? and i.status = 'retired' and i.stopped_by is not null order by i.id ${dialect.forUpdate('i')}`,
    text(found, 'agent_id'),
    textOrNull(found, 'workload_subject'),
  )
  if (barring.length === 0) return 'not_kept_out'
  if (!whole && barring.some(isStoppedByWhole)) return 'held'
  yield* run(`update installation set stopped_by = null where ${dialect.among('id')}`, JSON.stringify(barring.map((one) => one.id)))
  yield* append(event)
  return 'lifted'
}

/** What is over or locked does not become active by this. */
function* update(
  dialect: Dialect,
  organization: OrganizationId,
  id: InstallationId,
  { name, recoveryMode, status, stoppedBy, whole = false }: InstallationChanges,
  event: NewEvent,
): Program<'updated' | 'held' | 'gone'> {
  const found = yield* row(
    `select i.status, i.stopped_by from installation i where i.id = ? and i.organization_id = ? ${dialect.forUpdate('i')}`,
    id,
    organization,
  )
  if (found === undefined) return 'gone'
  const held = !whole && isStoppedByWhole(found)
  if (held && stoppedBy === null) return 'held'
  if (name !== undefined) yield* run('update installation set name = ? where id = ?', name, id)
  if (recoveryMode !== undefined) yield* run('update installation set recovery_mode = ? where id = ?', recoveryMode, id)
  if (stoppedBy !== undefined && !held) yield* run("update installation set stopped_by = ? where id = ? and status <> 'retired'", toJson(stoppedBy), id)
  if (status !== undefined) yield* run("update installation set status = ? where id = ? and status in ('active', 'recovery_blocked')", status, id)
  yield* append(event)
  yield* changed({ kind: 'installation', installation: id })
  return 'updated'
}

function* tokensOf(id: InstallationId, limit: number): Program<readonly SdkToken[]> {
  const found = yield* rows(
    `select ${SDK_TOKEN} from sdk_token t where t.installation_id = ? order by t.installation_id desc, t.generation desc, t.attempt desc limit ?`,
    id,
    limit,
  )
  return found.map(toSdkToken)
}

function* attemptsOf(id: InstallationId, limit: number): Program<readonly RecoveryAttempt[]> {
  const found = yield* rows(
    `select ${RECOVERY_ATTEMPT} from recovery_attempt r where r.installation_id = ? order by r.installation_id desc, r.at desc limit ?`,
    id,
    limit,
  )
  return found.map(toRecoveryAttempt)
}

function* recoveryPressure(organization: OrganizationId, since: Instant): Program<{ readonly recoveries: number; readonly installations: number }> {
  const recoveries = yield* row(PRESSING, organization, since)
  const installations = yield* row('select count(*) as count from installation where organization_id = ?', organization)
  return {
    recoveries: recoveries === undefined ? 0 : integer(recoveries, 'count'),
    installations: installations === undefined ? 0 : integer(installations, 'count'),
  }
}

/** Only newest tokens are active. */
function* excuse(dialect: Dialect, from: Instant, to: Instant, limit: number): Program<number> {
  const found = yield* rows(
    "select id from sdk_token where state = 'active' and ticket = 0 and expires_at > ? and expires_at <= ? order by expires_at limit ?",
    from,
    to,
    limit,
  )
  if (found.length === 0) return 0
  return yield* run(`update sdk_token set ticket = 1 where ${dialect.among('id')} and state = 'active'`, JSON.stringify(found.map((one) => one.id)))
}

function* forgetAttempts(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select id from recovery_attempt where at < ? order by at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from recovery_attempt where ${dialect.among('id')}`, JSON.stringify(old.map((found) => found.id)))
}

export function installationsStore(database: Database): Installations {
  const { dialect } = database
  return {
    get: (id) => database.read(() => get(id)),
    list: (organization, filter) => database.read(() => list(organization, filter)),
    // The same attempt gets the same bytes, so an unknown commit may be repeated.
    present: (presentation) => database.write(() => present(dialect, presentation), { repeatable: true }),
    markSeen: (marks) => (marks.length === 0 ? Promise.resolve() : database.write(() => markSeen(marks), { repeatable: true })),
    revoke: (organization, target, revocation, at, event) => revokeAll(database, { organization, target, revocation, at, event }),
    unlock: (organization, id, whole, rekeyUntil, event) => database.write(() => unlock(dialect, organization, id, { whole, rekeyUntil }, event)),
    lift: (organization, id, whole, event) => database.write(() => lift(dialect, organization, id, whole, event)),
    update: (organization, id, changes, event) => database.write(() => update(dialect, organization, id, changes, event)),
    tokensOf: (id, limit) => database.read(() => tokensOf(id, limit)),
    attemptsOf: (id, limit) => database.read(() => attemptsOf(id, limit)),
    recoveryPressure: (organization, since) => database.read(() => recoveryPressure(organization, since)),
    purge: (before, limit) => database.write(() => purgeTokens(dialect, before, limit), { repeatable: true }),
    excuse: (from, to, limit) => database.write(() => excuse(dialect, from, to, limit), { repeatable: true }),
    forgetEnded: (before, limit) => database.write(() => forgetEnded(dialect, before, limit), { repeatable: true }),
    forgetAttempts: (before, limit) => database.write(() => forgetAttempts(dialect, before, limit), { repeatable: true }),
  }
}
