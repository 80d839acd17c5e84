import type { DueWarning, WarningStep } from '../../core/refresh/credentials.ts'
import type { Tables } from './tables.ts'

export function dueWarnings(tables: Tables, limit: number): DueWarning[] {
  return tables.connections.dueWarnings(tables.now(), limit).flatMap(({ grant: { connection, health }, warnAt }) => {
    if (health.endsAt === null || warnAt === null) return []
    return [{ connection: connection.id, organization: connection.organization, state: connection.state, endsAt: health.endsAt, warnAt }]
  })
}

/** Only the one who finds the row as it was writes the event: a twin, or the same step after a crash, changes nothing. */
export function warn(tables: Tables, steps: readonly WarningStep[]): number {
  let taken = 0
  for (const { connection, warnAt, endsAt, nextWarnAt, dueAt, event } of steps) {
    const row = tables.connections.get(connection)
    if (row === undefined || row.warnAt !== warnAt || row.grant.health.endsAt !== endsAt) continue
    tables.connections.change(row, { warnAt: nextWarnAt, ...(dueAt !== null && { health: { dueAt } }) })
    taken += 1
    if (event === null) continue
    tables.append(event)
    tables.changed({ kind: 'connection', connection })
  }
  return taken
}
