import type { NewEvent } from '../../core/audit/event.ts'
import type { CheckPlan, Checks, DueCheck, NewCheck } from '../../core/connection/checks.ts'
import type { Instant } from '../../core/time.ts'
import { shareOf } from '../sql/checks-store.ts'
import type { Tables } from './tables.ts'

function plan(tables: Tables, { integration, organization, everyMs, before }: CheckPlan, limit: number): boolean {
  const known = tables.checkPlans.get(integration)
  const after = known?.everyMs === everyMs ? known.lookedThrough : ''
  const found = tables.connections
    .ofOrganization(organization)
    .map((row) => row.grant.connection)
    .filter(({ id }) => id > after && id < before)
    .sort((left, right) => (left.id < right.id ? -1 : 1))
    .slice(0, limit)
  const last = found.at(-1)
  if (last === undefined) return false
  for (const connection of found) {
    if (connection.integration !== integration || connection.state === 'disconnected') continue
    const dueAt = tables.now() + Math.floor(shareOf(connection.id) * everyMs)
    const old = tables.checks.get(connection.id)
    tables.checks.set(connection.id, { latest: old?.latest ?? null, dueAt: Math.min(dueAt, (old?.dueAt ?? Number.POSITIVE_INFINITY) - 1) })
  }
  tables.checkPlans.set(integration, { everyMs, lookedThrough: last.id })
  return found.length === limit
}

function take(tables: Tables, limit: number, visibilityMs: number): readonly DueCheck[] {
  const now = tables.now()
  const takenUntil = now + visibilityMs
  const due = [...tables.checks].filter(([, { dueAt }]) => dueAt !== null && dueAt <= now).sort(([, left], [, right]) => (left.dueAt ?? 0) - (right.dueAt ?? 0))
  return due.slice(0, limit).flatMap(([id, kept]) => {
    tables.checks.set(id, { ...kept, dueAt: takenUntil })
    const row = tables.connections.get(id)?.grant.connection
    return row === undefined ? [] : [{ connection: id, organization: row.organization, integration: row.integration, takenUntil }]
  })
}

function record(tables: Tables, { dueAt, takenUntil, ...check }: NewCheck, event: NewEvent | null): void {
  const old = tables.checks.get(check.connection)
  const overtaken = old !== undefined && takenUntil !== undefined && old.dueAt !== takenUntil
  const workedAt = check.result === 'works' ? check.at : (old?.latest?.workedAt ?? null)
  tables.checks.set(check.connection, { latest: { ...check, workedAt }, dueAt: dueAt === undefined || overtaken ? (old?.dueAt ?? null) : dueAt })
  if (event !== null) tables.append(event)
}

function reschedule(tables: Tables, { connection, takenUntil }: Parameters<Checks['reschedule']>[0], dueAt: Instant | null): void {
  const kept = tables.checks.get(connection)
  if (kept?.dueAt === takenUntil) tables.checks.set(connection, { ...kept, dueAt })
}

export function checksPart(tables: Tables): Checks {
  return {
    of: async (connections) =>
      connections.flatMap((id) => {
        const latest = tables.checks.get(id)?.latest ?? null
        return latest === null ? [] : [latest]
      }),
    record: async (check, event) => record(tables, check, event),
    take: async (limit, visibilityMs) => take(tables, limit, visibilityMs),
    reschedule: async (taken, dueAt) => reschedule(tables, taken, dueAt),
    plan: async (wanted, limit) => plan(tables, wanted, limit),
    stop: async (integration) => {
      tables.checkPlans.delete(integration)
    },
  }
}
