import type { OrganizationId } from '../../core/ids.ts'
import { idFrom } from '../../core/ids.ts'
import type { OpenAlerts, Operations, Sweep, SweepProgress, Workload } from '../../core/operate/operations.ts'
import type { Instant } from '../../core/time.ts'
import type { StoredConnection } from './connection-table.ts'
import { sealedValues } from './reseals-part.ts'
import type { Tables } from './tables.ts'

function waiting<Row extends { readonly nextAt: Instant | null }>(rows: Iterable<Row>): number {
  return [...rows].filter(({ nextAt }) => nextAt !== null).length
}

function openAlerts(tables: Tables): readonly OpenAlerts[] {
  const found = new Map<string, OpenAlerts>()
  for (const { kind, severity, resolvedAt } of tables.alerting.alerts.values()) {
    if (resolvedAt !== null) continue
    const key = `${kind} ${severity}`
    found.set(key, { kind, severity, open: (found.get(key)?.open ?? 0) + 1 })
  }
  return [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, alerts]) => alerts)
}

const dueBy =
  (at: Instant) =>
  ({ grant }: StoredConnection): boolean =>
    grant.health.dueAt !== null && grant.health.dueAt <= at

function workload(tables: Tables): Workload {
  const all = [...tables.connections.all()]
  const due = all.filter(dueBy(tables.now()))
  return {
    due: due.length,
    oldestDueAt: due.length === 0 ? null : Math.min(...due.map(({ grant }) => grant.health.dueAt ?? 0)),
    parked: tables.parked.size,
    leased: all.filter(({ leasedBy }) => leasedBy !== null).length,
    suspect: all.filter(({ grant }) => grant.credential.suspicion !== null).length,
    revocations: tables.revocations.waiting(),
    deliveries: waiting(tables.alerting.deliveries.values()),
    notices: waiting(tables.alerting.notices.values()),
    letters: waiting(tables.alerting.letters.values()),
    alerts: openAlerts(tables),
  }
}

function countDue(tables: Tables, organization: OrganizationId, at: Instant): number {
  return [...tables.connections.all()].filter(
    (row) => dueBy(at)(row) && row.grant.connection.organization === organization && row.grant.connection.state === 'active',
  ).length
}

function measure(tables: Tables, { id, organization, startedAt }: Sweep): SweepProgress {
  const leased = [...tables.connections.all()].filter(({ leasedBy, grant }) => leasedBy !== null && grant.connection.organization === organization)
  const from = idFrom('evt', startedAt)
  const happened = (type: string) =>
    [...tables.events.values()].filter((event) => event.organization === organization && event.type === type && event.id >= from).length
  const progress: SweepProgress = {
    remaining: countDue(tables, organization, startedAt) + leased.length,
    refreshed: happened('connection.refreshed'),
    failed: happened('connection.refresh_failed'),
    needsOwner: happened('connection.needs_reauth'),
  }
  const known = tables.sweeps.get(id)
  if (known !== undefined && known.finishedAt === null) tables.sweeps.set(id, { ...known, progress })
  return progress
}

export function operationsPart(tables: Tables): Operations {
  const newest = (organization: OrganizationId) =>
    [...tables.sweeps.values()].filter((sweep) => sweep.organization === organization).sort((left, right) => (left.id < right.id ? 1 : -1))
  return {
    workload: async () => workload(tables),
    startSweep: async (sweep, event) => {
      const due = countDue(tables, sweep.organization, sweep.startedAt)
      const made: Sweep = { ...sweep, due, progress: { remaining: due, refreshed: 0, failed: 0, needsOwner: 0 }, finishedAt: null }
      tables.sweeps.set(made.id, made)
      tables.append({ ...event, data: { ...event.data, due } })
      return made
    },
    sweeps: async (organization, limit) => newest(organization).slice(0, limit),
    sweep: async (organization, id) => newest(organization).find((sweep) => sweep.id === id),
    openSweeps: async (limit) => [...tables.sweeps.values()].filter(({ finishedAt }) => finishedAt === null).slice(0, limit),
    measureSweep: async (sweep) => measure(tables, sweep),
    finishSweep: async (sweep, at, event) => {
      const known = tables.sweeps.get(sweep.id)
      if (known === undefined || known.finishedAt !== null) return false
      tables.sweeps.set(sweep.id, { ...known, finishedAt: at })
      tables.append(event)
      return true
    },
    forgetSweeps: async (before, limit) => {
      const old = [...tables.sweeps.values()].filter(({ finishedAt }) => finishedAt !== null && finishedAt < before).slice(0, limit)
      for (const { id } of old) tables.sweeps.delete(id)
      return old.length
    },
    sealedSlice: async (cursor) => sealedValues(tables, cursor),
  }
}
