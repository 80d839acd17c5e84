import type { NewEvent } from '../../core/audit/event.ts'
import type { ConnectionId, IntegrationId } from '../../core/ids.ts'
import type { FailureCommit, GrantRow } from '../../core/refresh/credentials.ts'
import type { DeathDecision, DeathReport, DeathSettlement, DeathsHeld, HeldProbe, UnsettledDeath } from '../../core/refresh/deaths.ts'
import type { Instant } from '../../core/time.ts'
import type { CountedDeath, DeathWatch } from './kept-rows.ts'
import type { Tables } from './tables.ts'

const QUIET: DeathWatch = { held: null, agreedAt: null, trustedUntil: null, probeAt: null }
const PROBES_AT_ONCE = 100

export const faultHeld = ({ connection }: GrantRow): boolean => connection.state === 'active' && connection.fault?.code === 'deaths_held'

const watchOf = (tables: Tables, integration: IntegrationId): DeathWatch => tables.watches.get(integration) ?? QUIET
const deathsOf = (tables: Tables, integration: IntegrationId): CountedDeath[] =>
  [...tables.deaths.values()].filter((death) => death.integration === integration)

function tell(tables: Tables, integration: IntegrationId): void {
  tables.changed({ kind: 'integration', integration })
}

/** Counts a death that a provider told. Returns whether its end is held. */
export function countDeath(tables: Tables, commit: FailureCommit, report: DeathReport): boolean {
  const { integration } = report
  const watch = watchOf(tables, integration)
  const now = tables.now()
  if (watch.held?.decision === 'confirm' || (watch.held === null && now < (watch.trustedUntil ?? 0))) return false
  if (watch.held !== null && probedAgain(tables, commit, report, watch, watch.held)) return true
  for (const death of deathsOf(tables, integration)) if (!death.held && death.at <= now - report.windowMs) tables.deaths.delete(death.connection)
  const { connection, organization, presentedGeneration: generation, fault } = commit
  tables.deaths.set(connection, {
    connection,
    organization,
    integration,
    generation,
    at: now,
    counts: report.counts,
    held: watch.held !== null,
    probedAt: now,
    fault,
  })
  if (watch.held === null && !(report.counts && opened(tables, connection, report, now))) return false
  tables.append(report.heldEvent)
  return true
}

function opened(tables: Tables, connection: ConnectionId, report: DeathReport, now: Instant): boolean {
  const { integration, limit, refreshes, openedEvent } = report
  const deaths = deathsOf(tables, integration).filter((death) => death.counts).length
  if (deaths <= limit) return false
  tables.watches.set(integration, { ...QUIET, held: { since: now, deaths, refreshes, agreements: 0, decision: null }, probeAt: now })
  const own = tables.deaths.get(connection)
  if (own !== undefined) tables.deaths.set(connection, { ...own, held: true })
  tables.append({ ...openedEvent, data: { ...openedEvent.data, deaths } })
  tell(tables, integration)
  return true
}

/** A held grant was presented again and refused again: days apart, that is an agreement. */
function probedAgain(tables: Tables, commit: FailureCommit, report: DeathReport, watch: DeathWatch, held: DeathsHeld): boolean {
  const now = tables.now()
  const known = tables.deaths.get(commit.connection)
  if (known === undefined || !known.held || known.generation !== commit.presentedGeneration) return false
  probed(tables, known, now)
  if (held.decision !== null || now - (watch.agreedAt ?? held.since) < report.agreements.everyMs) return true
  const agreements = held.agreements + 1
  const enough = agreements >= report.agreements.needed
  tables.watches.set(report.integration, { ...watch, agreedAt: now, held: { ...held, agreements, decision: enough ? 'confirm' : null } })
  if (enough) tables.append(report.confirmedEvent)
  tell(tables, report.integration)
  return true
}

export function takeHeldProbes(tables: Tables, everyMs: number): HeldProbe[] {
  const now = tables.now()
  const turns = [...tables.watches].filter(([, { probeAt, held }]) => probeAt !== null && probeAt <= now && (held?.decision ?? null) === null)
  turns.sort(([, left], [, right]) => (left.probeAt ?? 0) - (right.probeAt ?? 0))
  return turns.slice(0, PROBES_AT_ONCE).flatMap(([integration, watch]) => {
    const organization = tables.integrations.get(integration)?.integration.organization
    if (organization === undefined) return []
    tables.watches.set(integration, { ...watch, probeAt: now + everyMs })
    const next = longestUnprobed(tables, integration)
    if (next !== undefined) probed(tables, next, now)
    return [{ organization, integration, connection: next?.connection ?? null }]
  })
}

/** To the end of the map: two of one instant keep their turns. */
function probed(tables: Tables, death: CountedDeath, now: Instant): void {
  tables.deaths.delete(death.connection)
  tables.deaths.set(death.connection, { ...death, probedAt: now })
}

