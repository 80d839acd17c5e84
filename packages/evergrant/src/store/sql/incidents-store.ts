import type { Incident, IncidentClosure, StoredIncident } from '../../core/agent/incident.ts'
import type { Incidents } from '../../core/agent/incidents.ts'
import type { Actor, NewEvent } from '../../core/audit/event.ts'
import type { AgentId, EventId, IncidentId, InstallationId, OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { type Database, type Program, type Row, row, rows, run } from './program.ts'
import { integer, integerOrNull, json, text, textOrNull } from './rows.ts'

const INCIDENT = 'n.id, n.organization_id, n.agent_id, n.installation_id, n.kind, n.at, n.message, n.event_id, n.closed_at, n.closed_by, n.note'

function toIncident(found: Row): StoredIncident {
  const closedAt = integerOrNull(found, 'closed_at')
  return {
    id: text(found, 'id') as IncidentId,
    organization: text(found, 'organization_id') as OrganizationId,
    agent: text(found, 'agent_id') as AgentId,
    installation: textOrNull(found, 'installation_id') as InstallationId | null,
    kind: text(found, 'kind') as Incident['kind'],
    at: integer(found, 'at'),
    message: text(found, 'message'),
    event: text(found, 'event_id') as EventId,
    closure: closedAt === null ? null : { at: closedAt, by: json<Actor>(found, 'closed_by'), note: text(found, 'note') },
  }
}

function* ofAgent(agent: AgentId, limit: number, after: IncidentId | null): Program<readonly StoredIncident[]> {
  const found =
    after === null
      ? yield* rows(`select ${INCIDENT} from incident n where n.agent_id = ? order by n.id desc limit ?`, agent, limit)
      : yield* rows(`select ${INCIDENT} from incident n where n.agent_id = ? and n.id < ? order by n.id desc limit ?`, agent, after, limit)
  return found.map(toIncident)
}

/** Open ones, and those of this time. Newest first. */
export function* incidentsThatCount(agent: AgentId, since: Instant, limit: number): Program<readonly StoredIncident[]> {
  const found = yield* rows(
    `select ${INCIDENT} from incident n where n.agent_id = ? and (n.closed_at is null or n.at >= ?) order by n.at desc limit ?`,
    agent,
    since,
    limit,
  )
  return found.map(toIncident)
}

function* get(organization: OrganizationId, id: IncidentId): Program<StoredIncident | undefined> {
  const found = yield* row(`select ${INCIDENT} from incident n where n.id = ? and n.organization_id = ?`, id, organization)
  return found === undefined ? undefined : toIncident(found)
}

function* close(
  organization: OrganizationId,
  id: IncidentId,
  { at, by, note }: IncidentClosure,
  event: NewEvent,
): Program<'closed' | 'closed_before' | 'gone'> {
  const found = yield* get(organization, id)
  if (found === undefined) return 'gone'
  const closing = 'update incident set closed_at = ?, closed_by = ?, note = ? where id = ? and closed_at is null'
  if ((yield* run(closing, at, JSON.stringify(by), note, id)) === 0) return 'closed_before'
  yield* makeTrustDue(found.agent)
  yield* append(event)
  return 'closed'
}

/** Something happened that moves the score: it is computed anew before its day is over. */
export function* makeTrustDue(agent: AgentId): Program<void> {
  yield* run('update agent set trust_due_at = 0 where id = ?', agent)
}

export function incidentsStore(database: Database): Incidents {
  return {
    ofAgent: (agent, { limit, after }) => database.read(() => ofAgent(agent, limit, after)),
    get: (organization, id) => database.read(() => get(organization, id)),
    close: (organization, id, closure, event) => database.write(() => close(organization, id, closure, event)),
  }
}
