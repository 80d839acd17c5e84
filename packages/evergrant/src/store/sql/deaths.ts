import type { NewEvent } from '../../core/audit/event.ts'
import type { StoredFault } from '../../core/connection/connection.ts'
import type { ConnectionId, IntegrationId, OrganizationId } from '../../core/ids.ts'
import type { FailureCommit } from '../../core/refresh/credentials.ts'
import type { DeathDecision, DeathReport, DeathSettlement, HeldProbe, UnsettledDeath } from '../../core/refresh/deaths.ts'
import { append } from './event-rows.ts'
import { changed, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, json, jsonOrNull, text, textOrNull } from './rows.ts'

export const faultHeld = (found: Row): boolean => found.state === 'active' && jsonOrNull<StoredFault>(found, 'fault')?.code === 'deaths_held'

/** The watch comes after the connection in the order of locks, and everybody who counts waits for it. */
function* watchOf(dialect: Dialect, integration: IntegrationId): Program<Row> {
  yield* run('insert into death_watch (integration_id) values (?) on conflict do nothing', integration)
  const watch = yield* row(`select w.*, now_ms() as now from death_watch w where w.integration_id = ? ${dialect.forUpdate('w')}`, integration)
  if (watch === undefined) throw new Error('a row that was just written is not there')
  return watch
}

/** Counts a death that a provider told. Returns whether its end is held. */
export function* countDeath(dialect: Dialect, commit: FailureCommit, report: DeathReport): Program<boolean> {
  const watch = yield* watchOf(dialect, report.integration)
  const now = integer(watch, 'now')
  const held = watch.held_at !== null
  if (watch.decision === 'confirm' || (!held && now < (integerOrNull(watch, 'trusted_until') ?? 0))) return false
  if (held && (yield* probedAgain(commit, report, watch))) return true
  yield* run('delete from death where integration_id = ? and held = 0 and at <= ?', report.integration, now - report.windowMs)
  yield* run('delete from death where connection_id = ?', commit.connection)
  yield* run(
    'insert into death (connection_id, organization_id, integration_id, generation, at, counts, held, probed_at, fault) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    commit.connection,
    commit.organization,
    report.integration,
    commit.presentedGeneration,
    now,
    report.counts ? 1 : 0,
    held ? 1 : 0,
    now,
    JSON.stringify(commit.fault),
  )
  if (!held && !(report.counts && (yield* opened(commit, report, now)))) return false
  yield* append(report.heldEvent)
  return true
}

function* opened(commit: FailureCommit, report: DeathReport, now: number): Program<boolean> {
  const counted = yield* row('select count(*) as n from death where integration_id = ? and counts = 1', report.integration)
  const deaths = counted === undefined ? 0 : integer(counted, 'n')
  if (deaths <= report.limit) return false
  yield* run(
    `update death_watch set held_at = ?, deaths = ?, refreshes = ?, agreements = 0, agreed_at = null, decision = null, trusted_until = null, probe_at = ?
     where integration_id = ?`,
    now,
    deaths,
    report.refreshes,
    now,
    report.integration,
  )
  yield* run('update death set held = 1 where connection_id = ?', commit.connection)
  yield* append(withCount(report.openedEvent, deaths))
  yield* changed({ kind: 'integration', integration: report.integration })
  return true
}

const withCount = (event: NewEvent, deaths: number): NewEvent => ({ ...event, data: { ...event.data, deaths } })

/** A held grant was presented again and refused again: days apart, that is an agreement. */
function* probedAgain(commit: FailureCommit, report: DeathReport, watch: Row): Program<boolean> {
  const now = integer(watch, 'now')
  const known = yield* run(
    'update death set probed_at = ? where connection_id = ? and generation = ? and held = 1',
    now,
    commit.connection,
    commit.presentedGeneration,
  )
  if (known === 0) return false
  const since = integerOrNull(watch, 'agreed_at') ?? integer(watch, 'held_at')
  if (watch.decision !== null || now - since < report.agreements.everyMs) return true
  const agreements = integer(watch, 'agreements') + 1
  const enough = agreements >= report.agreements.needed
  yield* run(
    'update death_watch set agreements = ?, agreed_at = ?, decision = ? where integration_id = ?',
    agreements,
    now,
    enough ? 'confirm' : null,
    report.integration,
  )
  if (enough) yield* append(report.confirmedEvent)
  yield* changed({ kind: 'integration', integration: report.integration })
  return true
}

