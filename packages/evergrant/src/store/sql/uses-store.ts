import type { DayCount, HourCount, UseCount, Uses } from '../../core/agent/uses.ts'
import type { AgentId, ConnectionId, InstallationId, OrganizationId } from '../../core/ids.ts'
import { HOUR, type Instant } from '../../core/time.ts'
import { type Database, type Dialect, type Program, type Row, rows, run } from './program.ts'
import { integer, text } from './rows.ts'

const USE = 'u.organization_id, u.connection_id, u.actor_kind, u.actor_id, u.access, u.minute, u.count'

function toUse(found: Row): UseCount {
  return {
    organization: text(found, 'organization_id') as OrganizationId,
    connection: text(found, 'connection_id') as ConnectionId,
    actor: { kind: text(found, 'actor_kind') as UseCount['actor']['kind'], id: text(found, 'actor_id') },
    access: text(found, 'access') as UseCount['access'],
    minute: integer(found, 'minute'),
    count: integer(found, 'count'),
  }
}

function toDay(found: Row): DayCount {
  return {
    installation: text(found, 'installation_id') as InstallationId,
    agent: text(found, 'agent_id') as AgentId,
    day: integer(found, 'day'),
    requests: integer(found, 'requests'),
    bound: integer(found, 'bound'),
    rotations: integer(found, 'rotations'),
    rotationsOnTime: integer(found, 'rotations_on_time'),
    proofFailures: integer(found, 'proof_failures'),
    refusedUses: integer(found, 'refused_uses'),
  }
}

const useKey = ({ connection, minute, actor, access }: UseCount): string => `${connection} ${minute} ${actor.id} ${access} ${actor.kind}`
const dayKey = ({ installation, day }: DayCount): string => `${installation} ${day}`

/** In one order on every node, so that two that write the same rows wait for each other and never for ever. */
function ordered<Item>(items: readonly Item[], keyOf: (item: Item) => string): readonly Item[] {
  return [...items].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

function* add(uses: readonly UseCount[], days: readonly DayCount[]): Program<void> {
  for (const use of ordered(uses, useKey))
    yield* run(
      `insert into connection_use (organization_id, connection_id, actor_kind, actor_id, access, minute, count) values (?, ?, ?, ?, ?, ?, ?)
       on conflict (connection_id, minute, actor_id, access, actor_kind) do update set count = connection_use.count + excluded.count`,
      use.organization,
      use.connection,
      use.actor.kind,
      use.actor.id,
      use.access,
      use.minute,
      use.count,
    )
  for (const day of ordered(days, dayKey)) yield* addDay(day)
}

/** An installation that is gone meanwhile has no days. */
function* addDay(day: DayCount): Program<void> {
  yield* run(
    `insert into installation_day (installation_id, agent_id, day, requests, bound, rotations, rotations_on_time, proof_failures, refused_uses)
     select i.id, i.agent_id, ?, ?, ?, ?, ?, ?, ? from installation i where i.id = ?
     on conflict (installation_id, day) do update set requests = installation_day.requests + excluded.requests, bound = installation_day.bound + excluded.bound,
       rotations = installation_day.rotations + excluded.rotations, rotations_on_time = installation_day.rotations_on_time + excluded.rotations_on_time,
       proof_failures = installation_day.proof_failures + excluded.proof_failures, refused_uses = installation_day.refused_uses + excluded.refused_uses`,
    day.day,
    day.requests,
    day.bound,
    day.rotations,
    day.rotationsOnTime,
    day.proofFailures,
    day.refusedUses,
    day.installation,
  )
}

function* ofConnection(organization: OrganizationId, connection: ConnectionId, since: Instant, limit: number): Program<readonly UseCount[]> {
  const found = yield* rows(
    `select ${USE} from connection_use u where u.connection_id = ? and u.minute >= ? and u.organization_id = ? order by u.minute desc, u.actor_id limit ?`,
    connection,
    since,
    organization,
    limit,
  )
  return found.map(toUse)
}

function* byHour(dialect: Dialect, organization: OrganizationId, connections: readonly ConnectionId[], since: Instant): Program<readonly HourCount[]> {
  if (connections.length === 0) return []
  const found = yield* rows(
    `select u.connection_id, u.actor_kind, u.actor_id, u.minute / ${HOUR} as hour, sum(u.count) as count from connection_use u
     where ${dialect.among('u.connection_id')} and u.minute >= ? and u.organization_id = ? group by 1, 2, 3, 4`,
    JSON.stringify(connections),
    since,
    organization,
  )
  return found.map((one) => ({
    connection: text(one, 'connection_id') as ConnectionId,
    actor: { kind: text(one, 'actor_kind') as UseCount['actor']['kind'], id: text(one, 'actor_id') },
    hour: integer(one, 'hour') * HOUR,
    count: integer(one, 'count'),
  }))
}

function* ofInstallation(installation: InstallationId, since: Instant, limit: number): Program<readonly UseCount[]> {
  const found = yield* rows(
    `select ${USE} from connection_use u where u.actor_id = ? and u.minute >= ? order by u.minute desc, u.connection_id limit ?`,
    installation,
    since,
    limit,
  )
  return found.map(toUse)
}

function* ofAgent(agent: AgentId, since: Instant): Program<readonly Pick<UseCount, 'connection' | 'access' | 'count'>[]> {
  const found = yield* rows(
    `select u.connection_id, u.access, sum(u.count) as count from installation i join connection_use u on u.actor_id = i.id and u.minute >= ?
     where i.agent_id = ? group by u.connection_id, u.access order by 3 desc, 1, 2 limit 1000`,
    since,
    agent,
  )
  return found.map((use) => ({
    connection: text(use, 'connection_id') as ConnectionId,
    access: text(use, 'access') as UseCount['access'],
    count: integer(use, 'count'),
  }))
}

function* daysOf(agent: AgentId, since: Instant): Program<readonly DayCount[]> {
  const found = yield* rows('select * from installation_day d where d.agent_id = ? and d.day >= ? order by d.day desc, d.installation_id', agent, since)
  return found.map(toDay)
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows(
    'select connection_id, minute, actor_id, access, actor_kind from connection_use where minute < ? order by minute limit ?',
    before,
    limit,
  )
  if (old.length === 0) return 0
  const minutes = [...new Set(old.map((found) => String(found.minute)))]
  const through = minutes.length === 0 ? before : Math.max(...minutes.map(Number))
  return yield* run(
    `delete from connection_use where minute <= ? and minute < ? and ${dialect.among('connection_id')}`,
    through,
    before,
    JSON.stringify([...new Set(old.map((found) => found.connection_id))]),
  )
}

export function usesStore(database: Database): Uses {
  const { dialect } = database
  return {
    add: (uses, days) => (uses.length + days.length === 0 ? Promise.resolve() : database.write(() => add(uses, days))),
    ofConnection: (organization, connection, since, limit) => database.read(() => ofConnection(organization, connection, since, limit)),
    byHour: (organization, connections, since) => database.read(() => byHour(dialect, organization, connections, since)),
    ofInstallation: (installation, since, limit) => database.read(() => ofInstallation(installation, since, limit)),
    ofAgent: (agent, since) => database.read(() => ofAgent(agent, since)),
    daysOf: (agent, since) => database.read(() => daysOf(agent, since)),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
