import type { IncidentClosure, StoredIncident } from '../../core/agent/incident.ts'
import type { Incidents } from '../../core/agent/incidents.ts'
import type { Installation, KeyCustody } from '../../core/agent/installation.ts'
import type { DaySum, ObservedSince, TrustObservation, TrustSnapshot, TrustSnapshots } from '../../core/agent/trust-snapshots.ts'
import type { AuditEvent, EventType, NewEvent } from '../../core/audit/event.ts'
import type { AgentId, IncidentId, InstallationId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import type { Tables } from './tables.ts'

const INCIDENTS_MAX = 200
const RECOVERIES_MAX = 200
const PROOF_FAILURES_MAX = 1_000

function storedIncidents(tables: Tables): readonly StoredIncident[] {
  return [...tables.incidents.values()].map((incident) => ({ ...incident, closure: tables.closures.get(incident.id) ?? null }))
}

function newestIncidents(tables: Tables, agent: AgentId): readonly StoredIncident[] {
  return storedIncidents(tables)
    .filter((incident) => incident.agent === agent)
    .sort((left, right) => (left.id < right.id ? 1 : -1))
}

function close(tables: Tables, organization: OrganizationId, id: IncidentId, closure: IncidentClosure, event: NewEvent) {
  const incident = tables.incidents.get(id)
  if (incident === undefined || incident.organization !== organization) return 'gone'
  if (tables.closures.has(id)) return 'closed_before'
  tables.closures.set(id, closure)
  tables.trustDue.delete(incident.agent)
  tables.append(event)
  return 'closed'
}

export function incidentsPart(tables: Tables): Incidents {
  return {
    ofAgent: async (agent, { limit, after }) =>
      newestIncidents(tables, agent)
        .filter(({ id }) => after === null || id < after)
        .slice(0, limit),
    get: async (organization, id) => storedIncidents(tables).find((incident) => incident.id === id && incident.organization === organization),
    close: async (organization, id, closure, event) => close(tables, organization, id, closure, event),
  }
}

function installationsOf(tables: Tables, agent: AgentId): readonly Installation[] {
  return [...tables.installations.values()].filter((installation) => installation.agent === agent)
}

function observe(tables: Tables, agent: AgentId, at: Instant, since: ObservedSince): TrustObservation {
  const all = installationsOf(tables, agent)
  const lives = ({ expiresAt }: Installation) => expiresAt === null || expiresAt > at
  const working = all.filter((one) => (one.status === 'active' || one.status === 'recovery_blocked') && lives(one))
  const byAge = [...working].sort((left, right) => left.keyCreatedAt - right.keyCreatedAt || (left.id < right.id ? -1 : 1))
  const [oldest] = byAge
  return {
    working: working.length,
    locked: all.filter((one) => one.status === 'locked' && lives(one)).length,
    retired: all.filter(({ status }) => status === 'retired').length,
    custodies: custodiesOf(working),
    oldestKey: oldest === undefined ? null : { installation: oldest.id, createdAt: oldest.keyCreatedAt },
    days: daySums(tables, agent, since.days),
    recoveries: aboutInstallations(tables, agent, ['recovery.succeeded'], since.recoveries).slice(0, RECOVERIES_MAX),
    proofFailures: aboutInstallations(tables, agent, ['installation.proof_failed'], since.proofFailures).slice(0, PROOF_FAILURES_MAX),
    incidents: newestIncidents(tables, agent)
      .filter(({ closure, at: happenedAt }) => closure === null || happenedAt >= since.incidents)
      .sort((left, right) => right.at - left.at)
      .slice(0, INCIDENTS_MAX),
  }
}

function custodiesOf(working: readonly Installation[]): TrustObservation['custodies'] {
  const first = new Map<KeyCustody, InstallationId>()
  for (const { custody, id } of working) {
    const known = first.get(custody)
    if (known === undefined || id < known) first.set(custody, id)
  }
  return [...first].map(([custody, installation]) => ({ custody, installation }))
}

function daySums(tables: Tables, agent: AgentId, since: Instant): readonly DaySum[] {
  const sums = new Map<Instant, DaySum>()
  for (const found of tables.installationDays.values()) {
    if (found.agent !== agent || found.day < since) continue
    const known = sums.get(found.day)
    const plus = (name: Exclude<keyof DaySum, 'day'>) => found[name] + (known?.[name] ?? 0)
    sums.set(found.day, {
      day: found.day,
      requests: plus('requests'),
      bound: plus('bound'),
      rotations: plus('rotations'),
      rotationsOnTime: plus('rotationsOnTime'),
      refusedUses: plus('refusedUses'),
    })
  }
  return [...sums.values()].sort((left, right) => left.day - right.day)
}

function aboutInstallations(tables: Tables, agent: AgentId, types: readonly EventType[], since: Instant): readonly AuditEvent[] {
  const own = new Set<string>(installationsOf(tables, agent).map(({ id }) => id))
  return newestEvents(tables, (event) => event.subject !== null && own.has(event.subject) && event.at >= since && types.includes(event.type))
}

function newestEvents(tables: Tables, matches: (event: AuditEvent) => boolean): readonly AuditEvent[] {
  return [...tables.events.values()].filter(matches).sort((left, right) => (left.id < right.id ? 1 : -1))
}

function happened(tables: Tables, of: Parameters<TrustSnapshots['happened']>[0], types: readonly EventType[], since: Instant): readonly AuditEvent[] {
  const own = new Set<string>([of.agent, of.owner, ...installationsOf(tables, of.agent).map(({ id }) => id)])
  return newestEvents(
    tables,
    ({ organization, subject, at, type }) => organization === of.organization && subject !== null && own.has(subject) && at > since && types.includes(type),
  )
}

function save(tables: Tables, snapshot: TrustSnapshot, dueAt: Instant): void {
  const { agent, at } = snapshot
  if (!tables.agents.has(agent)) return
  tables.trustSnapshots.set(`${agent} ${at}`, snapshot)
  // None: something happened after the facts were read.
  if (tables.trustDue.has(agent)) tables.trustDue.set(agent, dueAt)
}

function newestSnapshots(tables: Tables, agent: AgentId): readonly TrustSnapshot[] {
  return [...tables.trustSnapshots.values()].filter((snapshot) => snapshot.agent === agent).sort((left, right) => right.at - left.at)
}

function takeDue(tables: Tables, limit: number, visibilityMs: number): Awaited<ReturnType<TrustSnapshots['takeDue']>> {
  const now = tables.now()
  const dueAt = (agent: AgentId) => tables.trustDue.get(agent) ?? 0
  const due = [...tables.agents.values()]
    .filter(({ id, status }) => status !== 'revoked' && dueAt(id) <= now)
    .sort((left, right) => dueAt(left.id) - dueAt(right.id))
    .slice(0, limit)
  for (const { id } of due) tables.trustDue.set(id, now + visibilityMs)
  return due.map(({ id, organization }) => ({ agent: id, organization }))
}

function forget<Value>(rows: Map<string, Value>, old: (value: Value) => boolean, limit: number): number {
  const gone = [...rows].filter(([, value]) => old(value)).slice(0, limit)
  for (const [key] of gone) rows.delete(key)
  return gone.length
}

export function trustSnapshotsPart(tables: Tables): TrustSnapshots {
  return {
    observe: async (agent, at, since) => observe(tables, agent, at, since),
    happened: async (of, types, since, limit) => happened(tables, of, types, since).slice(0, limit),
    save: async (snapshot, dueAt) => save(tables, snapshot, dueAt),
    history: async (agent, { limit, before }) =>
      newestSnapshots(tables, agent)
        .filter(({ at }) => before === null || at < before)
        .slice(0, limit),
    firstSince: async (agent, since) => newestSnapshots(tables, agent).findLast(({ at }) => at >= since),
    takeDue: async (limit, visibilityMs) => takeDue(tables, limit, visibilityMs),
    purge: async (before, limit) => forget(tables.trustSnapshots, ({ at }) => at < before, limit),
    forgetDays: async (before, limit) => forget(tables.installationDays, ({ day }) => day < before, limit),
  }
}