export function* takeHeldProbes(dialect: Dialect, everyMs: number): Program<readonly HeldProbe[]> {
  const turns = yield* rows(
    `select w.integration_id, i.organization_id from death_watch w join integration i on i.id = w.integration_id
     where w.probe_at <= (select now_ms()) and w.decision is null order by w.probe_at limit 100 ${dialect.skipLocked('w')}`,
  )
  const probes: HeldProbe[] = []
  for (const turn of turns) {
    const integration = text(turn, 'integration_id') as IntegrationId
    yield* run('update death_watch set probe_at = now_ms() + ? where integration_id = ?', everyMs, integration)
    const next = yield* row(
      `select d.connection_id from death d join connection k on k.id = d.connection_id join credential c on c.connection_id = d.connection_id
       where d.integration_id = ? and d.held = 1 and k.state = 'active' and c.generation = d.generation order by d.probed_at limit 1`,
      integration,
    )
    if (next !== undefined) yield* toTheEnd(integration, text(next, 'connection_id'))
    probes.push({
      organization: text(turn, 'organization_id') as OrganizationId,
      integration,
      connection: next === undefined ? null : (text(next, 'connection_id') as ConnectionId),
    })
  }
  return probes
}

/** Behind everybody else who waits for a turn, however fast the turns follow each other. */
function* toTheEnd(integration: IntegrationId, connection: string): Program<void> {
  yield* run(
    `update death set probed_at = (
       select max(at) from (select now_ms() as at union all select max(probed_at) + 1 from death where integration_id = ? and held = 1) as latest
     ) where connection_id = ?`,
    integration,
    connection,
  )
}

/**
 * A held watch leaves marks of its window to take back, a decided one everything. Asked every few seconds, for as long as ends are
 * held: what is read is what is left to do, and no end that waits for a decision.
 */
export function* unsettledDeaths(limit: number): Program<readonly UnsettledDeath[]> {
  const watches = yield* rows('select integration_id, decision from death_watch where probe_at > 0 and held_at is not null order by probe_at')
  const found: UnsettledDeath[] = []
  for (const watch of watches) {
    for (const held of watch.decision === null ? [0] : [0, 1]) {
      if (found.length < limit) found.push(...(yield* deathsOf(watch, held, limit - found.length)))
    }
  }
  return found
}

/** In the order of an index, without a sort: what is settled is gone, so that the next call goes on behind it. */
function* deathsOf(watch: Row, held: number, limit: number): Program<readonly UnsettledDeath[]> {
  const deaths = yield* rows(
    `select d.*, c.hard_at from death d left join credential c on c.connection_id = d.connection_id
     where d.integration_id = ? and d.held = ? order by d.probed_at limit ?`,
    text(watch, 'integration_id'),
    held,
    limit,
  )
  return deaths.map((death) => ({
    connection: text(death, 'connection_id') as ConnectionId,
    organization: text(death, 'organization_id') as OrganizationId,
    integration: text(death, 'integration_id') as IntegrationId,
    generation: integer(death, 'generation'),
    action: actionOf(watch, held),
    fault: json<StoredFault>(death, 'fault'),
    hardAt: integerOrNull(death, 'hard_at'),
  }))
}

/** A mark that was made before the breaker opened: a confirmation lets it stand, everything else takes it back first. */
function actionOf(watch: Row, held: number): UnsettledDeath['action'] {
  const decision = textOrNull(watch, 'decision') as DeathDecision | null
  if (decision === 'confirm') return 'confirm'
  return held === 0 ? 'take_back' : (decision ?? 'take_back')
}

