import type { IntegrationId } from '../../core/ids.ts'
import type { DueConnection, Parking, TakenParked } from '../../core/refresh/credentials.ts'
import { DAY, type Instant } from '../../core/time.ts'
import type { StoredConnection } from './connection-table.ts'
import type { Tables } from './tables.ts'

/** Whoever was read within a day comes before everybody who was not: an instant long before any hard expiry. */
const READ_FIRST_MS = 100 * 365 * DAY
/** So many more are looked at where some may be parked. */
const PARK_HELPING = 500

export function takeDue(tables: Tables, limit: number, visibilityMs: number, parking: readonly Parking[]): DueConnection[] {
  const now = tables.now()
  const taken: DueConnection[] = []
  const parked: DueConnection[] = []
  for (const row of tables.connections.takeDue(now, parking.length === 0 ? limit : limit + PARK_HELPING)) {
    const { connection, health } = row.grant
    const dueAt = health.dueAt ?? now
    if (connection.state !== 'active') tables.connections.change(row, { health: { dueAt: null } })
    else if (parks(row, parking, now)) parked.push(park(tables, row, dueAt, now))
    else if (taken.length >= limit) tables.connections.putBack(row)
    else {
      tables.connections.change(row, { health: { dueAt: now + visibilityMs } })
      taken.push(toDue(row, dueAt, now + visibilityMs))
    }
  }
  return [...taken, ...parked]
}

function parks({ grant: { connection, credential } }: StoredConnection, parking: readonly Parking[], now: Instant): boolean {
  const place = parking.find(({ integration }) => integration === connection.integration)
  if (place === undefined) return false
  return credential.suspicion === null || now - credential.suspicion.at >= place.windowMs
}

/** Takes it out of the queue until its integration can be asked again. */
function park(tables: Tables, row: StoredConnection, dueAt: Instant, now: Instant): DueConnection {
  const { connection, credential } = row.grant
  const readLately = connection.lastReadAt !== null && connection.lastReadAt >= now - DAY
  const rank = (credential.hardAt ?? dueAt) - (readLately ? READ_FIRST_MS : 0)
  tables.parked.set(connection.id, { integration: connection.integration, rank })
  tables.connections.change(row, { health: { dueAt: null } })
  return toDue(row, dueAt, null)
}

/** In order of rank. Who was served or paused meanwhile has a due time of its own, or none to have, and only leaves. */
export function takeParked(tables: Tables, integration: IntegrationId, limit: number, visibilityMs: number): TakenParked {
  const now = tables.now()
  const found = [...tables.parked].filter(([, parked]) => parked.integration === integration).sort(([, left], [, right]) => left.rank - right.rank)
  const taken: DueConnection[] = []
  for (const [id] of found.slice(0, limit)) {
    tables.parked.delete(id)
    const row = tables.connections.get(id)
    if (row === undefined || row.grant.connection.state !== 'active' || row.grant.health.dueAt !== null) continue
    tables.connections.change(row, { health: { dueAt: now + visibilityMs } })
    taken.push(toDue(row, now, now + visibilityMs))
  }
  return { taken, found: Math.min(found.length, limit) }
}

export function parkedIntegrations(tables: Tables): IntegrationId[] {
  return [...new Set([...tables.parked.values()].map((parked) => parked.integration))].sort()
}

function toDue({ grant: { connection } }: StoredConnection, dueAt: Instant, takenUntil: Instant | null): DueConnection {
  return {
    connection: connection.id,
    organization: connection.organization,
    integration: connection.integration,
    dueAt,
    takenUntil,
    parked: takenUntil === null,
  }
}