function longestUnprobed(tables: Tables, integration: IntegrationId): CountedDeath | undefined {
  const candidates = deathsOf(tables, integration).filter((death) => {
    const grant = tables.connections.get(death.connection)?.grant
    return death.held && grant?.connection.state === 'active' && grant.credential.generation === death.generation
  })
  return candidates.sort((left, right) => left.probedAt - right.probedAt)[0]
}

/** A held watch leaves marks of its window to take back, a decided one everything. */
export function unsettledDeaths(tables: Tables, limit: number): UnsettledDeath[] {
  const found: UnsettledDeath[] = []
  for (const [integration, { held }] of [...tables.watches].sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (held === null) continue
    const open = deathsOf(tables, integration).filter((death) => held.decision !== null || !death.held)
    found.push(
      ...open
        .sort((left, right) => Number(left.held) - Number(right.held) || left.probedAt - right.probedAt)
        .map(({ connection, organization, generation, fault, ...death }): UnsettledDeath => {
          const hardAt = tables.connections.get(connection)?.grant.credential.hardAt ?? null
          return { connection, organization, integration, generation, action: actionOf(death, held.decision), fault, hardAt }
        }),
    )
  }
  return found.slice(0, limit)
}

/** A mark that was made before the breaker opened: a confirmation lets it stand, everything else takes it back first. */
function actionOf(death: Pick<CountedDeath, 'held'>, decision: DeathDecision | null): UnsettledDeath['action'] {
  if (decision === 'confirm') return 'confirm'
  return death.held ? (decision ?? 'take_back') : 'take_back'
}

export function settleDeath(tables: Tables, settlement: DeathSettlement): void {
  const { death } = settlement
  const watch = watchOf(tables, death.integration)
  const listed = tables.deaths.get(death.connection)
  if (listed === undefined || listed.generation !== death.generation || watch.held === null) return
  const row = tables.connections.get(death.connection)
  const grant = row?.grant.credential.generation === death.generation ? row.grant : undefined
  if (death.action === 'take_back') {
    if (listed.held) return
    if (grant?.connection.state === 'needs_reauth') {
      reopen(tables, settlement)
      tables.deaths.set(death.connection, { ...listed, held: true })
      return
    }
  } else {
    if (watch.held.decision !== death.action) return
    const state = grant?.connection.state
    if ((state === 'active' || state === 'paused') && grant?.connection.fault?.code === 'deaths_held') carryOut(tables, settlement, state === 'active')
  }
  tables.deaths.delete(death.connection)
  const { decision } = watch.held
  if (decision !== null && deathsOf(tables, death.integration).length === 0)
    close(tables, death.integration, decision === 'confirm' ? settlement.confirmedForMs : 0)
}

function reopen(tables: Tables, { death, fault, event, at }: DeathSettlement): void {
  const row = tables.connections.get(death.connection)
  if (row === undefined) return
  tables.connections.change(row, { connection: { state: 'active', fault, updatedAt: at }, health: { dueAt: null, nextAttemptAt: null } })
  if (event !== null) tables.append(event)
  tables.changed({ kind: 'connection', connection: death.connection })
}

function carryOut(tables: Tables, { death, fault, event, at, dueAt }: DeathSettlement, active: boolean): void {
  const row = tables.connections.get(death.connection)
  if (row === undefined) return
  const ends = death.action === 'confirm' && active
  tables.connections.change(row, {
    connection: { state: ends ? 'needs_reauth' : row.grant.connection.state, fault, updatedAt: at },
    health: ends ? { dueAt: null, nextAttemptAt: null } : { dueAt: active ? dueAt : null, nextAttemptAt: null, failures: 0, firstFailedAt: null },
  })
  if (event !== null && (ends || death.action === 'release')) tables.append(event)
  tables.changed({ kind: 'connection', connection: death.connection })
}

function close(tables: Tables, integration: IntegrationId, trustMs: number): void {
  tables.watches.set(integration, { ...QUIET, trustedUntil: trustMs > 0 ? tables.now() + trustMs : null })
  tell(tables, integration)
}

/** `not_held`: nothing is held, nothing was written. A decision already taken stands. */
export function decideDeaths(
  tables: Tables,
  integration: IntegrationId,
  decision: DeathDecision,
  confirmedForMs: number,
  event: NewEvent,
): 'decided' | 'not_held' {
  const watch = watchOf(tables, integration)
  if (watch.held === null || watch.held.decision !== null) return 'not_held'
  tables.append(event)
  tables.watches.set(integration, { ...watch, held: { ...watch.held, decision } })
  if (deathsOf(tables, integration).length === 0) close(tables, integration, decision === 'confirm' ? confirmedForMs : 0)
  tell(tables, integration)
  return 'decided'
}