export function* settleDeath(dialect: Dialect, settlement: DeathSettlement): Program<void> {
  const { death } = settlement
  const found = yield* row(`select k.id, k.state, k.fault from connection k where k.id = ? ${dialect.forUpdate('k')}`, death.connection)
  const current = yield* row('select generation from credential where connection_id = ?', death.connection)
  const watch = yield* watchOf(dialect, death.integration)
  const listed = yield* row('select held, generation from death where connection_id = ?', death.connection)
  if (listed === undefined || integer(listed, 'generation') !== death.generation || watch.held_at === null) return
  const same = found !== undefined && current !== undefined && integer(current, 'generation') === death.generation
  if (death.action === 'take_back') {
    if (integer(listed, 'held') === 1) return
    if (same && found.state === 'needs_reauth') {
      yield* reopen(settlement)
      yield* run('update death set held = 1 where connection_id = ?', death.connection)
      return
    }
  } else {
    if (watch.decision !== death.action) return
    if (same && faultHeld({ ...found, state: found.state === 'paused' ? 'active' : found.state })) yield* carryOut(found, settlement)
  }
  yield* run('delete from death where connection_id = ?', death.connection)
  if (watch.decision !== null) yield* closeIfDone(settlement, text(watch, 'decision') as DeathDecision)
}

function* reopen({ death, fault, event, at }: DeathSettlement): Program<void> {
  yield* run("update connection set state = 'active', fault = ?, updated_at = ? where id = ?", JSON.stringify(fault), at, death.connection)
  yield* run('update health set due_at = null, next_attempt_at = null where connection_id = ?', death.connection)
  if (event !== null) yield* append(event)
  yield* changed({ kind: 'connection', connection: death.connection })
}

function* carryOut(found: Row, { death, fault, event, at, dueAt }: DeathSettlement): Program<void> {
  const active = found.state === 'active'
  const ends = death.action === 'confirm' && active
  yield* run(
    'update connection set state = ?, fault = ?, updated_at = ? where id = ?',
    ends ? 'needs_reauth' : text(found, 'state'),
    fault === null ? null : JSON.stringify(fault),
    at,
    death.connection,
  )
  if (ends) yield* run('update health set due_at = null, next_attempt_at = null where connection_id = ?', death.connection)
  else {
    yield* run(
      'update health set due_at = ?, next_attempt_at = null, failures = 0, first_failed_at = null where connection_id = ?',
      active ? dueAt : null,
      death.connection,
    )
  }
  if (event !== null && (ends || death.action === 'release')) yield* append(event)
  yield* changed({ kind: 'connection', connection: death.connection })
}

/** In the order of an index: the deaths of another integration are not looked through for one of this. */
const ONE_LEFT = 'select connection_id from death where integration_id = ? order by held limit 1'

function* closeIfDone({ death, confirmedForMs }: DeathSettlement, decision: DeathDecision): Program<void> {
  const left = yield* row(ONE_LEFT, death.integration)
  if (left === undefined) yield* close(death.integration, decision === 'confirm' ? confirmedForMs : 0)
}

function* close(integration: IntegrationId, trustMs: number): Program<void> {
  yield* run(
    `update death_watch set held_at = null, deaths = null, refreshes = null, agreements = 0, agreed_at = null, decision = null, probe_at = null,
       trusted_until = case when ? > 0 then now_ms() + ? end where integration_id = ?`,
    trustMs,
    trustMs,
    integration,
  )
  yield* changed({ kind: 'integration', integration })
}

/** `not_held`: nothing is held, nothing was written. A decision already taken stands. */
export function* decideDeaths(
  dialect: Dialect,
  integration: IntegrationId,
  decision: DeathDecision,
  confirmedForMs: number,
  event: NewEvent,
): Program<'decided' | 'not_held'> {
  const watch = yield* row(`select w.held_at, w.decision from death_watch w where w.integration_id = ? ${dialect.forUpdate('w')}`, integration)
  if (watch === undefined || watch.held_at === null || watch.decision !== null) return 'not_held'
  yield* append(event)
  yield* run('update death_watch set decision = ? where integration_id = ?', decision, integration)
  const left = yield* row(ONE_LEFT, integration)
  if (left === undefined) yield* close(integration, decision === 'confirm' ? confirmedForMs : 0)
  yield* changed({ kind: 'integration', integration })
  return 'decided'
}
