import type { DayCount, HourCount, UseCount, Uses } from '../../core/agent/uses.ts'
import type { AgentId, ConnectionId, OrganizationId } from '../../core/ids.ts'
import { HOUR, type Instant } from '../../core/time.ts'
import type { Tables } from './tables.ts'

const useKey = ({ connection, minute, actor, access }: UseCount): string => `${connection} ${minute} ${actor.id} ${access} ${actor.kind}`

function add(tables: Tables, uses: readonly UseCount[], days: readonly DayCount[]): void {
  for (const use of uses) {
    const key = useKey(use)
    tables.connectionUses.set(key, { ...use, count: use.count + (tables.connectionUses.get(key)?.count ?? 0) })
  }
  for (const day of days) addDay(tables, day)
}

/** An installation that is gone meanwhile has no days. */
function addDay(tables: Tables, day: DayCount): void {
  const installation = tables.installations.get(day.installation)
  if (installation === undefined) return
  const key = `${day.installation} ${day.day}`
  const known = tables.installationDays.get(key)
  const sum = (name: 'requests' | 'bound' | 'rotations' | 'rotationsOnTime' | 'proofFailures' | 'refusedUses') => day[name] + (known?.[name] ?? 0)
  tables.installationDays.set(key, {
    installation: day.installation,
    agent: installation.agent,
    day: day.day,
    requests: sum('requests'),
    bound: sum('bound'),
    rotations: sum('rotations'),
    rotationsOnTime: sum('rotationsOnTime'),
    proofFailures: sum('proofFailures'),
    refusedUses: sum('refusedUses'),
  })
}

function found(tables: Tables, matches: (use: UseCount) => boolean, place: (use: UseCount) => string, limit: number): readonly UseCount[] {
  return [...tables.connectionUses.values()]
    .filter(matches)
    .sort((left, right) => right.minute - left.minute || (place(left) < place(right) ? -1 : 1))
    .slice(0, limit)
}

function ofAgent(tables: Tables, agent: AgentId, since: Instant): readonly Pick<UseCount, 'connection' | 'access' | 'count'>[] {
  const own = new Set<string>([...tables.installations.values()].filter((one) => one.agent === agent).map(({ id }) => id))
  const sums = new Map<string, { connection: ConnectionId; access: UseCount['access']; count: number }>()
  for (const { actor, minute, connection, access, count } of tables.connectionUses.values()) {
    if (!own.has(actor.id) || minute < since) continue
    const key = `${connection} ${access}`
    sums.set(key, { connection, access, count: count + (sums.get(key)?.count ?? 0) })
  }
  return [...sums].sort(([key, left], [other, right]) => right.count - left.count || (key < other ? -1 : 1)).map(([, sum]) => sum)
}

function byHour(tables: Tables, organization: OrganizationId, connections: readonly ConnectionId[], since: Instant): readonly HourCount[] {
  const sums = new Map<string, HourCount>()
  for (const use of tables.connectionUses.values()) {
    if (use.organization !== organization || use.minute < since || !connections.includes(use.connection)) continue
    const { connection, actor } = use
    const hour = use.minute - (use.minute % HOUR)
    const key = `${connection} ${actor.kind} ${actor.id} ${hour}`
    sums.set(key, { connection, actor, hour, count: use.count + (sums.get(key)?.count ?? 0) })
  }
  return [...sums.values()]
}

export function usesPart(tables: Tables): Uses {
  return {
    add: async (uses, days) => add(tables, uses, days),
    ofConnection: async (organization, connection, since, limit) =>
      found(
        tables,
        (use) => use.connection === connection && use.organization === organization && use.minute >= since,
        (use) => use.actor.id,
        limit,
      ),
    byHour: async (organization, connections, since) => byHour(tables, organization, connections, since),
    ofInstallation: async (installation, since, limit) =>
      found(
        tables,
        (use) => use.actor.id === installation && use.minute >= since,
        (use) => use.connection,
        limit,
      ),
    ofAgent: async (agent, since) => ofAgent(tables, agent, since),
    daysOf: async (agent, since) =>
      [...tables.installationDays.values()]
        .filter((day) => day.agent === agent && day.day >= since)
        .sort((left, right) => right.day - left.day || (left.installation < right.installation ? -1 : 1)),
    purge: async (before, limit) => {
      const old = [...tables.connectionUses].filter(([, use]) => use.minute < before).slice(0, limit)
      for (const [key] of old) tables.connectionUses.delete(key)
      return old.length
    },
  }
}
